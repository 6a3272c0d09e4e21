import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from jaxtyping import Bool

from carpus.imaging import BoneMasks
from carpus.metrics import assd, hd95, msd, nsd, score_bones, surface_distances

torch = pytest.importorskip("torch")
surface_dice = pytest.importorskip("monai.metrics.surface_dice")
surface_distance = pytest.importorskip("monai.metrics.surface_distance")
hausdorff_distance = pytest.importorskip("monai.metrics.hausdorff_distance")

# MONAI warns of its own use of an argument it deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:monai.metrics.utils get_mask_edges:FutureWarning")

Mask = Bool[np.ndarray, "h w"]
MASKS = arrays(np.bool_, (6, 9))
EMPTY = np.zeros((5, 5), bool)


def drawn(*rows: str) -> Mask:
    return np.array([[letter == "#" for letter in row] for row in rows])


def blob(generator: np.random.Generator, *, size: int) -> Mask:
    y, x = np.mgrid[:size, :size]
    mask = np.zeros((size, size), bool)
    for _ in range(int(generator.integers(1, 4))):
        cy, cx, ry, rx = generator.uniform([0, 0, 2, 2], [size, size, size / 2, size / 2])
        mask |= ((y - cy) / ry) ** 2 + ((x - cx) / rx) ** 2 < 1
    return mask


def monai(reference: Mask, predicted: Mask, *, tolerance_px: float = 2.0) -> tuple[float, float]:
    tensors = [torch.from_numpy(mask)[None, None] for mask in (predicted, reference)]
    dice = surface_dice.compute_surface_dice(*tensors, class_thresholds=[tolerance_px], include_background=True)
    distance = surface_distance.compute_average_surface_distance(*tensors, symmetric=True, include_background=True)
    return float(dice), float(distance)


ADVERSARIAL = {
    "one pixel": drawn("....", ".#..", "....", "...."),
    "a corner": drawn("#...", "....", "....", "...."),
    "the whole image": drawn("####", "####", "####", "####"),
    "a row on the border": drawn("####", "....", "....", "...."),
    "a diagonal": drawn("#...", ".#..", "..#.", "...#"),
    "a ring": drawn("####", "#..#", "#..#", "####"),
    "many parts": drawn("#.#.", ".#.#", "#.#.", ".#.#"),
    "all but one pixel": drawn("####", "####", "##.#", "####"),
    "opposite corners": drawn("#...", "....", "....", "...#"),
    "parts on two borders": drawn("#..#", "#..#", "....", ".##."),
}


@pytest.mark.parametrize("reference", ADVERSARIAL.values(), ids=ADVERSARIAL)
@pytest.mark.parametrize("predicted", ADVERSARIAL.values(), ids=ADVERSARIAL)
def test_adversarial_masks_score_as_in_monai(reference: Mask, predicted: Mask) -> None:
    distances = surface_distances(reference, predicted)
    for tolerance_px in (0.0, 1.0, 2.0):
        dice, distance = monai(reference, predicted, tolerance_px=tolerance_px)
        assert nsd(distances, tolerance_px=tolerance_px) == pytest.approx(dice, abs=1e-6)
        assert msd(distances) == pytest.approx(distance, abs=1e-6)


@given(MASKS.filter(np.any), MASKS.filter(np.any))
@settings(max_examples=60, deadline=None)
def test_random_masks_score_as_in_monai(reference: Mask, predicted: Mask) -> None:
    distances = surface_distances(reference, predicted)
    assert (nsd(distances), msd(distances)) == pytest.approx(monai(reference, predicted), abs=1e-6)


def monai_apart(reference: Mask, predicted: Mask) -> tuple[float, float]:
    """The ASSD, as the mean of both ways, and the HD95."""
    tensors = [torch.from_numpy(mask)[None, None] for mask in (predicted, reference)]
    worst = hausdorff_distance.compute_hausdorff_distance(*tensors, percentile=95, include_background=True)
    directed = [
        float(surface_distance.compute_average_surface_distance(*pair, include_background=True))
        for pair in (tensors, tensors[::-1])
    ]
    return float(np.mean(directed)), float(worst)


@pytest.mark.parametrize("reference", ADVERSARIAL.values(), ids=ADVERSARIAL)
@pytest.mark.parametrize("predicted", ADVERSARIAL.values(), ids=ADVERSARIAL)
def test_adversarial_masks_are_as_far_apart_as_in_monai(reference: Mask, predicted: Mask) -> None:
    distances = surface_distances(reference, predicted)
    assert (assd(distances), hd95(distances)) == pytest.approx(monai_apart(reference, predicted), abs=1e-6)


@given(MASKS.filter(np.any), MASKS.filter(np.any))
@settings(max_examples=40, deadline=None)
def test_random_masks_are_as_far_apart_as_in_monai(reference: Mask, predicted: Mask) -> None:
    distances = surface_distances(reference, predicted)
    assert (assd(distances), hd95(distances)) == pytest.approx(monai_apart(reference, predicted), abs=1e-6)


@given(MASKS, MASKS)
@settings(max_examples=20, deadline=None)
def test_score_bones_gives_the_same_as_monai(reference: Mask, predicted: Mask) -> None:
    names = ("nsd", "msd", "assd", "hd95")
    masks = [BoneMasks.from_stack(np.repeat(mask[None], 14, axis=0)) for mask in (reference, predicted)]
    rows = [value for _, metric, value in score_bones(*masks) if metric in names]
    if reference.any() and predicted.any():
        expected = [*monai(reference, predicted), *monai_apart(reference, predicted)]
    else:
        expected = [0.0, *[math.inf] * 3] if reference.any() or predicted.any() else [math.nan] * 4
    assert rows == pytest.approx(expected * 28, abs=1e-6, nan_ok=True)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_large_smooth_masks_score_as_in_monai(seed: int) -> None:
    generator = np.random.default_rng(seed)
    reference, predicted = blob(generator, size=80), blob(generator, size=80)
    if reference.any() and predicted.any():
        distances = surface_distances(reference, predicted)
        # MONAI averages in 32 bits, hence the relative tolerance.
        expected = pytest.approx(monai(reference, predicted), rel=1e-6, abs=1e-6)
        assert (nsd(distances), msd(distances)) == expected


@pytest.mark.filterwarnings(r"ignore:the (ground truth|prediction) of class \w+ is all 0:UserWarning")
@pytest.mark.parametrize(("reference", "predicted"), [(EMPTY, ~EMPTY), (~EMPTY, EMPTY), (EMPTY, EMPTY)])
def test_empty_masks_score_as_in_monai(reference: Mask, predicted: Mask) -> None:
    distances = surface_distances(reference, predicted)
    expected = pytest.approx(monai(reference, predicted), nan_ok=True)
    assert (nsd(distances), msd(distances)) == expected
    # MONAI gives NaN for some of these, where this package has the worst value.
    apart = math.inf if reference.any() or predicted.any() else math.nan
    assert (assd(distances), hd95(distances)) == pytest.approx((apart, apart), nan_ok=True)
