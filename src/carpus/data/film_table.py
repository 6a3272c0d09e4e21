"""What a person knows of films that the films do not tell: a table with a row a film, as CSV or Excel.

| column                             | meaning                                                                        |
|------------------------------------|--------------------------------------------------------------------------------|
| `file`                             | path within the folder of films, its last part, or that without its suffix     |
| a column a joint, in any spelling  | optional: SvdH erosion score, 0 to 5; all six of a film or none                |
| `patient`, `study`                 | optional: any names; films of one patient and of one visit share them          |
| `side`                             | optional: L or R                                                               |
| `spacing_mm`                       | optional: edge of a pixel, for films that do not state it                      |
| `sex`, `age`, `institution`        | optional: F or M, years, name of the centre                                    |

A row with anything wrong is not used, and its film is refused: a score that cannot be read must not make an unscored
film.
"""

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import pandas as pd

from carpus.anatomy import Joint, Side, parse_joint, parse_side
from carpus.data.facts import parse_facts
from carpus.data.problem import one_line
from carpus.errors import InputError

_MAX_BYTES = 64 * 1024**2
_COLUMNS = ("file", "patient", "study", "side", "spacing_mm", "sex", "age", "institution")
_SPACING_MM = (0.01, 2.0)
_ANY_CASE = "0001_0001_R"


@dataclass(frozen=True)
class FilmRow:
    """What the table says of one film; None where it says nothing."""

    line: int
    patient: str | None = None
    study: str | None = None
    side: Side | None = None
    spacing_mm: float | None = None
    sex: str | None = None
    age: int | None = None
    institution: str | None = None
    scores: Mapping[Joint, int] | None = None


@dataclass(frozen=True)
class FilmTable:
    """A table of films.

    Attributes:
        rows: By film as the table names it.
        wrong: What is wrong, a sentence each, by film as the table names it.
    """

    rows: Mapping[str, FilmRow] = field(default_factory=dict)
    wrong: Mapping[str, str] = field(default_factory=dict)

    def names(self) -> set[str]:
        """Every film that the table names, rightly or wrongly."""
        return {*self.rows, *self.wrong}


def read_film_table(path: Path) -> FilmTable:
    """The table, row by row.

    Raises:
        InputError: Missing, no table, without a column `file`, or with a column that is unknown.
    """
    header, lines = _read(path)
    columns: dict[int, str | Joint] = {}
    for number, name in enumerate(header):
        column = _column(path, name)
        if column in columns.values():
            raise InputError(f"{path} has the column {name!r} twice; keep one of them")
        columns[number] = column
    if "file" not in columns.values():
        raise InputError(f"{path} has no column file, expected one that names the films; add it")
    rows: dict[str, FilmRow] = {}
    wrong: dict[str, str] = {}
    for line, cells in lines:
        values = {columns[number]: text.strip() for number, text in enumerate(cells) if number in columns}
        file = values.get("file", "").replace("\\", "/")
        if not any(values.values()):
            continue
        if not file:
            wrong[f"line {line}"] = f"{path} names no file in line {line}; name it or remove the row"
            continue
        if file in rows or file in wrong:
            rows.pop(file, None)
            wrong[file] = f"{path} has {file} in line {line} again; keep one of the rows"
            continue
        try:
            rows[file] = _row(line, {name: text for name, text in values.items() if text})
        except InputError as error:
            wrong[file] = f"{path} has in line {line}: {error}"
    return FilmTable(rows, wrong)


def named_films(table: FilmTable, films: Iterable[str]) -> dict[str, str]:
    """The name that the table has for each film, for those that it names.

    Args:
        table: Of films.
        films: Their paths within the folder.

    Raises:
        InputError: A name in the table fits several films.

    Example:
        >>> named_films(FilmTable({"b": FilmRow(2)}), ["old/a.dcm", "old/b.dcm"])
        {'old/b.dcm': 'b'}
    """
    known = table.names()
    found: dict[str, str] = {}
    taken: dict[str, str] = {}
    for film in films:
        path = PurePosixPath(film)
        # The stem of a path too, so that `old/b` works.
        name = next((each for each in (film, str(path.with_suffix("")), path.name, path.stem) if each in known), None)
        if name is None:
            continue
        if name in taken:
            raise InputError(f"table of films names {name}, which is {taken[name]} and {film}; give the whole path")
        found[film], taken[name] = name, film
    return found


def _read(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise InputError(f"{path} is larger than 64 MiB, expected a row a film; check the file")
        if path.suffix.lower() in (".xlsx", ".xlsm"):
            frame = pd.read_excel(path, dtype=str, header=None).fillna("")
            rows = [[str(cell) for cell in row] for row in frame.to_numpy().tolist()]
        else:
            text = path.read_text("utf-8-sig")
            start = text.partition("\n")[0]
            separator = max(",;\t", key=start.count)
            rows = list(csv.reader(io.StringIO(text), delimiter=separator, strict=True))
    except FileNotFoundError:
        raise InputError(f"{path} does not exist, expected a table of films; check the path") from None
    except InputError:
        raise
    except Exception as error:  # a damaged Excel file fails anywhere
        raise InputError(f"{path} is no table ({one_line(error)}); save it as CSV in UTF-8, or as Excel") from None
    if not rows:
        raise InputError(f"{path} is empty, expected a line of column names; check the file")
    return rows[0], list(enumerate(rows[1:], 2))


def _column(path: Path, name: str) -> str | Joint:
    plain = name.strip().lower()
    if plain in _COLUMNS:
        return plain
    try:
        return parse_joint(name)
    except InputError:
        raise InputError(
            f"{path} has the unknown column {name!r:.40}, expected {', '.join(_COLUMNS)} or a joint "
            f"({', '.join(joint.abbreviation for joint in Joint)}); rename or remove it"
        ) from None


def _row(line: int, values: Mapping[str | Joint, str]) -> FilmRow:
    scores = {joint.value: _whole(values[joint]) for joint in Joint if joint in values}
    told: dict[str, object] = {"age": _whole(values.get("age")), "sex": values.get("sex", "").upper() or None}
    try:
        told |= {"svdh_scores": scores or None, "institution": values.get("institution")}
        checked = parse_facts({"identifier": _ANY_CASE, **told})
    except InputError as error:
        raise InputError(str(error).removeprefix(f"case {_ANY_CASE}: ")) from None
    return FilmRow(
        line=line,
        patient=values.get("patient"),
        study=values.get("study"),
        side=parse_side(values["side"]) if "side" in values else None,
        spacing_mm=_spacing(values.get("spacing_mm")),
        sex=checked.sex,
        age=checked.age,
        institution=checked.institution,
        scores=checked.scores,
    )


def _whole(text: str | None) -> int | str | None:
    """The number that a cell holds, as it is where it is none: the check that follows then says so."""
    try:
        return None if text is None else int(float(text)) if float(text).is_integer() else text
    except (ValueError, OverflowError):
        return text


def _spacing(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        spacing_mm = float(text)
    except ValueError:
        spacing_mm = 0.0
    if not _SPACING_MM[0] <= spacing_mm <= _SPACING_MM[1]:
        raise InputError(f"spacing_mm {text!r:.40} is impossible, expected 0.01 to 2 mm; correct it")
    return spacing_mm
