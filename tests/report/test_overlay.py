import numpy as np
import pytest
from jaxtyping import UInt8

from carpus.anatomy import Bone
from carpus.errors import InputError
from carpus.imaging import BoneMasks, Box
from carpus.report.overlay import (
    BONE_COLOURS,
    PREDICTED_COLOUR,
    draw_box,
    draw_overlay,
)

GREY = np.full((256, 256), 100, np.uint8)


def has_colour(picture: UInt8[np.ndarray, "h w 3"], colour: tuple[int, int, int]) -> bool:
    return bool((np.abs(picture.astype(int) - colour).max(axis=-1) < 16).any())


def test_nothing_is_drawn_where_no_bone_is(masks: BoneMasks) -> None:
    picture = draw_overlay(GREY, masks, labels=False)
    assert picture.shape == (256, 256, 3)
    # An outline drawn smoothly touches the pixels beside it.
    beside = np.lib.stride_tricks.sliding_window_view(np.pad(masks.plane, 1), (3, 3)).any(axis=(2, 3))
    assert (picture[~beside] == 100).all()


def test_every_bone_is_tinted_and_outlined_in_its_colour(masks: BoneMasks) -> None:
    for bone in Bone:
        alone = np.zeros((14, 256, 256), bool)
        alone[bone.channel] = masks.mask(bone)
        picture = draw_overlay(GREY, BoneMasks.from_stack(alone), labels=False)
        assert has_colour(picture, BONE_COLOURS[bone])
        inside = picture[masks.mask(bone)].astype(float).mean(axis=0) - 100
        assert np.corrcoef(inside, np.subtract(BONE_COLOURS[bone], 100))[0, 1] > 0.95


def test_the_radiograph_stays_visible_under_the_bones(masks: BoneMasks) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (256, 256), np.uint8)
    picture = draw_overlay(pixels, masks, labels=False).mean(axis=-1)
    inside = masks.mask(Bone.DISTAL_RADIUS)
    assert np.corrcoef(picture[inside], pixels[inside])[0, 1] > 0.9


def test_two_overlapping_bones_are_tinted_by_both() -> None:
    stack = np.zeros((14, 60, 60), bool)
    stack[Bone.LUNATE.channel, 5:55, 5:35] = True
    stack[Bone.SCAPHOID.channel, 5:55, 25:55] = True
    picture = draw_overlay(np.zeros((60, 60), np.uint8), BoneMasks.from_stack(stack), labels=False)
    left, both, right = (picture[30, x].astype(float) for x in (15, 30, 45))
    assert both == pytest.approx((left + right) / 2, abs=1)


def test_labels_write_on_the_bones_only_if_wanted(masks: BoneMasks) -> None:
    with_names, without = draw_overlay(GREY, masks), draw_overlay(GREY, masks, labels=False)
    differs = (with_names != without).any(axis=-1)
    assert has_colour(with_names, (255, 255, 255))
    assert all((differs & masks.mask(bone)).any() for bone in Bone)


@pytest.mark.parametrize(("rows", "columns"), [((80, 120), (0, 8)), ((197, 200), (80, 120)), ((0, 3), (192, 200))])
def test_a_bone_at_the_border_keeps_its_whole_name_inside(rows: tuple[int, int], columns: tuple[int, int]) -> None:
    def name_pixels(rows: tuple[int, int], columns: tuple[int, int]) -> int:
        stack = np.zeros((14, 200, 200), bool)
        stack[Bone.DISTAL_ULNA.channel, slice(*rows), slice(*columns)] = True
        picture = draw_overlay(np.zeros((200, 200), np.uint8), BoneMasks.from_stack(stack))
        return int((picture.min(axis=-1) > 200).sum())

    assert name_pixels(rows, columns) == pytest.approx(name_pixels((80, 120), (80, 120)), rel=0.1)


def test_16_bits_are_shown_from_darkest_to_brightest() -> None:
    deep = (np.arange(256 * 256).reshape(256, 256) % 4096).astype(np.uint16)
    nothing = BoneMasks.empty(height=256, width=256)
    picture = draw_overlay(deep, nothing)
    assert (picture.min(), picture.max()) == (0, 255)


def test_masks_of_another_size_are_refused(masks: BoneMasks) -> None:
    small = np.zeros((128, 128), np.uint8)
    with pytest.raises(InputError, match="resize the masks"):
        draw_overlay(small, masks)


def test_every_bone_has_a_colour_of_its_own() -> None:
    assert list(BONE_COLOURS) == list(Bone)
    assert len(set(BONE_COLOURS.values())) == len(Bone)


def test_a_box_is_drawn_where_it_is() -> None:
    picture = draw_box(np.random.default_rng(0).integers(0, 256, (300, 300), np.uint8), Box(50, 80, 100, 60))
    assert tuple(picture[80, 100]) == tuple(picture[140, 100]) == PREDICTED_COLOUR
    assert tuple(picture[110, 50]) == tuple(picture[110, 150]) == PREDICTED_COLOUR
    assert tuple(picture[110, 100]) != PREDICTED_COLOUR
