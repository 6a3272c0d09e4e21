"""The tidy results file: the only thing that training hands to the report.

One CSV row is model x seed x split x image x structure x metric. Anybody's predictions can be turned into
such rows, so tables and figures never need the network that made them. Columns:

| column    | meaning                                                                              |
|-----------|--------------------------------------------------------------------------------------|
| task      | `bones` or `erosion`                                                                 |
| model     | the network's or baseline's name                                                     |
| seed      | of the training, empty for what has none                                             |
| recipe    | the recipe's name                                                                    |
| data      | `phantom` or `patients`                                                              |
| split     | `train`, `val` or `test`                                                             |
| image     | identifier `PPPP_SSSS_{L|R}`                                                         |
| patient   | patient identifier, the unit of the bootstrap                                        |
| structure | a bone (`Cap`), an overlap pair (`Radius-Sca`) or a joint (`Sca`), as the paper prints |
| metric    | a name from `carpus.metrics.METRICS`, or `score`, `probability` and `cut` for erosion |
| value     | the number; empty (NaN) where the metric is undefined, `inf` for a missed bone's distance |
| group     | `BE` or `nonBE` (see below), empty if unscored                                         |

The group of a scored bone is that of its joint; of anything else, that of the image: BE if one joint is eroded.

For erosion three rows stand for one joint: the reference `score` (0 to 5), the model's `probability` of
erosion, and the `cut` at or above which the model calls it eroded.
"""

from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd

from carpus.data.problem import one_line
from carpus.errors import InputError
from carpus.files import new_file


@dataclass(frozen=True)
class ResultRow:
    """One number of the results file; see the module for the columns."""

    task: str
    model: str
    seed: int | None
    recipe: str
    data: str
    split: str
    image: str
    patient: str
    structure: str
    metric: str
    value: float
    group: str = ""


COLUMNS = tuple(ResultRow.__dataclass_fields__)
_TEXT = [name for name in COLUMNS if name not in ("seed", "value")]


def results_frame(rows: list[ResultRow]) -> pd.DataFrame:
    """The rows as a table with the columns of the module's docstring, one row each."""
    frame = pd.DataFrame([asdict(row) for row in rows], columns=list(COLUMNS))
    return frame.astype({"seed": "Int64", "value": float})


def write_results(path: Path, results: pd.DataFrame) -> None:
    """Writes a results table as CSV, complete or not at all."""
    with new_file(path) as draft:
        results.to_csv(draft, index=False, columns=list(COLUMNS))


def read_results(path: Path) -> pd.DataFrame:
    """The results table from a CSV file.

    Raises:
        InputError: Missing, empty, not CSV, or without one of the columns.
    """
    try:
        # Read as text, because pandas' own parser is not exact to the last bit in every version.
        frame = pd.read_csv(path, dtype=str, keep_default_na=False, na_values=[""])
    except FileNotFoundError:
        raise InputError(f"{path} does not exist; run `carpus evaluate` first") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path} is no results table ({one_line(error)}); write it with `carpus evaluate`") from None
    missing = [name for name in COLUMNS if name not in frame.columns]
    if missing:
        raise InputError(f"{path} lacks the columns {', '.join(missing)}; write it with `carpus evaluate`")
    try:
        frame["seed"] = pd.to_numeric(frame["seed"]).astype("Int64")
        frame["value"] = frame["value"].astype(float)
    except (TypeError, ValueError):
        raise InputError(f"{path} has a seed or value that is no number; write it with `carpus evaluate`") from None
    return frame.fillna(dict.fromkeys(_TEXT, ""))
