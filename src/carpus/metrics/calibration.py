"""How well probabilities of erosion can be believed: the Brier score, the calibration error and its curve.

Undefined cases: without a joint everything is undefined (NaN). A bin that no probability falls into has no
frequency (NaN) and does not count in the error.

References:
    Brier GW. Mon Weather Rev 1950;78(1):1-3. https://doi.org/10.1175/1520-0493(1950)078%3C0001:VOFEIT%3E2.0.CO;2
    Naeini MP, Cooper GF, Hauskrecht M. AAAI 2015;29(1):2901-2907. https://doi.org/10.1609/aaai.v29i1.9602
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64, Int64

from carpus.errors import InputError
from carpus.metrics.classification import check_probability


@dataclass(frozen=True, eq=False)
class Reliability:
    """Probabilities and what became of them, in bins of equal width from 0 to 1.

    Attributes:
        edges: Of the bins; a probability on an edge belongs to the bin below it, 0 to the first.
        counts: How many joints each bin has.
        predicted: The mean probability in each bin, NaN where it is empty.
        observed: The share of eroded joints in each bin, NaN where it is empty.
    """

    edges: Float64[np.ndarray, " bins+1"]
    counts: Int64[np.ndarray, " bins"]
    predicted: Float64[np.ndarray, " bins"]
    observed: Float64[np.ndarray, " bins"]


def brier(reference: Bool[np.ndarray, " n"], probability: Float[np.ndarray, " n"]) -> float:
    """The Brier score, 0 to 1, lower is better: the mean squared difference of probability and truth.

    Args:
        reference: Whether each joint is eroded.
        probability: The model's probability of erosion, 0 to 1.

    Raises:
        InputError: The two differ in length, the reference is not boolean, or a probability is not 0 to 1.

    Example:
        >>> brier(np.array([True, False]), np.array([0.5, 0.0]))
        0.125
    """
    _check(reference, probability)
    return float(np.mean((probability.astype(np.float64) - reference) ** 2)) if reference.size else math.nan


def reliability(
    reference: Bool[np.ndarray, " n"], probability: Float[np.ndarray, " n"], *, bins: int = 10
) -> Reliability:
    """The reliability curve: of joints given about the same probability, the share that is eroded.

    Args:
        reference: Whether each joint is eroded.
        probability: The model's probability of erosion, 0 to 1.
        bins: How many of equal width, 1 or more.

    Raises:
        InputError: There is no bin, or as `brier`.

    Example:
        >>> curve = reliability(np.array([True, False]), np.array([0.9, 0.8]), bins=2)
        >>> curve.counts.tolist(), curve.observed.tolist()
        ([0, 2], [nan, 0.5])
    """
    _check(reference, probability)
    if bins < 1:
        raise InputError(f"{bins} bins were asked for, expected 1 or more; 10 is usual")
    edges = np.linspace(0, 1, bins + 1)
    own = np.searchsorted(edges[1:-1], probability)
    counts = np.bincount(own, minlength=bins)
    filled = np.where(counts, counts, np.nan)
    predicted = np.bincount(own, probability, minlength=bins) / filled
    observed = np.bincount(own, reference, minlength=bins) / filled
    return Reliability(edges, counts, predicted, observed)


def calibration_error(
    reference: Bool[np.ndarray, " n"], probability: Float[np.ndarray, " n"], *, bins: int = 10
) -> float:
    """The expected calibration error, 0 to 1, lower is better: how far probabilities are from frequencies.

    It is the mean over joints of the difference between the mean probability and the share of eroded joints
    in their bin. It depends on the bins, so their number belongs beside it.

    Args:
        reference: Whether each joint is eroded.
        probability: The model's probability of erosion, 0 to 1.
        bins: How many of equal width, 1 or more.

    Raises:
        InputError: As `reliability`.

    Example:
        >>> calibration_error(np.array([True, True]), np.array([0.75, 0.75]))
        0.25
    """
    curve = reliability(reference, probability, bins=bins)
    filled = curve.counts > 0
    if not filled.any():
        return math.nan
    return float(np.average(np.abs(curve.predicted - curve.observed)[filled], weights=curve.counts[filled]))


def _check(reference: np.ndarray, probability: np.ndarray) -> None:
    check_probability(reference, probability)
    if reference.size and not (probability.min() >= 0 and probability.max() <= 1):
        raise InputError(
            f"probabilities are {probability.min()} to {probability.max()}, expected 0 to 1; "
            "put logits through the logistic function"
        )
