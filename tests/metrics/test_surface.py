import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from jaxtyping import Bool

from carpus.metrics import assd, hd95, msd, nsd, surface_distances

Mask = Bool[np.ndarray, "h w"]
MASKS = arrays(np.bool_, (6, 9))
EMPTY = np.zeros((5, 5), bool)


def drawn(*rows: str) -> Mask:
    return np.array([[letter == "#" for letter in row] for row in rows])


def test_distances_of_a_hand_drawn_case() -> None:
    distances = surface_distances(drawn("#....", "....."), drawn("...#.", "....#"))
    assert distances.from_reference.tolist() == [3]
    assert distances.from_predicted.tolist() == pytest.approx([3, math.sqrt(17)])
    assert nsd(distances, tolerance_px=3) == pytest.approx(2 / 3)
    assert msd(distances) == pytest.approx((3 + 3 + math.sqrt(17)) / 3)
    assert assd(distances) == pytest.approx((3 + (3 + math.sqrt(17)) / 2) / 2)
    assert hd95(distances) == pytest.approx(3 + 0.95 * (math.sqrt(17) - 3))


def test_the_outline_is_where_a_mask_touches_its_outside_along_an_edge() -> None:
    square = np.ones((3, 3), bool)
    cut = square.copy()
    cut[0, 0] = False
    # The centre touches the missing corner only diagonally, so it is no part of either outline.
    assert surface_distances(square, cut).from_reference.size == 8
    assert surface_distances(square, cut).from_predicted.size == 7


def test_a_missing_bone_counts_as_the_worst_value() -> None:
    for pair in ((~EMPTY, EMPTY), (EMPTY, ~EMPTY)):
        distances = surface_distances(*pair)
        assert nsd(distances, tolerance_px=1000) == 0
        assert [distance(distances) for distance in (msd, assd, hd95)] == [math.inf] * 3


def test_two_empty_masks_are_undefined() -> None:
    distances = surface_distances(EMPTY, EMPTY)
    assert all(math.isnan(metric(distances)) for metric in (nsd, msd, assd, hd95))


@given(MASKS, MASKS, st.floats(0, 5), st.floats(0, 5))
@settings(max_examples=50, deadline=None)
def test_nsd_does_not_fall_when_more_is_tolerated(one: Mask, other: Mask, first: float, second: float) -> None:
    low, high = sorted([first, second])
    distances = surface_distances(one, other)
    strict, lenient = nsd(distances, tolerance_px=low), nsd(distances, tolerance_px=high)
    assert strict <= lenient or (math.isnan(strict) and math.isnan(lenient))


@given(MASKS, MASKS)
@settings(max_examples=50, deadline=None)
def test_the_two_ways_swap_with_the_masks(one: Mask, other: Mask) -> None:
    there, back = surface_distances(one, other), surface_distances(other, one)
    assert there.from_reference.tolist() == back.from_predicted.tolist()
    assert msd(there) == pytest.approx(msd(back), nan_ok=True)
