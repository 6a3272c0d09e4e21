"""Agreement of two outlines by their length, where `surface` counts their pixels.

An outline runs between pixels. At each corner where four pixels meet it is one of sixteen pieces of marching
squares: none, across a pixel's corner, straight, or across both opposite corners. A piece is as long as the line
drawn, and as far away as its corner is from the nearest corner of the other outline that has a piece. What lies
beyond the image counts as outside.

Undefined cases: both masks empty is undefined (NaN). One empty is the worst value, 0.

References:
    Nikolov S et al. J Med Internet Res 2021;23(7):e26151. https://doi.org/10.2196/26151
"""

import math

import numpy as np
from jaxtyping import Bool, Float64
from scipy.ndimage import distance_transform_edt

from carpus.errors import InputError
from carpus.metrics.overlap import check_masks


def contour_nsd(
    reference: Bool[np.ndarray, "h w"],
    predicted: Bool[np.ndarray, "h w"],
    *,
    tolerance_mm: float,
    spacing_mm: tuple[float, float],
) -> float:
    """The normalised surface Dice by length, 0 to 1, higher is better: the part of both outlines within the tolerance.

    It is the definition of the paper named above and of its authors' package surface-distance. The benchmark's
    own numbers are `nsd`, which weighs each pixel of an outline alike and so counts a slanting one for less.

    Args:
        reference: The mask as an expert drew it.
        predicted: The mask as it was found.
        tolerance_mm: A distance equal to it is within it.
        spacing_mm: Height and width of a pixel; `(1, 1)` makes the tolerance one in px.

    Raises:
        InputError: The masks differ in size or are not boolean, or the pixel size is not positive.

    Example:
        >>> square = np.zeros((6, 6), bool)
        >>> square[1:4, 1:4] = True
        >>> contour_nsd(square, np.roll(square, 1, axis=1), tolerance_mm=0.5, spacing_mm=(1, 1))
        0.5
    """
    check_masks(reference, predicted)
    if not all(0 < edge < math.inf for edge in spacing_mm):
        raise InputError(f"spacing_mm is {spacing_mm}, expected height and width above 0; use (1, 1) for px")
    ways = [_lengths(mask, spacing_mm=spacing_mm) for mask in (reference, predicted)]
    if not any(way.any() for way in ways):
        return math.nan
    if not all(way.any() for way in ways):
        return 0.0
    within = [
        own[(own > 0) & (distance_transform_edt(other == 0, sampling=spacing_mm) <= tolerance_mm)]
        for own, other in (ways, ways[::-1])
    ]
    # An exact sum, so that equal outlines have 1.
    return math.fsum(np.concatenate(within)) / math.fsum(np.concatenate([way[way > 0] for way in ways]))


def _lengths(mask: Bool[np.ndarray, "h w"], *, spacing_mm: tuple[float, float]) -> Float64[np.ndarray, "h+1 w+1"]:
    """How long the piece of the outline at each corner of the pixels is, 0 where there is none."""
    padded = np.pad(mask, 1).astype(np.intp)
    height, width = spacing_mm
    # Half a diagonal, by the number of corners of pixels that are cut off.
    cut = math.hypot(height, width) / 2
    pieces = np.zeros((2, 2, 2, 2))  # by the pixels above left, above right, below left, below right
    for at in np.ndindex(pieces.shape):
        above_left, above_right, below_left, _ = at
        if sum(at) in (1, 3):
            pieces[at] = cut
        elif sum(at) == 2:
            pieces[at] = width if above_left == above_right else height if above_left == below_left else 2 * cut
    return np.asarray(pieces[padded[:-1, :-1], padded[:-1, 1:], padded[1:, :-1], padded[1:, 1:]], np.float64)
