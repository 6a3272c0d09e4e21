import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from carpus.anatomy import Bone
from carpus.errors import InputError
from carpus.imaging import BoneMasks, Box

stacks = npst.arrays(bool, st.tuples(st.just(14), st.integers(1, 9), st.integers(1, 9)))


@given(stacks)
def test_packing_loses_nothing(stack: np.ndarray) -> None:
    masks = BoneMasks.from_stack(stack)
    assert np.array_equal(masks.stack(), stack)
    assert all(np.array_equal(masks.mask(bone), stack[bone.channel]) for bone in Bone)
    assert masks.plane.dtype == np.uint16


@given(stacks)
def test_bit_i_of_the_plane_is_bone_i(stack: np.ndarray) -> None:
    expected = sum(stack[channel].astype(int) << channel for channel in range(14))
    assert np.array_equal(BoneMasks.from_stack(stack).plane, expected)


@given(stacks, st.sampled_from(list(Bone)), st.sampled_from(list(Bone)))
def test_an_overlap_is_where_both_bones_are(stack: np.ndarray, first: Bone, second: Bone) -> None:
    overlap = BoneMasks.from_stack(stack).overlap(first, second)
    assert np.array_equal(overlap, stack[first.channel] & stack[second.channel])


@given(stacks)
def test_flipping_twice_changes_nothing_and_once_swaps_columns(stack: np.ndarray) -> None:
    masks = BoneMasks.from_stack(stack)
    assert masks.mirrored().mirrored() == masks
    assert np.array_equal(masks.mirrored().stack(), stack[:, :, ::-1])


@given(stacks, st.integers(1, 4))
@settings(max_examples=30)
def test_growing_by_a_whole_factor_and_shrinking_again_changes_nothing(stack: np.ndarray, factor: int) -> None:
    masks = BoneMasks.from_stack(stack)
    height, width = masks.shape
    grown = masks.resized(height=height * factor, width=width * factor)
    assert np.array_equal(grown.stack(), stack.repeat(factor, axis=1).repeat(factor, axis=2))
    assert grown.resized(height=height, width=width) == masks


def test_bytes_of_0_and_255_are_as_good_as_booleans() -> None:
    stack = np.zeros((14, 2, 3), np.uint8)
    stack[4, 1] = 255
    assert BoneMasks.from_stack(stack) == BoneMasks.from_stack(stack > 0)
    assert BoneMasks.from_stack(stack) != BoneMasks.empty(height=2, width=3)


def test_a_crop_outside_the_image_holds_no_bone() -> None:
    masks = BoneMasks.from_stack(np.ones((14, 4, 4), bool))
    cropped = masks.cropped(Box(2, -1, 4, 3))
    assert cropped.mask(Bone.LUNATE).tolist() == [
        [False] * 4,
        [True, True, False, False],
        [True, True, False, False],
    ]


@pytest.mark.parametrize(
    ("stack", "message"),
    [
        (np.zeros((13, 4, 4), bool), r"shape \(13, 4, 4\), expected \(14, height, width\)"),
        (np.zeros((14, 4), bool), "expected"),
        (np.zeros((14, 4, 4), np.float32), "dtype float32"),
        (np.full((14, 4, 4), 2, np.uint8), "other than 0/1 or 0/255"),
        (np.arange(14 * 4, dtype=np.uint8).reshape(14, 2, 2), "other than 0/1 or 0/255"),
    ],
)
def test_what_is_no_stack_of_masks_is_refused(stack: np.ndarray, message: str) -> None:
    with pytest.raises(InputError, match=message):
        BoneMasks.from_stack(stack)


def test_a_plane_with_bits_beyond_the_bones_is_refused() -> None:
    with pytest.raises(InputError, match="higher bits"):
        BoneMasks(np.full((2, 2), 1 << 14, np.uint16))
    with pytest.raises(InputError, match="uint16"):
        BoneMasks(np.zeros((2, 2), np.uint8))


def test_the_plane_cannot_be_changed() -> None:
    masks = BoneMasks.empty(height=2, width=2)
    with pytest.raises(ValueError, match="read-only"):
        masks.plane[0, 0] = 1


@given(stacks)
def test_single_masks_make_the_same_as_a_stack(stack: np.ndarray) -> None:
    _, height, width = stack.shape
    masks = BoneMasks.from_masks(zip(Bone, stack, strict=True), height=height, width=width)
    assert masks == BoneMasks.from_stack(stack)


def test_a_bone_named_twice_is_both_together() -> None:
    left, right = np.array([[True, False, False]]), np.array([[False, False, True]])
    masks = BoneMasks.from_masks([(Bone.LUNATE, left), (Bone.LUNATE, right)], height=1, width=3)
    assert masks.mask(Bone.LUNATE).tolist() == [[True, False, True]]


def test_a_single_mask_of_another_size_is_refused() -> None:
    with pytest.raises(InputError, match=r"mask of Lunate is \(2, 3\) bool, expected \(1, 3\) bool"):
        BoneMasks.from_masks([(Bone.LUNATE, np.ones((2, 3), bool))], height=1, width=3)


@pytest.mark.parametrize("value", [-1, 2, 254])
def test_a_value_that_is_neither_0_nor_the_highest_is_refused(value: int) -> None:
    stack = np.zeros((14, 2, 2), np.int16)
    stack[3, 0] = 255
    stack[5, 1, 1] = value
    with pytest.raises(InputError, match="values other than 0/1 or 0/255"):
        BoneMasks.from_stack(stack)
