"""What a bone's shadow must be: one piece without holes."""

import cv2
import numpy as np
from jaxtyping import Bool

from carpus.anatomy import Bone
from carpus.imaging.masks import BoneMasks

_SMALLER_PIECE = 0.25
"""A further piece stays if it has this part of the largest one's area: an edge of the film can cut a bone in two."""


def whole_bones(masks: BoneMasks) -> BoneMasks:
    """The masks without specks and holes: of each bone the largest piece and others not much smaller, filled.

    Args:
        masks: As a network gives them.
    """
    return BoneMasks.from_stack(np.stack([_solid(masks.mask(bone)) for bone in Bone]))


def _solid(mask: Bool[np.ndarray, "h w"]) -> Bool[np.ndarray, "h w"]:
    outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = np.zeros(mask.shape, np.uint8)
    if outlines:
        areas = [cv2.contourArea(outline) for outline in outlines]
        kept = [outline for outline, area in zip(outlines, areas, strict=True) if area >= _SMALLER_PIECE * max(areas)]
        cv2.drawContours(filled, kept, -1, 1, cv2.FILLED)
    return filled.astype(bool)
