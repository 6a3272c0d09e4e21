"""All numbers of one segmented wrist: fourteen bones and fourteen overlaps of two bones.

Undefined cases are those of `overlap` and `surface`. An overlap that neither the reference nor the
prediction has is undefined (NaN); one that only the prediction has counts as the worst value.
"""

import numpy as np
from jaxtyping import Bool

from carpus.anatomy import OVERLAP_PAIRS, Bone, pair_name
from carpus.imaging.masks import BoneMasks
from carpus.metrics.overlap import check_masks, dsc, ravd, voe
from carpus.metrics.surface import msd, nsd, surface_distances


def score_bones(
    reference: BoneMasks, predicted: BoneMasks, *, tolerance_px: float = 2.0
) -> list[tuple[str, str, float]]:
    """Rows `(structure, metric, value)`: 14 bones x (dsc, nsd, voe, msd, ravd), then 14 pairs x (dsc, nsd).

    Args:
        reference: The bones as an expert drew them.
        predicted: The bones as a network found them, on the same grid.
        tolerance_px: Of the normalised surface Dice.

    Raises:
        InputError: The two differ in size.
    """
    rows = []
    for bone in Bone:
        masks = _cropped(reference.mask(bone), predicted.mask(bone))
        distances = surface_distances(*masks)
        values = {
            "dsc": dsc(*masks),
            "nsd": nsd(distances, tolerance_px=tolerance_px),
            "voe": voe(*masks),
            "msd": msd(distances),
            "ravd": ravd(*masks),
        }
        rows += [(bone.abbreviation, metric, value) for metric, value in values.items()]
    for pair in OVERLAP_PAIRS:
        masks = _cropped(reference.overlap(*pair), predicted.overlap(*pair))
        values = {
            "dsc": dsc(*masks),
            "nsd": nsd(surface_distances(*masks), tolerance_px=tolerance_px),
        }
        rows += [(pair_name(pair), metric, value) for metric, value in values.items()]
    return rows


def _cropped(
    reference: Bool[np.ndarray, "h w"], predicted: Bool[np.ndarray, "h w"]
) -> tuple[Bool[np.ndarray, "h2 w2"], Bool[np.ndarray, "h2 w2"]]:
    # Everything outside a mask counts as background, so no value depends on the empty margin.
    check_masks(reference, predicted)
    either = reference | predicted
    rows, columns = np.flatnonzero(either.any(axis=1)), np.flatnonzero(either.any(axis=0))
    if not rows.size:
        return reference[:1, :1], predicted[:1, :1]
    window = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return np.ascontiguousarray(reference[window]), np.ascontiguousarray(predicted[window])
