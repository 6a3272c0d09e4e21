"""Fourteen overlapping bone masks as one value, held in 16 bits a pixel.

A radiograph is a projection: one pixel can belong to several bones. Bit `bone.channel` of a pixel says
whether that bone covers it, so the fourteen masks of a 600 x 600 crop take 0.7 MB instead of 5 MB, and
geometry (flip, crop, resize) is done once for all of them.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Shaped, UInt16

from carpus.anatomy import Bone
from carpus.errors import InputError
from carpus.imaging.geometry import Box, crop, mirror, resize_labels

_BITS = np.uint16(1) << np.arange(len(Bone), dtype=np.uint16)


@dataclass(frozen=True, eq=False)
class BoneMasks:
    """The masks of the fourteen bones, overlap kept.

    Attributes:
        plane: `(h, w)` uint16, bit `bone.channel` set where the bone is. Read-only.

    Example:
        >>> stack = np.zeros((14, 2, 2), bool)
        >>> stack[[Bone.LUNATE.channel, Bone.SCAPHOID.channel], 0, 1] = True
        >>> masks = BoneMasks.from_stack(stack)
        >>> masks.plane
        array([[ 0, 80],
               [ 0,  0]], dtype=uint16)
        >>> int(masks.overlap(Bone.LUNATE, Bone.SCAPHOID).sum())
        1
    """

    plane: UInt16[np.ndarray, "h w"]

    def __post_init__(self) -> None:
        if self.plane.ndim != 2 or self.plane.dtype != np.uint16:
            raise InputError(
                f"a packed plane is (h, w) uint16, got {self.plane.shape} {self.plane.dtype}; "
                "use BoneMasks.from_stack for (14, h, w)"
            )
        if self.plane.size and int(self.plane.max()) >> len(Bone):
            raise InputError("a packed plane has only bits 0 to 13 (one a bone), got higher bits; repack it")
        plane = self.plane.view()
        plane.flags.writeable = False
        object.__setattr__(self, "plane", plane)

    @classmethod
    def from_stack(cls, stack: Shaped[np.ndarray, "14 h w"]) -> "BoneMasks":
        """The masks from a `(14, h, w)` stack: bool, or one byte a pixel with 0/1 or 0/255.

        Raises:
            InputError: Another shape, or values that are neither 0 nor one other.
        """
        if stack.ndim != 3 or stack.shape[0] != len(Bone):
            raise InputError(f"masks have shape {stack.shape}, expected (14, height, width), one channel a bone")
        if stack.dtype != np.bool_:
            if not np.issubdtype(stack.dtype, np.integer):
                raise InputError(
                    f"masks have dtype {stack.dtype}, expected bool or one byte a pixel; cut probabilities first"
                )
            top = stack.max(initial=0)
            if top not in (0, 1, 255) or ((stack != 0) & (stack != top)).any():
                raise InputError("masks hold values other than 0/1 or 0/255; each channel must be binary")
            stack = stack != 0
        plane = np.zeros(stack.shape[1:], np.uint16)
        for channel, bit in zip(stack, _BITS, strict=True):
            plane |= channel * bit
        return cls(plane)

    @classmethod
    def from_masks(
        cls, masks: Iterable[tuple[Bone, Bool[np.ndarray, "h w"]]], *, height: int, width: int
    ) -> "BoneMasks":
        """The masks from single ones of one size; a bone named twice is both together, one not named is empty.

        Raises:
            InputError: A mask of another size or type.
        """
        plane = np.zeros((height, width), np.uint16)
        for bone, mask in masks:
            if mask.shape != plane.shape or mask.dtype != np.bool_:
                raise InputError(
                    f"the mask of {bone.label} is {mask.shape} {mask.dtype}, expected ({height}, {width}) bool; "
                    "draw all bones on one grid"
                )
            plane |= mask * _BITS[bone.channel]
        return cls(plane)

    @classmethod
    def empty(cls, *, height: int, width: int) -> "BoneMasks":
        """Masks of the given size without any bone."""
        return cls(np.zeros((height, width), np.uint16))

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        height, width = self.plane.shape
        return height, width

    def stack(self) -> Bool[np.ndarray, "14 h w"]:
        """All masks as `(14, h, w)`, in the order of `list(Bone)`."""
        stack: Bool[np.ndarray, "14 h w"] = (self.plane[None] & _BITS[:, None, None]) != 0
        return stack

    def mask(self, bone: Bone) -> Bool[np.ndarray, "h w"]:
        """The mask of one bone."""
        mask: Bool[np.ndarray, "h w"] = (self.plane & _BITS[bone.channel]) != 0
        return mask

    def overlap(self, first: Bone, second: Bone) -> Bool[np.ndarray, "h w"]:
        """Where two bones cover each other."""
        both = _BITS[first.channel] | _BITS[second.channel]
        overlap: Bool[np.ndarray, "h w"] = (self.plane & both) == both
        return overlap

    def mirrored(self) -> "BoneMasks":
        """The masks flipped left to right."""
        return BoneMasks(mirror(self.plane))

    def cropped(self, box: Box) -> "BoneMasks":
        """The masks inside `box`; nothing lies outside the image."""
        return BoneMasks(crop(self.plane, box))

    def resized(self, *, height: int, width: int) -> "BoneMasks":
        """The masks at another size; each pixel takes the bones at its centre."""
        return BoneMasks(resize_labels(self.plane, height=height, width=width))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, BoneMasks) and np.array_equal(self.plane, other.plane)

    __hash__ = None  # type: ignore[assignment]
