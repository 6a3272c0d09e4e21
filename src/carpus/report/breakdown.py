"""The bones' results by centre, and how firm the ranking of the models is."""

import numpy as np
import polars as pl
from jaxtyping import Float64

from carpus.metrics import METRICS
from carpus.report.bone_tables import group_means
from carpus.report.cells import Cell, Column, Table, run_row, with_places
from carpus.report.runs import BONES, Run, runs
from carpus.stats import rank_stability, resample_patients, resampled_means

_METRICS = ("dsc", "nsd", "voe", "ravd")


def centre_table(results: pl.DataFrame | pl.LazyFrame, *, seed: int, replicates: int = 10_000) -> Table:
    """A row a model and centre, means over images and bones with their intervals; no row where no centre is known.

    Args:
        results: A results table, see `carpus.data.results`.
        seed: Of the bootstrap.
        replicates: Of the bootstrap.

    Raises:
        InputError: A structure is unknown, or a value is given twice.
    """
    columns = tuple(Column("", METRICS[name].label, better=METRICS[name].better) for name in _METRICS)
    choices = [(name, "All") for name in _METRICS]
    rows = []
    for run, every in runs(results, task="bones"):
        own = every.filter(pl.col("structure").is_in(BONES), pl.col("centre") != "")
        for centre in sorted(own["centre"].unique().to_list()):
            inside = own.filter(pl.col("centre") == centre)
            rows.append(
                run_row(run, inside, group_means(inside, choices, seed=seed, replicates=replicates), part=centre)
            )
    notes = ("With the 95 % interval of a bootstrap over the patients of the centre.",)
    return Table("table_4_centres", "Bones, centre by centre", columns, with_places(rows, columns), notes, "Centre")


def rank_shares(
    results: pl.DataFrame | pl.LazyFrame, *, metric: str, seed: int, replicates: int = 10_000
) -> list[tuple[Run, Cell, Float64[np.ndarray, " ranks"] | None]]:
    """Each run's mean over images and bones, and in which part of the bootstrap replicates it had each rank.

    The ranks are None where there are no two runs, or not all on the same patients of one dataset and split.

    Args:
        results: A results table, see `carpus.data.results`.
        metric: A name of `carpus.metrics.METRICS`, of bones.
        seed: Of the bootstrap.
        replicates: Of the bootstrap.

    Raises:
        InputError: A structure is unknown, or a value is given twice.
    """
    found = []
    for run, every in runs(results, task="bones"):
        own = every.filter(pl.col("structure").is_in(BONES), pl.col("metric") == metric)
        (cell,) = group_means(own, [(metric, "All")], seed=seed, replicates=replicates)
        finite = own.filter(pl.col("value").is_finite())
        sums = finite.group_by("patient", maintain_order=True).agg(
            pl.col("value").sum(), pl.len().cast(pl.Float64).alias("count")
        )
        found.append((run, cell, sums.sort(pl.col("patient").cast(pl.String))))
    patients = {tuple(sums["patient"].to_list()) for _, _, sums in found}
    if len(found) < 2 or len(patients) > 1 or len({(run.data, run.split) for run, _, _ in found}) > 1:
        return [(run, cell, None) for run, cell, _ in found]
    resamples = resample_patients(patients.pop(), replicates=replicates, generator=np.random.default_rng(seed))
    totals, counts = (np.column_stack([sums[name].to_numpy() for _, _, sums in found]) for name in ("value", "count"))
    ranks = rank_stability(resampled_means(resamples, totals, counts), better=METRICS[metric].better)
    return [(run, cell, shares) for (run, cell, _), shares in zip(found, ranks.shares, strict=True)]
