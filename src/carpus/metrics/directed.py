"""The mean and the 95th percentile of the distances from one outline to the other, for many structures in one call.

An outline without a pixel has neither (NaN). One whose other outline is empty is infinitely far away.
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from carpus.metrics.comparison import Comparison
from carpus.metrics.compiling import compiled, part


@dataclass(frozen=True, eq=False)
class Directed:
    """Of each structure, first from the reference's outline, then from the predicted one.

    Attributes:
        means: In px, NaN for an empty outline.
        percentiles: The 95th, in px, between neighbouring values as `numpy.percentile` has it.
        within: How many pixels of the outline lie within the tolerance.
        sizes: How many pixels the outline has.
    """

    means: Float64[np.ndarray, "m 2"]
    percentiles: Float64[np.ndarray, "m 2"]
    within: Int64[np.ndarray, "m 2"]
    sizes: Int64[np.ndarray, "m 2"]


def directed(comparison: Comparison, *, tolerance_px: float) -> Directed:
    """What the two outlines of each structure are apart, each way on its own.

    Args:
        comparison: Of two segmentations.
        tolerance_px: A distance equal to it is within it.
    """
    return Directed(*_directed(comparison.distances, comparison.ends, float(tolerance_px)))


@compiled
def _directed(distances, ends, tolerance_px):  # type: ignore[no-untyped-def]
    means, percentiles = np.full(ends.shape, np.nan), np.full(ends.shape, np.nan)
    within, sizes = np.zeros(ends.shape, np.int64), np.zeros(ends.shape, np.int64)
    begin = 0
    for row in range(len(ends)):
        for side in range(2):
            own = distances[begin : ends[row, side]]
            begin = ends[row, side]
            sizes[row, side] = len(own)
            if len(own):
                total, near = 0.0, 0
                for distance in own:
                    total += distance
                    near += distance <= tolerance_px
                means[row, side], within[row, side] = total / len(own), near
                percentiles[row, side] = _percentile_95(own)
    return means, percentiles, within, sizes


@part
def _percentile_95(values):  # type: ignore[no-untyped-def]
    at = 0.95 * (len(values) - 1)
    below = math.floor(at)
    # Everything from `below` on is at least as large as it, so the next value is the least of what follows.
    ordered = np.partition(values, below)
    low = ordered[below]
    if below == len(values) - 1:
        return low
    high = ordered[below + 1 :].min()
    return low if low == high else low + (high - low) * (at - below)
