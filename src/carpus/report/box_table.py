"""How well the boxes of the six joints were found: COCO's average precision and the mean overlap."""

import numpy as np
import polars as pl
from jaxtyping import Float64

from carpus.anatomy import Joint
from carpus.metrics import METRICS, average_precision_of_pairs
from carpus.report.bone_tables import group_means
from carpus.report.cells import Cell, Column, Table, run_row, with_places
from carpus.report.runs import runs

_CUT_50, _CUT_75 = 0, 5


def box_table(results: pl.DataFrame | pl.LazyFrame, *, seed: int, replicates: int = 10_000) -> Table:
    """A row a model with all joints, then one a joint: AP, AP50, AP75 and the mean IoU with its 95 % interval.

    A box that was not found has IoU 0. The average precision is computed seed by seed and averaged.

    Args:
        results: A results table, see `carpus.data.results`.
        seed: Of the bootstrap.
        replicates: Of the bootstrap.

    Raises:
        InputError: A structure is unknown, or a value is given twice.
    """
    names = ("average_precision_boxes", "ap50", "ap75", "box_iou")
    columns = (
        *(Column("", METRICS[name].label, better=METRICS[name].better) for name in names),
        Column("Boxes", "all", 0),
        Column("Boxes", "not found", 0),
    )
    rows = []
    for run, every in runs(results, task="joints"):
        own = {joint.label: every.filter(pl.col("structure") == joint.abbreviation) for joint in Joint}
        areas = {part: _areas(boxes) for part, boxes in own.items() if boxes.height}
        areas = {"All": np.mean(list(areas.values()), axis=0), **areas}
        for part, area in areas.items():
            boxes = own.get(part, every)
            confidence = boxes.filter(pl.col("metric") == "confidence")["value"]
            cells = [
                *(Cell(float(value)) for value in (area.mean(), area[_CUT_50], area[_CUT_75])),
                *group_means(boxes, [("box_iou", "All")], seed=seed, replicates=replicates),
                Cell(len(confidence)),
                Cell(int(confidence.is_nan().sum())),
            ]
            rows.append(run_row(run, boxes, cells, part=part))
    notes = (
        "AP: COCO's average precision, the mean over IoU cuts from 0.5 to 0.95 and over the joints; AP50 and AP75: at "
        "one cut. IoU: the mean over all boxes, 0 for one that was not found, with the 95 % interval of a bootstrap "
        "over patients.",
    )
    return Table("joint_boxes", "Joints, boxes found", columns, with_places(rows, columns), notes)


def _areas(rows: pl.DataFrame) -> Float64[np.ndarray, "10"]:
    """The average precision of one joint at each cut, the mean over seeds."""
    found = [
        average_precision_of_pairs(own["box_iou"].to_numpy(), own["confidence"].to_numpy())
        for _, own in rows.sort(pl.col("image").cast(pl.String))
        .group_by("seed", "image", maintain_order=True)
        .agg(pl.col("value").filter(pl.col("metric") == name).first().alias(name) for name in ("box_iou", "confidence"))
        .with_columns(pl.col("confidence").fill_null(float("nan")))
        .group_by("seed", maintain_order=True)
    ]
    return np.asarray(np.mean(found, axis=0), np.float64)
