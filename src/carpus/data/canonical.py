"""A wrist as a right hand, whichever it is, and the way back."""

from collections.abc import Mapping
from dataclasses import dataclass

from carpus.anatomy import Joint, Side
from carpus.data.dataset import Case
from carpus.data.reader import read_masks, read_radiograph
from carpus.imaging.geometry import Box
from carpus.imaging.masks import BoneMasks
from carpus.imaging.radiograph import Radiograph


@dataclass(frozen=True, eq=False)
class CanonicalWrist:
    """A wrist with the thumb to the left of the image, as a right hand seen from its back.

    Attributes:
        radiograph: Its `side` stays that of the body.
        masks: On the same grid; None if they were not drawn.
        boxes: The joints' regions in pixels of `radiograph`.
        is_flipped: Whether it is a left hand that was mirrored.
    """

    radiograph: Radiograph
    masks: BoneMasks | None
    boxes: Mapping[Joint, Box]
    is_flipped: bool

    def original(self, masks: BoneMasks) -> BoneMasks:
        """Masks on the canonical grid as they lie on the image on disk."""
        return masks.mirrored() if self.is_flipped else masks

    def original_box(self, box: Box) -> Box:
        """A box in canonical pixels as it lies on the image on disk."""
        return box.mirrored(self.radiograph.shape[1]) if self.is_flipped else box


def read_canonical(case: Case) -> CanonicalWrist:
    """The image, bones and boxes of a case, left hands mirrored to right ones.

    Raises:
        InputError: A file is missing or damaged.
    """
    radiograph = read_radiograph(case)
    masks = None if case.masks is None else read_masks(case)
    if case.id.side is Side.RIGHT:
        return CanonicalWrist(radiograph, masks, case.boxes, is_flipped=False)
    width = radiograph.shape[1]
    return CanonicalWrist(
        radiograph.mirrored(),
        masks and masks.mirrored(),
        {joint: box.mirrored(width) for joint, box in case.boxes.items()},
        is_flipped=True,
    )
