"""Where the six scored joints lie, from the bone masks: the regions that are cropped for erosion scoring."""

import numpy as np

from carpus.anatomy import Bone, Joint
from carpus.imaging.geometry import Box, square
from carpus.imaging.masks import BoneMasks

ROI_SIZES_MM: dict[Joint, float] = {
    Joint.METACARPAL_1: 27.0,
    Joint.TRAPEZIUM: 27.0,
    Joint.SCAPHOID: 30.0,
    Joint.LUNATE: 27.0,
    Joint.DISTAL_RADIUS: 36.0,
    Joint.DISTAL_ULNA: 27.0,
}
"""Edge of each joint's square region in mm; RAM-W600's are 145 to 268 px at 0.15 mm, that is 22 to 40 mm."""

_FACING = {
    Joint.METACARPAL_1: Bone.TRAPEZIUM,
    Joint.DISTAL_RADIUS: Bone.LUNATE,
    Joint.DISTAL_ULNA: Bone.PISIFORM_TRIQUETRUM,
}
_END_MM = 8.0


def joint_boxes(masks: BoneMasks, *, spacing_mm: float) -> dict[Joint, Box]:
    """The square region of each scored joint, inside the image; a joint whose bone is missing is left out.

    A carpal bone's region is centred on the bone. The long bones are only scored at the end that faces the
    wrist, so theirs are centred on the 8 mm of the bone nearest to the neighbour they articulate with.

    Args:
        masks: The bones, in either orientation.
        spacing_mm: Edge of a pixel in mm.
    """
    height, width = masks.shape
    boxes = {}
    for joint in Joint:
        bone = np.argwhere(masks.mask(joint.bone))
        if joint in _FACING and len(bone):
            facing = np.argwhere(masks.mask(_FACING[joint]))
            if not len(facing):
                continue
            distance_px = np.linalg.norm(bone - facing.mean(axis=0), axis=1)
            bone = bone[distance_px <= distance_px.min() + _END_MM / spacing_mm]
        if len(bone):
            y, x = (bone.min(axis=0) + bone.max(axis=0) + 1) / 2
            boxes[joint] = square((x, y), size=ROI_SIZES_MM[joint] / spacing_mm).inside(height=height, width=width)
    return boxes
