import numpy as np
import pytest

from carpus.anatomy import Bone, Joint, Side
from carpus.imaging.joints import joint_boxes
from carpus.imaging.masks import BoneMasks
from carpus.inference.atlas import CARPALS, place_bones, regions_of
from carpus.phantom import Visit, plan_cohort
from carpus.phantom.wrist import project

MM = 0.3


@pytest.fixture(scope="module")
def wrists() -> list[tuple[Visit, BoneMasks]]:
    """Wrists whose visits had no part in the atlas, as right hands."""
    return [(visit, project(visit, size_px=300).masks) for visit in plan_cohort(patients=8, seed=41)[:12]]


def test_all_bones_of_any_wrist_are_in_place(wrists: list[tuple[Visit, BoneMasks]]) -> None:
    for _, masks in wrists:
        placement = place_bones(masks, spacing_mm=MM, thumb_left=True)
        assert placement.in_place == tuple(Bone)
        assert 0.85 < placement.size < 1.15
        assert abs(placement.turn_degrees) < 20
        assert not placement.is_mirrored


def test_a_left_hand_lies_as_a_right_one_mirrored(wrists: list[tuple[Visit, BoneMasks]]) -> None:
    for _, masks in wrists[:4]:
        right = place_bones(masks, spacing_mm=MM, thumb_left=True)
        left = place_bones(masks.mirrored(), spacing_mm=MM, thumb_left=False)
        assert left.in_place == right.in_place
        assert left.joints[Joint.LUNATE][0] == pytest.approx(300 - right.joints[Joint.LUNATE][0], abs=1.5)
        assert place_bones(masks, spacing_mm=MM, thumb_left=False).is_mirrored


def test_the_size_follows_the_pixel_size_and_the_turn_the_picture(wrists: list[tuple[Visit, BoneMasks]]) -> None:
    masks = wrists[0][1]
    usual = place_bones(masks, spacing_mm=MM, thumb_left=True)
    assert place_bones(masks, spacing_mm=2 * MM, thumb_left=True).size == pytest.approx(2 * usual.size)
    lying = place_bones(BoneMasks(np.rot90(masks.plane).copy()), spacing_mm=MM, thumb_left=True)
    assert lying.turn_degrees == pytest.approx(usual.turn_degrees - 90, abs=1)


def test_shuffled_bones_are_out_of_place(wrists: list[tuple[Visit, BoneMasks]]) -> None:
    stack = wrists[0][1].stack()
    places = [bone.channel for bone in CARPALS]
    stack[places] = stack[places[1:] + places[:1]]
    placement = place_bones(BoneMasks.from_stack(stack), spacing_mm=MM, thumb_left=True)
    assert len(set(placement.in_place) & set(CARPALS)) <= 2


@pytest.mark.parametrize("side", list(Side))
def test_joints_are_placed_by_the_other_bones_where_their_own_is_not_trusted(
    wrists: list[tuple[Visit, BoneMasks]], side: Side
) -> None:
    for _, right in wrists[:4]:
        masks = right if side is Side.RIGHT else right.mirrored()
        own = joint_boxes(masks, spacing_mm=MM)
        stack = masks.stack()
        stack[[Bone.LUNATE.channel, Bone.DISTAL_ULNA.channel]] = False
        left = BoneMasks.from_stack(stack)
        placement = place_bones(left, spacing_mm=MM, thumb_left=side is Side.RIGHT)
        trusted = tuple(bone for bone in placement.in_place if bone is not Bone.TRAPEZIUM)
        boxes, fitted = regions_of(left, placement, trusted=trusted, spacing_mm=MM)
        assert list(boxes) == list(Joint)
        assert {Joint.LUNATE, Joint.DISTAL_ULNA, Joint.TRAPEZIUM} <= set(fitted)
        assert boxes[Joint.SCAPHOID] == own[Joint.SCAPHOID]
        for joint in fitted:
            apart = np.hypot(*np.subtract(boxes[joint].centre, own[joint].centre)) * MM
            assert apart < 6
