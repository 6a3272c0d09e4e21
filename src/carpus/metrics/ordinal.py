"""Agreement of two scores of the same joints on the SvdH scale, 0 to 5, where a small error is a small one.

Undefined cases: without a joint everything is undefined (NaN). Kappa is NaN where both give every joint one and
the same score. The ICC is NaN with fewer than two joints or two readers, or where all values are alike.

References:
    Cohen J. Psychol Bull 1968;70(4):213-220. https://doi.org/10.1037/h0026256
    Shrout PE, Fleiss JL. Psychol Bull 1979;86(2):420-428. https://doi.org/10.1037/0033-2909.86.2.420
    McGraw KO, Wong SP. Psychol Methods 1996;1(1):30-46. https://doi.org/10.1037/1082-989X.1.1.30
"""

import math

import numpy as np
from jaxtyping import Float, Int

from carpus.errors import InputError

_WORST = 5


def quadratic_weighted_kappa(reference: Int[np.ndarray, " n"], predicted: Int[np.ndarray, " n"]) -> float:
    """Cohen's kappa with squared differences as weights, -1 to 1, higher is better; 0 is chance.

    Args:
        reference: SvdH scores as an expert gave them, 0 to 5.
        predicted: The same as a model or another reader gave them.

    Raises:
        InputError: The two differ in length, or are not whole numbers from 0 to 5.

    Example:
        >>> quadratic_weighted_kappa(np.array([0, 0, 3, 5]), np.array([0, 1, 3, 5]))
        0.9696969696969697
    """
    _check(reference, predicted)
    one, other = reference.astype(np.int64), predicted.astype(np.int64)
    # Sums of squared differences over all pairs, as they are and as they would be if either were dealt out at random.
    observed = one.size * int(np.sum((one - other) ** 2))
    chance = one.size * int(np.sum(one**2) + np.sum(other**2)) - 2 * int(one.sum()) * int(other.sum())
    return 1 - observed / chance if chance else math.nan


def mae(reference: Int[np.ndarray, " n"], predicted: Int[np.ndarray, " n"]) -> float:
    """The mean absolute error in steps of the scale, 0 to 5, lower is better.

    Raises:
        InputError: As `quadratic_weighted_kappa`.

    Example:
        >>> mae(np.array([0, 3]), np.array([1, 3]))
        0.5
    """
    _check(reference, predicted)
    return float(np.mean(_apart(reference, predicted))) if reference.size else math.nan


def within_one(reference: Int[np.ndarray, " n"], predicted: Int[np.ndarray, " n"]) -> float:
    """The part of the joints whose scores differ by one at most, 0 to 1, higher is better.

    Raises:
        InputError: As `quadratic_weighted_kappa`.

    Example:
        >>> within_one(np.array([0, 3]), np.array([1, 5]))
        0.5
    """
    _check(reference, predicted)
    return float(np.mean(_apart(reference, predicted) <= 1)) if reference.size else math.nan


def icc(ratings: Float[np.ndarray, "n readers"] | Int[np.ndarray, "n readers"]) -> float:
    """The intraclass correlation ICC(2,1), up to 1, higher is better; it may fall below 0.

    Two-way random effects, absolute agreement, of a single reader (McGraw and Wong: ICC(A,1)). A reader who is always
    one step higher lowers it.

    Args:
        ratings: A row a joint, a column a reader, for instance `np.column_stack([reference, predicted])`.

    Raises:
        InputError: The table has not two dimensions, or a value is not finite.

    Example:
        >>> icc(np.array([[0, 1], [1, 2], [2, 3]]))
        0.6666666666666666
    """
    if ratings.ndim != 2 or not np.isfinite(ratings).all():
        raise InputError(
            f"ratings have shape {ratings.shape}, expected finite numbers, a row a joint and a column a reader; "
            "leave out joints that a reader did not score"
        )
    joints, readers = ratings.shape
    if joints < 2 or readers < 2:
        return math.nan
    of_joints, of_readers = ratings.mean(axis=1, keepdims=True), ratings.mean(axis=0, keepdims=True)
    mean = ratings.mean()
    between_joints = readers * float(np.sum((of_joints - mean) ** 2)) / (joints - 1)
    between_readers = joints * float(np.sum((of_readers - mean) ** 2)) / (readers - 1)
    error = float(np.sum((ratings - of_joints - of_readers + mean) ** 2)) / ((joints - 1) * (readers - 1))
    variance = between_joints + (readers - 1) * error + readers * (between_readers - error) / joints
    return (between_joints - error) / variance if np.ptp(ratings) else math.nan


def _apart(reference: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    # Wider first: scores may be unsigned.
    return np.asarray(np.abs(reference.astype(np.int64) - predicted))


def _check(reference: np.ndarray, predicted: np.ndarray) -> None:
    if reference.ndim != 1 or reference.shape != predicted.shape:
        raise InputError(
            f"reference has shape {reference.shape} and prediction {predicted.shape}, "
            "expected one score a joint in both; pair them by joint"
        )
    for name, scores in (("reference", reference), ("predicted", predicted)):
        if not np.issubdtype(scores.dtype, np.integer):
            raise InputError(f"{name} scores are {scores.dtype}, expected whole numbers 0 to 5; round them first")
        if scores.size and not (scores.min() >= 0 and scores.max() <= _WORST):
            raise InputError(
                f"{name} SvdH scores are {scores.min()} to {scores.max()}, expected 0 to {_WORST}; "
                "map them to the scale"
            )
