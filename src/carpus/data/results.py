"""The tidy results file: the only thing that training hands to the report.

One row is model x seed x split x image x structure x metric, in Parquet or CSV. Anybody's predictions can be
turned into such rows, so tables and figures never need the network that made them. Columns:

| column    | meaning                                                                              |
|-----------|--------------------------------------------------------------------------------------|
| task      | `bones`, `erosion` or `joints`                                                       |
| model     | the network's or baseline's name                                                     |
| seed      | of the training, empty for what has none                                             |
| recipe    | the recipe's name                                                                    |
| data      | `phantom` or `patients`                                                              |
| split     | `train`, `val` or `test`                                                             |
| image     | identifier `PPPP_SSSS_{L|R}`                                                         |
| patient   | patient identifier, the unit of the bootstrap                                        |
| centre    | the institution, empty if unknown                                                    |
| structure | a bone (`Cap`), an overlap pair (`Radius-Sca`) or a joint (`Sca`), as the paper prints |
| metric    | a name from `carpus.metrics.METRICS`, or `score`, `probability` and `cut` for erosion |
| value     | the number; NaN (in CSV empty) where the metric is undefined, `inf` for a missed bone's distance |
| group     | `BE` or `nonBE` (see below), empty if unscored                                         |

The group of a scored bone is that of its joint; of anything else, that of the image: BE if one joint is eroded.

For erosion three rows stand for one joint: the reference `score` (0 to 5), the model's `probability` of
erosion, and the `cut` at or above which the model calls it eroded.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

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
    centre: str = ""


RESULTS_FILE, PREDICTIONS_FOLDER = "results.parquet", "predictions"
"""Where they, and the predicted masks by split, lie in the folder of a run."""
MEAN_SHAPE, JOINT_PRIOR = "MeanShape", "JointPrior"
BASELINES = (MEAN_SHAPE, JOINT_PRIOR)
"""Models that look at no image; their rows lie beside a model's in its file."""

COLUMNS = tuple(ResultRow.__dataclass_fields__)
_SCHEMA = pl.Schema({name: {"seed": pl.Int32(), "value": pl.Float64()}.get(name, pl.Categorical()) for name in COLUMNS})
_PARQUET = b"PAR1"


def results_frame(rows: Sequence[ResultRow]) -> pl.DataFrame:
    """The rows as a table with the columns of the module's docstring, one row each."""
    return pl.DataFrame({name: [getattr(row, name) for row in rows] for name in COLUMNS}, schema=_SCHEMA)


def write_results(path: Path, results: pl.DataFrame) -> None:
    """Writes a results table, complete or not at all: as CSV if the path ends so, else as Parquet."""
    with new_file(path) as draft:
        if path.suffix.lower() == ".csv":
            results.select(COLUMNS).with_columns(pl.col("value").fill_nan(None)).write_csv(draft)
        else:
            results.select(COLUMNS).write_parquet(draft)


def read_results(path: Path) -> pl.DataFrame:
    """The results table from a Parquet or CSV file, told apart by their content.

    Raises:
        InputError: Missing, empty, neither of the two, or without one of the columns.
    """
    return scan_results(path).collect()


def scan_results(path: Path) -> pl.LazyFrame:
    """As `read_results`, but rows of a Parquet file are read when they are asked for: for files of many million.

    Raises:
        InputError: As `read_results`.
    """
    try:
        with path.open("rb") as file:
            is_parquet = file.read(len(_PARQUET)) == _PARQUET
        if is_parquet:
            frame = pl.scan_parquet(path, glob=False)
        else:
            frame = pl.read_csv(path, infer_schema=False, glob=False).fill_null("").lazy()
        columns = frame.collect_schema()
    except FileNotFoundError:
        raise InputError(f"{path} does not exist; run `carpus evaluate` first") from None
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError(f"{path} is no results table ({one_line(error)}); write it with `carpus evaluate`") from None
    missing = [name for name in COLUMNS if name not in columns]
    if missing:
        raise InputError(f"{path} lacks the columns {', '.join(missing)}; write it with `carpus evaluate`")
    if is_parquet:
        strange = [name for name in COLUMNS if not _fits(columns[name], name)]
        if strange:
            raise InputError(f"{path} has other than text or numbers in {strange[0]}; write it with `carpus evaluate`")
        return frame.select(pl.col(name).cast(kind) for name, kind in _SCHEMA.items())
    try:
        seed, value = (pl.col(name).replace("", None).cast(_SCHEMA[name]) for name in ("seed", "value"))
        return (
            frame.with_columns(seed, value.fill_null(float("nan")))
            .select(pl.col(name).cast(kind) for name, kind in _SCHEMA.items())
            .collect()
            .lazy()
        )
    except pl.exceptions.PolarsError:
        raise InputError(f"{path} has a seed or value that is no number; write it with `carpus evaluate`") from None


def _fits(kind: pl.DataType, name: str) -> bool:
    if name in ("seed", "value"):
        return kind.is_numeric() or kind == pl.Null
    return kind in (pl.String, pl.Categorical, pl.Enum)
