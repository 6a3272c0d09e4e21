"""A file to a radiograph, whatever its format."""

import re
from dataclasses import replace
from pathlib import Path

from carpus.anatomy import Side
from carpus.dicom.reader import is_dicom, read_dicom, side_in_words
from carpus.imaging.files import read_grey
from carpus.imaging.halves import Half, half_of
from carpus.imaging.radiograph import Radiograph

_DICOM_SUFFIXES = {".dcm", ".dicom", ".ima"}
_LETTER = re.compile(r"_(L|R)$", re.IGNORECASE)


def read_film(path: Path, *, half: Half | None = None) -> Radiograph:
    """The radiograph in a DICOM, PNG, BMP, JPEG or TIFF file, or one half of it.

    DICOM is known by its content, or by its suffix where the content lacks the usual start. For other files the side
    is taken from the file name, such as `hand-left.png` or `0035_0001_L.bmp`.

    Raises:
        InputError: Missing, damaged, not a grey radiograph, or too narrow for two halves.
    """
    film = read_dicom(path) if is_dicom_film(path) else _read_image(path)
    return half_of(film, half) if half else film


def _read_image(path: Path) -> Radiograph:
    radiograph = Radiograph(read_grey(path), source=path.name)
    notes = ["The file gives no pixel size."]
    side = side_in_name(path.stem)
    notes.append("The side was taken from the file name." if side else "The file does not tell the side.")
    return replace(radiograph, side=side, notes=tuple(notes))


def is_dicom_film(path: Path) -> bool:
    """Whether a file is to be read as DICOM: by its content, or by its suffix."""
    return is_dicom(path) or (path.is_file() and path.suffix.lower() in _DICOM_SUFFIXES)


def side_in_name(stem: str) -> Side | None:
    """The side that a file's name tells, if it tells just one.

    Example:
        >>> side_in_name("hand-left"), side_in_name("0035_0001_R"), side_in_name("hand")
        (<Side.LEFT: 'L'>, <Side.RIGHT: 'R'>, None)
    """
    letter = _LETTER.search(stem)
    return Side(letter[1].upper()) if letter else side_in_words(re.sub(r"[-_.]", " ", stem))
