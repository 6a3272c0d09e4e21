"""Agreement of two outlines, from distances that are computed once.

An outline is the set of pixels of a mask that touch its outside along an edge; what lies beyond the image
counts as outside. A distance is exact and Euclidean, from the centre of an outline's pixel to the centre of
the nearest one of the other outline, in px. This is MONAI's definition, which the paper's numbers rest on.

Undefined cases: both masks empty is undefined (NaN). One empty is the worst value: NSD 0, MSD infinite.

References:
    Nikolov S et al. J Med Internet Res 2021;23(7):e26151. https://doi.org/10.2196/26151
    Heimann T et al. IEEE Trans Med Imaging 2009;28(8):1251-1265. https://doi.org/10.1109/TMI.2009.2013851
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float64
from scipy.spatial import KDTree

from carpus.metrics.overlap import check_masks

_CROSS = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))


@dataclass(frozen=True, eq=False)
class SurfaceDistances:
    """Distances in px, one a pixel of each outline.

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
    reference_edge, predicted_edge = _outline(reference), _outline(predicted)
    return SurfaceDistances(
        from_reference=_nearest(reference_edge, predicted_edge),
        from_predicted=_nearest(predicted_edge, reference_edge),
    )


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


def _outline(mask: Bool[np.ndarray, "h w"]) -> Float64[np.ndarray, "n 2"]:
    inner = cv2.erode(mask.view(np.uint8), _CROSS, borderType=cv2.BORDER_CONSTANT, borderValue=(0,))
    return np.argwhere(mask & (inner == 0)).astype(np.float64)


def _nearest(start: Float64[np.ndarray, "n 2"], target: Float64[np.ndarray, "m 2"]) -> Float64[np.ndarray, " n"]:
    if not len(start) or not len(target):
        return np.full(len(start), np.inf)
    return np.asarray(KDTree(target, leafsize=32).query(start)[0], np.float64)
