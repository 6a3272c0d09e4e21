"""CR and DX radiographs in DICOM to `Radiograph`: bone bright, pixel size and side where the file tells.

The stored values go through the modality LUT or rescale, then through a VOI LUT sequence if the file has one; a plain
window is not applied, because it would cut off grey values that the next step may want. Last, MONOCHROME1 or an
inverse presentation LUT is turned round. `decode_film` gives both ends of that chain: every grey value before the VOI,
and the film as it was meant to be looked at, with the window applied too.

References:
    DICOM PS3.3, C.11.1 (modality LUT), C.11.2 (VOI LUT), C.7.6.3.1.2 (photometric interpretation).
"""

import re
import warnings
from pathlib import Path
from textwrap import shorten
from typing import Any

import numpy as np
import pydicom
from jaxtyping import Shaped
from pydicom.pixels.processing import apply_modality_lut, apply_voi_lut, apply_windowing

from carpus.anatomy import Side
from carpus.dicom.claims import check_codestream, check_length
from carpus.errors import InputError
from carpus.imaging.files import MAX_PIXELS
from carpus.imaging.radiograph import Radiograph

_PREAMBLE = 128
_SQUARE_TOLERANCE = 0.01
_SPACING_MM = (0.01, 2.0)
_WORDS = {
    Side.LEFT: re.compile(r"\b(left|lt|links|gauche|sin|sinister)\b", re.IGNORECASE),
    Side.RIGHT: re.compile(r"\b(right|rt|rechts|droite?|dex|dexter)\b", re.IGNORECASE),
}
_AGE = re.compile(r"(\d{1,3})([DWMY])")
_A_YEAR = {"D": 365.25, "W": 52.18, "M": 12, "Y": 1}
_DATE = re.compile(r"\d{8}")
_VIEW = re.compile(r"\b(PA|AP|oblique|lateral|obl|lat)\b", re.IGNORECASE)
_OF_THE_IMAGE = ("SeriesDescription", "ProtocolName")
DESCRIPTIONS = ("SeriesDescription", "ProtocolName", "StudyDescription", "PerformedProcedureStepDescription")


def is_dicom(path: Path) -> bool:
    """Whether the file starts as a DICOM file does."""
    try:
        with path.open("rb") as file:
            return file.read(_PREAMBLE + 4)[_PREAMBLE:] == b"DICM"
    except OSError:
        return False


def read_dicom(path: Path) -> Radiograph:
    """The radiograph in a DICOM file, 8 or 16 bits, with notes on what the file left unsaid.

    Raises:
        InputError: Not DICOM, damaged, without pixels, in colour, of several frames, or too large.
    """
    with warnings.catch_warnings():
        # pydicom warns of every departure from the standard; what matters here is checked below.
        warnings.simplefilter("ignore")
        dataset = read_header(path)
        refuse_unusable(path, dataset)
        values = _modality_values(path, dataset)
        if "VOILUTSequence" in dataset:
            values = _with_voi(path, dataset, values)
        pixels = _grey(path, dataset, values)
        spacing_mm, spacing_notes = _spacing(dataset)
        side, side_notes = _side(dataset)
        notes = (*spacing_notes, *side_notes)
        return Radiograph(pixels, spacing_mm, side, path.name, notes, age_of(dataset), _view(dataset))


def decode_film(path: Path) -> tuple[Radiograph, Shaped[np.ndarray, "h w"]]:
    """The radiograph with every grey value that was stored, and its pixels as they were meant to be looked at.

    Both are bone bright, 8 or 16 bits. The first has been through the modality LUT or rescale only; the second also
    through the VOI LUT or, without one, the window. Without either they are the same.

    Raises:
        InputError: As `read_dicom`.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = read_header(path)
        refuse_unusable(path, dataset)
        values = _modality_values(path, dataset)
        pixels = _grey(path, dataset, values)
        shown = _grey(path, dataset, _with_voi(path, dataset, values))
        spacing_mm, spacing_notes = _spacing(dataset)
        side, side_notes = _side(dataset)
    return Radiograph(pixels, spacing_mm, side, path.name, (*spacing_notes, *side_notes)), shown


def read_header(path: Path) -> pydicom.Dataset:
    """The attributes of a DICOM file, its pixels not yet decoded.

    Raises:
        InputError: Missing, a folder, or not readable.
    """
    check_length(path)
    try:
        return pydicom.dcmread(path, force=True)
    except FileNotFoundError:
        raise InputError(f"{path} does not exist; check the path") from None
    except IsADirectoryError:
        raise InputError(f"{path} is a folder, expected a DICOM file") from None
    except Exception as error:
        raise InputError(f"{path} is not a readable DICOM file ({short_reason(error)}); export it again") from None


def refuse_unusable(path: Path, dataset: pydicom.Dataset) -> None:
    """Makes sure, before anything is decoded, that a file holds one grey image of a size that can be read.

    Raises:
        InputError: It does not.
    """
    try:
        if "PixelData" not in dataset and "SOPClassUID" not in dataset:
            raise InputError(f"{path} is not a readable DICOM file; export it again")
        if "PixelData" not in dataset:
            raise InputError(
                f"{path} is a DICOM file without pixels or cut short; give the whole radiograph, not a report or plan"
            )
        rows, columns = int(dataset.get("Rows") or 0), int(dataset.get("Columns") or 0)
        frames, samples = int(dataset.get("NumberOfFrames") or 1), int(dataset.get("SamplesPerPixel") or 1)
        photometric = str(dataset.get("PhotometricInterpretation", ""))
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"{path} has a damaged header ({short_reason(error)}); export it again") from None
    if rows < 1 or columns < 1:
        raise InputError(f"{path} states no image size; export it again")
    if rows * columns * frames > MAX_PIXELS:
        raise InputError(f"{path} has {columns} x {rows} x {frames} pixels, expected at most {MAX_PIXELS}")
    if frames > 1:
        raise InputError(f"{path} has {frames} frames, expected one radiograph; export a single image")
    if samples != 1 or not photometric.startswith("MONOCHROME"):
        raise InputError(f"{path} is {photometric or 'of unknown colour'}, expected a grey radiograph (MONOCHROME)")


def _modality_values(path: Path, dataset: pydicom.Dataset) -> Shaped[np.ndarray, "h w"]:
    try:
        check_codestream(path, dataset)
        values = np.asarray(apply_modality_lut(dataset.pixel_array, dataset))
    except InputError:
        raise
    except Exception as error:
        raise _undecodable(path, error) from None
    if values.ndim != 2:
        raise InputError(f"{path} has pixels of shape {values.shape}, expected one grey image")
    return values


def _with_voi(path: Path, dataset: pydicom.Dataset, values: Shaped[np.ndarray, "h w"]) -> Shaped[np.ndarray, "h w"]:
    """The values through the first VOI LUT, else through the first window, else as they are."""
    try:
        if "VOILUTSequence" in dataset:
            return np.asarray(apply_voi_lut(values, dataset, prefer_lut=True))
        if "WindowCenter" in dataset and "WindowWidth" in dataset:
            return np.asarray(apply_windowing(values, dataset))
    except Exception as error:
        raise _undecodable(path, error) from None
    return values


def _undecodable(path: Path, error: Exception) -> InputError:
    return InputError(
        f"{path} holds pixels that cannot be decoded ({short_reason(error)}); export it again, uncompressed"
    )


def _grey(path: Path, dataset: pydicom.Dataset, values: Shaped[np.ndarray, "h w"]) -> Shaped[np.ndarray, "h w"]:
    """The values with bone bright, in 8 or 16 bits: as they are where they fit, else spread over the scale."""
    low, high = float(values.min()), float(values.max())
    if not np.isfinite([low, high]).all():
        raise InputError(f"{path} has a rescale that gives values which are not finite; export it again")
    inverse = dataset.PhotometricInterpretation == "MONOCHROME1" or dataset.get("PresentationLUTShape") == "INVERSE"
    if inverse:
        values = (high + low) - values
    deep = int(dataset.get("BitsStored") or 16) > 8
    top = np.iinfo(np.uint16 if deep else np.uint8).max
    if low >= 0 and high <= top and np.array_equal(values, np.rint(values)):
        return values.astype(np.uint16 if deep else np.uint8)
    scaled = (values - low) * (top / max(high - low, 1e-9))
    grey: Shaped[np.ndarray, "h w"] = np.rint(scaled).astype(np.uint16 if deep else np.uint8)
    return grey


def _spacing(dataset: pydicom.Dataset) -> tuple[float | None, list[str]]:
    for name, note in (
        ("PixelSpacing", None),
        ("ImagerPixelSpacing", "The pixel size is that of the detector, not corrected for magnification."),
    ):
        values = _numbers(value_of(dataset, name))
        if len(values) != 2:
            continue
        row, column = values
        if not all(_SPACING_MM[0] <= value <= _SPACING_MM[1] for value in values):
            return None, [f"The file gives an impossible pixel size ({row:g} x {column:g} mm), which was not used."]
        if abs(row - column) > _SQUARE_TOLERANCE * max(values):
            return None, [f"The file's pixels are not square ({row:g} x {column:g} mm); their size was not used."]
        return row, [note] if note else []
    return None, ["The file gives no pixel size."]


def value_of(dataset: pydicom.Dataset, name: str) -> Any:
    """The value of an attribute that a film can do without: None if it is absent or damaged."""
    try:
        return dataset.get(name)
    except Exception:  # pydicom decodes on access, and damage shows as any kind of error
        return None


def text_of(dataset: pydicom.Dataset, name: str) -> str:
    """The value of an attribute as text; empty if it is absent or damaged."""
    return str(value_of(dataset, name) or "").strip()


def age_of(dataset: pydicom.Dataset) -> int | None:
    """The patient's age in whole years, as the file says or by the dates of birth and study; None if it is unknown."""
    if told := _AGE.fullmatch(text_of(dataset, "PatientAge").upper()):
        return int(int(told[1]) / _A_YEAR[told[2]])
    born, taken = text_of(dataset, "PatientBirthDate"), text_of(dataset, "StudyDate")
    if _DATE.fullmatch(born) and _DATE.fullmatch(taken) and born <= taken:
        return int(taken[:4]) - int(born[:4]) - (taken[4:] < born[4:])
    return None


def _view(dataset: pydicom.Dataset) -> str:
    """The view that the file states, or that a description names alone."""
    if stated := text_of(dataset, "ViewPosition").upper():
        return stated
    for name in _OF_THE_IMAGE:
        named = {word.upper() for word in _VIEW.findall(text_of(dataset, name))}
        if len(named) == 1:
            view: str = named.pop()
            return view
    return ""


def _numbers(value: Any) -> list[float]:
    try:
        return [float(item) for item in value] if value is not None and not isinstance(value, (str, bytes)) else []
    except (TypeError, ValueError):
        return []


def _side(dataset: pydicom.Dataset) -> tuple[Side | None, list[str]]:
    for name in ("ImageLaterality", "Laterality"):
        letter = text_of(dataset, name).upper()
        if letter in ("L", "R"):
            return Side(letter), []
    for name in DESCRIPTIONS:
        side = side_in_words(text_of(dataset, name))
        if side:
            return side, [f"The side was taken from {name}, because the file has no laterality."]
    return None, ["The file does not tell the side."]


def side_in_words(text: str) -> Side | None:
    """The side that a description names, if it names just one.

    Example:
        >>> side_in_words("XRAY RIGHT HAND")
        <Side.RIGHT: 'R'>
    """
    named = [side for side, words in _WORDS.items() if words.search(text.replace("_", " "))]
    return named[0] if len(named) == 1 else None


def short_reason(error: Exception) -> str:
    """What an error of the DICOM library says, as a part of a sentence."""
    text = shorten(str(error), width=120, placeholder=" ...")
    return text.rstrip(".") or type(error).__name__
