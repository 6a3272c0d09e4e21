from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from carpus.anatomy import Side
from carpus.dicom.reader import read_dicom
from carpus.imaging.side_marker import find_side_marker

EXAMPLE = Path(__file__).parents[2] / "examples" / "hand-right-pa.dcm"
CENTRE = (480, 160)


def film(letter: str, *, angle: float = 0.0, mirrored: bool = False, size: int = 44) -> np.ndarray:
    """A grey film with a slope of brightness and a bright bar, as a bone, and a letter beside it."""
    rows = np.linspace(20, 60, 900)[:, None] + np.zeros((1, 700))
    rows[400:860, 200:320] = 150 + 40 * np.sin(np.arange(460) / 3)[:, None]
    glyph = Image.new("L", (120, 120))
    ImageDraw.Draw(glyph).text((40, 30), letter, fill=255, font=ImageFont.load_default(size))
    if mirrored:
        glyph = glyph.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    drawn = np.asarray(glyph.rotate(angle, resample=Image.Resampling.BILINEAR)).astype(float)
    x, y = CENTRE[0] - 60, CENTRE[1] - 60
    rows[y : y + 120, x : x + 120] = np.maximum(rows[y : y + 120, x : x + 120], 0.85 * drawn)
    return rows.astype(np.uint8)


@pytest.mark.parametrize("angle", [0, 37, 90, 180, 250])
@pytest.mark.parametrize("letter", ["R", "L"])
def test_a_letter_is_read_at_any_angle_and_where_it_is(letter: str, angle: float) -> None:
    found = find_side_marker(film(letter, angle=angle))
    assert found is not None
    assert (found.side, found.is_mirrored) == (Side(letter), False)
    assert np.hypot(found.centre[0] - CENTRE[0], found.centre[1] - CENTRE[1]) < 30
    assert 0.78 <= found.likeness <= 1.001


@pytest.mark.parametrize("letter", ["R", "L"])
def test_a_letter_that_stands_mirrored_says_so(letter: str) -> None:
    found = find_side_marker(film(letter, angle=20, mirrored=True))
    assert found is not None
    assert (found.side, found.is_mirrored) == (Side(letter), True)


def test_sixteen_bits_and_a_large_film_read_the_same() -> None:
    large = np.kron(film("R").astype(np.uint16) * 16, np.ones((3, 3), np.uint16))
    found = find_side_marker(large)
    assert found is not None
    assert found.side is Side.RIGHT
    assert found.centre == pytest.approx([3 * value for value in CENTRE], abs=60)


@pytest.mark.parametrize("text", ["", "A", "P", "B", "7", "I", "V", "T"])
def test_nothing_else_is_taken_for_a_side(text: str) -> None:
    assert find_side_marker(film(text)) is None


def test_two_letters_that_disagree_say_nothing() -> None:
    both = np.hstack([film("R"), film("L")])
    assert find_side_marker(both) is None


def test_an_image_of_one_grey_value_has_no_letter() -> None:
    assert find_side_marker(np.full((300, 200), 7, np.uint8)) is None


def test_the_letter_on_a_real_film_is_read() -> None:
    found = find_side_marker(read_dicom(EXAMPLE).pixels)
    assert found is not None
    assert (found.side, found.is_mirrored) == (Side.RIGHT, False)
