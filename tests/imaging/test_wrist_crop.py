import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carpus.anatomy import Bone
from carpus.imaging.geometry import Box
from carpus.imaging.masks import BoneMasks
from carpus.imaging.wrist_crop import crop_box, cut, cut_masks, share_outside

FILM = np.random.default_rng(4).integers(0, 4096, (90, 70)).astype(np.uint16)


def test_a_film_of_the_crops_pixel_size_is_copied_not_resampled() -> None:
    box = crop_box((35.2, 44.7), film_mm=0.15, crop_mm=0.15, size_px=40)
    assert np.array_equal(cut(FILM, box, size_px=40), FILM[25:65, 15:55])


def test_what_lies_outside_of_the_film_is_black_and_counted() -> None:
    box = crop_box((0.0, 45.0), film_mm=0.15, crop_mm=0.15, size_px=40)
    crop = cut(FILM, box, size_px=40)
    assert not crop[:, :20].any()
    assert np.array_equal(crop[:, 20:], FILM[25:65, :20])
    assert share_outside(box, height=90, width=70) == pytest.approx(0.5)
    assert share_outside(Box(0, 0, 70, 90), height=90, width=70) == 0
    assert share_outside(Box(200, 0, 10, 10), height=90, width=70) == 1


@settings(max_examples=30)
@given(
    film_mm=st.floats(0.05, 0.4),
    x=st.floats(20, 50),
    y=st.floats(30, 60),
)
def test_bones_and_grey_values_land_in_the_same_place(film_mm: float, x: float, y: float) -> None:
    plane = np.zeros((90, 70), np.uint16)
    plane[30:60, 22:48] = 1 << Bone.LUNATE.channel
    box = crop_box((x, y), film_mm=film_mm, crop_mm=0.15, size_px=80)
    grey = cut((plane > 0).astype(np.uint16) * 1000, box, size_px=80)
    bone = cut_masks(BoneMasks(plane), box, size_px=80).mask(Bone.LUNATE)
    assert np.mean((grey > 500) != bone) < 0.02
    assert grey.max() <= 1000


def test_a_ramp_stays_a_ramp_of_the_same_values() -> None:
    ramp = np.tile(np.arange(0, 7000, 100, dtype=np.uint16), (90, 1))
    for film_mm in (0.1, 0.2, 0.3):
        box = crop_box((35.0, 45.0), film_mm=film_mm, crop_mm=0.15, size_px=20)
        crop = cut(ramp, box, size_px=20)
        expected = 100 * (box.x + (np.arange(20) + 0.5) * 0.15 / film_mm - 0.5)
        assert np.abs(crop - expected).max() <= 5  # a twentieth of a pixel
