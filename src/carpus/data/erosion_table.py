"""Anybody's answers to the erosion question: a table with a row a joint, as CSV or Parquet.

| column            | meaning                                                                        |
|-------------------|--------------------------------------------------------------------------------|
| `image`           | identifier `PPPP_SSSS_{L|R}`                                                   |
| `joint`           | in any known spelling                                                          |
| `probability`     | of erosion (SvdH score above 0), 0 to 1                                        |
| `predicted_score` | optional: SvdH score, 0 to 5, not necessarily whole                            |
| `cut`             | optional: probability at or above which a joint is called eroded, one for all  |
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from carpus.anatomy import Joint, parse_joint
from carpus.data.case import identifier
from carpus.data.problem import one_line
from carpus.errors import InputError

_REQUIRED = ("image", "joint", "probability")
_RANGES = {"probability": 1.0, "predicted_score": 5.0, "cut": 1.0}


@dataclass(frozen=True)
class ErosionAnswers:
    """What somebody answered, by identifier and joint.

    Attributes:
        probability: Of erosion, 0 to 1.
        predicted_score: SvdH score, 0 to 5; empty if the table has none.
        cut: At or above which a joint is called eroded; None if the table does not say.
    """

    probability: Mapping[tuple[str, Joint], float]
    predicted_score: Mapping[tuple[str, Joint], float]
    cut: float | None


def read_erosion_table(path: Path) -> ErosionAnswers:
    """The answers in a table.

    Raises:
        InputError: Missing, no such table, an unknown joint, a number out of range, a joint twice, or several cuts.
    """
    table = _read(path)
    if missing := [name for name in _REQUIRED if name not in table.columns]:
        raise InputError(f"{path} lacks the columns {', '.join(missing)}, expected image, joint, probability; add them")
    numbers: dict[str, dict[tuple[str, Joint], float]] = {name: {} for name in _RANGES}
    for number, row in enumerate(table.iter_rows(named=True), 2):
        try:
            key = identifier(str(row["image"] or "").strip()), parse_joint(str(row["joint"] or ""))
        except InputError as error:
            raise InputError(f"{path} has in line {number} a {error}") from None
        if key in numbers["probability"]:
            raise InputError(f"{path} has in line {number} {key[0]}, {key[1].label} again; keep one of the rows")
        for name, values in numbers.items():
            if name in table.columns:
                values[key] = _number(path, number, name, row[name])
    cuts = set(numbers["cut"].values())
    if len(cuts) > 1:
        raise InputError(f"{path} has {len(cuts)} different cuts, expected one; keep one, or give it with --cut")
    return ErosionAnswers(numbers["probability"], numbers["predicted_score"], next(iter(cuts), None))


def _read(path: Path) -> pl.DataFrame:
    if not path.is_file():
        raise InputError(f"{path} does not exist, expected a table of joints; check the path")
    try:
        if path.suffix.lower() == ".parquet":
            return pl.read_parquet(path)
        # Read as text, so that a wrong number is named with its line.
        return pl.read_csv(path, infer_schema=False)
    except (OSError, ValueError, pl.exceptions.PolarsError) as error:
        raise InputError(f"{path} is no table ({one_line(error)}); save it as CSV or Parquet") from None


def _number(path: Path, line: int, name: str, value: object) -> float:
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        number = math.nan
    if not 0 <= number <= _RANGES[name]:
        raise InputError(
            f"{path} has in line {line} the {name} {value!r}, expected a number from 0 to {_RANGES[name]:g}; correct "
            "it, or leave the row out if there is no answer"
        )
    return number
