"""What a radiograph in DICOM says of itself besides its pixels: whose it is, when, which side, how it was stored."""

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pydicom

from carpus.anatomy import Side
from carpus.dicom.reader import DESCRIPTIONS, read_header, refuse_unusable, side_in_words, value_of

_AGE = re.compile(r"(\d{1,3})Y")
_KINDS = ("CR", "DX", "RG", "RF", "OT", "SC", "")


@dataclass(frozen=True)
class Acquisition:
    """What the attributes of a film say; empty or None where they say nothing.

    Attributes:
        patient: Identifier at the hospital. With `study`, `instance` and `date` it tells who it is: keep it private.
        study: UID of the study.
        instance: UID of the image.
        date: Of the study, `YYYYMMDD`.
        sex: `F` or `M`.
        age: Years.
        modality: Such as `DX`.
        sides: The sides of the body that attributes name, by attribute.
        spacing_from: The attribute that the pixel size is from.
        transfer_syntax: How the pixels were stored, in words.
        bits: Stored a pixel.
        photometric: `MONOCHROME1` or `MONOCHROME2`.
        is_synthetic: Whether the film says that it shows no patient.
        doubts: Short fixed names of what a person should look at.
    """

    patient: str
    study: str
    instance: str
    date: str
    sex: str | None
    age: int | None
    modality: str
    sides: Mapping[str, Side]
    spacing_from: str
    transfer_syntax: str
    bits: int
    photometric: str
    is_synthetic: bool
    doubts: tuple[str, ...]

    @property
    def is_radiograph(self) -> bool:
        """Whether it may be a radiograph by its modality: computed, digital, or converted."""
        return self.modality in _KINDS


def read_acquisition(path: Path) -> Acquisition:
    """What the attributes of a film say; its pixels are not decoded.

    Raises:
        InputError: As `read_dicom`, as far as that can be told before.
    """
    with warnings.catch_warnings():
        # pydicom warns of every departure from the standard; what matters here is checked.
        warnings.simplefilter("ignore")
        dataset = read_header(path)
        refuse_unusable(path, dataset)
        return Acquisition(
            patient=_text(dataset, "PatientID"),
            study=_text(dataset, "StudyInstanceUID"),
            instance=_text(dataset, "SOPInstanceUID"),
            date=_text(dataset, "StudyDate") or _text(dataset, "AcquisitionDate"),
            sex=sex if (sex := _text(dataset, "PatientSex").upper()) in ("F", "M") else None,
            age=_age(dataset),
            modality=_text(dataset, "Modality").upper(),
            sides=_sides(dataset),
            spacing_from=next((name for name in ("PixelSpacing", "ImagerPixelSpacing") if value_of(dataset, name)), ""),
            transfer_syntax=_syntax(dataset),
            bits=int(value_of(dataset, "BitsStored") or 0),
            photometric=_text(dataset, "PhotometricInterpretation"),
            is_synthetic="YES" in (_text(dataset, "SyntheticData"), _text(dataset, "QualityControlSubject")),
            doubts=tuple(_doubts(dataset)),
        )


def _text(dataset: pydicom.Dataset, name: str) -> str:
    return str(value_of(dataset, name) or "").strip()


def _age(dataset: pydicom.Dataset) -> int | None:
    if told := _AGE.fullmatch(_text(dataset, "PatientAge").upper()):
        return int(told[1])
    if re.fullmatch(r"\d{1,3}[DWM]", _text(dataset, "PatientAge").upper()):
        return int(_text(dataset, "PatientAge")[:-1]) // {"D": 365, "W": 52, "M": 12}[_text(dataset, "PatientAge")[-1]]
    born, taken = _text(dataset, "PatientBirthDate"), _text(dataset, "StudyDate")
    if re.fullmatch(r"\d{8}", born) and re.fullmatch(r"\d{8}", taken) and born <= taken:
        return int(taken[:4]) - int(born[:4]) - (taken[4:] < born[4:])
    return None


def _sides(dataset: pydicom.Dataset) -> dict[str, Side]:
    letters = {name: _text(dataset, name).upper() for name in ("ImageLaterality", "Laterality")}
    found = {name: Side(letter) for name, letter in letters.items() if letter in ("L", "R")}
    for name in DESCRIPTIONS:
        if side := side_in_words(_text(dataset, name)):
            found[name] = side
    return found


def _syntax(dataset: pydicom.Dataset) -> str:
    uid = dataset.file_meta.get("TransferSyntaxUID") if hasattr(dataset, "file_meta") else None
    return "not stated" if uid is None else str(pydicom.uid.UID(uid).name)


def _doubts(dataset: pydicom.Dataset) -> list[str]:
    doubts = []
    if _text(dataset, "BurnedInAnnotation").upper() == "YES":
        doubts.append("burned-in-text")
    if _text(dataset, "PresentationIntentType").upper() == "FOR PROCESSING":
        doubts.append("for-processing")
    if value_of(dataset, "PixelSpacing") is None and value_of(dataset, "ImagerPixelSpacing") is not None:
        doubts.append("magnified")
    return doubts
