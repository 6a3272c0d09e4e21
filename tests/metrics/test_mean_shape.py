import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from carpus.anatomy import Bone, Side
from carpus.errors import InputError
from carpus.imaging import BoneMasks
from carpus.metrics import dsc, fit_mean_shape

stacks = npst.arrays(bool, st.tuples(st.integers(1, 6), st.just(14), st.just(3), st.just(4)))


@given(stacks)
@settings(max_examples=50)
def test_no_share_gives_a_higher_mean_dice_on_the_training_masks(stack: np.ndarray) -> None:
    mean = fit_mean_shape([BoneMasks.from_stack(each) for each in stack])
    for bone in Bone:
        drawn = [mask for mask in stack[:, bone.channel] if mask.any()]
        shares = stack[:, bone.channel].mean(axis=0)
        if not drawn:
            assert not mean.right.mask(bone).any()
            continue
        candidates = {float(cut): shares >= cut for cut in np.unique(shares) if cut > 0}
        scores = {cut: np.mean([dsc(mask, place) for mask in drawn]) for cut, place in candidates.items()}
        own = np.mean([dsc(mask, mean.right.mask(bone)) for mask in drawn])
        assert own == pytest.approx(max(scores.values()))
        assert np.array_equal(mean.right.mask(bone), shares >= mean.cuts[bone])


def test_a_bone_drawn_by_hand() -> None:
    # In 3, 2, 2 and 1 of 3 masks. All of three pixels: Dice 1, 0.8 and 6/7; two or three are the alternatives.
    rows = ([1, 1, 1, 0, 0], [1, 0, 0, 0, 0], [1, 1, 1, 1, 0])
    stack = np.zeros((3, 14, 1, 5), bool)
    stack[:, Bone.HAMATE.channel, 0] = rows
    mean = fit_mean_shape([BoneMasks.from_stack(each) for each in stack])
    assert mean.right.mask(Bone.HAMATE).astype(int).tolist() == [[1, 1, 1, 0, 0]]
    assert mean.cuts[Bone.HAMATE] == pytest.approx(2 / 3)


def test_left_hands_get_the_mirror_image_at_any_size() -> None:
    stack = np.zeros((14, 2, 4), bool)
    stack[Bone.LUNATE.channel, 0, 0] = True
    mean = fit_mean_shape([BoneMasks.from_stack(stack)])
    left = mean.masks(Side.LEFT, height=4, width=8).mask(Bone.LUNATE)
    assert np.argwhere(left).tolist() == [[0, 6], [0, 7], [1, 6], [1, 7]]
    assert mean.masks(Side.RIGHT, height=2, width=4) == mean.masks(None, height=2, width=4) == mean.right


def test_no_masks_and_masks_of_two_sizes_are_refused() -> None:
    with pytest.raises(InputError, match="no masks to take the mean shape of"):
        fit_mean_shape([])
    with pytest.raises(InputError, match=r"sizes \[\(1, 2\), \(3, 2\)\], expected one"):
        fit_mean_shape([BoneMasks.empty(height=3, width=2), BoneMasks.empty(height=1, width=2)])
