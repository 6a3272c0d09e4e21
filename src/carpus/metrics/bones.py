"""All numbers of one segmented wrist: fourteen bones and fourteen overlaps of two bones.

Undefined cases are those of `overlap` and `surface`. An overlap that neither the reference nor the
prediction has is undefined (NaN); one that only the prediction has counts as the worst value.
"""

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

_METRICS = ("dsc", "nsd", "voe", "msd", "ravd")
_OVERLAP_METRICS = ("dsc", "nsd")
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
    measured = measure_bones(reference, predicted, tolerance_px=tolerance_px).values.tolist()
    return [
        (structure, metric, value)
        for row, (structure, values) in enumerate(zip(STRUCTURES, measured, strict=True))
        for metric, value in zip(_METRICS if row < len(Bone) else _OVERLAP_METRICS, values, strict=False)
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


def _check_sizes(reference: tuple[int, ...], predicted: tuple[int, ...]) -> None:
    if reference != predicted:
        raise InputError(
            f"reference masks are {reference} and predicted masks {predicted}, expected one size; resize the prediction"
        )
