"""One call of the compiled loops in `kernels`, with what they expect of their arguments.

Numba is imported, and the loops are compiled, at the first call. Compiling takes some seconds, once: the result is
kept on disk where the package's or the user's cache folder can be written. It is logged at level INFO.
"""

import logging
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64, Shaped

log = logging.getLogger(__name__)

_NARROWEST = 64


@dataclass(frozen=True, eq=False)
class Comparison:
    """Everything two segmentations are compared by, a row a structure.

    Attributes:
        values: dsc, nsd, voe, msd and ravd.
        areas: In pixels: of the reference, of the prediction, of what they have in common.
        distances: In px, of all structures in a row, first from the reference, then from the prediction.
        ends: Where in `distances` these two end.
    """

    values: Float64[np.ndarray, "m 5"]
    areas: Int64[np.ndarray, "m 3"]
    distances: Float64[np.ndarray, " n"]
    ends: Int64[np.ndarray, "m 2"]


def compare(
    reference: Shaped[np.ndarray, "*n h w"],
    predicted: Shaped[np.ndarray, "*n h w"],
    structures: Int64[np.ndarray, "m 2"],
    *,
    tolerance_px: float,
) -> Comparison:
    """The comparison of two segmentations of one size. Other threads run meanwhile.

    Args:
        reference: `(h, w)` uint16, bit i = mask i, or `(n, h, w)` bool.
        predicted: The same.
        structures: The two masks a structure is the intersection of; twice the same is that mask.
        tolerance_px: Of the normalised surface Dice.
    """
    from carpus.metrics import kernels

    if not kernels.compare.signatures:
        log.info("loading or compiling the bone metrics; compiling takes some seconds, the first time only")
    return Comparison(*kernels.compare(_readable(reference), _readable(predicted), structures, float(tolerance_px)))


def _readable(masks: np.ndarray) -> np.ndarray:
    """The pixels in the one layout that is compiled."""
    narrow = _NARROWEST - masks.shape[-1]
    if narrow > 0:
        # What lies outside of an image counts as background.
        masks = np.pad(masks, [(0, 0)] * (masks.ndim - 1) + [(0, narrow)])
    masks = np.ascontiguousarray(masks).view(np.uint8 if masks.dtype == np.bool_ else masks.dtype)
    masks.flags.writeable = False
    return masks
