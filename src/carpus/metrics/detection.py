"""COCO's average precision of boxes: any number of references and answers of each structure in each image.

Per structure, answers of all images are taken from the most to the least confident. An answer is right if it covers
a reference of its image that is still free, the one it covers best, by an IoU of at least the cut. Precision at each
of 101 sensitivities is the best at this one or a higher one. Of each structure and image the 100 most confident
answers count. Equally confident ones are taken by the name of the image, then in the order given.

Undefined cases: a structure without any reference has no average precision (NaN) and no part in the mean; one that
was never found has 0.

References:
    Lin TY et al. ECCV 2014:740-755. https://doi.org/10.1007/978-3-319-10602-1_48
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from carpus.errors import InputError
from carpus.imaging.geometry import Box

_CUTS = np.linspace(0.5, 0.95, 10)
_SENSITIVITIES = np.linspace(0, 1, 101)
_MOST_ANSWERS = 100


@dataclass(frozen=True)
class ReferenceBox:
    """A box that an expert drew.

    Attributes:
        image: The name of the image.
        structure: What is in the box, for instance a joint.
        box: In pixels of the image.
    """

    image: str
    structure: str
    box: Box


@dataclass(frozen=True)
class FoundBox:
    """A box that a model found.

    Attributes:
        image: The name of the image.
        structure: What is in the box.
        box: In pixels of the image.
        confidence: Higher is surer.
    """

    image: str
    structure: str
    box: Box
    confidence: float


@dataclass(frozen=True)
class BoxPrecision:
    """Average precisions, 0 to 1, higher is better.

    Attributes:
        ap: The mean over IoU cuts from 0.5 to 0.95 and over structures.
        ap50: At a cut of 0.5.
        ap75: At a cut of 0.75.
        by_cut: At each of the ten cuts, the mean over structures.
        by_structure: As `ap`, of each structure alone; NaN without a reference.
    """

    ap: float
    ap50: float
    ap75: float
    by_cut: tuple[float, ...]
    by_structure: Mapping[str, float]


def average_precision_boxes(reference: Sequence[ReferenceBox], predicted: Sequence[FoundBox]) -> BoxPrecision:
    """COCO's average precision over all boxes, 0 to 1, higher is better.

    Args:
        reference: All boxes of all images.
        predicted: All answers, also those in images without a reference.

    Raises:
        InputError: A confidence is not finite.

    Example:
        >>> drawn = [ReferenceBox("a", "Sca", Box(0, 0, 10, 10))]
        >>> found = [FoundBox("a", "Sca", Box(0, 0, 10, 8), 0.9)]
        >>> precision = average_precision_boxes(drawn, found)
        >>> precision.ap50, round(precision.ap, 3)
        (1.0, 0.7)
    """
    for answer in predicted:
        if not math.isfinite(answer.confidence):
            raise InputError(
                f"the confidence of {answer.structure} in {answer.image} is {answer.confidence}, "
                "expected a finite number; leave out boxes that were not found"
            )
    places = {(one.image, one.structure) for one in reference} | {(one.image, one.structure) for one in predicted}
    images = {name: at for at, name in enumerate(sorted({image for image, _ in places}))}
    structures = sorted({structure for _, structure in places})
    each = {
        name: _of_one_structure(
            [one for one in reference if one.structure == name],
            [one for one in predicted if one.structure == name],
            images,
        )
        for name in structures
    }
    known = [values for values in each.values() if not np.isnan(values).any()]
    mean = np.mean(known, axis=0) if known else np.full(len(_CUTS), np.nan)
    return BoxPrecision(
        ap=float(mean.mean()),
        ap50=float(mean[0]),
        ap75=float(mean[5]),
        by_cut=tuple(mean.tolist()),
        by_structure={name: float(values.mean()) for name, values in each.items()},
    )


def average_precision_of_pairs(
    iou: Float64[np.ndarray, " n"], confidence: Float64[np.ndarray, " n"]
) -> Float64[np.ndarray, "10"]:
    """COCO's average precision at each of the ten cuts, of one structure that is once in every image.

    Args:
        iou: Of the answer in each image with the reference there.
        confidence: Of that answer; NaN where nothing was found. Equally confident ones are taken as given.

    Example:
        >>> average_precision_of_pairs(np.array([0.8, 0.0]), np.array([0.9, np.nan])).round(3).tolist()[5:8]
        [0.505, 0.505, 0.0]
    """
    if not iou.size:
        return np.full(len(_CUTS), np.nan)
    found = ~np.isnan(confidence)
    order = np.argsort(-confidence[found], kind="stable")
    return _areas(iou[found][order, None] >= _CUTS, iou.size)


def _of_one_structure(
    reference: list[ReferenceBox], predicted: list[FoundBox], images: Mapping[str, int]
) -> Float64[np.ndarray, " cuts"]:
    """The average precision at each cut."""
    if not reference:
        return np.full(len(_CUTS), np.nan)
    confidence = np.array([one.confidence for one in predicted], np.float64)
    found_in = np.array([images[one.image] for one in predicted], np.int64)
    drawn_in = np.array([images[one.image] for one in reference], np.int64)
    # By image, the surest first.
    order = np.lexsort((-confidence, found_in))
    rank = _places(found_in[order])
    order, rank = order[rank < _MOST_ANSWERS], rank[rank < _MOST_ANSWERS]
    drawn_order = np.argsort(drawn_in, kind="stable")

    iou = _overlaps(
        _edges(reference)[drawn_order],
        _edges(predicted)[order],
        (drawn_in[drawn_order], _places(drawn_in[drawn_order])),
        (found_in[order], rank),
        images=len(images),
    )
    right = _matches(iou)[found_in[order], rank]
    right = right[np.argsort(-confidence[order], kind="stable")]
    return _areas(right, len(reference))


def _places(groups: Int64[np.ndarray, " n"]) -> Int64[np.ndarray, " n"]:
    """The place of each value within its group, of sorted groups."""
    return np.arange(len(groups)) - np.searchsorted(groups, groups)


def _edges(boxes: Sequence[ReferenceBox] | Sequence[FoundBox]) -> Float64[np.ndarray, "n 4"]:
    every = [(one.box.x, one.box.y, one.box.width, one.box.height) for one in boxes]
    return np.array(every, np.float64).reshape(-1, 4)


def _overlaps(
    reference: Float64[np.ndarray, "n 4"],
    predicted: Float64[np.ndarray, "m 4"],
    of_reference: tuple[Int64[np.ndarray, " n"], Int64[np.ndarray, " n"]],
    of_predicted: tuple[Int64[np.ndarray, " m"], Int64[np.ndarray, " m"]],
    *,
    images: int,
) -> Float64[np.ndarray, "images most_found most_drawn"]:
    """The IoU by image, place of the answer and place of the reference; 0 where there is none."""
    drawn = np.zeros((images, int(of_reference[1].max()) + 1, 4))
    found = np.zeros((images, int(of_predicted[1].max(initial=-1)) + 1, 4))
    drawn[of_reference], found[of_predicted] = reference, predicted
    one, other = found[:, :, None], drawn[:, None]
    ends = np.minimum(one[..., :2] + one[..., 2:], other[..., :2] + other[..., 2:])
    sides = np.maximum(ends - np.maximum(one[..., :2], other[..., :2]), 0)
    common = sides[..., 0] * sides[..., 1]
    union = one[..., 2] * one[..., 3] + other[..., 2] * other[..., 3] - common
    return np.asarray(np.divide(common, union, out=np.zeros_like(common), where=union > 0), np.float64)


def _matches(iou: Float64[np.ndarray, "images found drawn"]) -> Bool[np.ndarray, "images found cuts"]:
    """Whether each answer is right at each cut; of equal references the last is taken, as COCO's code does."""
    images, found, drawn = iou.shape
    right = np.zeros((images, found, len(_CUTS)), bool)
    free = np.ones((images, len(_CUTS), drawn), bool)
    for place in range(found):
        open_ = np.where(free, iou[:, place, None], -1.0)
        best = drawn - 1 - np.argmax(open_[..., ::-1], axis=-1)[..., None]
        hit = np.take_along_axis(open_, best, axis=-1)[..., 0] >= _CUTS
        right[:, place] = hit
        np.put_along_axis(free, best, np.take_along_axis(free, best, axis=-1) & ~hit[..., None], axis=-1)
    return right


def _areas(right: Bool[np.ndarray, "n cuts"], references: int) -> Float64[np.ndarray, " cuts"]:
    """The mean of the best precision from each sensitivity on; 0 where it is not reached."""
    hits = np.cumsum(right, axis=0)
    precision = hits / np.arange(1, len(right) + 1)[:, None]
    best = np.zeros((len(right) + 1, len(_CUTS)))
    best[:-1] = np.maximum.accumulate(precision[::-1], axis=0)[::-1]
    at = [np.searchsorted(hits[:, cut] / references, _SENSITIVITIES) for cut in range(len(_CUTS))]
    return np.array([best[own, cut].mean() for cut, own in enumerate(at)])
