"""A dataset in RAM-W600's layout from a folder of films, film by film, and what was not taken, with the reason."""

import shutil
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from carpus.anatomy import Joint, Side, parse_joint
from carpus.app.drawn_masks import Drawings, find_drawings
from carpus.app.film_source import Source, find_films, look_at
from carpus.app.prepare_film import Prepared, Settings, prepare_film
from carpus.app.prepared_store import load, place_of, store
from carpus.data import layout
from carpus.data.facts import Facts
from carpus.data.film_table import FilmRow, FilmTable, named_films, read_film_table
from carpus.data.formats.folder import PHANTOM_NOTICE, write_json
from carpus.data.layout import Split
from carpus.data.prepared import ORIGINALS, PREPARED_FILE, changed_files, read_prepared, write_prepared
from carpus.data.private_key import KeyRow, Visit, identifier, known_splits, new_numbers, read_key, write_key
from carpus.data.reader import is_phantom
from carpus.data.splits import split_patients
from carpus.data.wrist import Wrist, write_wrists
from carpus.errors import InputError
from carpus.files import new_folder
from carpus.imaging.geometry import Box, crop
from carpus.report.layers import bone_shapes
from carpus.report.review import ReviewItem, picture_of, write_review

if TYPE_CHECKING:
    from carpus.inference.model import Model

KEY_FILE, REVIEW_FILE, FILMS = "key.csv", "review.html", "films"
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Request:
    """What is to be prepared.

    Attributes:
        films: Folder of films.
        out: Folder of the dataset.
        private: Folder of the key, the review page and finished films; not for others.
        settings: Of all crops.
        table: Of scores and whatever the films do not tell.
        masks: Drawn bones.
        exclude: A text file that names films to leave out, one a line.
        seed: Decides new numbers and the split.
        overwrite: Whether a dataset that has been changed since may be replaced.
    """

    films: Path
    out: Path
    private: Path
    settings: Settings
    table: Path | None = None
    masks: Path | None = None
    exclude: Path | None = None
    seed: int = 3407
    overwrite: bool = False


@dataclass
class Outcome:
    """What came of it.

    Attributes:
        wrists: How many are in the dataset.
        flagged: How many of them a person should look at.
        kept: How many films were done in an earlier run.
        refused: Films that are not in it: their paths, and why.
        remarks: What else a person should know, a sentence each.
        is_phantom: Whether the wrists are synthetic.
        page: To go through.
        stopped: Why nothing was written, in a sentence; empty if it was.
    """

    page: Path
    wrists: int = 0
    flagged: int = 0
    kept: int = 0
    refused: dict[str, str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    is_phantom: bool = False
    stopped: str = ""


@dataclass(frozen=True)
class _Film:
    """A film that is done: where its result lies, and what is to be known of it."""

    source: Source
    place: Path
    record: Mapping[str, object]
    facts: Facts | None = None
    split: Split | None = None

    @property
    def side(self) -> Side:
        return Side(self.record["side"])


def prepare(request: Request, *, progress: Progress | None = None) -> Outcome:
    """Makes the dataset. Films that were done before with the same settings are not done again.

    Args:
        request: What to prepare.
        progress: Called with (done, total) after every film.

    Raises:
        InputError: A folder, table, key or drawing that cannot be used.
    """
    _check_places(request)
    table = read_film_table(request.table) if request.table else FilmTable()
    drawings = find_drawings(request.masks)
    found = find_films(request.films, without=tuple(filter(None, (request.out, request.private, request.masks))))
    key = read_key(request.private / KEY_FILE)
    outcome = Outcome(request.private / REVIEW_FILE)
    if found.others:
        outcome.remarks.append(f"{found.others} files are no films by name and content, and were left alone")
    excluded = _excluded(request.exclude, set(found.films))
    names = named_films(table, found.films)
    outcome.remarks += [text for film, text in sorted(table.wrong.items()) if film not in names.values()]
    unknown = sorted(set(table.rows) - set(names.values()))
    outcome.remarks += [f"{request.table} names {film}, which is no film of the folder" for film in unknown]

    request.private.mkdir(parents=True, exist_ok=True, mode=0o700)
    for draft in (request.private / FILMS).glob(".*"):  # of a run that was killed
        shutil.rmtree(draft, ignore_errors=True)
    films = _do_films(request, found.films, excluded, table, names, drawings, outcome, progress)
    films = _without_doubles(films, outcome)
    outcome.stopped = _reason_to_stop(request, films, excluded)
    if outcome.stopped:
        return outcome
    films = _numbered(films, key, request, outcome)
    _write(request, films, key, outcome)
    return outcome


def _check_places(request: Request) -> None:
    out, private = request.out.resolve(), request.private.resolve()
    if private.is_relative_to(out):
        raise InputError(f"{request.private} lies in the dataset, which others will get; choose a folder outside of it")
    if request.films.resolve().is_relative_to(out) or out == request.films.resolve():
        raise InputError(f"{request.out} is or holds the folder of films; choose another name")
    if not request.out.exists() or request.overwrite:
        if request.out.is_file():
            raise InputError(f"{request.out} is a file, expected a folder to write; choose another name")
        return
    if not (request.out / PREPARED_FILE).exists():
        if request.out.is_file() or any(request.out.iterdir()):
            raise InputError(f"{request.out} exists already; choose another name, or add --overwrite to replace it")
        return
    if changed := changed_files(request.out):
        raise InputError(
            f"{request.out} has changed since it was made ({len(changed)} files, such as {changed[0]}); move it away, "
            "or add --overwrite to replace it"
        )


def _reason_to_stop(request: Request, films: Sequence[_Film], excluded: set[str]) -> str:
    """Why nothing may be written: no film at all, or wrists that would vanish from a dataset unasked."""
    if not films:
        return "no film could be taken, so no dataset was written; see the reasons above"
    if request.overwrite or not (request.out / PREPARED_FILE).exists():
        return ""
    wanted = {film.source.sha256 for film in films}
    wanted |= {row.sha256 for row in read_key(request.private / KEY_FILE) if row.file in excluded}
    lost = [each for each in read_prepared(request.out)["films"] if each["sha256"] not in wanted]
    if not lost:
        return ""
    return (
        f"{request.out} would lose {len(lost)} wrists that are in it now, such as {lost[0]['identifier']}; exclude "
        "their films with --exclude if that is meant, or add --overwrite"
    )


def _excluded(path: Path | None, films: set[str]) -> set[str]:
    if path is None:
        return set()
    try:
        lines = {line.strip() for line in path.read_text("utf-8").splitlines()} - {""}
    except (OSError, ValueError):
        raise InputError(f"{path} cannot be read, expected a text file with a film a line; check the path") from None
    if unknown := sorted(lines - films):
        raise InputError(f"{path} names {unknown[0]}, which is no film of the folder; correct or remove the line")
    return lines


def _do_films(
    request: Request,
    paths: Mapping[str, Path],
    excluded: set[str],
    table: FilmTable,
    names: Mapping[str, str],
    drawings: Drawings,
    outcome: Outcome,
    progress: Progress | None,
) -> list[_Film]:
    stems = [path.stem for path in paths.values()]
    phantoms = is_phantom(request.films)
    done: list[_Film] = []
    contents: dict[str, str] = {}
    drawn: set[str] = set()
    for number, (name, path) in enumerate(paths.items(), 1):
        try:
            if name in excluded:
                raise InputError(f"{path} is excluded by {request.exclude}")
            if names.get(name) in table.wrong:
                raise InputError(table.wrong[names[name]])
            row = table.rows[names[name]] if name in names else FilmRow(0)
            source = look_at(path, name, row)
            if source.sha256 in contents:
                raise InputError(f"{path} is a copy of {contents[source.sha256]}, byte for byte")
            contents[source.sha256] = name
            drawing = drawings.of(path.stem, source.said.instance if source.said else "")
            if drawing is not None:
                drawn.add(drawing.name)
                if stems.count(path.stem) > 1 and drawing.name in drawings.by_name:
                    raise InputError(f"{path} shares its name with another film, so its drawing is unclear; rename it")
            place = place_of(request.private / FILMS, source, drawing, request.settings, is_phantom=phantoms)
            ready = load(place)
            if ready is None:
                ready = prepare_film(source, drawing, request.settings, bones=_bones, is_phantom=phantoms)
                store(place, ready)
            else:
                outcome.kept += 1
            if row.scores and not ready.record["boxes"]:
                raise InputError(f"{path} is scored, but its joints cannot be placed; draw its bones (--masks)")
            done.append(_Film(source, place, ready.record))
        except InputError as error:
            outcome.refused[name] = " ".join(str(error).split()).removeprefix(f"{path} ")
        except ModuleNotFoundError:  # PyTorch, without which no film can be outlined
            raise
        except Exception as error:  # one film's defect must not cost a night's work
            outcome.refused[name] = f"made carpus fail ({type(error).__name__}: {error}); please report it"
        if progress:
            progress(number, len(paths))
    outcome.remarks += [
        f"{request.masks} has bones of {name}, which is no film that was taken"
        for name in sorted(drawings.names() - drawn)
    ]
    return done


@cache
def _bones() -> "Model":
    from carpus.inference.model import load_model
    from carpus.inference.weights import bundled_weights

    return load_model(bundled_weights("bones"), task="bones")


def _without_doubles(films: Sequence[_Film], outcome: Outcome) -> list[_Film]:
    """The films that alone show their patient's hand at their visit; nobody but a person can choose among others."""
    same: dict[tuple[str, str, Side], list[_Film]] = defaultdict(list)
    for film in films:
        same[film.source.patient, film.source.study, film.side].append(film)
    kept = []
    for group in same.values():
        if len(group) == 1:
            kept += group
            continue
        for film in group:
            others = ", ".join(other.source.name for other in group if other is not film)
            hand = f"the {film.side.name.lower()} hand of the same patient and study"
            outcome.refused[film.source.name] = (
                f"shows {hand} as {others}; exclude all but one, or correct study or side in the table"
            )
    return kept


def _numbered(films: Sequence[_Film], key: Sequence[KeyRow], request: Request, outcome: Outcome) -> list[_Film]:
    """The films with new identifiers, splits, scores and people."""
    generator = np.random.default_rng(request.seed)
    visits = [Visit(film.source.patient, film.source.study, film.source.date) for film in films]
    numbers = new_numbers(visits, key, generator=generator)
    worst: dict[str, int] = {}
    for film in films:
        patient, _ = numbers[film.source.patient, film.source.study]
        scores = film.source.row.scores
        worst[patient] = max(worst.get(patient, -1), max(scores.values()) if scores else -1)
    if len(worst) < len(Split):
        outcome.remarks.append(f"{len(worst)} patients cannot fill three splits, so all are in train; add patients")
        splits = dict.fromkeys(worst, Split.TRAIN)
    else:
        splits = split_patients(worst, generator=generator, kept=known_splits(key))
    people = _people(films, outcome)
    # Visits without a date have a number, but no order.
    several = Counter(patient for patient, _ in people)
    numbered = []
    for film in films:
        patient, study = numbers[film.source.patient, film.source.study]
        scores, split = film.source.row.scores, splits[patient]
        sex, age, institution = people[film.source.patient, film.source.study]
        facts = Facts(
            id=identifier((patient, study), film.side),
            bone_split=split if film.record["bones"] == "drawn" else None,
            erosion_split=split if scores else None,
            boxes=_boxes_of(film.record),
            scores=scores,
            sex=sex,
            age=age,
            institution=institution,
            phase=int(study) if film.source.date or several[film.source.patient] == 1 else None,
            synthetic=bool(film.record["synthetic"]),
        )
        numbered.append(replace(film, facts=facts, split=split))
    return sorted(numbered, key=lambda film: str(_facts(film).id))


def _people(
    films: Sequence[_Film], outcome: Outcome
) -> dict[tuple[str, str], tuple[str | None, int | None, str | None]]:
    """Sex, age and centre by patient and study: what two films contradict each other about is left out."""
    told: dict[tuple[str, str], list[Source]] = defaultdict(list)
    for film in films:
        told[film.source.patient, film.source.study].append(film.source)
    people = {}
    for visit, sources in told.items():
        values = []
        for name, each in (
            ("sex", {source.sex for source in sources}),
            ("age", {source.age for source in sources}),
            ("institution", {source.row.institution for source in sources}),
        ):
            known = each - {None}
            if len(known) > 1:
                outcome.remarks.append(
                    f"{sources[0].name} and {sources[1].name}, of one visit, differ in {name}; left out"
                )
            values.append(next(iter(known)) if len(known) == 1 else None)
        people[visit] = tuple(values)
    return people  # type: ignore[return-value]


def _boxes_of(record: Mapping[str, object]) -> dict[Joint, Box]:
    boxes = record["boxes"]
    assert isinstance(boxes, dict)  # noqa: S101 (written by `prepare_film`)
    return {parse_joint(name): Box(*corners) for name, corners in boxes.items()}


def _facts(film: _Film) -> Facts:
    assert film.facts is not None  # noqa: S101 (numbered)
    return film.facts


def _write(request: Request, films: Sequence[_Film], key: Sequence[KeyRow], outcome: Outcome) -> None:
    items: list[ReviewItem] = []
    synthetic = any(_facts(film).synthetic for film in films)
    with new_folder(request.out) as folder:
        write_wrists(folder, _wrists(folder, films, items))
        if synthetic:
            write_json(folder / layout.PHANTOM_FILE, {"synthetic": True, "notice": PHANTOM_NOTICE})
            if any(not _facts(film).synthetic for film in films):
                outcome.remarks.append(
                    "some films are phantoms and some are not: the whole dataset is marked as phantoms"
                )
        write_prepared(
            folder,
            {
                "carpus": version("carpus"),
                "made_with": _libraries(films),
                "settings": {**vars(request.settings), "seed": request.seed},
                "notice": "Boxes that are 'predicted' are a network's, not a reader's. For research use only.",
                "films": [
                    {"identifier": str(_facts(film).id), "split": film.split and film.split.value, **film.record}
                    for film in films
                ],
                "refused": len(outcome.refused),
            },
        )
        # The key first: a dataset whose numbers nobody can trace back would be lost.
        write_key(request.private / KEY_FILE, _key_rows(films, key))
    write_review(
        outcome.page,
        items,
        refused=outcome.refused,
        remarks=outcome.remarks,
        dataset=request.out.name,
        is_phantom=synthetic,
    )
    outcome.wrists = len(films)
    outcome.flagged = sum(bool(film.record["flags"]) for film in films)
    outcome.is_phantom = synthetic


def _libraries(films: Sequence[_Film]) -> dict[str, str]:
    """Versions of what decides the result."""
    names = ["numpy", "opencv-python-headless"]
    if any(film.record["bones"] == "predicted" for film in films):
        names.append("torch")
    return {name: version(name) for name in names}


def _key_rows(films: Sequence[_Film], key: Sequence[KeyRow]) -> list[KeyRow]:
    """The key with all films in it: a film that became another wrist than before stands there once."""
    rows = []
    for film in films:
        source = film.source
        assert film.split is not None  # noqa: S101 (numbered)
        known = source.name, source.sha256, source.patient, source.study, source.date
        rows.append(KeyRow(_facts(film).id, film.split, *known))
    now = {row.sha256 for row in rows}
    return rows + [row for row in key if row.sha256 not in now]


def _wrists(folder: Path, films: Sequence[_Film], items: list[ReviewItem]) -> Iterator[Wrist]:
    """The wrists one at a time; on the way their 16-bit copies are written, and what the review page shows is kept."""
    for film in films:
        facts, made = _facts(film), load(film.place)
        if made is None:
            raise InputError(f"{film.place} has vanished or is damaged; run the command again")
        shutil.copyfile(film.place / "original.png", _made(folder / ORIGINALS) / f"{facts.id}.png")
        regions = {joint: crop(made.pixels, box) for joint, box in facts.boxes.items()} if facts.scores else {}
        items.append(_item(film, made))
        yield Wrist(facts, made.pixels, made.bones if facts.bone_split else None, regions)


def _made(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    return folder


def _item(film: _Film, made: Prepared) -> ReviewItem:
    facts, record = _facts(film), film.record
    return ReviewItem(
        identifier=str(facts.id),
        source=film.source.name,
        side=facts.id.side,
        side_from=str(record["side_from"]),
        split=film.split.value if film.split else "",
        is_drawn=record["bones"] == "drawn",
        boxes=facts.boxes,
        scores=facts.scores,
        spacing=f"{record['film_spacing_mm']:.4g} mm ({record['spacing_from']})",
        flags=dict(record["flags"]),  # type: ignore[call-overload]
        notes=dict(record["notes"]),  # type: ignore[call-overload]
        picture=picture_of(made.pixels),
        shapes=bone_shapes(made.bones),
        edge_px=made.pixels.shape[0],
    )
