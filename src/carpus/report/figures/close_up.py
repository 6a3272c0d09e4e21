"""Where to look closer: around the largest errors of a segmentation."""

from collections.abc import Iterable, Sequence

import cv2
import numpy as np
from jaxtyping import Bool, UInt8

from carpus.anatomy import OVERLAP_PAIRS, Bone
from carpus.imaging.geometry import Box, square
from carpus.imaging.masks import BoneMasks

_SMALLEST, _LARGEST = 0.2, 0.34
"""Edge of a close-up as part of the image's shorter edge."""

_THIN_PX = 5


def worst_error(reference: BoneMasks, predicted: Sequence[BoneMasks]) -> Box | None:
    """A square around the largest error that any of the predictions makes on any bone; None without errors.

    Args:
        reference: The bones as they are.
        predicted: By several models, on the same grid.
    """
    return _around_largest(reference.mask(bone) ^ one.mask(bone) for one in predicted for bone in Bone)


def worst_overlap_error(reference: BoneMasks, predicted: Sequence[BoneMasks], *, outside: Box | None) -> Box | None:
    """A square around the largest error where two bones overlap; None without such errors.

    Args:
        reference: The bones as they are.
        predicted: By several models, on the same grid.
        outside: Errors inside this box do not count, as it is shown already.
    """
    seen = np.zeros(reference.shape, bool)
    if outside is not None:
        left, top = round(outside.x), round(outside.y)
        seen[top : top + round(outside.height), left : left + round(outside.width)] = True
    return _around_largest(
        (reference.overlap(*pair) ^ one.overlap(*pair)) & ~seen for one in predicted for pair in OVERLAP_PAIRS
    )


def _around_largest(errors: Iterable[Bool[np.ndarray, "h w"]]) -> Box | None:
    """The square around the largest connected error; thin rims, which every model has, count only among themselves."""
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_THIN_PX, _THIN_PX))
    best: tuple[bool, int] = (False, 0)
    found: UInt8[np.ndarray, "h w"] | None = None
    for error in errors:
        everything = error.astype(np.uint8)
        for is_thick, part in ((True, cv2.morphologyEx(everything, cv2.MORPH_OPEN, disc)), (False, everything)):
            _, labels, sizes, _ = cv2.connectedComponentsWithStats(part, connectivity=8)
            areas = sizes[1:, cv2.CC_STAT_AREA]
            if len(areas) and (is_thick, int(areas.max())) > best:
                best = (is_thick, int(areas.max()))
                found = (labels == 1 + int(areas.argmax())).astype(np.uint8)
    if found is None:
        return None
    height, width = found.shape
    depth = cv2.distanceTransform(np.pad(found, 1), cv2.DIST_L2, cv2.DIST_MASK_5)[1:-1, 1:-1]
    # A long error is equally deep all along: look at the middle of that ridge.
    ridge = np.argwhere(depth >= depth.max() - 0.5)
    y, x = ridge[np.linalg.norm(ridge - ridge.mean(axis=0), axis=1).argmin()]
    extent = 1.5 * np.ptp(np.argwhere(found), axis=0).max()
    edge = min(height, width)
    size = float(np.clip(extent, _SMALLEST * edge, _LARGEST * edge))
    return square((float(x), float(y)), size=round(size)).inside(height=height, width=width)
