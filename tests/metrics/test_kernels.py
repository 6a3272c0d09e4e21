"""The compiled loops against SciPy, for every structure at once."""

import math

import cv2
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jaxtyping import Bool, Float64
from scipy.spatial import KDTree

from carpus.anatomy import OVERLAP_PAIRS, Bone
from carpus.imaging import BoneMasks
from carpus.metrics import STRUCTURES, BoneMeasures, measure_bones, measure_stacks

Mask = Bool[np.ndarray, "h w"]
Stack = Bool[np.ndarray, "14 h w"]

CROSS = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
KINDS = ("nothing", "one pixel", "all", "noise", "dust", "thin lines", "border", "corners", "disc", "discs", "ring")
SIZES = st.one_of(st.integers(1, 9), st.integers(60, 70), st.integers(120, 140))


def drawn(kind: str, generator: np.random.Generator, *, height: int, width: int) -> Mask:
    """A mask of a kind that has broken metrics before."""
    y, x = np.mgrid[:height, :width]
    at_y, at_x = generator.integers(height), generator.integers(width)
    distance = np.hypot(y - at_y, x - at_x)
    radius = generator.uniform(1, 40)
    masks: dict[str, Mask] = {
        "nothing": np.zeros((height, width), bool),
        "one pixel": distance == 0,
        "all": np.ones((height, width), bool),
        "noise": generator.random((height, width)) < 0.5,
        "dust": generator.random((height, width)) < 0.002,
        "thin lines": (y == at_y) | (x == at_x) | (y - x == at_y - at_x),
        "border": (y == 0) | (x == width - 1),
        "corners": ((y == 0) | (y == height - 1)) & ((x == 0) | (x == width - 1)),
        "disc": distance < radius,
        "discs": np.hypot(y % 50 - 25, x % 50 - 25) < radius,
        "ring": np.abs(distance - radius) < 2,
    }
    return masks[kind]


@st.composite
def wrists(draw: st.DrawFn) -> tuple[Stack, Stack]:
    """Two stacks of one size; most masks are near to each other, some have nothing in common."""
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    height, width = draw(SIZES), draw(SIZES)
    pairs = []
    for _ in Bone:
        reference = drawn(str(generator.choice(KINDS)), generator, height=height, width=width)
        other = drawn(str(generator.choice(KINDS)), generator, height=height, width=width)
        moved = np.zeros_like(reference)
        by = generator.integers(0, 7)
        moved[by:] = reference[: max(height - by, 0)]
        pairs.append((reference, moved if generator.random() < 0.5 else other))
    return np.stack([one for one, _ in pairs]), np.stack([other for _, other in pairs])


def of_structures(stack: Stack) -> list[Mask]:
    return [*stack, *(stack[one.channel] & stack[other.channel] for one, other in OVERLAP_PAIRS)]


def outline(mask: Mask) -> Float64[np.ndarray, "n 2"]:
    inner = cv2.erode(mask.astype(np.uint8), CROSS, borderType=cv2.BORDER_CONSTANT, borderValue=(0,))
    return np.argwhere(mask & (inner == 0)).astype(np.float64)


def distances(start: Mask, target: Mask) -> Float64[np.ndarray, " n"]:
    from_, to = outline(start), outline(target)
    if not len(from_) or not len(to):
        return np.full(len(from_), np.inf)
    return np.asarray(KDTree(to).query(from_)[0], np.float64)


def ratio(numerator: float, denominator: float) -> float:
    return numerator / denominator if denominator else math.nan


def expected_values(reference: Mask, predicted: Mask) -> list[float]:
    """The five values, as plainly as they can be written."""
    every = np.concatenate([distances(reference, predicted), distances(predicted, reference)])
    one, other, common = int(reference.sum()), int(predicted.sum()), int((reference & predicted).sum())
    return [
        ratio(2 * common, one + other),
        ratio(int((every <= 2).sum()), len(every)),
        1 - ratio(common, one + other - common),
        ratio(float(every.sum()), len(every)),
        ratio(abs(other - one), one),
    ]


def check(measured: BoneMeasures, reference: Stack, predicted: Stack) -> None:
    assert measured.values.shape == (28, 5)
    for row, (one, other) in enumerate(zip(of_structures(reference), of_structures(predicted), strict=True)):
        assert measured.values[row].tolist() == pytest.approx(expected_values(one, other), nan_ok=True)
        assert measured.areas[row].tolist() == [one.sum(), other.sum(), (one & other).sum()]
        found = measured.distances(STRUCTURES[row])
        for way, oracle in (
            (found.from_reference, distances(one, other)),
            (found.from_predicted, distances(other, one)),
        ):
            assert np.sort(way).tolist() == pytest.approx(np.sort(oracle).tolist(), abs=1e-12)


@given(wrists())
@settings(max_examples=60, deadline=None)
def test_every_value_area_and_distance_is_that_of_plain_code(pair: tuple[Stack, Stack]) -> None:
    reference, predicted = pair
    check(measure_stacks(reference, predicted), reference, predicted)


@given(wrists())
@settings(max_examples=30, deadline=None)
def test_packed_planes_give_the_same_as_arrays(pair: tuple[Stack, Stack]) -> None:
    from_stacks = measure_stacks(*pair)
    from_planes = measure_bones(*(BoneMasks.from_stack(stack) for stack in pair))
    assert np.array_equal(from_planes.values, from_stacks.values, equal_nan=True)
    assert np.array_equal(from_planes.areas, from_stacks.areas)
    for structure in STRUCTURES:
        one, other = from_planes.distances(structure), from_stacks.distances(structure)
        assert np.array_equal(one.from_reference, other.from_reference)
        assert np.array_equal(one.from_predicted, other.from_predicted)


def only(mask: Mask) -> Stack:
    return np.concatenate([mask[None], np.zeros((13, *mask.shape), bool)])


@given(st.integers(0, 2**32 - 1), st.sampled_from(["noise", "dust", "thin lines", "one pixel"]))
@example(0, "one pixel")
@settings(max_examples=25, deadline=None)
def test_masks_far_apart_are_exact_where_a_search_would_be_slow(seed: int, kind: str) -> None:
    generator = np.random.default_rng(seed)
    height, width = (int(size) for size in generator.integers(150, 230, 2))
    reference, predicted = np.zeros((2, height, width), bool)
    reference[:, :30] = generator.random((height, 30)) < 0.5
    predicted[:, -40:] = drawn(kind, generator, height=height, width=40)
    for pair in ((reference, predicted), (predicted, reference)):
        stacks = [only(mask) for mask in pair]
        check(measure_stacks(*stacks), *stacks)


@pytest.mark.parametrize("shape", [(1, 1), (1, 64), (64, 1), (3, 63), (3, 65), (8, 128), (9, 129)])
def test_the_last_pixel_counts_at_any_size(shape: tuple[int, int]) -> None:
    reference, predicted = np.zeros((2, 14, *shape), bool)
    reference[:, -1, -1] = True
    predicted[:, 0, 0] = True
    for pair in ((reference, predicted), (reference, reference)):
        check(measure_stacks(*pair), *pair)


def test_an_image_without_pixels_is_undefined() -> None:
    for shape in ((0, 5), (5, 0)):
        nothing = np.zeros((14, *shape), bool)
        assert np.isnan(measure_stacks(nothing, nothing).values).all()


def test_a_view_of_an_array_gives_the_same_as_a_copy() -> None:
    generator = np.random.default_rng(0)
    stack = generator.random((14, 80, 90)) < 0.5
    reference, predicted = stack[:, ::2, ::-1], stack[:, 1::2]
    expected = measure_stacks(reference.copy(), predicted.copy()).values
    assert np.array_equal(measure_stacks(reference, predicted).values, expected)
    assert stack.flags.writeable


def test_a_distance_equal_to_the_tolerance_is_within_it() -> None:
    reference, predicted = np.zeros((2, 14, 9, 9), bool)
    reference[0, 4, 4] = True
    predicted[0, 6, 5] = True
    for tolerance_px, value in ((math.sqrt(5), 1), (2.2, 0)):
        measured = measure_stacks(reference, predicted, tolerance_px=tolerance_px)
        assert measured.values[0].tolist()[:2] == [0, value]


@pytest.mark.filterwarnings("ignore:monai.metrics.utils get_mask_edges:FutureWarning")
@pytest.mark.filterwarnings(r"ignore:the (ground truth|prediction) of class \w+ is all 0:UserWarning")
@given(wrists())
@settings(max_examples=25, deadline=None)
def test_every_defined_value_is_that_of_monai(pair: tuple[Stack, Stack]) -> None:
    torch, monai = pytest.importorskip("torch"), pytest.importorskip("monai.metrics")
    reference, predicted = (torch.from_numpy(np.stack(of_structures(stack)))[None] for stack in pair)
    whole = {"include_background": True}
    found = measure_stacks(*pair).values
    expected = {
        0: monai.compute_dice(predicted.float(), reference.float(), **whole),
        1: monai.compute_surface_dice(predicted, reference, class_thresholds=[2.0] * len(STRUCTURES), **whole),
        2: 1 - monai.compute_iou(predicted.float(), reference.float(), **whole),
        3: monai.compute_average_surface_distance(predicted, reference, symmetric=True, **whole),
    }
    # MONAI calls Dice and IoU undefined without a reference; here a bone that is not there is the worst value.
    defined = reference.flatten(2).any(2)[0].numpy()
    for column, values in expected.items():
        # MONAI averages in 32 bits, hence the relative tolerance.
        close = pytest.approx(values[0].numpy()[defined], rel=1e-6, abs=1e-6, nan_ok=True)
        assert found[defined, column] == close
