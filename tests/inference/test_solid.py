import numpy as np

from carpus.anatomy import Bone
from carpus.imaging import BoneMasks
from carpus.inference.solid import whole_bones


def test_specks_and_holes_go_and_the_bone_stays() -> None:
    stack = np.zeros((14, 40, 40), bool)
    bone = stack[Bone.LUNATE.channel]
    bone[10:25, 10:25] = True
    expected = bone.copy()
    bone[15:18, 15:18] = False
    bone[35:37, 35:37] = True
    found = whole_bones(BoneMasks.from_stack(stack))
    assert np.array_equal(found.mask(Bone.LUNATE), expected)


def test_two_large_pieces_both_stay_and_an_absent_bone_stays_absent() -> None:
    stack = np.zeros((14, 40, 40), bool)
    stack[Bone.DISTAL_ULNA.channel, 5:15, 5:15] = True
    stack[Bone.DISTAL_ULNA.channel, 25:33, 5:15] = True
    masks = BoneMasks.from_stack(stack)
    assert whole_bones(masks) == masks
