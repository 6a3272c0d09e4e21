"""What a network is told of a joint, as channels of one image, so that every classifier takes it unchanged.

1. the joint's region;
2. with `contralateral`, the same joint of the other hand at the same visit, mirrored so that both lie alike; zeros
   where there is none;
3. with `joint_input`, a plane for each joint of the wrist: 0.1 for the joint that is asked for, 0 for the others. With
   planes of ones ResNet learnt next to nothing from the picture.
"""

import numpy as np
from jaxtyping import Float32, UInt8

from carpus.anatomy import Joint
from carpus.imaging.geometry import Box, Image, crop, mirror, resize
from carpus.imaging.intensity import min_max

_FAINT = 0.1


def input_channels(*, contralateral: bool, joint_input: bool) -> int:
    """The number of channels.

    Example:
        >>> input_channels(contralateral=True, joint_input=True)
        8
    """
    return 1 + contralateral + joint_input * len(Joint)


def joint_region(
    wrist: UInt8[np.ndarray, "h w"], box: Box, *, image_size: int, flip: bool
) -> Float32[np.ndarray, "s s"]:
    """The region of one joint as a network sees it, in 0 to 1.

    Args:
        wrist: Grey values of the wrist, in either orientation.
        box: The region.
        image_size: Edge s of the result in pixels.
        flip: Whether the result is mirrored.
    """
    return min_max(resized_region(wrist, box, image_size=image_size, flip=flip))


def resized_region(image: Image, box: Box, *, image_size: int, flip: bool) -> Image:
    """A region of any image of the wrist at a network's size, its values as they are; otherwise as `joint_region`."""
    region = crop(image, box)
    return resize(mirror(region) if flip else region, height=image_size, width=image_size)


def erosion_input(
    region: Float32[np.ndarray, "s s"],
    other: Float32[np.ndarray, "s s"] | None,
    joint: Joint,
    *,
    contralateral: bool,
    joint_input: bool,
) -> Float32[np.ndarray, "c s s"]:
    """The channels of one joint.

    Args:
        region: Of the joint, in 0 to 1.
        other: Of the other hand's, mirrored to lie as `region`; None if there is none.
        joint: Which.
        contralateral: Whether the network sees the other hand's.
        joint_input: Whether the network is told which joint it is.
    """
    channels = np.zeros((input_channels(contralateral=contralateral, joint_input=joint_input), *region.shape), "f4")
    channels[0] = region
    if contralateral and other is not None:
        channels[1] = other
    if joint_input:
        channels[list(Joint).index(joint) - len(Joint)] = _FAINT
    return channels
