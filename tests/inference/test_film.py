from pathlib import Path

import numpy as np
import pytest

from carpus.anatomy import Side
from carpus.errors import InputError
from carpus.imaging.files import write_grey
from carpus.inference.film import read_film

FILM = Path(__file__).parents[2] / "examples" / "hand-right-pa.dcm"
GREY = np.random.default_rng(1).integers(0, 256, (20, 30), np.uint8)


@pytest.mark.parametrize("name", ["film.png", "film.bmp", "film.tif"])
def test_an_image_file_is_read_as_it_is(tmp_path: Path, name: str) -> None:
    write_grey(tmp_path / name, GREY)
    film = read_film(tmp_path / name)
    assert np.array_equal(film.pixels, GREY)
    assert film.spacing_mm is None
    assert film.source == name
    assert film.notes == ("The file gives no pixel size.", "The file does not tell the side.")


@pytest.mark.parametrize(
    ("name", "side"),
    [
        ("hand-left.png", Side.LEFT),
        ("Hand_RT_PA.bmp", Side.RIGHT),
        ("0035_0001_L.bmp", Side.LEFT),
        ("0035_0001_r.bmp", Side.RIGHT),
        ("main.droite.png", Side.RIGHT),
        ("left-and-right.png", None),
        ("cleft-brightness.png", None),
        ("L_0035.png", None),
    ],
)
def test_the_side_comes_from_the_file_name(tmp_path: Path, name: str, side: Side | None) -> None:
    write_grey(tmp_path / name, GREY)
    film = read_film(tmp_path / name)
    assert film.side is side
    expected = "The side was taken from the file name." if side else "The file does not tell the side."
    assert expected in film.notes


@pytest.mark.parametrize("name", ["IM0001", "film.png", "x.dcm"])
def test_dicom_is_known_by_its_content_whatever_its_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).symlink_to(FILM)
    film = read_film(tmp_path / name)
    assert film.shape == (2500, 2048)
    assert film.side is Side.RIGHT


@pytest.mark.parametrize("name", ["x.dcm", "x.DICOM", "x.ima"])
def test_what_is_called_dicom_and_is_not_is_refused_as_dicom(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"hello")
    with pytest.raises(InputError, match="is not a readable DICOM file"):
        read_film(tmp_path / name)


@pytest.mark.parametrize("name", ["none.dcm", "none.png"])
def test_a_missing_file_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=rf"{name} does not exist; check the path"):
        read_film(tmp_path / name)


def test_a_folder_and_text_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a folder"):
        read_film(tmp_path)
    (tmp_path / "notes.txt").write_text("left hand")
    with pytest.raises(InputError, match=r"notes\.txt is not an image that can be read"):
        read_film(tmp_path / "notes.txt")
