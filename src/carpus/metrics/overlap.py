"""Overlap of two masks of one size: Dice, volumetric overlap error, relative difference in area.

Undefined cases, the same for every function here: both masks empty is undefined (NaN). A bone that was
missed, or one that is not there, counts as the worst value: DSC 0 and VOE 1. RAVD divides by the reference,
so it is NaN when the reference is empty, and 1 when only the prediction is.

References:
    Heimann T et al. IEEE Trans Med Imaging 2009;28(8):1251-1265. https://doi.org/10.1109/TMI.2009.2013851
"""

import math

import numpy as np
from jaxtyping import Bool

from carpus.errors import InputError


def dsc(reference: Bool[np.ndarray, "h w"], predicted: Bool[np.ndarray, "h w"]) -> float:
    """The Dice similarity coefficient, 0 to 1, higher is better.

    Raises:
        InputError: The masks differ in size or are not boolean.

    Example:
        >>> dsc(np.array([[True, True]]), np.array([[True, False]]))
        0.6666666666666666
    """
    check_masks(reference, predicted)
    return _ratio(2 * _area(reference & predicted), _area(reference) + _area(predicted))


def voe(reference: Bool[np.ndarray, "h w"], predicted: Bool[np.ndarray, "h w"]) -> float:
    """The volumetric overlap error, 1 - intersection / union, 0 to 1, lower is better.

    Raises:
        InputError: The masks differ in size or are not boolean.
    """
    check_masks(reference, predicted)
    return 1 - _ratio(_area(reference & predicted), _area(reference | predicted))


def ravd(reference: Bool[np.ndarray, "h w"], predicted: Bool[np.ndarray, "h w"]) -> float:
    """The relative absolute area difference, |predicted - reference| / reference, 0 up, lower is better.

    Raises:
        InputError: The masks differ in size or are not boolean.
    """
    check_masks(reference, predicted)
    return _ratio(abs(_area(predicted) - _area(reference)), _area(reference))


def check_masks(reference: np.ndarray, predicted: np.ndarray) -> None:
    """Refuses two masks that cannot be compared.

    Raises:
        InputError: The masks differ in size or are not boolean.
    """
    if reference.shape != predicted.shape or reference.ndim != 2:
        raise InputError(
            f"reference mask is {reference.shape} and predicted mask {predicted.shape}, "
            "expected one size (h, w); resize the prediction"
        )
    if reference.dtype != np.bool_ or predicted.dtype != np.bool_:
        raise InputError(
            f"reference mask is {reference.dtype} and predicted mask {predicted.dtype}, "
            "expected bool; cut the prediction first"
        )


def _area(mask: Bool[np.ndarray, "h w"]) -> int:
    return int(np.count_nonzero(mask))


def _ratio(numerator: int, denominator: int) -> float:
    return numerator / denominator if denominator else math.nan
