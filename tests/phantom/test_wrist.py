from collections.abc import Callable
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest

from carpus.anatomy import OVERLAP_PAIRS, Bone, Joint, Side
from carpus.phantom import Centre, Phantom, Visit, draw, wrist
from carpus.phantom.outlines import PARTS
from carpus.phantom.projection import expose as original_expose

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
    assert areas[-1] < 0.92 * areas[0]


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


@pytest.mark.parametrize("eroded", [False, True])
def test_attenuation_adds_where_bones_overlap_and_the_masks_are_what_was_added(
    cohort: tuple[Visit, ...], monkeypatch: pytest.MonkeyPatch, eroded: bool
) -> None:
    soft: list[np.ndarray] = []
    bones: list[np.ndarray] = []  # as drawn: erosions change them in place
    total: list[np.ndarray] = []

    def recorded(name: str, into: list[np.ndarray], *, copied: bool) -> None:
        original = getattr(wrist, name)

        def call(*given: Any, **more: Any) -> np.ndarray:
            result: np.ndarray = original(*given, **more)
            into.append(result.copy() if copied else result)
            return result

        monkeypatch.setattr(wrist, name, call)

    def expose(attenuation: np.ndarray, *given: Any) -> np.ndarray:
        total.append(attenuation)
        return original_expose(attenuation, *given)

    recorded("soft_attenuation", soft, copied=True)
    recorded("bone_attenuation", bones, copied=False)
    monkeypatch.setattr(wrist, "expose", expose)
    scores = {**dict.fromkeys(Joint, 0), Joint.SCAPHOID: 2 if eroded else 0}
    masks = draw(replace(_scored(cohort), side=Side.RIGHT, scores=scores)).masks

    # What is neither skin nor bone is the uneven illumination, a plane.
    uneven = total[0] - soft[0] - np.sum(bones, axis=0)
    rows, columns = np.indices(uneven.shape) / 600
    plane = np.column_stack([np.ones(uneven.size), rows.ravel(), columns.ravel()])
    fitted = plane @ np.linalg.lstsq(plane, uneven.ravel().astype(float), rcond=None)[0]
    assert np.abs(fitted - uneven.ravel()).max() < 1e-4

    for bone in Bone:
        added = np.sum([image for image, part in zip(bones, PARTS, strict=True) if part.bone is bone], axis=0)
        if eroded and bone is Bone.SCAPHOID:
            # The edge of an erosion is blurred by a pixel: what is left outside the mask is next to it.
            beside = cv2.dilate(masks.mask(bone).astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
            assert (added[masks.mask(bone)] > 0).all()
            assert added[~beside].max() < 0.05
        else:
            assert np.array_equal(added > 0, masks.mask(bone)), bone
    overlap = masks.overlap(Bone.LUNATE, Bone.SCAPHOID)
    parts = {part.bone: image for part, image in zip(PARTS, bones, strict=True)}
    assert overlap.any()
    assert (total[0][overlap] > (soft[0] + uneven + parts[Bone.LUNATE])[overlap]).mean() > 0.99


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
