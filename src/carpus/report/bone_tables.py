"""How well the bones were found: tables laid out as the paper's Tables 4 and 8 to 13.

A mean is over images x bones, every defined value weighing the same. Left out of means, and counted in the
table: undefined values (neither the reference nor the prediction has the bone or the overlap), and for MSD
the infinite distances of missed bones, as in the paper. All other metrics count a missed bone as the worst.

The groups of Table 4 are images: BE has at least one eroded joint. Its test takes one value an image, the
mean over the bones, as fourteen bones of one image are not fourteen observations. The groups of Tables 10
and 11 are bones: BE if the joint scored on that bone is eroded.
"""

import math

import numpy as np
import pandas as pd

from carpus.anatomy import Joint
from carpus.metrics import METRICS
from carpus.report.cells import Cell, Column, Table, beside_the_paper, comparison_notes, run_row
from carpus.report.runs import BONES, PAIRS, runs
from carpus.stats import mann_whitney, patient_bootstrap_mean, stars

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


def table_4(results: pd.DataFrame, *, generator: np.random.Generator, replicates: int = 2000) -> Table:
    """All bones together: DSC and NSD of BE, nonBE and all images, VOE, MSD and RAVD, with 95 % intervals."""
    columns = (
        *(
            Column(METRICS[metric].label, group, printed=f"{METRICS[metric].label} {group}", mark=mark)
            for metric in ("dsc", "nsd")
            for group, mark in (("BE", ""), ("nonBE", ""), ("All", f"{METRICS[metric].label} P"))
        ),
        Column("", "VOE", printed="VOE"),
        Column("", "MSD (px)", printed="MSD"),
        Column("", "RAVD", printed="RAVD"),
        _UNDEFINED,
        _MISSED,
    )
    rows = []
    for run, every in runs(results, task="bones"):
        own = every[every["structure"].isin(BONES)]
        group = own["image"].map(_image_groups(own))

        def mean(rows: pd.DataFrame, mark: str = "") -> Cell:
            defined = rows[np.isfinite(rows["value"])]
            values, patients = defined["value"].to_numpy(), list(defined["patient"])
            interval = patient_bootstrap_mean(values, patients, replicates=replicates, generator=generator)
            return Cell(_mean(defined["value"]), interval.low, interval.high, mark)

        cells = []
        for metric in ("dsc", "nsd"):
            values = own[own["metric"] == metric]
            eroded, healthy = (values[group[values.index] == name] for name in ("BE", "nonBE"))
            p = mann_whitney(_image_means(eroded), _image_means(healthy))
            cells += [
                mean(eroded),
                mean(healthy),
                mean(values, stars(p)),
            ]
        cells += [mean(own[own["metric"] == metric]) for metric in ("voe", "msd", "ravd")]
        undefined = own[own["metric"] == "dsc"]["value"].isna().sum()
        missed = np.isinf(own[own["metric"] == "msd"]["value"]).sum()
        rows.append(run_row(run, own, [*cells, Cell(undefined), Cell(missed)]))
    together = beside_the_paper(rows, columns, number=4)
    return Table(
        "table_4",
        "Bones, means over images and bones",
        columns,
        together,
        (
            "Means over images x bones, with the 95 % interval of a bootstrap over patients.",
            "Undefined: the bone is in neither mask. Missed: it is in one only, which counts as DSC 0, NSD 0 "
            "and VOE 1, while its infinite MSD is left out of the mean. A px is one of the scored grid.",
            "BE: images with at least one eroded joint. " + _STARS_NOTE + " One value an image.",
            *comparison_notes(together),
        ),
    )


def table_8(results: pd.DataFrame) -> Table:
    """DSC by bone."""
    return _by_structure(results, "dsc", BONES, number=8, title="DSC by bone")


def table_9(results: pd.DataFrame) -> Table:
    """NSD by bone."""
    return _by_structure(results, "nsd", BONES, number=9, title="NSD by bone")


def table_10(results: pd.DataFrame) -> Table:
    """DSC of the six scored bones, eroded and not."""
    return _by_erosion(results, "dsc", number=10)


def table_11(results: pd.DataFrame) -> Table:
    """NSD of the six scored bones, eroded and not."""
    return _by_erosion(results, "nsd", number=11)


def table_12(results: pd.DataFrame) -> Table:
    """DSC of the overlap of two bones."""
    return _by_structure(results, "dsc", PAIRS, number=12, title="DSC where two bones overlap")


def table_13(results: pd.DataFrame) -> Table:
    """NSD of the overlap of two bones."""
    return _by_structure(results, "nsd", PAIRS, number=13, title="NSD where two bones overlap")


def _by_structure(results: pd.DataFrame, metric: str, structures: tuple[str, ...], *, number: int, title: str) -> Table:
    has_mean = structures == PAIRS
    columns = (
        *(Column("", name, printed=name) for name in structures),
        Column("", "Mean", printed="Mean" if has_mean else ""),
        _UNDEFINED,
    )
    rows = []
    for run, every in runs(results, task="bones"):
        own = every[(every["metric"] == metric) & every["structure"].isin(structures)]
        means = [_mean(own[own["structure"] == name]["value"]) for name in structures]
        numbers = [*means, _mean(own["value"]), own["value"].isna().sum()]
        rows.append(run_row(run, own, [Cell(number) for number in numbers]))
    together = beside_the_paper(rows, columns, number=number)
    notes = ["Undefined: neither the reference nor the prediction has it in that image."]
    if has_mean:
        notes.append(
            "Mean: over all defined images x pairs. An overlap that only the prediction has counts as 0; "
            "the paper's benchmark leaves such images out."
        )
    return Table(f"table_{number}", title, columns, together, (*notes, *comparison_notes(together)))


def _by_erosion(results: pd.DataFrame, metric: str, *, number: int) -> Table:
    label = METRICS[metric].label
    columns = tuple(
        Column(name, group, digits, printed=printed and f"{name} {printed}", mark=mark and f"{name} P")
        for name in SCORED_BONES
        for group, digits, printed, mark in (
            ("BE", 3, "BE", ""),
            ("nonBE", 3, "nonBE", "P"),
            ("n BE", 0, "", ""),
        )
    )
    rows = []
    for run, every in runs(results, task="bones"):
        own = every[(every["metric"] == metric) & every["structure"].isin(SCORED_BONES)]
        cells = []
        for name in SCORED_BONES:
            bone = own[own["structure"] == name]
            eroded, healthy = (bone[bone["group"] == group]["value"] for group in ("BE", "nonBE"))
            p = mann_whitney(eroded.to_numpy(), healthy.to_numpy())
            cells += [Cell(_mean(eroded)), Cell(_mean(healthy), stars=stars(p)), Cell(eroded.count())]
        rows.append(run_row(run, own, cells))
    together = beside_the_paper(rows, columns, number=number)
    notes = (
        "BE: the joint scored on that bone is eroded (SvdH above 0); n BE: how many are.",
        _STARS_NOTE,
        "Six tests a row, not corrected for their number; images of one patient count as independent.",
    )
    title = f"{label} of the scored bones, eroded (BE) and not"
    return Table(f"table_{number}", title, columns, together, (*notes, *comparison_notes(together)))


def _image_groups(rows: pd.DataFrame) -> dict[str, str]:
    groups = rows.groupby("image")["group"].agg(set)
    return {
        str(image): "BE" if "BE" in names else "nonBE" if "nonBE" in names else "" for image, names in groups.items()
    }


def _image_means(rows: pd.DataFrame) -> np.ndarray:
    return rows.groupby("image")["value"].mean().to_numpy()


def _mean(values: pd.Series) -> float:
    defined = values[np.isfinite(values)]
    return float(defined.mean()) if len(defined) else math.nan
