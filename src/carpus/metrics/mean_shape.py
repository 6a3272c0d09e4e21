"""The baseline for bones that looks at no image: where each bone usually lies in the training masks.

Wrist crops are alike, so a bone's usual place already overlaps with the real one. A network that does not beat this
baseline has learnt nothing from the pixels that the frame of the image does not say.

A bone that no training mask shows is empty. A training mask without the bone has no Dice and is left out of its mean.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int64

from carpus.anatomy import Bone, Side
from carpus.errors import InputError
from carpus.imaging.masks import BoneMasks


@dataclass(frozen=True)
class MeanShape:
    """The usual place of every bone.

    Attributes:
        right: The bones of a right hand, on the grid of the fit.
        cuts: Of each bone, the share of training masks, 0 to 1, at or above which a pixel belongs to it.
    """

    right: BoneMasks
    cuts: dict[Bone, float]

    def masks(self, side: Side | None, *, height: int, width: int) -> BoneMasks:
        """The bones of a hand at a size; an unknown side counts as right."""
        bones = self.right.mirrored() if side is Side.LEFT else self.right
        return bones.resized(height=height, width=width)


def fit_mean_shape(masks: Sequence[BoneMasks]) -> MeanShape:
    """The pixels that each bone covers in a share of the training masks.

    The share is chosen for each bone, among all there can be, to give the highest mean Dice with the training masks;
    of equal ones the higher.

    Args:
        masks: Of the training split, on one grid, left hands mirrored.

    Raises:
        InputError: No masks, or masks of several sizes.

    Example:
        >>> strip = np.zeros((3, 14, 1, 4), bool)
        >>> strip[0, :, 0, :3] = strip[1, :, 0, :2] = strip[2, :, 0, :2] = True
        >>> mean = fit_mean_shape([BoneMasks.from_stack(each) for each in strip])
        >>> mean.right.mask(Bone.LUNATE).astype(int), mean.cuts[Bone.LUNATE]
        (array([[1, 1, 0, 0]]), 1.0)
    """
    if not masks:
        raise InputError("there are no masks to take the mean shape of; choose a dataset with a training split")
    shapes = {each.shape for each in masks}
    if len(shapes) > 1:
        raise InputError(f"masks have the sizes {sorted(shapes)}, expected one; resize them to one grid")
    height, width = masks[0].shape
    places: list[tuple[Bone, Bool[np.ndarray, "h w"]]] = []
    cuts = {}
    for bone in Bone:
        drawn = [np.flatnonzero(each.mask(bone)) for each in masks]
        counts = np.zeros(height * width, np.int64)
        for pixels in drawn:
            counts[pixels] += 1
        count = _best_count(counts, [pixels for pixels in drawn if pixels.size])
        cuts[bone] = count / len(masks)
        places.append((bone, (counts >= count).reshape(height, width)))
    return MeanShape(BoneMasks.from_masks(places, height=height, width=width), cuts)


def _best_count(counts: Int64[np.ndarray, " p"], drawn: Sequence[Int64[np.ndarray, "..."]]) -> int:
    """In how many masks a pixel must be, 1 or more, for the highest mean Dice with those that show the bone."""
    most = int(counts.max()) + 1
    areas = _at_least(counts, most)
    dice = np.zeros(most + 1)
    for pixels in drawn:
        dice += 2 * _at_least(counts[pixels], most) / (areas + pixels.size)
    # One above the highest count is the empty mask, for a bone that is nowhere. The whole image, count 0, never wins.
    return most - int(np.argmax(dice[::-1])) if drawn else most


def _at_least(counts: Int64[np.ndarray, " n"], most: int) -> Int64[np.ndarray, " m"]:
    """How many of the numbers are 0 or more, 1 or more, ..., `most` or more."""
    return np.bincount(counts, minlength=most + 1)[::-1].cumsum()[::-1]
