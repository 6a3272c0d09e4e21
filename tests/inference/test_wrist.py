from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from PIL import Image

from carpus.errors import InputError
from carpus.imaging.geometry import resize
from carpus.imaging.radiograph import Radiograph
from carpus.inference.film import read_film
from carpus.inference.wrist import BOX_MM, Wrist, find_wrist
from carpus.phantom import draw, plan_cohort

CARPUS = (1063.0, 1957.0)
"""The middle of the carpus on the example, by eye, in pixels; 0.115 mm each."""

NEAR_MM = 12.0
"""The carpus reaches some 25 mm from its middle, and the box 45 mm."""


@pytest.fixture(scope="session")
def film() -> Radiograph:
    """The example, at half of its size to be quick."""
    whole = read_film(Path(__file__).parents[2] / "examples" / "hand-right-pa.dcm")
    height, width = whole.shape
    pixels = resize(whole.pixels, height=height // 2, width=width // 2)
    return replace(whole, pixels=pixels, spacing_mm=0.23)


def test_the_wrist_is_found_on_a_film_of_a_whole_hand(film: Radiograph) -> None:
    wrist = find_wrist(film)
    assert _off_mm(wrist, film) < NEAR_MM
    assert wrist.box.width == wrist.box.height == pytest.approx(BOX_MM / 0.23)
    assert wrist.thumb_left is True
    assert not wrist.is_crop
    assert wrist.notes == ()


def test_a_film_of_full_size_gives_the_same_place(film: Radiograph) -> None:
    whole = read_film(Path(__file__).parents[2] / "examples" / "hand-right-pa.dcm")
    assert find_wrist(whole).box.centre == pytest.approx(find_wrist(film).box.scaled(2).centre, abs=10)


def test_a_mirrored_film_gives_the_mirrored_wrist(film: Radiograph) -> None:
    wrist, mirrored = find_wrist(film), find_wrist(film.mirrored())
    assert mirrored.box.mirrored(film.shape[1]).centre == pytest.approx(wrist.box.centre, abs=8)
    assert mirrored.thumb_left is False


def test_an_unknown_pixel_size_is_estimated_from_the_palm(film: Radiograph) -> None:
    wrist = find_wrist(replace(film, spacing_mm=None))
    assert wrist.box.width == pytest.approx(BOX_MM / 0.23, rel=0.15)
    assert _off_mm(wrist, film) < NEAR_MM
    (note,) = wrist.notes
    assert note.startswith("The pixel size was estimated as 0.2")


def _noisy(pixels: np.ndarray) -> np.ndarray:
    return np.clip(pixels + np.random.default_rng(1).normal(0, 200, pixels.shape), 0, 4095)


def _dark(pixels: np.ndarray) -> np.ndarray:
    return 4095 * (pixels / 4095.0) ** 1.7


def _pale(pixels: np.ndarray) -> np.ndarray:
    return 4095 * (pixels / 4095.0) ** 0.6


def _windowed(pixels: np.ndarray) -> np.ndarray:
    return np.clip((pixels - 1000.0) / 2000, 0, 1) * 255


@pytest.mark.parametrize("change", [_noisy, _dark, _pale, _windowed])
def test_noise_and_windowing_do_not_move_the_wrist(
    film: Radiograph, change: Callable[[np.ndarray], np.ndarray]
) -> None:
    wrist = find_wrist(replace(film, pixels=change(film.pixels).astype(np.uint16)))
    assert _off_mm(wrist, film) < NEAR_MM
    assert wrist.thumb_left is True


@pytest.mark.parametrize(
    "border", [((100, 100), (100, 100)), ((0, 150), (0, 0)), ((150, 0), (0, 0)), ((0, 0), (40, 200))]
)
@pytest.mark.parametrize("grey", [0, 4095])
def test_a_blank_border_does_not_move_the_wrist(
    film: Radiograph, border: tuple[tuple[int, int], tuple[int, int]], grey: int
) -> None:
    framed = replace(film, pixels=np.pad(film.pixels, border, constant_values=grey))
    wrist, plain = find_wrist(framed), find_wrist(film)
    x, y = plain.box.centre
    assert wrist.box.centre == pytest.approx((x + border[1][0], y + border[0][0]), abs=16)
    assert wrist.thumb_left is True


@pytest.mark.parametrize(("quarters", "edge"), [(1, "right"), (2, "top"), (3, "left")])
@pytest.mark.parametrize("spacing_mm", [0.23, None])
def test_a_film_that_lies_on_its_side_is_refused(
    film: Radiograph, quarters: int, edge: str, spacing_mm: float | None
) -> None:
    turned = replace(film, pixels=np.ascontiguousarray(np.rot90(film.pixels, quarters)), spacing_mm=spacing_mm)
    with pytest.raises(InputError, match=f"leaves the film at the {edge}; give a film of one hand .* fingers up"):
        find_wrist(turned)


@pytest.mark.parametrize(("spacing_mm", "breadth"), [(0.12, "3[0-9]"), (0.5, "1[0-9][0-9]")])
def test_a_hand_that_no_adult_has_is_refused(film: Radiograph, spacing_mm: float, breadth: str) -> None:
    with pytest.raises(InputError, match=f"a palm {breadth} mm broad, expected an adult hand"):
        find_wrist(replace(film, spacing_mm=spacing_mm))


def test_a_phantom_of_known_scale_is_a_wrist_alone() -> None:
    phantom = draw(plan_cohort(patients=8, seed=1)[0]).radiograph
    wrist = find_wrist(phantom)
    assert wrist.is_crop
    assert (wrist.box.x, wrist.box.y, wrist.box.width, wrist.box.height) == (0, 0, 600, 600)
    assert wrist.thumb_left is None
    assert wrist.notes == ("The film shows the wrist alone; all of it was read.",)


def test_a_blank_film_is_refused() -> None:
    for spacing_mm in (None, 0.15):
        with pytest.raises(InputError, match=r"^the film has one grey value only"):
            find_wrist(Radiograph(np.full((600, 600), 7, np.uint8), spacing_mm))
    with pytest.raises(InputError, match=r"^blank\.png has one grey value only"):
        find_wrist(Radiograph(np.zeros((1, 1), np.uint8), source="blank.png"))


def test_a_large_image_without_a_hand_is_refused_and_a_small_one_is_left_to_the_bones() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (2000, 1500), np.uint8)
    photograph = _photograph()
    enlarged = resize(photograph, height=1800, width=1536)
    for pixels in (noise, enlarged):
        with pytest.raises(InputError, match=r"^the film shows .*; give a film of one hand"):
            find_wrist(Radiograph(pixels))
    for pixels in (noise[:600, :500], photograph):
        wrist = find_wrist(Radiograph(pixels))
        assert wrist.is_crop
        assert wrist.notes == ("No whole hand was seen, so the film was taken for a wrist alone.",)


def test_a_photograph_of_known_scale_and_a_long_strip_are_refused() -> None:
    for film in (Radiograph(_photograph(), 0.4), Radiograph(_photograph()[:, :200])):
        with pytest.raises(InputError, match="give a film of one hand"):
            find_wrist(film)


@pytest.mark.parametrize("shape", [(1, 900), (900, 1), (3, 3), (2, 700)])
def test_tiny_images_do_not_break_it(shape: tuple[int, int]) -> None:
    film = Radiograph(np.random.default_rng(1).integers(0, 256, shape, np.uint8))
    try:
        wrist = find_wrist(film)
    except InputError:
        return  # either answer is right
    assert wrist.is_crop


def _photograph() -> np.ndarray:
    path = Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"
    with Image.open(path) as image:
        return np.asarray(image.convert("L"))


def _off_mm(wrist: Wrist, film: Radiograph) -> float:
    scale = film.shape[0] / 2500
    x, y = wrist.box.centre
    return float(np.hypot(x / scale - CARPUS[0], y / scale - CARPUS[1]) * 0.115)
