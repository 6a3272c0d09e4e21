from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np
import pytest

from carpus.anatomy import Bone, Joint
from carpus.phantom.samples.damage import Damage, draw_damage, worn
from carpus.phantom.samples.hand import Hand, draw_hand
from carpus.phantom.samples.neutral import neutral_hand
from carpus.phantom.samples.render import render
from carpus.phantom.samples.template import RAYS
from carpus.phantom.samples.tissue import Frame, draw_tissue

HEALTHY = Damage(0.0, dict.fromkeys(Joint, 0), 0.0, False, (0.0, 0.0), (0.0, 0.0), 0.0, 0.0)
PARTS = neutral_hand().parts
OUTLINES = neutral_hand().outlines
HALVES = np.repeat(OUTLINES[:, None], 2, axis=1)
ENDS, AXES = neutral_hand().ends, neutral_hand().axes


def test_the_template_has_every_bone_of_a_hand_and_both_of_the_forearm() -> None:
    assert {part.bone for part in PARTS} == {*Bone, None}
    assert len(PARTS) == 8 + 2 + 5 + 14
    assert len({part.name for part in PARTS}) == len(PARTS)
    assert [len(ray.lengths_mm) for ray in RAYS] == [3, 4, 4, 4, 4]


def test_the_points_of_a_contour_are_evenly_spaced() -> None:
    for outline in OUTLINES:
        steps = np.linalg.norm(np.roll(outline, -1, axis=0) - outline, axis=1)
        assert steps.max() < 1.1 * np.median(steps)


@pytest.mark.parametrize("joint", Joint)
def test_a_higher_score_takes_more_of_the_bone(joint: Joint) -> None:
    index = next(number for number, part in enumerate(PARTS) if part.bone is joint.bone)
    whole = _area(OUTLINES[index])
    left = [np.mean([_area(_worn(joint, score, seed)[index, 0]) for seed in range(12)]) / whole for score in range(6)]
    assert left[0] == pytest.approx(1)
    assert all(more > less for more, less in pairwise(left))
    # Seldom does a shaft, which goes on beyond the image, leave much of the whole to the joint.
    assert left[5] < (0.75 if PARTS[index].length_mm == 0 else 0.995)


def test_a_healthy_hand_keeps_its_outlines() -> None:
    assert all(outlines is HALVES for outlines in worn(PARTS, HALVES, ENDS, AXES, HEALTHY, np.random.default_rng(0)))


def test_osteophytes_add_to_a_bone() -> None:
    grown, whole = worn(PARTS, HALVES, ENDS, AXES, replace(HEALTHY, outgrowth_mm=1.5), np.random.default_rng(1))
    gained = [_area(after) - _area(before) for after, before in zip(grown[:, 0], OUTLINES, strict=True)]
    assert min(gained) > -1e-6
    assert max(gained) > 1
    np.testing.assert_array_equal(grown, whole)


def test_damage_is_absent_in_many_hands_and_reaches_every_score() -> None:
    generator = np.random.default_rng(5)
    drawn = [draw_damage(generator) for _ in range(400)]
    assert 0.3 < np.mean([each.severity == 0 for each in drawn]) < 0.6
    assert {score for each in drawn for score in each.scores.values()} == set(range(6))
    assert all(max(each.scores.values()) == 0 for each in drawn if each.severity == 0)
    assert any(each.ankylosis for each in drawn)


def test_a_pronated_hand_carries_the_pisiform_to_the_ulna() -> None:
    hands = [draw_hand(np.random.default_rng(seed)) for seed in range(40)]
    names = [part.name for part in hands[0].parts]
    pisiform, triquetrum = names.index("pisiform"), names.index("triquetrum")
    apart = [
        hand.halves[pisiform].mean(axis=(0, 1))[0] - hand.halves[triquetrum].mean(axis=(0, 1))[0] for hand in hands
    ]
    assert np.corrcoef(apart, [hand.pose.pronation for hand in hands])[0, 1] > 0.3


def test_what_is_rendered_lies_where_the_outlines_are() -> None:
    generator = np.random.default_rng(3)
    hand = draw_hand(generator)
    frame = Frame(200, 200, 0.5, 10.0, (100.0, 100.0))
    attenuation, plane, eroded = render(hand, draw_tissue(hand, generator), frame, generator)
    assert attenuation.shape == plane.shape == eroded.shape == (200, 200)
    assert attenuation.min() >= -0.5
    capitate = next(number for number, part in enumerate(hand.parts) if part.bone is Bone.CAPITATE)
    x, y = frame.pixels(hand.halves[capitate].mean(axis=(0, 1))).astype(int)
    assert plane[y, x] >> Bone.CAPITATE.channel & 1
    flesh = (plane == 0) & (attenuation > 0.3)
    assert attenuation[plane > 0].mean() > attenuation[flesh].mean() + 0.2


def test_an_erosion_is_a_gap_in_bone_and_cortex_of_its_own_joint() -> None:
    hand = _eroded_hand()
    joint = next(joint for joint, score in hand.scores.items() if score)
    bit, before = list(Joint).index(joint), replace(hand, halves=hand.whole)
    frame = Frame(480, 480, 0.2, 0.0, (240.0, 240.0))
    tissue = draw_tissue(hand, np.random.default_rng(1))
    left, plane, eroded = render(hand, tissue, frame, np.random.default_rng(2))
    intact, whole, nothing = render(before, tissue, frame, np.random.default_rng(2))
    assert not nothing.any()
    assert set(np.unique(eroded)) == {0, 1 << bit}
    gone = eroded > 0
    assert (whole[gone] >> joint.bone.channel & 1).all()
    assert not (plane[gone] >> joint.bone.channel & 1).all()
    far = cv2.dilate(gone.astype(np.uint8), np.ones((15, 15))) == 0
    np.testing.assert_allclose(left[far], intact[far], atol=1e-4)
    # How thick the bone is there differs between wrists.
    shares = []
    for seed in range(2, 8):
        images = [render(each, tissue, frame, np.random.default_rng(seed))[0] for each in (hand, before)]
        shares.append(images[0][gone].mean() / images[1][gone].mean())
    assert np.mean(shares) < 0.8


def test_a_person_keeps_his_bones_while_erosions_grow_where_they_began() -> None:
    seed, joint = next(
        (seed, joint)
        for seed in range(50)
        for joint, score in draw_hand(np.random.default_rng(seed)).scores.items()
        if score > 2
    )
    pose = draw_hand(np.random.default_rng(0)).pose
    index = next(number for number, part in enumerate(PARTS) if part.bone is joint.bone)
    none, half, full = (draw_hand(np.random.default_rng(seed), stage=stage, pose=pose) for stage in (0, 0.5, 1))
    assert max(none.scores.values()) == 0
    np.testing.assert_array_equal(none.halves, none.whole)
    assert 0 < half.scores[joint] < full.scores[joint]
    bites = [np.linalg.norm(hand.halves[index] - hand.whole[index], axis=-1).ravel() for hand in (half, full)]
    assert bites[0].sum() < 0.7 * bites[1].sum()
    # Joints that narrow leave a bone what it was: only place and size of its bites change.
    assert np.corrcoef(*bites)[0, 1] > 0.99


def _eroded_hand() -> Hand:
    """With one eroded joint and no other erosion."""
    for seed in range(500):
        hand = draw_hand(np.random.default_rng(seed))
        changed = [index for index, (a, b) in enumerate(zip(hand.halves, hand.whole, strict=True)) if (a != b).any()]
        if len(changed) == 1 and max(hand.scores.values()) > 1:
            return hand
    raise AssertionError


def _worn(joint: Joint, score: int, seed: int) -> np.ndarray:
    damage = replace(HEALTHY, severity=1e-9, scores={**HEALTHY.scores, joint: score})
    return worn(PARTS, HALVES, ENDS, AXES, damage, np.random.default_rng(seed))[0]


def _area(outline: np.ndarray) -> float:
    after = np.roll(outline, -1, axis=0)
    return abs(float((outline[:, 0] * after[:, 1] - after[:, 0] * outline[:, 1]).sum())) / 2
