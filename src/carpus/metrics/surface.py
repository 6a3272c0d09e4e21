"""Agreement of two outlines, from distances that are computed once.

An outline is the set of pixels of a mask that touch its outside along an edge; what lies beyond the image
counts as outside. A distance is exact and Euclidean, from the centre of an outline's pixel to the centre of
the nearest one of the other outline, in px. This is MONAI's definition, which the paper's numbers rest on.

Undefined cases: both masks empty is undefined (NaN). One empty is the worst value: NSD 0, any distance infinite.

References:
    Nikolov S et al. J Med Internet Res 2021;23(7):e26151. https://doi.org/10.2196/26151
    Heimann T et al. IEEE Trans Med Imaging 2009;28(8):1251-1265. https://doi.org/10.1109/TMI.2009.2013851
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float64

from carpus.metrics.comparison import compare
from carpus.metrics.overlap import check_masks

_ONE_MASK = np.zeros((1, 2), np.int64)


@dataclass(frozen=True, eq=False)
class SurfaceDistances:
    """Distances in px, one a pixel of each outline, in no particular order.

    Attributes:
        from_reference: From each pixel of the reference's outline to the predicted outline.
        from_predicted: From each pixel of the predicted outline to the reference's outline.
    """

    from_reference: Float64[np.ndarray, " n"]
    from_predicted: Float64[np.ndarray, " m"]


def surface_distances(reference: Bool[np.ndarray, "h w"], predicted: Bool[np.ndarray, "h w"]) -> SurfaceDistances:
    """The distances between two outlines, both ways; infinite where the other mask is empty.

    Raises:
        InputError: The masks differ in size or are not boolean.
    """
    check_masks(reference, predicted)
    found = compare(reference[None], predicted[None], _ONE_MASK, tolerance_px=0)
    middle = found.ends[0, 0]
    return SurfaceDistances(found.distances[:middle], found.distances[middle:])


def nsd(distances: SurfaceDistances, *, tolerance_px: float = 2.0) -> float:
    """The normalised surface Dice, 0 to 1, higher is better: the part of both outlines within the tolerance.

    Args:
        distances: From `surface_distances`.
        tolerance_px: In px of the masks; a distance equal to it is within it.

    Example:
        >>> row = np.array([[True, True, False, False]])
        >>> nsd(surface_distances(row, row[:, ::-1]), tolerance_px=1)
        0.5
    """
    every = np.concatenate([distances.from_reference, distances.from_predicted])
    return float(np.mean(every <= tolerance_px)) if every.size else math.nan


def msd(distances: SurfaceDistances) -> float:
    """The symmetric mean surface distance in px, 0 up, lower is better: the mean over both outlines."""
    every = np.concatenate([distances.from_reference, distances.from_predicted])
    return float(np.mean(every)) if every.size else math.nan


def assd(distances: SurfaceDistances) -> float:
    """The average symmetric surface distance in px, 0 up, lower is better: the mean of the two outlines' means.

    It weighs both outlines alike, as MedPy does, where `msd` weighs each pixel alike, as MONAI does.
    """
    return _of_both(distances, np.mean, np.mean)


def hd95(distances: SurfaceDistances) -> float:
    """The 95 % Hausdorff distance in px, 0 up, lower is better: the higher of the two 95th percentiles.

    References:
        Huttenlocher DP et al. IEEE Trans Pattern Anal Mach Intell 1993;15(9):850-863.
            https://doi.org/10.1109/34.232073
    """
    return _of_both(distances, lambda one: np.percentile(one, 95), np.max)


def _of_both(
    distances: SurfaceDistances, each: Callable[[np.ndarray], Any], both: Callable[[list[float]], Any]
) -> float:
    ways = [distances.from_reference, distances.from_predicted]
    if not all(way.size for way in ways):
        return math.inf if any(way.size for way in ways) else math.nan
    return float(both([float(each(way)) for way in ways]))
