"""Is one model better than another: on which structures, by how much, and how sure is that.

Both are compared on the images and structures that both have a finite value of; the rest is counted. Several seeds of a
model are averaged first. Differences are second minus first. Intervals come from a bootstrap over patients in which
both models see the same resamples; P values from Wilcoxon's signed-rank test on one value a patient, those of the
structures corrected by Holm's method.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl
from jaxtyping import Float64

from carpus.data.results import BASELINES
from carpus.errors import InputError
from carpus.metrics import METRICS, Confusion, auroc_within, bacc, f1, sen, spc
from carpus.report.cells import Cell, Column, Row, Table, number_text
from carpus.report.erosion_tables import erosion_runs
from carpus.report.runs import BONES, Run, runs
from carpus.stats import (
    PatientResamples,
    holm,
    intervals,
    paired_effect_size,
    resample_patients,
    resampled_auroc,
    resampled_means,
    resampled_sums,
    sums_by_patient,
    wilcoxon,
)

LEVEL = 0.05
"""Below which a corrected P counts as a difference."""

_SEED = 600
_SHOWN = 5
_RATES: dict[str, Callable[[Confusion], float]] = {"bacc": bacc, "f1": f1, "sen": sen, "spc": spc}
_BONE_COLUMNS = (
    Column("Mean", "first"),
    Column("Mean", "second"),
    Column("", "difference"),
    Column("P", "Wilcoxon", 4),
    Column("P", "Holm", 4),
    Column("", "effect size d_z", 2),
    Column("", "second better, % of images", 0),
    Column("", "images", 0),
)
_EROSION_COLUMNS = (Column("", "first"), Column("", "second"), Column("", "difference"))


@dataclass(frozen=True)
class Comparison:
    """The answer.

    Attributes:
        sentence: In plain words.
        first: Model A.
        second: Model B.
        metric: That the sentence is about; of `carpus.metrics.METRICS`.
        table: All numbers; of bones a row a bone and one for all of them, of erosion a row a measure.
    """

    sentence: str
    first: Run
    second: Run
    metric: str
    table: Table

    @property
    def pair(self) -> str:
        """Which two were compared, with recipe, seed and split."""
        return f"{_name(self.second)}, against {_name(self.first)}"


def choose_run(results: pl.DataFrame, *, task: str, model: str | None, source: str) -> tuple[Run, pl.DataFrame]:
    """The one run that is meant, with its rows.

    Args:
        results: A results table, see `carpus.data.results`.
        task: `bones` or `erosion`.
        model: Its name; by default the only run of a trained network, or the only run at all.
        source: What the results are called in messages.

    Raises:
        InputError: No run fits, or more than one.
    """
    found = list(runs(results, task=task))
    fitting = [each for each in found if model in (None, each[0].model)]
    asked = [each for each in fitting if each[0].model not in BASELINES]
    chosen = asked if model is None and len(asked) == 1 else fitting
    if len(chosen) != 1:
        names = ", ".join(sorted({run.model for run, _ in found})) or "none"
        wanted = "one run" if model is None else f"one run of {model!r}"
        raise InputError(
            f"{source} holds {len(chosen)} runs that may be meant (models for {task}: {names}), expected {wanted}; "
            "name the model with --model-a or --model-b"
        )
    return chosen[0]


def compare_bones(
    first: tuple[Run, pl.DataFrame], second: tuple[Run, pl.DataFrame], *, metric: str, replicates: int = 10_000
) -> Comparison:
    """The comparison of two runs by a metric of bones.

    Args:
        first: The run that is subtracted, and its rows.
        second: The run that it is subtracted from.
        metric: One of the bone metrics of `carpus.metrics.METRICS`.
        replicates: Of the bootstrap.

    Raises:
        InputError: The runs cannot be compared, or have no image in common.
    """
    _check(first[0], second[0])
    pairs, unpaired = _paired(first[1], second[1], metric=metric)
    structures = ["All bones", *BONES]
    found = [_difference(pairs.filter(pl.col("structure") == name)) for name in BONES]
    whole = _difference(pairs)
    sign = 1 if METRICS[metric].better == "higher" else -1
    adjusted = holm(np.array([each.p for each in found]))
    resamples = resample_patients(
        pairs["patient"].to_list(), replicates=replicates, generator=np.random.default_rng(_SEED)
    )
    rows = []
    for name, each, p in zip(structures, [whole, *found], [math.nan, *adjusted], strict=True):
        low, high = _interval(resamples, each.of_patients)
        better = 100 * float((sign * each.differences > 0).mean()) if each.differences.size else math.nan
        cells = (
            Cell(each.first),
            Cell(each.second),
            Cell(each.second - each.first, low, high, "" if math.isnan(p) or p >= LEVEL else "*"),
            Cell(each.p),
            Cell(p),
            Cell(each.effect),
            Cell(better),
            Cell(each.images),
        )
        rows.append(Row(name, _source(first[0]), "", cells))
    label = METRICS[metric].label
    apart = [(name, sign * each.mean) for name, each, p in zip(BONES, found, adjusted, strict=True) if p < LEVEL]
    notes = (
        f"First: {_name(first[0])}. Second: {_name(second[0])}. {label}, {METRICS[metric].better} is better.",
        "Difference: second minus first, with the 95 % interval of a bootstrap over patients; * P < 0.05 after Holm's "
        "correction for 14 bones. The tests take one value a patient.",
        f"{len(unpaired)} values of one model have no finite partner of the other and are left out{_listed(unpaired)}.",
    )
    table = Table(
        "comparison", f"{second[0].model} against {first[0].model}: {label}", _BONE_COLUMNS, tuple(rows), notes
    )
    return Comparison(_sentence(first[0], second[0], metric, rows[0], apart), first[0], second[0], metric, table)


def compare_erosion(
    first: tuple[Run, pl.DataFrame], second: tuple[Run, pl.DataFrame], *, metric: str, replicates: int = 10_000
) -> Comparison:
    """The comparison of two runs of the erosion task by rates and by the area under the ROC curve.

    Args:
        first: The run that is subtracted, and its rows.
        second: The run that it is subtracted from.
        metric: What the sentence is about: `bacc`, `f1`, `sen`, `spc`, `auroc`, or `auroc_within` joints.
        replicates: Of the bootstrap.

    Raises:
        InputError: As `compare_bones`.
    """
    _check(first[0], second[0])
    one, other = (erosion_runs(rows)[0][1] for _, rows in (first, second))
    keys = ["image", "structure"]
    unpaired = _names(one.join(other, on=keys, how="anti")) + _names(other.join(one, on=keys, how="anti"))
    one, other = one.join(other, on=keys, how="semi"), other.join(one, on=keys, how="semi")
    if one.is_empty():
        raise InputError("the two have no joint in common, expected the same test images; evaluate both on one split")
    people = one["patient"].to_list()
    resamples = resample_patients(people, replicates=replicates, generator=np.random.default_rng(_SEED))
    measured = [_erosion_values(joints, resamples) for joints in (one, other)]
    rows = {}
    for name in measured[0]:
        (value, drawn), (value_b, drawn_b) = (each[name] for each in measured)
        low, high = _ends(resamples, drawn_b - drawn)
        cells = (Cell(value), Cell(value_b), Cell(value_b - value, low, high))
        rows[name] = Row(METRICS[name].label, _source(first[0]), "", cells)
    if metric not in rows:
        raise InputError(f"metric {metric!r} is not one of erosion, expected {', '.join(rows)}; give one of them")
    notes = (
        f"First: {_name(first[0])}. Second: {_name(second[0])}. Higher is better everywhere.",
        "Difference: second minus first, with the 95 % interval of a bootstrap over patients.",
        f"{one.height} joints of {len(resamples.patients)} patients; "
        f"{len(unpaired)} that only one model was asked about are left out{_listed(unpaired)}.",
    )
    title = f"{second[0].model} against {first[0].model}: erosion"
    table = Table("comparison", title, _EROSION_COLUMNS, tuple(rows.values()), notes)
    return Comparison(_sentence(first[0], second[0], metric, rows[metric], []), first[0], second[0], metric, table)


@dataclass(frozen=True, eq=False)
class _Difference:
    """What the pairs of one structure say."""

    first: float
    second: float
    p: float
    effect: float
    images: int
    differences: Float64[np.ndarray, " n"]
    of_patients: pl.DataFrame

    @property
    def mean(self) -> float:
        return self.second - self.first


def _difference(pairs: pl.DataFrame) -> _Difference:
    by_image = pairs.group_by("image", maintain_order=True).agg(pl.col("difference").mean())
    of_patients = pairs.group_by("patient", maintain_order=True).agg(
        pl.col("difference").sum(), pl.len().alias("count")
    )
    means = (of_patients["difference"] / of_patients["count"]).to_numpy()
    first, second = (float(pairs[name].to_numpy().mean()) if len(pairs) else math.nan for name in ("first", "second"))
    return _Difference(
        first=first,
        second=second,
        p=wilcoxon(means, np.zeros_like(means)),
        effect=paired_effect_size(means),
        images=by_image.height,
        differences=by_image["difference"].to_numpy(),
        of_patients=of_patients,
    )


def _paired(first: pl.DataFrame, second: pl.DataFrame, *, metric: str) -> tuple[pl.DataFrame, list[str]]:
    """A row a bone and image that both have a finite value of, and the names of the values without such a partner."""
    ours = (pl.col("metric") == metric) & pl.col("structure").is_in(BONES) & pl.col("value").is_finite()
    keys = ["image", "patient", "structure"]
    one, other = (
        rows.filter(ours).group_by(keys, maintain_order=True).agg(pl.col("value").mean().alias(name))
        for name, rows in (("first", first), ("second", second))
    )
    pairs = (
        one.join(other, on=keys)
        .with_columns(difference=pl.col("second") - pl.col("first"))
        .sort(pl.col(keys).cast(pl.String))
    )
    if pairs.is_empty():
        raise InputError(
            f"the two have no {metric} of a bone in common, expected the same test images; evaluate both on one split"
        )
    return pairs, _names(one.join(other, on=keys, how="anti")) + _names(other.join(one, on=keys, how="anti"))


def _names(rows: pl.DataFrame) -> list[str]:
    return sorted(f"{bone} of {image}" for image, bone in rows.select("image", "structure").iter_rows())


def _listed(names: list[str]) -> str:
    """The first few names, to be put after what was counted."""
    if not names:
        return ""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f": {', '.join(names[:_SHOWN])}{more}"


def _interval(resamples: PatientResamples, of_patients: pl.DataFrame) -> tuple[float, float]:
    names = of_patients["patient"].to_list()
    columns = of_patients.select("difference", pl.col("count").cast(pl.Float64)).to_numpy()
    sums = sums_by_patient(resamples, columns, names)
    return _ends(resamples, resampled_means(resamples, sums[:, :1], sums[:, 1:])[:, 0])


def _ends(resamples: PatientResamples, drawn: Float64[np.ndarray, " r"]) -> tuple[float, float]:
    if len(resamples.patients) < 2:
        return math.nan, math.nan
    low, high = intervals(drawn[:, None])[0].tolist()
    return low, high


def _erosion_values(
    joints: pl.DataFrame, resamples: PatientResamples
) -> dict[str, tuple[float, Float64[np.ndarray, " r"]]]:
    """Of each measure its value and its replicates."""
    eroded, called = joints["eroded"].to_numpy(), joints["called"].to_numpy()
    people = joints["patient"].to_list()
    one_hot = np.column_stack([eroded & called, ~eroded & called, eroded & ~called, ~eroded & ~called]).astype(float)
    own = Confusion(*map(int, one_hot.sum(axis=0)))
    totals = resampled_sums(resamples, sums_by_patient(resamples, one_hot, people)).astype(int)
    drawn = [Confusion(*row) for row in totals.tolist()]
    found = {name: (rate(own), np.array([rate(each) for each in drawn])) for name, rate in _RATES.items()}
    answers = joints["probability"].to_numpy()
    answers = np.where(np.isnan(answers), np.where(eroded, -np.inf, np.inf), answers)
    training = joints["seed"].rank("dense").fill_null(0).cast(pl.Int64).to_numpy()
    kinds = joints["structure"].rank("dense").to_numpy().astype(np.int64)
    for name, strata in (("auroc", training), ("auroc_within", training * (kinds.max() + 1) + kinds)):
        area = resampled_auroc(resamples, eroded, answers, people, strata)
        found[name] = (auroc_within(eroded, answers, strata), area)
    return found


def _sentence(first: Run, second: Run, metric: str, row: Row, apart: list[tuple[str, float]]) -> str:
    cell = row.cells[2]
    assert cell is not None  # noqa: S101 (every row of a comparison has a difference)
    label = METRICS[metric].label
    sign = -1 if METRICS[metric].better == "lower" else 1
    numbers = f"{number_text(abs(cell.value), 3)} {label}"
    a, b = (f"A ({_name(first)})", f"B ({_name(second)})") if first.model != second.model else ("A", "B")
    ends = f"95 % interval of B minus A {number_text(cell.low, 3)} to {number_text(cell.high, 3)}"
    if not (cell.low > 0 or cell.high < 0):
        sentence = f"No difference between {a} and {b} can be shown: {number_text(cell.value, 3)} {label}, {ends}"
    else:
        winner, loser = (b, a) if sign * cell.value > 0 else (a, b)
        sentence = f"{winner} is better than {loser} by {numbers}, {ends}"
    gained = [name for name, gain in apart if gain > 0]
    lost = [name for name, gain in apart if gain < 0]
    if gained:
        sentence += (
            f"; B is better on {len(gained)} of {len(BONES)} bones after Holm's correction ({', '.join(gained)})"
        )
    if lost:
        sentence += f"; A is better on {len(lost)} of {len(BONES)} ({', '.join(lost)})"
    return sentence + (". PHANTOM: synthetic wrists, not patients." if first.is_phantom else ".")


def _check(first: Run, second: Run) -> None:
    for what, one, other in (("data", first.data, second.data), ("split", first.split, second.split)):
        if one != other:
            raise InputError(
                f"A was evaluated on {what} {one!r} and B on {other!r}, expected the same; evaluate both alike"
            )


def _name(run: Run) -> str:
    return f"{run.model}, {run.details}" if run.details else run.model


def _source(run: Run) -> str:
    return "PHANTOM" if run.is_phantom else "patients"
