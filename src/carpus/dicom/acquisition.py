"""What a radiograph in DICOM says of itself besides its pixels: whose it is, when, which side, how it was stored."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pydicom

from carpus.anatomy import Side
from carpus.dicom.reader import (
    DESCRIPTIONS,
    age_of,
    read_header,
    refuse_unusable,
    side_in_words,
    text_of,
    value_of,
)

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
            patient=text_of(dataset, "PatientID"),
            study=text_of(dataset, "StudyInstanceUID"),
            instance=text_of(dataset, "SOPInstanceUID"),
            date=text_of(dataset, "StudyDate") or text_of(dataset, "AcquisitionDate"),
            sex=sex if (sex := text_of(dataset, "PatientSex").upper()) in ("F", "M") else None,
            age=age_of(dataset),
            modality=text_of(dataset, "Modality").upper(),
            sides=_sides(dataset),
            spacing_from=next((name for name in ("PixelSpacing", "ImagerPixelSpacing") if value_of(dataset, name)), ""),
            transfer_syntax=_syntax(dataset),
            bits=int(value_of(dataset, "BitsStored") or 0),
            photometric=text_of(dataset, "PhotometricInterpretation"),
            is_synthetic="YES" in (text_of(dataset, "SyntheticData"), text_of(dataset, "QualityControlSubject")),
            doubts=tuple(_doubts(dataset)),
        )


def _sides(dataset: pydicom.Dataset) -> dict[str, Side]:
    letters = {name: text_of(dataset, name).upper() for name in ("ImageLaterality", "Laterality")}
    found = {name: Side(letter) for name, letter in letters.items() if letter in ("L", "R")}
    for name in DESCRIPTIONS:
        if side := side_in_words(text_of(dataset, name)):
            found[name] = side
    return found


def _syntax(dataset: pydicom.Dataset) -> str:
    uid = dataset.file_meta.get("TransferSyntaxUID") if hasattr(dataset, "file_meta") else None
    return "not stated" if uid is None else str(pydicom.uid.UID(uid).name)


def _doubts(dataset: pydicom.Dataset) -> list[str]:
    doubts = []
    if text_of(dataset, "BurnedInAnnotation").upper() == "YES":
        doubts.append("burned-in-text")
    if text_of(dataset, "PresentationIntentType").upper() == "FOR PROCESSING":
        doubts.append("for-processing")
    if value_of(dataset, "PixelSpacing") is None and value_of(dataset, "ImagerPixelSpacing") is not None:
        doubts.append("magnified")
    return doubts
