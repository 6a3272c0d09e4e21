"""All numbers of one segmented wrist: fourteen bones and fourteen overlaps of two bones.

Undefined cases are those of `overlap` and `surface`. An overlap that neither the reference nor the
prediction has is undefined (NaN); one that only the prediction has counts as the worst value.
"""

import math
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from carpus.anatomy import OVERLAP_PAIRS, Bone, pair_name
from carpus.errors import InputError
from carpus.imaging.masks import BoneMasks
from carpus.metrics.comparison import Comparison, compare
from carpus.metrics.surface import SurfaceDistances

STRUCTURES: tuple[str, ...] = (*(bone.abbreviation for bone in Bone), *(pair_name(pair) for pair in OVERLAP_PAIRS))
"""The fourteen bones and the fourteen overlaps, in the order of the rows of `BoneMeasures`."""

_PX_METRICS = ("dsc", "nsd", "voe", "msd", "ravd", "assd", "hd95", "missed")
_MM_METRICS = ("nsd_mm", "msd_mm", "assd_mm", "hd95_mm")
# A distance is the root of a whole number of px, so this adds none; it forgives the rounding of mm divided by mm.
_ROUNDING = 1 + 1e-9
_CHANNELS = np.array(
    [(bone.channel, bone.channel) for bone in Bone] + [(one.channel, other.channel) for one, other in OVERLAP_PAIRS],
    np.int64,
)


@dataclass(frozen=True, eq=False)
class BoneMeasures:
    """How a prediction agrees with the reference, a row a structure, in the order of `STRUCTURES`."""

    comparison: Comparison

    @property
    def values(self) -> Float64[np.ndarray, "28 5"]:
        """The paper's metrics: dsc, nsd, voe, msd (px) and ravd."""
        return self.comparison.values

    @property
    def areas(self) -> Int64[np.ndarray, "28 3"]:
        """In pixels: of the reference, of the prediction, of what they have in common."""
        return self.comparison.areas

    def distances(self, structure: str) -> SurfaceDistances:
        """Of one of `STRUCTURES`, for `nsd` at any tolerance, `assd` and `hd95`."""
        row = STRUCTURES.index(structure)
        start = self.comparison.ends[row - 1, 1] if row else 0
        middle, end = self.comparison.ends[row]
        every = self.comparison.distances
        return SurfaceDistances(every[start:middle], every[middle:end])


def score_bones(
    reference: BoneMasks,
    predicted: BoneMasks,
    *,
    tolerance_px: float = 2.0,
    spacing_mm: float | None = None,
    tolerance_mm: float = 0.5,
) -> list[tuple[str, str, float]]:
    """Rows `(structure, metric, value)`: 14 bones and 14 overlaps, each with every metric of a bone.

    These are dsc, nsd, voe, msd, ravd, assd, hd95 and missed. `missed` is 1 where the reference has the
    structure and the prediction has not, 0 where both have it, NaN where the reference has not. With a pixel
    size there are nsd_mm, msd_mm, assd_mm and hd95_mm as well.

    Args:
        reference: The bones as an expert drew them.
        predicted: The bones as a network found them, on the same grid.
        tolerance_px: Of `nsd`.
        spacing_mm: Edge of a pixel of the masks, if known.
        tolerance_mm: Of `nsd_mm`.

    Raises:
        InputError: The two differ in size, or the pixel size is not a positive number.

    Example:
        >>> masks = BoneMasks.empty(height=8, width=8)
        >>> len(score_bones(masks, masks)), len(score_bones(masks, masks, spacing_mm=0.15))
        (224, 336)
    """
    if spacing_mm is not None and not 0 < spacing_mm < math.inf:
        raise InputError(f"spacing_mm is {spacing_mm}, expected millimetres above 0; leave it out if it is unknown")
    measured = measure_bones(reference, predicted, tolerance_px=tolerance_px)
    names = _PX_METRICS if spacing_mm is None else _PX_METRICS + _MM_METRICS
    every = np.column_stack([measured.values, *_further(measured, spacing_mm=spacing_mm, tolerance_mm=tolerance_mm)])
    return [
        (structure, metric, value)
        for structure, values in zip(STRUCTURES, every.tolist(), strict=True)
        for metric, value in zip(names, values, strict=True)
    ]


def measure_bones(reference: BoneMasks, predicted: BoneMasks, *, tolerance_px: float = 2.0) -> BoneMeasures:
    """All five metrics of all bones and overlaps, with the areas and distances behind them.

    Args:
        reference: The bones as an expert drew them.
        predicted: The bones as a network found them, on the same grid.
        tolerance_px: Of the normalised surface Dice.

    Raises:
        InputError: The two differ in size.

    Example:
        >>> stack = np.zeros((14, 8, 8), bool)
        >>> stack[Bone.LUNATE.channel, 2:6, 2:6] = True
        >>> masks = BoneMasks.from_stack(stack)
        >>> measured = measure_bones(masks, masks)
        >>> measured.values[STRUCTURES.index("Lu")].tolist()
        [1.0, 1.0, 0.0, 0.0, 0.0]
        >>> measured.distances("Lu").from_reference.size
        12
    """
    _check_sizes(reference.shape, predicted.shape)
    return BoneMeasures(compare(reference.plane, predicted.plane, _CHANNELS, tolerance_px=tolerance_px))


def measure_stacks(
    reference: Bool[np.ndarray, "14 h w"], predicted: Bool[np.ndarray, "14 h w"], *, tolerance_px: float = 2.0
) -> BoneMeasures:
    """As `measure_bones`, from arrays, without packing them first.

    Args:
        reference: In the order of `list(Bone)`.
        predicted: The same, cut at a probability.
        tolerance_px: Of the normalised surface Dice.

    Raises:
        InputError: The two differ in size, have not 14 channels or are not boolean.
    """
    _check_sizes(reference.shape, predicted.shape)
    for name, stack in (("reference", reference), ("predicted", predicted)):
        if stack.ndim != 3 or len(stack) != len(Bone) or stack.dtype != np.bool_:
            raise InputError(
                f"{name} masks are {stack.shape} {stack.dtype}, expected (14, height, width) bool, one channel a "
                "bone; use BoneMasks.from_stack for masks of bytes, and cut probabilities first"
            )
    return BoneMeasures(compare(reference, predicted, _CHANNELS, tolerance_px=tolerance_px))


def measure_many(
    pairs: Iterable[tuple[BoneMasks, BoneMasks]], *, threads: int, tolerance_px: float = 2.0
) -> list[BoneMeasures]:
    """As `measure_bones`, for many images at a time.

    Args:
        pairs: Reference and prediction of each image.
        threads: How many images are measured at once, 1 or more.
        tolerance_px: Of the normalised surface Dice.

    Raises:
        InputError: As `measure_bones`.
    """
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(lambda pair: measure_bones(*pair, tolerance_px=tolerance_px), pairs))


def _further(
    measured: BoneMeasures, *, spacing_mm: float | None, tolerance_mm: float
) -> list[Float64[np.ndarray, " 28"]]:
    """The columns that follow the paper's five: assd, hd95, missed, and with a pixel size those in mm."""
    from carpus.metrics.directed import directed  # loads Numba

    tolerance_px = tolerance_mm / spacing_mm * _ROUNDING if spacing_mm else 0.0
    ways = directed(measured.comparison, tolerance_px=tolerance_px)
    one_empty = np.any(ways.sizes == 0, axis=1) & np.any(ways.sizes > 0, axis=1)
    assd = np.where(one_empty, np.inf, ways.means.mean(axis=1))
    hd95 = np.where(one_empty, np.inf, ways.percentiles.max(axis=1))
    reference, predicted = measured.areas[:, 0], measured.areas[:, 1]
    missed = np.where(reference > 0, (predicted == 0).astype(np.float64), np.nan)
    if spacing_mm is None:
        return [assd, hd95, missed]
    outline = ways.sizes.sum(axis=1)
    nsd_mm = np.where(outline > 0, ways.within.sum(axis=1) / np.maximum(outline, 1), np.nan)
    return [assd, hd95, missed, nsd_mm, measured.values[:, 3] * spacing_mm, assd * spacing_mm, hd95 * spacing_mm]


def _check_sizes(reference: tuple[int, ...], predicted: tuple[int, ...]) -> None:
    if reference != predicted:
        raise InputError(
            f"reference masks are {reference} and predicted masks {predicted}, expected one size; resize the prediction"
        )
