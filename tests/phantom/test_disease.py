import numpy as np
import pytest

from carpus.anatomy import SVDH_SCORES, Bone, Joint
from carpus.phantom.disease import BITES, COLLAPSE, collapsed, erosions, severity, with_osteophytes
from carpus.phantom.shapes import Anatomy, Pose, Shape, shape_wrist

NEUTRAL = Pose(deviation=0, thumb=0, spread=0, turn=0, shift_mm=(0, 0), narrowing_mm=0, seed=1)
SHAPES = {
    shape.part.bone: shape for shape in shape_wrist(Anatomy(size=1, breadth=1, seed=1, hand_seed=1), NEUTRAL).bones
}


def test_no_score_means_no_bite_and_each_step_one_more() -> None:
    for bone in (joint.bone for joint in Joint):
        counts = [len(_bites(SHAPES[bone], score)) for score in SVDH_SCORES]
        assert counts == list(SVDH_SCORES)


def test_bites_grow_with_the_score() -> None:
    radii = [radius for _, radius in BITES.values()]
    assert radii == sorted(set(radii))
    for score in (1, 3, 5):
        areas = [_area(bite) for bite in _bites(SHAPES[Bone.SCAPHOID], score)]
        assert np.mean(areas) == pytest.approx(np.pi * BITES[score][1] ** 2, rel=0.6)


@pytest.mark.parametrize("joint", Joint)
def test_damage_grows_in_place_from_score_to_score(joint: Joint) -> None:
    for lesser in (1, 2, 3, 4):
        before, after = _bites(SHAPES[joint.bone], lesser), _bites(SHAPES[joint.bone], lesser + 1)
        for old, new in zip(before, after[:lesser], strict=True):
            assert np.linalg.norm(old.mean(axis=0) - new.mean(axis=0)) < 0.5
            assert _area(new) > _area(old)


@pytest.mark.parametrize("joint", Joint)
def test_bites_break_the_surface_near_the_joint(joint: Joint) -> None:
    shape = SHAPES[joint.bone]
    for bite in _bites(shape, 3):
        centre = bite.mean(axis=0)
        nearest = np.linalg.norm(shape.contour - centre, axis=1).min()
        assert nearest < BITES[3][1]
        if shape.end is not None:
            assert np.linalg.norm(centre - shape.end) < 20


@pytest.mark.parametrize("joint", Joint)
def test_bites_begin_near_bare_bone(joint: Joint) -> None:
    shape = SHAPES[joint.bone]
    for seed in range(10):
        for bite in erosions(shape, 3, np.random.default_rng(seed)):
            assert np.linalg.norm(shape.bare - bite.mean(axis=0), axis=1).min() < 4.5


def test_a_collapsed_carpal_bone_is_lower_and_a_long_bone_as_it_was() -> None:
    scaphoid, radius = SHAPES[Bone.SCAPHOID], SHAPES[Bone.DISTAL_RADIUS]
    assert np.ptp(collapsed(scaphoid).contour, axis=0) == pytest.approx(
        np.ptp(scaphoid.contour, axis=0) * [1, COLLAPSE]
    )
    assert collapsed(radius) is radius


def test_osteophytes_only_grow_outwards_and_as_high_as_asked() -> None:
    for bone, shape in SHAPES.items():
        grown = with_osteophytes(shape, 0.6, np.random.default_rng(3))
        moved = np.linalg.norm(grown.contour - shape.contour, axis=1)
        assert moved.max() == pytest.approx(0.6), bone
        assert _area(grown.contour) > _area(shape.contour), bone
        flat = with_osteophytes(shape, 0.0, np.random.default_rng(3))
        assert np.array_equal(flat.contour, shape.contour)


def test_severity_grows_from_0_to_1() -> None:
    assert severity(None) == severity(dict.fromkeys(Joint, 0)) == 0
    assert 0 < severity({**dict.fromkeys(Joint, 0), Joint.LUNATE: 1}) < severity(dict.fromkeys(Joint, 1)) < 1
    assert severity(dict.fromkeys(Joint, 5)) == 1


def _bites(shape: Shape, score: int) -> list[np.ndarray]:
    return erosions(shape, score, np.random.default_rng(2))


def _area(loop: np.ndarray) -> float:
    (x, y), (x1, y1) = loop.T, np.roll(loop, -1, axis=0).T
    return float(abs((x * y1 - x1 * y).sum()) / 2)
