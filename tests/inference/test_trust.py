"""What speaks against a reading, and that nothing does on a healthy adult's film."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from carpus.anatomy import Bone
from carpus.errors import InputError
from carpus.imaging import BoneMasks, Radiograph
from carpus.inference.atlas import place_bones
from carpus.inference.film import read_film
from carpus.inference.model import load_model
from carpus.inference.outline import OutlinedWrist, outline_wrist
from carpus.inference.reading import read_radiograph
from carpus.inference.trust import doubts, joint_space_mm, refuse_child, refuse_no_adult_wrist
from carpus.inference.weights import bundled_weights

EXAMPLE = Path(__file__).parents[2] / "examples" / "hand-right-pa.dcm"


@pytest.fixture(scope="module")
def wrist() -> OutlinedWrist:
    return outline_wrist(read_film(EXAMPLE), bones=load_model(bundled_weights("bones"), task="bones"))


def _with_masks(wrist: OutlinedWrist, stack: np.ndarray) -> OutlinedWrist:
    masks = BoneMasks.from_stack(stack)
    return replace(wrist, masks=masks, placement=place_bones(masks, spacing_mm=0.15, thumb_left=wrist.thumb_left))


def _only(found: Sequence[str], what: str) -> None:
    assert len(found) == 1
    assert what in found[0]


def test_nothing_speaks_against_a_healthy_adults_film(wrist: OutlinedWrist) -> None:
    refuse_no_adult_wrist(wrist)
    assert doubts(wrist) == ()


def test_a_child_by_the_file_is_refused_and_a_youth_doubted(wrist: OutlinedWrist) -> None:
    refuse_child(replace(wrist.film, age=14))
    with pytest.raises(InputError, match="of a child aged 13"):
        refuse_child(replace(wrist.film, age=13))
    _only(doubts(replace(wrist, film=replace(wrist.film, age=17))), "17 years")
    assert doubts(replace(wrist, film=replace(wrist.film, age=18))) == ()


def test_a_childs_file_is_refused_before_anything_is_looked_for() -> None:
    blank_of_a_child = Radiograph(np.zeros((64, 64), np.uint8), age=9)
    bones, erosion = (load_model(bundled_weights(task), task=task) for task in ("bones", "erosion"))
    with pytest.raises(InputError, match="of a child aged 9"):
        read_radiograph(blank_of_a_child, bones=bones, erosion=erosion)


@pytest.mark.parametrize(("view", "doubted"), [("PA", False), ("AP", False), ("LL", True), ("OBLIQUE", True)])
def test_another_view_by_the_file_is_doubted(wrist: OutlinedWrist, view: str, doubted: bool) -> None:
    found = doubts(replace(wrist, film=replace(wrist.film, view=view)))
    assert [f"view is {view};" in doubt for doubt in found] == ([True] if doubted else [])


def test_a_carpal_bone_astray_is_doubted_but_refused_where_the_network_is_unsure_too(wrist: OutlinedWrist) -> None:
    stack = wrist.masks.stack()
    stack[Bone.TRAPEZOID.channel] = stack[Bone.DISTAL_ULNA.channel]
    astray = _with_masks(wrist, stack)
    assert Bone.TRAPEZOID not in astray.placement.in_place
    refuse_no_adult_wrist(astray)
    _only(doubts(astray), "trapezoid")
    refuse_no_adult_wrist(replace(wrist, confidence=0.8))
    with pytest.raises(InputError, match=r"6 of 7 of the carpus, and the network is unsure of its outlines \(0\.80\)"):
        refuse_no_adult_wrist(replace(astray, confidence=0.8))


def test_bones_that_lie_anyhow_are_no_wrist(wrist: OutlinedWrist) -> None:
    shuffled = wrist.masks.stack()[np.random.default_rng(0).permutation(len(Bone))]
    with pytest.raises(InputError, match="no adult's wrist"):
        refuse_no_adult_wrist(_with_masks(wrist, shuffled))


def test_a_bone_astray_is_named(wrist: OutlinedWrist) -> None:
    stack = wrist.masks.stack()
    stack[Bone.LUNATE.channel] = np.roll(stack[Bone.LUNATE.channel], 130, axis=0)
    assert any("usual wrist: lunate." in doubt for doubt in doubts(_with_masks(wrist, stack)))


def test_a_long_bone_that_the_film_cuts_off_is_not_astray(wrist: OutlinedWrist) -> None:
    top = int(wrist.box.y + wrist.box.height * 0.32)
    film = replace(wrist.film, pixels=np.ascontiguousarray(wrist.film.pixels[top:]))
    box = replace(wrist.box, y=wrist.box.y - top)
    shown = ((np.arange(600) + 0.5) * box.height / 600 + box.y > 0)[:, None]
    seen = replace(_with_masks(wrist, wrist.masks.stack() & shown), film=film, box=box)
    assert Bone.METACARPAL_3 not in seen.placement.in_place
    assert doubts(seen) == ()


def test_a_wrist_too_small_for_an_adult_is_doubted_only_if_the_film_has_a_scale(wrist: OutlinedWrist) -> None:
    small = replace(wrist, placement=replace(wrist.placement, size=0.7))
    _only(doubts(small), "0.70 times as large")
    assert doubts(replace(small, film=replace(small.film, spacing_mm=None))) == ()


@pytest.mark.parametrize(("left", "right", "doubted"), [(0, 0, False), (700, 700, False), (1500, 0, True)])
def test_a_wrist_in_one_half_of_a_wide_film_may_be_one_of_two(
    wrist: OutlinedWrist, left: int, right: int, doubted: bool
) -> None:
    film = replace(wrist.film, pixels=np.pad(wrist.film.pixels, ((0, 0), (left, right))))
    found = doubts(replace(wrist, film=film, box=replace(wrist.box, x=wrist.box.x + left)))
    assert any("--two-hands" in doubt for doubt in found) is doubted


def test_a_leaning_wrist_is_doubted(wrist: OutlinedWrist) -> None:
    _only(doubts(replace(wrist, placement=replace(wrist.placement, turn_degrees=-35.0))), "leans by -35")


def test_carpal_bones_cut_off_by_the_film_are_named(wrist: OutlinedWrist) -> None:
    middle = wrist.box.centre
    film = replace(wrist.film, pixels=np.ascontiguousarray(wrist.film.pixels[:, int(middle[0]) :]))
    box = replace(wrist.box, x=wrist.box.x - int(middle[0]))
    shown = (np.arange(600) + 0.5) * box.width / 600 + box.x > 0
    seen = _with_masks(wrist, wrist.masks.stack() & shown)
    (cut,) = [doubt for doubt in doubts(replace(seen, film=film, box=box)) if "film's border" in doubt]
    assert "capitate" in cut
    assert "triquetrum" not in cut


@pytest.mark.parametrize("thick", [8, 20])
def test_metal_is_seen(wrist: OutlinedWrist, thick: int) -> None:
    # A plate in the radius makes everything else dark, as the window follows it.
    pixels = (wrist.pixels * 0.4).astype(np.uint8)
    ys, xs = np.nonzero(wrist.masks.mask(Bone.DISTAL_RADIUS))
    start = (int(xs.mean()), int(ys.min()) + 20)
    cv2.line(pixels, start, (start[0] + 20, int(ys.max()) - 10), 250, thick)
    _only(doubts(replace(wrist, pixels=pixels)), "metal")


def test_bones_without_any_space_between_them_may_be_fused(wrist: OutlinedWrist) -> None:
    space = joint_space_mm(wrist.masks)
    assert space is not None
    assert 0.1 < space < 2
    grown = [cv2.dilate(mask.astype(np.uint8), np.ones((15, 15), np.uint8)) > 0 for mask in wrist.masks.stack()]
    fused = _with_masks(wrist, np.stack(grown))
    assert joint_space_mm(fused.masks) == pytest.approx(0, abs=0.03)
    assert any("fused" in doubt for doubt in doubts(fused))
    assert joint_space_mm(BoneMasks.empty(height=9, width=9)) is None


def test_an_unsure_network_is_doubted(wrist: OutlinedWrist) -> None:
    _only(doubts(replace(wrist, confidence=0.5)), "0.50")


def test_a_wrist_with_three_carpal_bones_astray_is_no_adults(wrist: OutlinedWrist) -> None:
    stack = wrist.masks.stack()
    for bone in (Bone.HAMATE, Bone.TRAPEZIUM, Bone.TRAPEZOID):
        stack[bone.channel] = False
    with pytest.raises(InputError, match="11 of 14 bones lie as they should, 4 of 7"):
        refuse_no_adult_wrist(_with_masks(wrist, stack))
