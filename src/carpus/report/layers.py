"""Bones as shapes above a radiograph, one a bone, so that a reader of the page can hide and show each."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool

from carpus.anatomy import Bone
from carpus.imaging.masks import BoneMasks
from carpus.report.overlay import BONE_COLOURS, hex_colour, label_place

_TOLERANCE_PX = 0.4


@dataclass(frozen=True)
class BoneShape:
    """One bone as SVG draws it.

    Attributes:
        bone: Which one.
        name: Its class in the page.
        path: The `d` of a path, in px of the masks, to be filled by the rule `evenodd`.
        colour: As `#rrggbb`.
        x: Where its abbreviation is written, in px.
        y: The same, downwards.
    """

    bone: Bone
    name: str
    path: str
    colour: str
    x: float
    y: float


def bone_shapes(masks: BoneMasks) -> tuple[BoneShape, ...]:
    """The outline of each bone that is there, holes and separate parts included, each by itself where bones overlap."""
    bones = {bone: masks.mask(bone) for bone in Bone}
    covered = np.sum(list(bones.values()), axis=0)
    found = []
    for bone, mask in bones.items():
        if mask.any():
            x, y = label_place(mask, covered, size=max(9, round(min(mask.shape) / 27)))
            found.append(BoneShape(bone, layer_name(bone), outline_path(mask), hex_colour(BONE_COLOURS[bone]), x, y))
    return tuple(found)


def layer_name(bone: Bone) -> str:
    """The bone's class in the page.

    Example:
        >>> layer_name(Bone.METACARPAL_1)
        'bone-metacarpal-1'
    """
    return "bone-" + bone.name.lower().replace("_", "-")


def outline_path(mask: Bool[np.ndarray, "h w"]) -> str:
    """The mask's outlines through the middle of its border pixels, within 0.4 px, as the `d` of an SVG path.

    Example:
        >>> outline_path(np.array([[0, 0, 0, 0], [0, 1, 1, 1], [0, 1, 1, 1]], dtype=bool))
        'M1 1 1 2 3 2 3 1Z'
    """
    outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    simple = [cv2.approxPolyDP(outline, _TOLERANCE_PX, closed=True)[:, 0] for outline in outlines]
    return "".join("M" + " ".join(f"{x} {y}" for x, y in points) + "Z" for points in simple)
