import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carpus.anatomy import Bone
from carpus.data.formats.nnunet import OVER, label_map, masks_of_labels
from carpus.errors import InputError
from carpus.imaging.masks import BoneMasks


def masks_of(seed: int) -> BoneMasks:
    return BoneMasks.from_stack(np.random.default_rng(seed).random((14, 9, 7)) < 0.2)


@given(seed=st.integers(0, 1000))
def test_the_label_is_the_first_bone_of_the_order(seed: int) -> None:
    masks = masks_of(seed)
    labels = label_map(masks)
    for row, column in np.ndindex(*masks.shape):
        there = [bone for bone in OVER if masks.mask(bone)[row, column]]
        assert labels[row, column] == (there[0].channel + 1 if there else 0)


@given(seed=st.integers(0, 1000))
def test_masks_without_overlap_come_back_as_they_were(seed: int) -> None:
    flat = masks_of_labels(label_map(masks_of(seed)))
    assert masks_of_labels(label_map(flat)) == flat
    assert (flat.stack().sum(axis=0) <= 1).all()


def test_the_order_names_every_bone_once() -> None:
    assert len(OVER) == len(set(OVER)) == len(Bone)


def test_a_label_that_is_no_bone_is_refused() -> None:
    with pytest.raises(InputError, match="has the label 15, expected 0 to 14"):
        masks_of_labels(np.array([[15]], np.uint8))
