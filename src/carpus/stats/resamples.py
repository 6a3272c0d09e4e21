"""Many statistics over the same resamples of patients, by products of matrices.

A resample of patients is how often each of them was drawn. Every statistic that rests on sums over rows (means,
rates, differences of means) is then a product of these counts with the sums of each patient, for all columns of a
leaderboard at once. The area under the ROC curve rests on pairs of rows, and is a quadratic form of the counts.

All columns see the same resamples, so the difference of two columns is that of paired models, and ranks can be taken
within a replicate.

References:
    Efron B, Tibshirani RJ. An Introduction to the Bootstrap. 1993, chapter 13.
    Field CA, Welsh AH. J R Stat Soc B 2007;69(3):369-390. https://doi.org/10.1111/j.1467-9868.2007.00593.x
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64, Shaped

from carpus.errors import InputError

_PERCENTILES = (2.5, 97.5)


@dataclass(frozen=True, eq=False)
class PatientResamples:
    """How often each patient was drawn in each replicate.

    Attributes:
        patients: Each once, sorted.
        times: One row a replicate, one column a patient; each row adds up to the number of patients.
    """

    patients: tuple[str, ...]
    times: Float64[np.ndarray, "r p"]


def resample_patients(
    patients: Sequence[str], *, replicates: int = 10_000, generator: np.random.Generator
) -> PatientResamples:
    """As many patients drawn with replacement as there are, again and again.

    Args:
        patients: Who can be drawn; naming one twice changes nothing.
        replicates: How many times to resample.
        generator: The source of chance.
    """
    names = tuple(sorted(set(patients)))
    count = len(names)
    drawn = generator.integers(0, max(count, 1), (replicates, count)) + count * np.arange(replicates)[:, None]
    times = np.bincount(drawn.ravel(), minlength=replicates * count).reshape(replicates, count)
    return PatientResamples(names, times.astype(np.float64))


def sums_by_patient(
    resamples: PatientResamples, values: Float[np.ndarray, "n k"], patients: Sequence[str]
) -> Float64[np.ndarray, "p k"]:
    """The sum of each column over the rows of each patient, in the order of `resamples.patients`.

    Raises:
        InputError: Not one patient a row, or one who is not among the resampled.
    """
    if len(values) != len(patients):
        raise InputError(f"{len(values)} values and {len(patients)} patients, expected one patient a value; pair them")
    sums = np.zeros((len(resamples.patients), values.shape[1]))
    np.add.at(sums, _places(resamples, patients), values)
    return sums


def resampled_sums(resamples: PatientResamples, sums: Float[np.ndarray, "p k"]) -> Float64[np.ndarray, "r k"]:
    """The sum of each column in each replicate.

    Args:
        resamples: From `resample_patients`.
        sums: Over the rows of each patient; NaN makes its whole column NaN.
    """
    totals: Float64[np.ndarray, "r k"] = resamples.times @ sums
    return totals


def resampled_means(
    resamples: PatientResamples, sums: Float[np.ndarray, "p k"], counts: Float[np.ndarray, "p k"]
) -> Float64[np.ndarray, "r k"]:
    """The mean of each column over all rows drawn, in each replicate; NaN where none was drawn.

    Args:
        resamples: From `resample_patients`.
        sums: Of the values of each patient.
        counts: How many values that are.

    Example:
        >>> resamples = resample_patients(["a", "b"], replicates=1000, generator=np.random.default_rng(0))
        >>> means = resampled_means(resamples, np.array([[1.7], [0.7]]), np.array([[2.0], [1.0]]))
        >>> intervals(means).round(2).tolist()
        [[0.7, 0.85]]
    """
    with np.errstate(invalid="ignore"):
        means: Float64[np.ndarray, "r k"] = resampled_sums(resamples, sums) / resampled_sums(resamples, counts)
    return means


def resampled_auroc(
    resamples: PatientResamples,
    reference: Bool[np.ndarray, " n"],
    probability: Float[np.ndarray, " n"],
    patients: Sequence[str],
    strata: Shaped[np.ndarray, " n"] | None = None,
) -> Float64[np.ndarray, " r"]:
    """The area under the ROC curve in each replicate; NaN where rows of one kind are lacking.

    With t the counts of a replicate it is `t W t / t N t`, where W holds, for each two patients, how many pairs of an
    eroded row of the first and a healthy row of the second are in the right order, equal ones counted half, and N how
    many pairs there are.

    Args:
        resamples: From `resample_patients`.
        reference: Whether each row is eroded.
        probability: The model's answer, or any number that rises with it; not NaN.
        patients: Of each row.
        strata: Rows are compared within one of these only, such as a kind of joint; all with all by default.

    Raises:
        InputError: Not one patient a row, or a probability is NaN.
    """
    if not len(reference) == len(probability) == len(patients):
        raise InputError(
            f"{len(reference)} references, {len(probability)} probabilities and {len(patients)} patients, "
            "expected one each a row; pair them"
        )
    if np.isnan(probability).any():
        raise InputError("a probability is NaN, expected numbers; evaluate the model again")
    places = _places(resamples, patients)
    codes = np.zeros(len(reference), np.intp) if strata is None else np.unique(strata, return_inverse=True)[1]
    count = len(resamples.patients)
    won, pairs = np.zeros((count, count)), np.zeros((count, count))
    for stratum in range(codes.max(initial=-1) + 1):
        eroded, healthy = (np.flatnonzero((codes == stratum) & kind) for kind in (reference, ~reference))
        above = probability[eroded, None] > probability[healthy]
        equal = probability[eroded, None] == probability[healthy]
        cells = (places[eroded, None], places[healthy][None])
        np.add.at(won, cells, above + equal / 2)
        np.add.at(pairs, cells, 1)
    times = resamples.times
    with np.errstate(invalid="ignore"):
        areas: Float64[np.ndarray, " r"] = np.einsum("rp,rp->r", times @ won, times) / np.einsum(
            "rp,rp->r", times @ pairs, times
        )
    return areas


def intervals(replicates: Float[np.ndarray, "r k"]) -> Float64[np.ndarray, "k 2"]:
    """The 2.5 and the 97.5 percentile of each column.

    Undefined replicates (NaN) are left out; if that is more than half of them, the interval is undefined. A percentile
    is a replicate's own value, never a blend of two, so that infinite ones stay infinite.
    """
    found = np.full((replicates.shape[1], 2), np.nan)
    if not len(replicates):
        return found
    ranked = np.sort(replicates, axis=0)  # NaN comes last
    defined = np.count_nonzero(~np.isnan(ranked), axis=0)
    usable = (defined > 0) & (2 * defined >= len(ranked))
    columns = np.flatnonzero(usable)
    for end, percentile in enumerate(_PERCENTILES):
        rows = np.ceil(percentile / 100 * defined[columns]).astype(np.intp) - 1
        found[columns, end] = ranked[np.maximum(rows, 0), columns]
    return found


def _places(resamples: PatientResamples, patients: Sequence[str]) -> np.ndarray:
    known = {name: place for place, name in enumerate(resamples.patients)}
    strange = next((name for name in patients if name not in known), None)
    if strange is not None:
        raise InputError(f"patient {strange!r} is not among the resampled; resample the patients of all rows")
    return np.array([known[name] for name in patients], np.intp)
