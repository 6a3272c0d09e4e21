import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import arrays
from jaxtyping import Bool

from carpus.errors import InputError
from carpus.metrics import dsc, ravd, voe

Mask = Bool[np.ndarray, "h w"]
MASKS = arrays(np.bool_, (5, 7))
EMPTY = np.zeros((4, 4), bool)
FULL = np.ones((4, 4), bool)


def test_a_hand_drawn_case() -> None:
    reference = np.array([[1, 1, 1, 0], [1, 1, 1, 0]], bool)
    predicted = np.array([[0, 1, 1, 1], [0, 1, 1, 0]], bool)
    assert dsc(reference, predicted) == pytest.approx(8 / 11)
    assert voe(reference, predicted) == pytest.approx(3 / 7)
    assert ravd(reference, predicted) == pytest.approx(1 / 6)


@given(MASKS, MASKS)
@settings(max_examples=50)
def test_voe_follows_from_dice(one: Mask, other: Mask) -> None:
    dice = dsc(one, other)
    assert voe(one, other) == pytest.approx(1 - dice / (2 - dice), nan_ok=True)


@given(MASKS, MASKS)
@settings(max_examples=50)
def test_dice_and_voe_do_not_know_which_is_which(one: Mask, other: Mask) -> None:
    assert dsc(one, other) == pytest.approx(dsc(other, one), nan_ok=True)
    assert voe(one, other) == pytest.approx(voe(other, one), nan_ok=True)


@given(MASKS.filter(np.any))
@settings(max_examples=20)
def test_a_mask_agrees_with_itself(mask: Mask) -> None:
    assert (dsc(mask, mask), voe(mask, mask), ravd(mask, mask)) == (1, 0, 0)


def test_two_empty_masks_are_undefined() -> None:
    assert all(math.isnan(metric(EMPTY, EMPTY)) for metric in (dsc, voe, ravd))


@pytest.mark.parametrize(("reference", "predicted"), [(FULL, EMPTY), (EMPTY, FULL)])
def test_one_empty_mask_counts_as_the_worst_value(reference: Mask, predicted: Mask) -> None:
    assert dsc(reference, predicted) == 0
    assert voe(reference, predicted) == 1


def test_ravd_divides_by_the_reference() -> None:
    half = FULL.copy()
    half[:2] = False
    assert ravd(half, FULL) == 1
    assert ravd(FULL, half) == 0.5
    assert ravd(FULL, EMPTY) == 1
    assert math.isnan(ravd(EMPTY, FULL))


@pytest.mark.parametrize("metric", [dsc, voe, ravd])
def test_masks_of_two_sizes_are_refused(metric: Callable[[Mask, Mask], float]) -> None:
    with pytest.raises(InputError, match=r"\(4, 4\) and predicted mask \(4, 5\).*resize"):
        metric(FULL, np.ones((4, 5), bool))


def test_probabilities_are_refused() -> None:
    with pytest.raises(InputError, match="cut the prediction first"):
        dsc(FULL, np.ones((4, 4), np.float32))
