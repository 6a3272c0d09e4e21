"""How well the bones were found: tables laid out as the paper's Tables 4 and 8 to 13.

A mean is over images x bones, and over the seeds of a model's trainings, every defined value weighing the same. Left
out of means, and counted in the table: undefined values (neither the reference nor the prediction has the bone or the
overlap), and for MSD the infinite distances of missed bones, as in the paper. All other metrics count a missed bone as
the worst.

The groups of Table 4 are images: BE has at least one eroded joint. Its test takes one value an image, the
mean over the bones, as fourteen bones of one image are not fourteen observations. The groups of Tables 10
and 11 are bones: BE if the joint scored on that bone is eroded.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import polars as pl

from carpus.anatomy import Joint
from carpus.metrics import METRICS
from carpus.report.cells import Cell, Column, Row, Table, beside_the_paper, comparison_notes, run_row, with_places
from carpus.report.runs import BONES, PAIRS, runs
from carpus.stats import intervals, mann_whitney, resample_patients, resampled_means, stars

SCORED_BONES = tuple(
    joint.abbreviation
    for joint in (
        Joint.DISTAL_RADIUS,
        Joint.DISTAL_ULNA,
        Joint.LUNATE,
        Joint.SCAPHOID,
        Joint.TRAPEZIUM,
        Joint.METACARPAL_1,
    )
)

_UNDEFINED = Column("Count", "undefined", 0)
_MISSED = Column("Count", "missed", 0)
_STARS_NOTE = "Mann-Whitney U test between BE and nonBE, two-sided: * P < 0.05, ** P < 0.01, *** P < 0.001."
_VALUE, _METRIC, _GROUP = pl.col("value"), pl.col("metric"), pl.col("group")
_FINITE = _VALUE.is_finite()
_IN_TABLE_4 = (
    *((metric, group) for metric in ("dsc", "nsd") for group in ("BE", "nonBE", "All")),
    *((metric, "All") for metric in ("voe", "msd", "ravd")),
)
_FURTHER = ("assd", "hd95", "missed", "nsd_mm", "msd_mm", "assd_mm", "hd95_mm")


def bone_tables(
    results: pl.DataFrame | pl.LazyFrame, *, seed: int, replicates: int = 10_000, numbers: Iterable[int] = ()
) -> tuple[Table, ...]:
    """The paper's Tables 4 and 8 to 13, and one of further metrics; a run's rows are in memory only while worked on.

    Args:
        results: A results table, see `carpus.data.results`.
        seed: Of the bootstrap; models on the same patients share their resamples.
        replicates: Of the bootstrap.
        numbers: Of the paper's tables to make, 0 for the further metrics; by default all.

    Raises:
        InputError: A structure is unknown, or a value is given twice.
    """
    plans = {plan.number: plan for plan in _plans(seed=seed, replicates=replicates)}
    wanted = tuple(numbers) or tuple(plans)
    lines: dict[int, list[Row]] = {number: [] for number in wanted}
    for run, rows in runs(results, task="bones"):
        for number in wanted:
            plan = plans[number]
            own = rows.filter(pl.col("structure").is_in(plan.structures))
            lines[number].append(run_row(run, own, plan.cells(own)))
    return tuple(plans[number].table(lines[number]) for number in wanted)


def group_means(own: pl.DataFrame, choices: Sequence[tuple[str, str]], *, seed: int, replicates: int) -> list[Cell]:
    """The mean of a metric over the images of a group, for each such choice, with its interval by patient.

    Args:
        own: Rows of a run; with a column `of_image` if a choice names a group.
        choices: Metric, and `BE`, `nonBE` or `All`.
        seed: Of the bootstrap.
        replicates: Of the bootstrap.
    """
    chosen = [
        (metric == _METRIC) & _FINITE & (pl.lit(True) if group == "All" else pl.col("of_image") == group)
        for metric, group in choices
    ]
    sums = own.group_by("patient", maintain_order=True).agg(
        *(_VALUE.filter(choice).sum().alias(f"sum {i}") for i, choice in enumerate(chosen)),
        *(choice.sum().cast(pl.Float64).alias(f"count {i}") for i, choice in enumerate(chosen)),
    )
    sums = sums.sort(pl.col("patient").cast(pl.String))
    totals, counts = (sums.select(pl.col(f"^{kind} .*$")).to_numpy() for kind in ("sum", "count"))
    resamples = resample_patients(
        sums["patient"].to_list(), replicates=replicates, generator=np.random.default_rng(seed)
    )
    ends = intervals(resampled_means(resamples, totals, counts))
    if len(totals) < 2:
        ends[:] = math.nan  # one patient says nothing of others
    with np.errstate(invalid="ignore"):
        means = totals.sum(axis=0) / counts.sum(axis=0)
    return [Cell(float(mean), float(low), float(high)) for mean, (low, high) in zip(means, ends, strict=True)]


@dataclass(frozen=True)
class _Plan:
    """How one of the tables is made of the rows of a run."""

    number: int  # of the paper's table; 0 if it has none
    title: str
    structures: tuple[str, ...]
    columns: tuple[Column, ...]
    cells: Callable[[pl.DataFrame], list[Cell]]
    notes: tuple[str, ...]

    def table(self, rows: list[Row]) -> Table:
        if not self.number:
            return Table("table_4_more", self.title, self.columns, with_places(rows, self.columns), self.notes)
        together = beside_the_paper(rows, self.columns, number=self.number)
        notes = (*self.notes, *comparison_notes(together))
        return Table(f"table_{self.number}", self.title, self.columns, together, notes)


def _plans(*, seed: int, replicates: int) -> tuple[_Plan, ...]:
    return (
        _Plan(
            4,
            "Bones, means over images and bones",
            BONES,
            (
                *(
                    Column(
                        METRICS[metric].label,
                        group,
                        printed=f"{METRICS[metric].label} {group}",
                        mark=f"{METRICS[metric].label} P" if group == "All" else "",
                        better="higher",
                    )
                    for metric in ("dsc", "nsd")
                    for group in ("BE", "nonBE", "All")
                ),
                Column("", "VOE", printed="VOE", better="lower"),
                Column("", "MSD (px)", printed="MSD", better="lower"),
                Column("", "RAVD", printed="RAVD", better="lower"),
                _UNDEFINED,
                _MISSED,
            ),
            partial(_cells_of_table_4, seed=seed, replicates=replicates),
            (
                "Means over images x bones, with the 95 % interval of a bootstrap over patients.",
                "Undefined: the bone is in neither mask. Missed: it is in one only, which counts as DSC 0, NSD 0 "
                "and VOE 1, while its infinite MSD is left out of the mean. A px is one of the scored grid.",
                "BE: images with at least one eroded joint. " + _STARS_NOTE + " One value an image.",
            ),
        ),
        _Plan(
            0,
            "Bones, further metrics",
            BONES,
            tuple(Column("", _heading(name), better=METRICS[name].better) for name in _FURTHER),
            partial(group_means, choices=[(name, "All") for name in _FURTHER], seed=seed, replicates=replicates),
            (
                "Means over images x bones, with the 95 % interval of a bootstrap over patients.",
                "Missed: part of the bones that the reference has and the prediction has not; their infinite distances "
                "are left out of the means. Those in mm are of the images whose pixel size is known.",
            ),
        ),
        _by_structure(8, "dsc", BONES, "DSC by bone"),
        _by_structure(9, "nsd", BONES, "NSD by bone"),
        _by_erosion(10, "dsc"),
        _by_erosion(11, "nsd"),
        _by_structure(12, "dsc", PAIRS, "DSC where two bones overlap"),
        _by_structure(13, "nsd", PAIRS, "NSD where two bones overlap"),
    )


def _cells_of_table_4(own: pl.DataFrame, *, seed: int, replicates: int) -> list[Cell]:
    # The group of an image is that of its worst joint; rows of scored bones carry their own joint's.
    groups = own.group_by("image", maintain_order=True).agg(
        pl.when((_GROUP == "BE").any())
        .then(pl.lit("BE"))
        .when((_GROUP == "nonBE").any())
        .then(pl.lit("nonBE"))
        .otherwise(pl.lit(""))
        .alias("of_image")
    )
    own = own.join(groups, on="image", maintain_order="left")
    marks = {(metric, "All"): stars(_p_of_images(own.filter(metric == _METRIC))) for metric in ("dsc", "nsd")}
    cells = group_means(own, _IN_TABLE_4, seed=seed, replicates=replicates)
    undefined = own.filter(_METRIC == "dsc", _VALUE.is_nan()).height
    missed = own.filter(_METRIC == "msd", _VALUE.is_infinite()).height
    return [
        *(replace(cell, stars=marks.get(choice, "")) for cell, choice in zip(cells, _IN_TABLE_4, strict=True)),
        Cell(undefined),
        Cell(missed),
    ]


def _p_of_images(own: pl.DataFrame) -> float:
    images = (
        own.group_by("image", "of_image", maintain_order=True).agg(_VALUE.filter(~_VALUE.is_nan()).mean()).drop_nulls()
    )
    eroded, healthy = (images.filter(pl.col("of_image") == group)["value"].to_numpy() for group in ("BE", "nonBE"))
    return mann_whitney(eroded, healthy)


def _by_structure(number: int, metric: str, structures: tuple[str, ...], title: str) -> _Plan:
    has_mean = structures == PAIRS

    def cells(own: pl.DataFrame) -> list[Cell]:
        own = own.filter(metric == _METRIC)
        found = dict(own.group_by("structure", maintain_order=True).agg(_mean()).iter_rows())
        means = [found.get(name) for name in structures]
        whole = own.select(_mean()).item()
        return [
            *(Cell(math.nan if mean is None else mean) for mean in (*means, whole)),
            Cell(own.filter(_VALUE.is_nan()).height),
        ]

    notes = ["Undefined: neither the reference nor the prediction has it in that image."]
    if has_mean:
        notes.append(
            "Mean: over all defined images x pairs. An overlap that only the prediction has counts as 0; "
            "the paper's benchmark leaves such images out."
        )
    columns = (
        *(Column("", name, printed=name, better="higher") for name in structures),
        Column("", "Mean", printed="Mean" if has_mean else "", better="higher"),
        _UNDEFINED,
    )
    return _Plan(number, title, structures, columns, cells, tuple(notes))


def _by_erosion(number: int, metric: str) -> _Plan:
    columns = tuple(
        Column(name, group, digits, printed and f"{name} {printed}", mark and f"{name} P", better)
        for name in SCORED_BONES
        for group, digits, printed, mark, better in (
            ("BE", 3, "BE", "", "higher"),
            ("nonBE", 3, "nonBE", "P", "higher"),
            ("n BE", 0, "", "", ""),
        )
    )

    def cells(own: pl.DataFrame) -> list[Cell]:
        found = []
        for name in SCORED_BONES:
            bone = own.filter(metric == _METRIC, pl.col("structure") == name)
            # One value an image, the mean over the seeds.
            images = bone.group_by("image", "group", maintain_order=True).agg(_mean())
            eroded, healthy = (
                images.filter(group == _GROUP)["value"].fill_null(math.nan).to_numpy() for group in ("BE", "nonBE")
            )
            p = mann_whitney(eroded, healthy)
            count = int(np.count_nonzero(~np.isnan(eroded)))
            found += [Cell(_mean_of(eroded)), Cell(_mean_of(healthy), stars=stars(p)), Cell(count)]
        return found

    notes = (
        "BE: the joint scored on that bone is eroded (SvdH above 0); n BE: how many are.",
        _STARS_NOTE,
        "Six tests a row, not corrected for their number; images of one patient count as independent.",
    )
    title = f"{METRICS[metric].label} of the scored bones, eroded (BE) and not"
    return _Plan(number, title, SCORED_BONES, columns, cells, notes)


def _heading(metric: str) -> str:
    return METRICS[metric].label + (" (px)" if METRICS[metric].unit == "px" else "")


def _mean() -> pl.Expr:
    return _VALUE.filter(_FINITE).mean()


def _mean_of(values: np.ndarray) -> float:
    defined = values[np.isfinite(values)]
    return float(defined.mean()) if len(defined) else math.nan
