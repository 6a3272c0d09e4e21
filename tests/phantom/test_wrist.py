from collections.abc import Callable
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest

from carpus.anatomy import OVERLAP_PAIRS, Bone, Joint, Side
from carpus.phantom import Centre, Phantom, Visit, draw, wrist
from carpus.phantom.outlines import PARTS
from carpus.phantom.wrist import project

Drawn = Callable[[int], Phantom]

SOME = range(10)
"""Numbers of the visits drawn: both hands of a few patients."""


def test_the_same_visit_gives_the_same_bytes_in_any_order(cohort: tuple[Visit, ...], drawn: Drawn) -> None:
    first, second = drawn(0), drawn(1)
    for again, once in ((draw(cohort[1]), second), (draw(cohort[0]), first)):
        assert again.radiograph.pixels.tobytes() == once.radiograph.pixels.tobytes()
        assert again.masks == once.masks
    assert not np.array_equal(first.radiograph.pixels, second.radiograph.pixels)


def test_another_seed_gives_another_wrist(cohort: tuple[Visit, ...], drawn: Drawn) -> None:
    other = draw(replace(cohort[0], seed=cohort[0].seed + 1))
    assert not np.array_equal(other.radiograph.pixels, drawn(0).radiograph.pixels)
    assert other.masks != drawn(0).masks


@pytest.mark.parametrize("number", SOME)
def test_every_bone_is_there_in_one_piece(drawn: Drawn, number: int) -> None:
    masks = drawn(number).masks
    for bone in Bone:
        pieces = cv2.connectedComponents(masks.mask(bone).astype(np.uint8), connectivity=4)[0] - 1
        assert 1 <= pieces <= (2 if bone is Bone.PISIFORM_TRIQUETRUM else 1), bone
        assert masks.mask(bone).sum() * 0.15**2 > 40, bone


def test_the_pairs_whose_overlap_is_scored_overlap(drawn: Drawn) -> None:
    areas = {
        pair: np.array([drawn(number).masks.overlap(*pair).sum() for number in SOME]) * 0.15**2
        for pair in OVERLAP_PAIRS
    }
    assert {pair: area.mean() for pair, area in areas.items() if area.mean() < 1} == {}


def test_the_worst_eroded_bones_are_in_one_piece_too(cohort: tuple[Visit, ...]) -> None:
    for seed in range(8):
        masks = project(replace(_scored(cohort), seed=seed, scores=dict.fromkeys(Joint, 5)), size_px=180).masks
        for joint in Joint:
            pieces = cv2.connectedComponents(masks.mask(joint.bone).astype(np.uint8), connectivity=4)[0] - 1
            assert pieces == 1, (seed, joint)


def test_the_image_is_an_8_bit_wrist_of_90_mm_that_says_it_is_a_phantom(
    cohort: tuple[Visit, ...], drawn: Drawn
) -> None:
    for number in SOME:
        film, masks = drawn(number).radiograph, drawn(number).masks
        assert film.pixels.dtype == np.uint8
        assert film.shape == masks.shape == (600, 600)
        assert film.spacing_mm == pytest.approx(0.15)
        assert film.side is cohort[number].side
        assert film.source.startswith("phantom ")


def test_a_right_hand_has_its_thumb_to_the_left_and_a_left_hand_to_the_right(
    cohort: tuple[Visit, ...], drawn: Drawn
) -> None:
    assert {cohort[number].side for number in SOME} == set(Side)
    for number in SOME:
        masks = drawn(number).masks
        thumb, little = (masks.mask(bone).nonzero()[1].mean() for bone in (Bone.METACARPAL_1, Bone.METACARPAL_5))
        assert (thumb < little) == (cohort[number].side is Side.RIGHT)


def test_bone_is_brighter_than_skin_and_skin_than_air(drawn: Drawn) -> None:
    for number in SOME:
        pixels, bones = drawn(number).radiograph.pixels, drawn(number).masks.plane > 0
        skin = np.zeros_like(bones)
        skin[200:400, 150:450] = ~bones[200:400, 150:450]
        assert pixels[bones].mean() > pixels[skin].mean() + 20 > np.percentile(pixels, 1) + 40


def test_both_hands_of_a_person_resemble_one_another_more_than_two_persons_do(
    cohort: tuple[Visit, ...], drawn: Drawn
) -> None:
    assert cohort[0].patient == cohort[1].patient
    areas = {number: _areas(drawn(number)) for number in SOME}
    others = [number for number in SOME if cohort[number].patient != cohort[0].patient]
    between_hands = np.abs(np.log(areas[0] / areas[1])).mean()
    assert between_hands < np.mean([np.abs(np.log(areas[0] / areas[other])).mean() for other in others])


@pytest.mark.parametrize("joint", Joint)
def test_erosion_takes_area_from_its_bone_and_more_with_each_step(cohort: tuple[Visit, ...], joint: Joint) -> None:
    # At 2 pixels a mm, to be quick; one score differs, so that the rest of the damage hardly does.
    healthy = replace(_scored(cohort), scores=dict.fromkeys(Joint, 0))
    areas = []
    for score in (0, 1, 3, 5):
        phantom = draw(replace(healthy, scores={**dict.fromkeys(Joint, 0), joint: score}), size_px=180)
        areas.append(int(phantom.masks.mask(joint.bone).sum()))
    assert areas == sorted(areas, reverse=True)
    assert len(set(areas)) == len(areas)
    assert areas[-1] < 0.95 * areas[0]


def test_the_eroded_place_is_darker_than_the_bone_was(cohort: tuple[Visit, ...]) -> None:
    visit = _scored(cohort)
    healthy = draw(replace(visit, scores=dict.fromkeys(Joint, 0)))
    eroded = draw(replace(visit, scores={**dict.fromkeys(Joint, 0), Joint.DISTAL_RADIUS: 1}))
    gone = healthy.masks.mask(Bone.DISTAL_RADIUS) & ~eroded.masks.mask(Bone.DISTAL_RADIUS) & (eroded.masks.plane == 0)
    core = cv2.erode(gone.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    assert core.sum() > 20
    before, after = (phantom.radiograph.pixels[core].mean() for phantom in (healthy, eroded))
    assert after < before - 10


def test_an_image_of_another_size_shows_the_same_wrist(cohort: tuple[Visit, ...], drawn: Drawn) -> None:
    small = draw(cohort[0], size_px=150)
    assert small.radiograph.shape == small.masks.shape == (150, 150)
    assert small.radiograph.spacing_mm == pytest.approx(0.6)
    expected = drawn(0).masks.resized(height=150, width=150).stack()
    both, either = (expected & small.masks.stack()).sum(), (expected | small.masks.stack()).sum()
    assert both / either > 0.9


def test_the_centres_look_different(cohort: tuple[Visit, ...]) -> None:
    visit = _scored(cohort)
    pixels = {centre: draw(replace(visit, centre=centre), size_px=150).radiograph.pixels for centre in Centre}
    assert len({image.tobytes() for image in pixels.values()}) == len(Centre)


@pytest.mark.parametrize(
    "pair", [(Bone.TRAPEZIUM, Bone.TRAPEZOID), (Bone.TRAPEZIUM, Bone.METACARPAL_2), (Bone.HAMATE, Bone.METACARPAL_4)]
)
def test_bones_that_overlap_are_brighter_together_than_either_alone(
    cohort: tuple[Visit, ...], pair: tuple[Bone, Bone]
) -> None:
    gains = []
    for visit in [visit for visit in cohort if visit.scores is None][:6]:
        projection = project(visit)
        both = projection.masks.overlap(*pair)
        for bone in pair:
            # Beside the overlap, so that bones are compared where they are about as thick.
            beside = cv2.dilate(both.astype(np.uint8), np.ones((11, 11), np.uint8)) > 0
            only = beside & (projection.masks.plane == 1 << bone.channel)
            if both.any() and only.any():
                gains.append(projection.attenuation[both].mean() - projection.attenuation[only].mean())
    assert len(gains) >= 4
    assert min(gains) > 0


@pytest.mark.parametrize("score", [0, 2, 5])
def test_attenuation_is_the_sum_of_soft_tissue_and_of_the_bones_that_the_masks_show(
    cohort: tuple[Visit, ...], monkeypatch: pytest.MonkeyPatch, score: int
) -> None:
    soft: list[np.ndarray] = []
    bones: list[np.ndarray] = []  # as drawn: erosions change them in place

    def recorded(name: str, into: list[np.ndarray]) -> None:
        original = getattr(wrist, name)

        def call(*given: Any, **more: Any) -> np.ndarray:
            result: np.ndarray = original(*given, **more)
            into.append(result)
            return result.copy() if into is soft else result

        monkeypatch.setattr(wrist, name, call)

    recorded("soft_attenuation", soft)
    recorded("bone_attenuation", bones)
    scores = dict.fromkeys(Joint, score)
    # With seed 5 the bites of score 5 leave slivers of less than half a pixel, which must go too.
    whole = project(replace(_scored(cohort), seed=5, scores=scores))

    assert np.allclose(soft[0] + np.sum(bones, axis=0), whole.attenuation, atol=1e-5)
    for bone in Bone:
        added = np.sum([image for image, part in zip(bones, PARTS, strict=True) if part.bone is bone], axis=0)
        mask = whole.masks.mask(bone)
        # A pixel that is less than half bone is not in the mask, and then beside it.
        beside = cv2.dilate(mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        assert (added[mask] > 0).all(), bone
        assert not added[~beside].any(), bone


def test_the_side_of_the_body_does_not_turn_the_projection(cohort: tuple[Visit, ...]) -> None:
    for visit in cohort[:2]:
        masks = project(visit, size_px=150).masks
        across = [masks.mask(bone).nonzero()[1].mean() for bone in (Bone.METACARPAL_1, Bone.METACARPAL_5)]
        assert across == sorted(across)


def test_anatomy_stays_and_pose_changes_from_visit_to_visit(cohort: tuple[Visit, ...]) -> None:
    visit = replace(_scored(cohort), scores=None)
    first, later, stranger = (
        _areas(Phantom(draw(other).radiograph, project(other).masks))
        for other in (visit, replace(visit, study=2, phase=2), replace(visit, patient=visit.patient + 1))
    )
    assert not np.array_equal(first, later)
    assert np.abs(np.log(first / later)).max() < 0.05
    assert np.abs(np.log(first / stranger)).max() > 0.05


def test_no_collimated_picture_has_bone_where_it_is_black(cohort: tuple[Visit, ...]) -> None:
    blades = 0
    for visit in cohort[:24]:
        phantom = draw(visit, size_px=150)
        black = (phantom.radiograph.pixels == 0).all(axis=0)
        blades += black.any()
        assert not phantom.masks.plane[:, black].any()
    assert blades


def test_healthy_bones_have_no_bites_and_unscored_ones_neither(cohort: tuple[Visit, ...]) -> None:
    visit = _scored(cohort)
    unscored = draw(replace(visit, scores=None), size_px=150)
    healthy = draw(replace(visit, scores=dict.fromkeys(Joint, 0)), size_px=150)
    assert unscored.masks == healthy.masks
    assert np.array_equal(unscored.radiograph.pixels, healthy.radiograph.pixels)


def _scored(cohort: tuple[Visit, ...]) -> Visit:
    return next(visit for visit in cohort if visit.scores is not None)


def _areas(phantom: Phantom) -> np.ndarray:
    carpal = [bone for bone in Bone if not bone.name.startswith(("METACARPAL", "DISTAL"))]
    return np.array([phantom.masks.mask(bone).sum() for bone in carpal], float)
