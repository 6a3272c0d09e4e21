from dataclasses import replace

import numpy as np
import pytest

from carpus.anatomy import Bone
from carpus.phantom.outlines import PARTS, SOFT_TISSUE, Part
from carpus.phantom.shapes import Anatomy, Pose, Shape, closed_spline, shape_wrist

NEUTRAL = Pose(deviation=0, thumb=0, spread=0, turn=0, shift_mm=(0, 0), narrowing_mm=0, seed=1)
ADULT = Anatomy(size=1, breadth=1, seed=1, hand_seed=1)
MIDDLES = {part.bone: np.mean(part.outline, axis=0) for part in PARTS}


def test_every_bone_has_one_outline_and_pisiform_and_triquetrum_one_each() -> None:
    parts = [part.bone for part in PARTS]
    assert set(parts) == set(Bone)
    assert {bone for bone in Bone if parts.count(bone) > 1} == {Bone.PISIFORM_TRIQUETRUM}
    assert parts.count(Bone.PISIFORM_TRIQUETRUM) == 2


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.bone.name)
def test_a_template_outline_is_a_loop_that_does_not_cross_itself(part: Part) -> None:
    assert not _crosses_itself(closed_spline(np.array(part.outline, float)))


def test_the_skin_is_a_loop_around_all_carpal_bones() -> None:
    skin = closed_spline(np.array(SOFT_TISSUE, float))
    assert not _crosses_itself(skin)
    for part in PARTS:
        if part.end is None:
            assert all(_inside(skin, point) for point in part.outline), part.bone


def test_loops_that_cross_themselves_are_told_from_those_that_do_not() -> None:
    bow_tie = np.array([[0, 0], [2, 2], [2, 0], [0, 2]], float)
    assert _crosses_itself(bow_tie)
    assert not _crosses_itself(bow_tie[[0, 2, 1, 3]])


@pytest.mark.parametrize("seed", range(6))
def test_no_persons_bone_crosses_itself_in_any_pose(seed: int) -> None:
    pose = Pose(deviation=12, thumb=15, spread=-8, turn=6, shift_mm=(4, -3), narrowing_mm=0.7, seed=seed)
    wrist = shape_wrist(Anatomy(size=1.1, breadth=0.95, seed=seed, hand_seed=seed), pose)
    assert [shape.part for shape in wrist.bones] == list(PARTS)
    assert not [shape.part.bone for shape in wrist.bones if _crosses_itself(shape.contour)]
    assert not _crosses_itself(wrist.skin)


@pytest.mark.parametrize(
    "from_thumb_to_little_finger",
    [
        (Bone.METACARPAL_1, Bone.METACARPAL_2, Bone.METACARPAL_3, Bone.METACARPAL_4, Bone.METACARPAL_5),
        (Bone.TRAPEZIUM, Bone.TRAPEZOID, Bone.CAPITATE, Bone.HAMATE),
        (Bone.SCAPHOID, Bone.LUNATE, Bone.PISIFORM_TRIQUETRUM),
        (Bone.DISTAL_RADIUS, Bone.DISTAL_ULNA),
    ],
)
def test_bones_of_a_row_lie_in_anatomical_order(from_thumb_to_little_finger: tuple[Bone, ...]) -> None:
    across = [MIDDLES[bone][0] for bone in from_thumb_to_little_finger]
    assert across == sorted(across)


@pytest.mark.parametrize(
    "from_fingers_to_forearm",
    [
        (Bone.METACARPAL_3, Bone.CAPITATE, Bone.LUNATE, Bone.DISTAL_RADIUS),
        (Bone.METACARPAL_2, Bone.TRAPEZOID, Bone.SCAPHOID, Bone.DISTAL_RADIUS),
        (Bone.METACARPAL_5, Bone.HAMATE, Bone.PISIFORM_TRIQUETRUM, Bone.DISTAL_ULNA),
        (Bone.METACARPAL_1, Bone.TRAPEZIUM, Bone.SCAPHOID),
    ],
)
def test_rows_lie_in_anatomical_order(from_fingers_to_forearm: tuple[Bone, ...]) -> None:
    along = [MIDDLES[bone][1] for bone in from_fingers_to_forearm]
    assert along == sorted(along)


def test_a_wrist_moves_where_it_should() -> None:
    straight = _middles(NEUTRAL)
    deviated = _middles(replace(NEUTRAL, deviation=15))
    moved = {bone: np.linalg.norm(deviated[bone] - straight[bone]) for bone in Bone}
    assert moved[Bone.DISTAL_RADIUS] == moved[Bone.DISTAL_ULNA] == 0
    assert moved[Bone.METACARPAL_3] > 5
    assert deviated[Bone.METACARPAL_3][0] > straight[Bone.METACARPAL_3][0]  # towards the ulna

    abducted = _middles(replace(NEUTRAL, thumb=15))
    moved = {bone: np.linalg.norm(abducted[bone] - straight[bone]) for bone in Bone}
    assert {bone for bone in Bone if moved[bone] > 0} == {Bone.METACARPAL_1}
    assert abducted[Bone.METACARPAL_1][0] < straight[Bone.METACARPAL_1][0]  # away from the palm

    narrowed = _middles(replace(NEUTRAL, narrowing_mm=0.5))
    for bone, rows in {Bone.LUNATE: 1, Bone.CAPITATE: 2, Bone.METACARPAL_3: 3}.items():
        assert narrowed[bone] - straight[bone] == pytest.approx([0, 0.5 * rows])


def test_a_shift_moves_the_whole_and_a_size_scales_it() -> None:
    straight, shifted = _middles(NEUTRAL), _middles(replace(NEUTRAL, shift_mm=(3, -2)))
    wrist = shape_wrist(replace(ADULT, size=1.2), NEUTRAL)
    larger = {shape.part.bone: shape.contour.mean(axis=0) for shape in wrist.bones}
    for bone in Bone:
        assert shifted[bone] - straight[bone] == pytest.approx([3, -2])
        assert larger[bone] == pytest.approx(1.2 * straight[bone])


@pytest.mark.parametrize("deviation", [-12, 0, 14])
def test_skin_covers_the_bones_in_the_picture_in_every_pose(deviation: float) -> None:
    for spread in (-9, 9):
        wrist = shape_wrist(ADULT, replace(NEUTRAL, deviation=deviation, spread=spread))
        for shape in wrist.bones:
            shown = shape.contour[np.abs(shape.contour).max(axis=1) < 43]
            assert all(_inside(wrist.skin, point) for point in shown[::8].tolist()), shape.part.bone


def test_bones_shift_a_little_against_each_other_from_visit_to_visit() -> None:
    once, again = _middles(NEUTRAL), _middles(replace(NEUTRAL, seed=2))
    shifts_mm = np.array([np.linalg.norm(again[bone] - once[bone]) for bone in Bone])
    assert shifts_mm.min() > 0
    assert shifts_mm.max() < 1.5
    assert shifts_mm.std() > 0.05


def test_both_hands_differ_less_than_two_persons() -> None:
    mine = shape_wrist(ADULT, NEUTRAL).bones
    other_hand = shape_wrist(replace(ADULT, hand_seed=2), NEUTRAL).bones
    other_person = shape_wrist(replace(ADULT, seed=2), NEUTRAL).bones

    def apart(those: tuple[Shape, ...]) -> float:
        gaps = [np.abs(a.contour - b.contour).mean() for a, b in zip(mine, those, strict=True)]
        return float(np.mean(gaps))

    assert 0 < apart(other_hand) < 0.5 * apart(other_person)


def _middles(pose: Pose) -> dict[Bone, np.ndarray]:
    return {shape.part.bone: shape.contour.mean(axis=0) for shape in shape_wrist(ADULT, pose).bones}


def _crosses_itself(loop: np.ndarray) -> bool:
    """Whether any two edges that are no neighbours meet."""
    begin, end = loop, np.roll(loop, -1, axis=0)
    side_of_begin = _side(begin[:, None], end[:, None], begin[None])
    side_of_end = _side(begin[:, None], end[:, None], end[None])
    parted = side_of_begin * side_of_end < 0
    return bool((parted & parted.T).any())


def _side(begin: np.ndarray, end: np.ndarray, point: np.ndarray) -> np.ndarray:
    along, beside = end - begin, point - begin
    side: np.ndarray = along[..., 0] * beside[..., 1] - along[..., 1] * beside[..., 0]
    return side


def _inside(loop: np.ndarray, point: tuple[float, float]) -> bool:
    (x0, y0), (x1, y1) = loop.T, np.roll(loop, -1, axis=0).T
    crossing = (y0 > point[1]) != (y1 > point[1])
    left_of = x0[crossing] + (point[1] - y0[crossing]) * (x1 - x0)[crossing] / (y1 - y0)[crossing] > point[0]
    return bool(left_of.sum() % 2)
