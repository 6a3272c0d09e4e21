"""Intervals that take the patient, not the image, as what was sampled.

Both hands and several visits of one patient are alike, so images are resampled patient by patient: each
replicate draws as many patients as there are, with replacement, and keeps all rows of those drawn. The
interval is the 2.5 and the 97.5 percentile of the replicates.

Replicates in which the statistic is undefined (NaN) are left out; if that is more than half of them, or if
there are fewer than two patients, the interval is undefined.

References:
    Efron B, Tibshirani RJ. An Introduction to the Bootstrap. 1993, chapter 13.
    Field CA, Welsh AH. J R Stat Soc B 2007;69(3):369-390. https://doi.org/10.1111/j.1467-9868.2007.00593.x
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Shaped

from carpus.errors import InputError

_PERCENTILES = (2.5, 97.5)


@dataclass(frozen=True)
class Interval:
    """A 95 % interval; both ends are NaN where it is undefined."""

    low: float
    high: float


_UNDEFINED = Interval(math.nan, math.nan)


def patient_bootstrap(
    values: Shaped[np.ndarray, "n ..."],
    patients: Sequence[str],
    statistic: Callable[[np.ndarray], float],
    *,
    replicates: int = 2000,
    generator: np.random.Generator,
) -> Interval:
    """The 95 % interval of any statistic of rows.

    Args:
        values: One row an observation.
        patients: The patient of each row.
        statistic: From resampled rows to one number; NaN if undefined.
        replicates: How many times to resample.
        generator: The source of chance.

    Raises:
        InputError: Not one patient a row.
    """
    codes, count = _coded(values, patients)
    if count < 2:
        return _UNDEFINED
    order = np.argsort(codes, kind="stable")
    rows_of = np.split(order, np.cumsum(np.bincount(codes, minlength=count))[:-1])
    drawn = (generator.integers(0, count, count) for _ in range(replicates))
    return _interval(np.array([statistic(values[np.concatenate([rows_of[one] for one in draw])]) for draw in drawn]))


def patient_bootstrap_mean(
    values: Float[np.ndarray, " n"],
    patients: Sequence[str],
    *,
    replicates: int = 2000,
    generator: np.random.Generator,
) -> Interval:
    """The 95 % interval of the mean of all rows, the same as `patient_bootstrap` of `numpy.mean`, faster.

    Example:
        >>> interval = patient_bootstrap_mean(
        ...     np.array([0.9, 0.8, 0.7]), ["a", "a", "b"], generator=np.random.default_rng(0)
        ... )
        >>> round(interval.low, 3), round(interval.high, 3)
        (0.7, 0.85)
    """
    with_ones = np.column_stack([values, np.ones(len(values))])
    totals = _resampled_sums(with_ones, patients, replicates=replicates, generator=generator)
    return _interval(totals[:, 0] / totals[:, 1])


def patient_bootstrap_of_sums(
    values: Float[np.ndarray, "n k"],
    patients: Sequence[str],
    statistic: Callable[[Float[np.ndarray, " k"]], float],
    *,
    replicates: int = 2000,
    generator: np.random.Generator,
) -> Interval:
    """The 95 % interval of a statistic that depends on the rows only through their sums, such as a rate.

    Args:
        values: One row an observation, such as its 0 or 1 in each cell of a confusion matrix.
        patients: The patient of each row.
        statistic: From the `k` sums over the resampled rows to one number; NaN if undefined.
        replicates: How many times to resample.
        generator: The source of chance.

    Raises:
        InputError: Not one patient a row.
    """
    totals = _resampled_sums(values, patients, replicates=replicates, generator=generator)
    return _interval(np.array([statistic(total) for total in totals]))


def _resampled_sums(
    values: Float[np.ndarray, "n k"],
    patients: Sequence[str],
    *,
    replicates: int,
    generator: np.random.Generator,
) -> Float[np.ndarray, "r k"]:
    codes, count = _coded(values, patients)
    if count < 2:
        return np.full((1, values.shape[1]), np.nan)
    of_patient = np.zeros((count, values.shape[1]))
    np.add.at(of_patient, codes, values)
    drawn = generator.integers(0, count, (replicates, count)) + count * np.arange(replicates)[:, None]
    times = np.bincount(drawn.ravel(), minlength=replicates * count).reshape(replicates, count)
    totals: Float[np.ndarray, "r k"] = times @ of_patient
    return totals


def _coded(values: np.ndarray, patients: Sequence[str]) -> tuple[np.ndarray, int]:
    if len(values) != len(patients):
        raise InputError(f"{len(values)} values and {len(patients)} patients, expected one patient a value; pair them")
    names, codes = np.unique(np.asarray(patients, str), return_inverse=True)
    return codes, len(names)


def _interval(replicates: Float[np.ndarray, " r"]) -> Interval:
    defined = replicates[~np.isnan(replicates)]
    if not defined.size or 2 * defined.size < replicates.size:
        return _UNDEFINED
    # A replicate's own value, never a blend of two, so that infinite ones stay infinite.
    low, high = np.percentile(defined, _PERCENTILES, method="inverted_cdf")
    return Interval(float(low), float(high))
