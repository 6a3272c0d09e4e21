"""How well erosion was recognised: a table laid out as the paper's Table 5, all joints together and each.

A joint is eroded if its SvdH score is above 0, and called eroded if the model's probability is at or above
the model's cut. AUROC needs no cut. Within joint, it compares eroded and healthy joints of one kind only: a
model that knows nothing but which joint it looks at has 0.5 there, whatever its other numbers are.

A joint without a probability counts as called wrong, and in the AUROC as ranked worst, so that nothing is
gained by leaving the hard ones out. Several seeds of a model answer for each joint several times: their counts
are added up, and answers are ranked among those of one seed only.
"""

import math
from collections.abc import Callable

import numpy as np
import polars as pl

from carpus.anatomy import Joint
from carpus.errors import InputError
from carpus.metrics import (
    METRICS,
    Confusion,
    acc,
    auroc_within,
    average_precision,
    bacc,
    brier,
    calibration_error,
    confusion,
    dor,
    f1,
    icc,
    mae,
    mcc,
    pre,
    quadratic_weighted_kappa,
    sen,
    spc,
    within_one,
)
from carpus.report.cells import Cell, Column, Table, beside_the_paper, comparison_notes, run_row, with_places
from carpus.report.runs import Run, runs
from carpus.stats import intervals, resample_patients, resampled_auroc, resampled_sums, sums_by_patient

_RATES: dict[str, Callable[[Confusion], float]] = {
    "bacc": bacc,
    "f1": f1,
    "dor": dor,
    "acc": acc,
    "sen": sen,
    "spc": spc,
    "pre": pre,
}
_RATE_COLUMNS = tuple(
    Column("", METRICS[name].label, 2 if name == "dor" else 3, printed=METRICS[name].label, better="higher")
    for name in _RATES
)
_OF_PROBABILITY = {
    "average_precision": average_precision,
    "brier": brier,
    "calibration_error": calibration_error,
}
_OF_SCORE: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {
    "quadratic_weighted_kappa": quadratic_weighted_kappa,
    "mae": mae,
    "within_one": within_one,
    "icc": lambda reference, predicted: icc(np.column_stack([reference, predicted])),
}
_COUNTS = (Column("Joints", "all", 0), Column("Joints", "eroded", 0))
_INTERVAL_NOTE = "With the 95 % interval of a bootstrap over patients."


def table_5(results: pl.DataFrame | pl.LazyFrame, *, seed: int, replicates: int = 10_000) -> Table:
    """All scored joints together: BACC, F1, DOR, ACC, SEN, SPC, PRE and AUROC, with 95 % intervals.

    Args:
        results: A results table, see `carpus.data.results`.
        seed: Of the bootstrap; models on the same patients share their resamples.
        replicates: Of the bootstrap.

    Raises:
        InputError: As `erosion_runs`.
    """
    columns = (
        *_RATE_COLUMNS,
        Column("AUROC", "all joints", better="higher"),
        Column("AUROC", "within joint", better="higher"),
        *_COUNTS,
        Column("Joints", "unread", 0),
    )
    rows = []
    for run, joints in erosion_runs(results):
        strata = (np.zeros(len(joints), np.intp), joints["structure"].rank("dense").to_numpy())
        cells = _cells(joints, strata, seed=seed, replicates=replicates)
        counts = [Cell(len(joints)), Cell(_count(joints["eroded"])), Cell(_count(joints["probability"].is_nan()))]
        rows.append(run_row(run, joints, [*cells, *counts]))
    together = beside_the_paper(rows, columns, number=5)
    return Table(
        "table_5",
        "Erosion, all scored joints together",
        columns,
        together,
        (
            _INTERVAL_NOTE,
            "JointPrior looks at no image: it answers with how often that joint is eroded in training. On "
            "the paper's own test counts (654 joints, 76 eroded) it has BACC 0.721, F1 0.374 and DOR 6.67.",
            "AUROC within joint compares joints of one kind only; 0.5 is chance.",
            "Unread: joints without a probability, which count as called wrong.",
            *comparison_notes(together),
        ),
    )


def joint_table(results: pl.DataFrame | pl.LazyFrame, *, seed: int, replicates: int = 10_000) -> Table:
    """Each scored joint by itself, with 95 % intervals; arguments and errors as `table_5`."""
    columns = (*_RATE_COLUMNS, Column("", "AUROC", better="higher"), *_COUNTS)
    rows = []
    for run, joints in erosion_runs(results):
        for joint in Joint:
            own = joints.filter(pl.col("structure") == joint.abbreviation)
            if len(own):
                cells = _cells(own, (np.zeros(len(own), np.intp),), seed=seed, replicates=replicates)
                counts = [Cell(len(own)), Cell(_count(own["eroded"]))]
                rows.append(run_row(run, own, [*cells, *counts], part=joint.label))
    notes = (_INTERVAL_NOTE, "A dash is undefined: no joint of that kind, or no positive call.")
    return Table("table_5_joints", "Erosion, joint by joint", columns, with_places(rows, columns), notes)


def further_table(results: pl.DataFrame | pl.LazyFrame) -> Table:
    """All scored joints together by further metrics: of calls, of probabilities, and of SvdH scores where given."""
    names = (*_OF_PROBABILITY, *_OF_SCORE)
    columns = (
        Column("", METRICS["mcc"].label, better="higher"),
        *(Column("", METRICS[name].label, better=METRICS[name].better) for name in names),
    )
    rows = []
    for run, joints in erosion_runs(results):
        asked = joints.filter(~pl.col("probability").is_nan())
        probability = asked["probability"].to_numpy(), asked["eroded"].to_numpy()
        scored = joints.filter(pl.col("predicted_score").is_not_nan())
        scores = [scored[name].to_numpy().round().astype(np.int64) for name in ("score", "predicted_score")]
        cells = [Cell(mcc(joint_confusion(joints)))]
        cells += [Cell(measure(probability[1], probability[0])) for measure in _OF_PROBABILITY.values()]
        cells += [Cell(measure(*scores) if len(scored) else math.nan) for measure in _OF_SCORE.values()]
        rows.append(run_row(run, joints, cells))
    notes = (
        "AP: average precision; chance is the part of the joints that is eroded. ECE: calibration error in ten bins. "
        "These take the joints that have a probability.",
        "Kappa with quadratic weights, MAE, within 1 and ICC compare SvdH scores, where the model gives any.",
    )
    return Table("table_5_more", "Erosion, further metrics", columns, with_places(rows, columns), notes)


def erosion_runs(results: pl.DataFrame | pl.LazyFrame) -> list[tuple[Run, pl.DataFrame]]:
    """Every run with one row a joint and seed.

    The columns are seed, image, patient, structure, score, probability and predicted_score (NaN if there is none),
    cut, and eroded and called, both bool; an unread joint is called wrong.

    Raises:
        InputError: A joint has no reference score or no cut.
    """
    found = []
    for run, rows in runs(results, task="erosion"):
        joints = rows.group_by("seed", "image", "patient", "structure", maintain_order=True).agg(
            pl.col("value").filter(pl.col("metric") == name).first().alias(name)
            for name in ("score", "probability", "cut", "predicted_score")
        )
        joints = joints.with_columns(pl.col("probability", "predicted_score").fill_null(math.nan))
        lacking = joints.filter(
            pl.any_horizontal(pl.col(name).is_null() | pl.col(name).is_nan() for name in ("score", "cut"))
        )
        if len(lacking):
            joint = lacking.row(0, named=True)
            raise InputError(
                f"{joint['structure']} of {joint['image']} by {run.model} has no score or no cut, "
                "expected both with every joint; evaluate it again"
            )
        eroded, unread = pl.col("score") > 0, pl.col("probability").is_nan()
        called = pl.when(unread).then(~eroded).otherwise(pl.col("probability") >= pl.col("cut"))
        found.append((run, joints.with_columns(eroded=eroded, called=called)))
    return found


def joint_confusion(joints: pl.DataFrame) -> Confusion:
    """The four counts of rows from `erosion_runs`."""
    return confusion(joints["eroded"].to_numpy(), joints["called"].to_numpy())


def _count(flags: pl.Series) -> int:
    return int(np.count_nonzero(flags.to_numpy()))


def _cells(joints: pl.DataFrame, strata: tuple[np.ndarray, ...], *, seed: int, replicates: int) -> list[Cell]:
    """The rates, then the AUROC within each of the strata, with intervals."""
    eroded, called = joints["eroded"].to_numpy(), joints["called"].to_numpy()
    patients = joints["patient"].to_list()
    resamples = resample_patients(patients, replicates=replicates, generator=np.random.default_rng(seed))
    one_hot = np.column_stack([eroded & called, ~eroded & called, eroded & ~called, ~eroded & ~called]).astype(float)
    # Replicates of few joints are often alike; each different one is computed once.
    counts, which = np.unique(
        resampled_sums(resamples, sums_by_patient(resamples, one_hot, patients)), axis=0, return_inverse=True
    )
    own, drawn = joint_confusion(joints), [Confusion(*map(int, row)) for row in counts]
    values = [rate(own) for rate in _RATES.values()]
    spread = [np.array([rate(each) for each in drawn])[which.ravel()] for rate in _RATES.values()]

    answers = joints["probability"].to_numpy()
    answers = np.where(np.isnan(answers), np.where(eroded, -np.inf, np.inf), answers)
    training = joints["seed"].rank("dense").fill_null(0).cast(pl.Int64).to_numpy()
    for stratum in strata:
        of_one_seed = training * (int(stratum.max(initial=0)) + 1) + stratum
        values.append(auroc_within(eroded, answers, of_one_seed))
        spread.append(resampled_auroc(resamples, eroded, answers, patients, of_one_seed))
    ends = intervals(np.column_stack(spread))
    if len(resamples.patients) < 2:
        ends[:] = math.nan  # one patient says nothing of others
    return [Cell(value, float(low), float(high)) for value, (low, high) in zip(values, ends, strict=True)]
