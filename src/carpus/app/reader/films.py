"""Which films are to be read, and what their outputs are called."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from carpus.app.film_source import find_films
from carpus.imaging.halves import Half

OVERLAY, PAGE, VALUES = "-overlay.png", ".html", ".json"
OUTPUTS = (OVERLAY, PAGE, VALUES)
"""What is written of a film, each after its name; the values last, so that a film that has them is done."""

LIST = "index"
_LONGEST = 180
"""Bytes of a name; file systems allow 255, and a draft of an output is 30 longer than the name."""


@dataclass(frozen=True)
class Film:
    """One film to read.

    Attributes:
        path: Of its file.
        label: As the user knows it: the path as given, or the one within the folder given.
        name: Of its outputs, with `/` between folders; never leads out of a folder.
        half: Of a film that shows both hands, the half to read; None for all of it.
    """

    path: Path
    label: str
    name: str
    half: Half | None = None


@dataclass(frozen=True)
class Films:
    """The films to read, each file once, and how many files of the folders are no films."""

    films: tuple[Film, ...]
    others: int


def choose_films(sources: Sequence[Path], *, out: Path, two_hands: bool = False) -> Films:
    """The films that files and folders stand for.

    What is given as a file is taken for a film whatever it is called; of folders, DICOM by content and image files
    by name, except those in `out`.

    Args:
        sources: Files and folders.
        out: Where outputs go.
        two_hands: Whether each file shows both hands and stands for two films, its halves.

    Raises:
        InputError: A folder without films.
    """
    folders = [source for source in sources if source.is_dir()]
    found: dict[Path, tuple[str, PurePosixPath]] = {}
    others = 0
    for source in sources:
        if source not in folders:
            found.setdefault(source.resolve(), (str(source), PurePosixPath(source.name)))
            continue
        inside = find_films(source, without=(out,) if out.resolve() != source.resolve() else ())
        others += inside.others
        # Two folders may hold the same names.
        above = PurePosixPath(source.resolve().name if len(folders) > 1 else "")
        for name, path in inside.films.items():
            label = str(source / name) if len(folders) > 1 else name
            found.setdefault(path.resolve(), (label, above / name))
    halves = tuple(Half) if two_hands else (None,)
    wanted = [(path, *of, half) for path, of in found.items() for half in halves]
    names = _names([_of_half(place, half) for _, _, place, half in wanted])
    return Films(
        tuple(
            Film(path, f"{label}, {half.value} half" if half else label, name, half)
            for (path, label, _, half), name in zip(wanted, names, strict=True)
        ),
        others,
    )


def _of_half(place: PurePosixPath, half: Half | None) -> PurePosixPath:
    return place.with_name(f"{place.stem}-{half.value}-half{place.suffix}") if half else place


def _names(places: Sequence[PurePosixPath]) -> list[str]:
    """A name for each place: without the suffix where that is unique, else with it, and last with a number."""
    stems = [str(place.with_suffix("")) for place in places]
    short = Counter(stem.casefold() for stem in [*stems, LIST])
    names: list[str] = []
    taken: set[str] = set()
    for place, stem in zip(places, stems, strict=True):
        whole = stem if short[stem.casefold()] == 1 else str(place)
        name, number = _shortened(whole), 1
        while name.casefold() in taken:
            number += 1
            name = _shortened(f"{whole}-{number}")
        taken.add(name.casefold())
        names.append(name)
    return names


def _shortened(name: str) -> str:
    """The name with a last part that file systems take."""
    place = PurePosixPath(name)
    content = place.name.encode("utf-8", "surrogateescape")
    if len(content) <= _LONGEST:
        return name
    digest = hashlib.blake2b(content, digest_size=6).hexdigest()
    kept = content[: _LONGEST - len(digest) - 1].decode("utf-8", "ignore")
    return str(place.with_name(f"{kept}-{digest}"))
