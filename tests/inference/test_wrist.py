from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import matplotlib
import numpy as np
import pytest
from PIL import Image

from carpus.anatomy import Side
from carpus.errors import InputError
from carpus.imaging.geometry import resize
from carpus.imaging.radiograph import Radiograph
from carpus.imaging.wrist_crop import WRIST_MM
from carpus.inference.film import read_film
from carpus.inference.wrist import Wrist, find_wrist, fingers_up
from carpus.phantom import draw, plan_cohort

FILM = Path(__file__).parents[2] / "examples" / "hand-right-pa.dcm"

CAPITATE = (1063.0, 1957.0)
"""The middle of the capitate on the example, by eye, in pixels; 0.115 mm each."""

NEAR_MM = 12.0
"""The carpus reaches some 25 mm from its middle, and the box 45 mm."""


@pytest.fixture(scope="session")
def film() -> Radiograph:
    """The example, at half of its size to be quick."""
    whole = read_film(FILM)
    height, width = whole.shape
    pixels = resize(whole.pixels, height=height // 2, width=width // 2)
    return replace(whole, pixels=pixels, spacing_mm=0.23)


def test_the_wrist_is_found_on_a_film_of_a_whole_hand(film: Radiograph) -> None:
    wrist = find_wrist(film)
    assert _off_mm(wrist) < NEAR_MM
    assert wrist.box.width == wrist.box.height == pytest.approx(WRIST_MM / 0.23)
    assert wrist.thumb_left is True
    assert not wrist.is_crop
    assert wrist.notes == ()


def test_a_film_of_full_size_gives_the_same_place(film: Radiograph) -> None:
    assert find_wrist(read_film(FILM)).box.centre == pytest.approx(find_wrist(film).box.scaled(2).centre, abs=10)


def test_a_mirrored_film_gives_the_mirrored_wrist(film: Radiograph) -> None:
    wrist, mirrored = find_wrist(film), find_wrist(film.mirrored())
    assert mirrored.box.mirrored(film.shape[1]).centre == pytest.approx(wrist.box.centre, abs=8)
    assert mirrored.thumb_left is False


def test_an_unknown_pixel_size_is_estimated_from_the_palm(film: Radiograph) -> None:
    wrist = find_wrist(replace(film, spacing_mm=None))
    assert wrist.box.width == pytest.approx(WRIST_MM / 0.23, rel=0.15)
    assert _off_mm(wrist) < NEAR_MM
    (note,) = wrist.notes
    assert note.startswith("The pixel size was estimated as 0.2")


def _noisy(pixels: np.ndarray) -> np.ndarray:
    return np.clip(pixels + np.random.default_rng(1).normal(0, 200, pixels.shape), 0, 4095)


def _dark(pixels: np.ndarray) -> np.ndarray:
    return 4095 * (pixels / 4095.0) ** 2


def _pale(pixels: np.ndarray) -> np.ndarray:
    return 4095 * (pixels / 4095.0) ** 0.5


def _windowed(pixels: np.ndarray) -> np.ndarray:
    return np.clip((pixels - 600.0) / 1600, 0, 1) * 255


def _lit_from_below(pixels: np.ndarray) -> np.ndarray:
    return pixels + np.linspace(0, 600, len(pixels))[:, None]


def _lit_from_the_left(pixels: np.ndarray) -> np.ndarray:
    return pixels + np.linspace(600, 0, pixels.shape[1])


@pytest.mark.parametrize("change", [_noisy, _dark, _pale, _windowed, _lit_from_below, _lit_from_the_left])
def test_noise_window_and_lighting_do_not_move_the_wrist(
    film: Radiograph, change: Callable[[np.ndarray], np.ndarray]
) -> None:
    wrist = find_wrist(replace(film, pixels=change(film.pixels).astype(np.uint16)))
    assert _off_mm(wrist) < NEAR_MM
    assert wrist.thumb_left is True


@pytest.mark.parametrize(
    "border", [((100, 100), (100, 100)), ((0, 150), (0, 0)), ((150, 0), (0, 0)), ((0, 0), (40, 200))]
)
@pytest.mark.parametrize("grey", [0, 4095])
def test_a_blank_border_does_not_move_the_wrist(
    film: Radiograph, border: tuple[tuple[int, int], tuple[int, int]], grey: int
) -> None:
    framed = replace(film, pixels=np.pad(film.pixels, border, constant_values=grey))
    wrist = find_wrist(framed)
    assert _off_mm(wrist, moved=(border[1][0], border[0][0])) < NEAR_MM
    assert wrist.thumb_left is True


def test_a_noisy_border_below_the_forearm_does_not_hide_the_hand(film: Radiograph) -> None:
    framed = np.pad(film.pixels, 100) + np.random.default_rng(1).uniform(0, 80, np.add(film.shape, 200))
    wrist = find_wrist(replace(film, pixels=framed.astype(np.uint16)))
    assert _off_mm(wrist, moved=(100, 100)) < NEAR_MM


@pytest.mark.parametrize(
    ("rows", "what"), [(slice(None, -175), "forearm"), (slice(450, None), "fingers"), (slice(300, -100), "both")]
)
def test_a_short_forearm_or_cut_off_fingers_do_not_matter(film: Radiograph, rows: slice, what: str) -> None:
    wrist = find_wrist(replace(film, pixels=film.pixels[rows], source=what))
    assert _off_mm(wrist, moved=(0, -(rows.start or 0))) < NEAR_MM
    assert wrist.thumb_left is True


@pytest.mark.parametrize(("quarters", "to"), [(1, "to the left"), (2, "down"), (3, "to the right")])
@pytest.mark.parametrize("spacing_mm", [0.23, None])
def test_fingers_that_do_not_point_up_are_refused_until_the_film_is_turned(
    film: Radiograph, quarters: int, to: str, spacing_mm: float | None
) -> None:
    lying = replace(film, pixels=np.ascontiguousarray(np.rot90(film.pixels, quarters)), spacing_mm=spacing_mm)
    with pytest.raises(InputError, match=f"shows fingers that point {to}; give a film of one hand .* fingers up"):
        find_wrist(lying)
    turned = fingers_up(lying)
    assert np.array_equal(turned.pixels, film.pixels)
    degrees = 180 if quarters == 2 else 90
    assert turned.notes[-1] == f"The film was turned by {degrees} degrees, so that the fingers point up."
    assert turned.side is Side.RIGHT


def test_a_film_with_its_fingers_up_or_without_a_hand_is_not_turned(film: Radiograph) -> None:
    assert fingers_up(film) is film
    blank = Radiograph(np.zeros((300, 300), np.uint8))
    assert fingers_up(blank) is blank


FINGERS = (-70, -25, -8, 10, 30)
"""Of a right hand in degrees to the right of upright, from the thumb to the little finger."""


@pytest.mark.parametrize("lean", [0, -40, 40])
def test_a_drawn_hand_is_found_wherever_it_lies(lean: int) -> None:
    wrist = find_wrist(_limb(digits=FINGERS, lean=lean))
    x, y = wrist.box.centre
    assert (x - 300, y - 500) == pytest.approx((-30 * np.sin(np.radians(lean)), 30 * np.cos(np.radians(lean))), abs=4)
    assert wrist.thumb_left is True
    assert find_wrist(_limb(digits=[-angle for angle in FINGERS], lean=lean)).thumb_left is False


@pytest.mark.parametrize(
    "digits",
    [(-60, -30, 0, 30, 60), (-60, -45, 5, 20, 40), (-40, -20, 0, 45)],
    ids=["evenly spread", "apart in the middle", "four, so that the gap may be the little finger's"],
)
def test_a_thumb_that_cannot_be_told_leaves_the_side_open(digits: tuple[int, ...]) -> None:
    assert find_wrist(_limb(digits=digits)).thumb_left is None


@pytest.mark.parametrize(
    "digits", [(-30, -15, 0, 15, 30), (-90, 0, 90), (-50, 50), ()], ids=["foot", "cross", "fork", "stump"]
)
def test_a_limb_that_is_no_hand_is_refused(digits: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="shows no hand that can be recognised"):
        find_wrist(_limb(digits=digits))


def test_two_hands_on_a_film_are_refused(film: Radiograph) -> None:
    both = replace(film, pixels=np.hstack([film.mirrored().pixels, film.pixels]))
    with pytest.raises(InputError, match="shows two hands; read it with --two-hands, or cut it in two"):
        find_wrist(both)


@pytest.mark.parametrize(("spacing_mm", "breadth"), [(0.12, "4[0-9]"), (0.4, "1[0-9][0-9]")])
def test_a_hand_that_no_adult_has_is_refused(film: Radiograph, spacing_mm: float, breadth: str) -> None:
    with pytest.raises(InputError, match=f"a palm {breadth} mm broad, expected an adult hand"):
        find_wrist(replace(film, spacing_mm=spacing_mm))


@pytest.mark.parametrize(
    ("spacing_mm", "note"), [(0.15, "The film shows the wrist alone"), (None, "The film was taken for a wrist alone")]
)
def test_phantoms_are_wrists_alone(spacing_mm: float | None, note: str) -> None:
    for visit in plan_cohort(patients=8, seed=1)[::5]:
        phantom = replace(draw(visit).radiograph, spacing_mm=spacing_mm)
        wrist = find_wrist(phantom)
        assert wrist.is_crop
        assert (wrist.box.x, wrist.box.y, wrist.box.width, wrist.box.height) == (0, 0, 600, 600)
        assert wrist.thumb_left is None
        assert wrist.notes[0].startswith(note)
        assert fingers_up(phantom) is phantom


def test_a_wrist_alone_that_is_not_square_is_read_whole() -> None:
    phantom = draw(plan_cohort(patients=8, seed=1)[0]).radiograph.pixels
    wrist = find_wrist(Radiograph(np.ascontiguousarray(phantom[50:-50])))
    assert (wrist.box.x, wrist.box.y, wrist.box.width, wrist.box.height) == (0, -50, 600, 600)


def test_tissue_that_runs_off_on_all_sides_or_hardly_at_all_is_no_wrist() -> None:
    bar = np.zeros((600, 600), np.uint8)
    bar[:, 200:400] = np.linspace(250, 200, 600)[:, None]
    assert find_wrist(Radiograph(bar, 0.15)).is_crop
    narrow = bar.copy()
    narrow[:, 260:] = 0
    for pixels in (np.maximum(bar, bar.T), narrow):
        with pytest.raises(InputError, match="shows no wrist that can be recognised"):
            find_wrist(Radiograph(pixels, 0.15))


def test_a_blank_film_is_refused() -> None:
    for spacing_mm in (None, 0.15):
        with pytest.raises(InputError, match=r"^the film has one grey value only"):
            find_wrist(Radiograph(np.full((600, 600), 7, np.uint8), spacing_mm))
    with pytest.raises(InputError, match=r"^blank\.png has one grey value only"):
        find_wrist(Radiograph(np.zeros((1, 1), np.uint8), source="blank.png"))


@pytest.mark.parametrize("spacing_mm", [None, 0.15, 0.4])
@pytest.mark.parametrize("size", [600, 2000])
def test_noise_and_photographs_are_refused(size: int, spacing_mm: float | None) -> None:
    with Image.open(Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg") as image:
        photograph = resize(np.asarray(image.convert("L")), height=size, width=round(size * 512 / 600))
    noise = np.random.default_rng(1).integers(0, 256, (size, size), np.uint8)
    for pixels in (photograph, noise):
        with pytest.raises(InputError, match=r"^the film shows no (hand|wrist) that can be recognised; give a film"):
            find_wrist(Radiograph(pixels, spacing_mm))


@pytest.mark.parametrize("shape", [(1, 900), (900, 1), (3, 3), (2, 700)])
def test_tiny_images_are_refused(shape: tuple[int, int]) -> None:
    film = Radiograph(np.random.default_rng(1).integers(0, 256, shape, np.uint8))
    with pytest.raises(InputError, match="give a film of one hand"):
        find_wrist(film)


def _limb(*, digits: Sequence[float], lean: float = 0) -> Radiograph:
    """A palm of 43 mm around (300, 500) with a forearm, and digits in degrees to the right of upright; 1 mm a pixel."""
    tissue = np.zeros((900, 600), np.uint8)
    palm = np.array([300.0, 500.0])
    cv2.circle(tissue, (300, 500), 43, 255, -1)
    for angle, length, breadth in [(180.0, 900, 55), *((digit, 120 - abs(digit) / 3, 17) for digit in digits)]:
        away = np.array([np.sin(np.radians(angle + lean)), -np.cos(np.radians(angle + lean))])
        tip = tuple(int(place) for place in np.rint(palm + length * away))
        cv2.line(tissue, (300, 500), tip, 255, breadth)
    return Radiograph(cv2.GaussianBlur(tissue, (0, 0), 1.0), 1.0)


def _off_mm(wrist: Wrist, *, moved: tuple[float, float] = (0, 0)) -> float:
    """From the capitate, on the example at half of its size that was moved by some pixels."""
    x, y = wrist.box.centre
    return float(np.hypot(x - moved[0] - CAPITATE[0] / 2, y - moved[1] - CAPITATE[1] / 2) * 0.23)
