import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from jaxtyping import Bool

from carpus.errors import InputError
from carpus.metrics import contour_nsd

Mask = Bool[np.ndarray, "h w"]
MASKS = arrays(np.bool_, (6, 9))
SPACINGS = st.sampled_from([(1.0, 1.0), (0.3, 0.4), (2.0, 0.5)])

# What compute_surface_dice_at_tolerance of DeepMind's surface-distance (main, with SciPy 1.17) printed for
# a, b = np.random.default_rng(seed).random((2, 12, 15)) < share, by seed, share, tolerance and spacing.
PRINTED = [
    (0, 0.05, 1.0, (1.0, 1.0), 0.32492001625061473),
    (0, 0.05, 0.5, (0.3, 0.4), 0.4462025316455696),
    (0, 0.05, 0.0, (1.0, 1.0), 0.09549817295421016),
    (1, 0.5, 1.0, (1.0, 1.0), 0.9897485228764191),
    (1, 0.5, 0.5, (0.3, 0.4), 0.9976679104477612),
    (1, 0.5, 0.0, (1.0, 1.0), 0.8500756867532581),
    (2, 0.05, 1.0, (1.0, 1.0), 0.1899418624334886),
    (2, 0.05, 0.5, (0.3, 0.4), 0.24632352941176472),
    (4, 0.05, 0.5, (0.3, 0.4), 0.15),
    (4, 0.05, 0.0, (1.0, 1.0), 0.0),
    (5, 0.5, 1.0, (1.0, 1.0), 0.9977938543076245),
    (5, 0.5, 0.0, (1.0, 1.0), 0.8809330754773621),
]


def pieces(mask: Mask, *, spacing_mm: tuple[float, float]) -> dict[tuple[float, float], float]:
    """Length by place, from the middles of the edges between pixels that differ, as plainly as can be."""
    inside = {tuple(at) for at in np.argwhere(mask).tolist()}
    height, width = spacing_mm
    found = {}
    for y in range(mask.shape[0] + 1):
        for x in range(mask.shape[1] + 1):
            above_left, above_right, below_left, below_right = (
                (y - 1 + dy, x - 1 + dx) in inside for dy in (0, 1) for dx in (0, 1)
            )
            crossed = [
                middle
                for middle, differs in (
                    ((-height / 2, 0.0), above_left != above_right),
                    ((height / 2, 0.0), below_left != below_right),
                    ((0.0, -width / 2), above_left != below_left),
                    ((0.0, width / 2), above_right != below_right),
                )
                if differs
            ]
            if len(crossed) == 2:
                found[y * height, x * width] = math.dist(*crossed)
            elif len(crossed) == 4:
                found[y * height, x * width] = 2 * math.hypot(height / 2, width / 2)
    return found


@pytest.mark.parametrize(("seed", "share", "tolerance_mm", "spacing_mm", "printed"), PRINTED)
def test_it_is_what_the_package_of_its_authors_printed(
    seed: int, share: float, tolerance_mm: float, spacing_mm: tuple[float, float], printed: float
) -> None:
    reference, predicted = np.random.default_rng(seed).random((2, 12, 15)) < share
    found = contour_nsd(reference, predicted, tolerance_mm=tolerance_mm, spacing_mm=spacing_mm)
    assert found == pytest.approx(printed, abs=1e-12)


@given(MASKS.filter(np.any), MASKS.filter(np.any), SPACINGS, st.sampled_from([0.0, 0.3, 0.5, 1.1, 2.0]))
@settings(max_examples=60, deadline=None)
def test_it_is_the_share_of_the_length_of_plain_code(
    reference: Mask, predicted: Mask, spacing_mm: tuple[float, float], tolerance_mm: float
) -> None:
    one, other = (pieces(mask, spacing_mm=spacing_mm) for mask in (reference, predicted))
    # Far smaller than any difference of two distances, far larger than any rounding.
    within = sum(
        length
        for own, others in ((one, other), (other, one))
        for at, length in own.items()
        if min(math.dist(at, to) for to in others) <= tolerance_mm + 1e-9
    )
    found = contour_nsd(reference, predicted, tolerance_mm=tolerance_mm + 1e-9, spacing_mm=spacing_mm)
    assert found == pytest.approx(within / (sum(one.values()) + sum(other.values())))


@given(MASKS.filter(np.any), MASKS.filter(np.any))
@settings(max_examples=30, deadline=None)
def test_it_is_symmetric_and_rises_with_the_tolerance_to_1(reference: Mask, predicted: Mask) -> None:
    values = [
        contour_nsd(reference, predicted, tolerance_mm=tolerance_mm, spacing_mm=(1, 1))
        for tolerance_mm in (0, 1, 2, 4, 99)
    ]
    assert values == sorted(values)
    assert values[-1] == pytest.approx(1)
    swapped = contour_nsd(predicted, reference, tolerance_mm=1, spacing_mm=(1, 1))
    assert swapped == pytest.approx(values[1])


def test_an_empty_mask_is_0_and_two_are_undefined() -> None:
    empty, full = np.zeros((4, 4), bool), np.ones((4, 4), bool)
    assert contour_nsd(full, empty, tolerance_mm=99, spacing_mm=(1, 1)) == 0
    assert contour_nsd(empty, full, tolerance_mm=99, spacing_mm=(1, 1)) == 0
    assert math.isnan(contour_nsd(empty, empty, tolerance_mm=99, spacing_mm=(1, 1)))


@pytest.mark.parametrize("spacing_mm", [(0, 1), (1, math.nan), (1, -1)])
def test_a_pixel_size_that_is_none_is_refused(spacing_mm: tuple[float, float]) -> None:
    mask = np.ones((4, 4), bool)
    with pytest.raises(InputError, match=r"use \(1, 1\) for px"):
        contour_nsd(mask, mask, tolerance_mm=1, spacing_mm=spacing_mm)
