"""A wrist crop as a DICOM image: Computed Radiography, marked as derived, and as synthetic where it is a phantom.

What the crop has lost (dates, exposure, the original's identity) is left empty, never made up.

References:
    DICOM PS3.3, A.2 (Computed Radiography Image), C.7.6.1.1.2 (derived pixels), C.12.1 (Synthetic Data).
"""

from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import pydicom
from pydicom.uid import ComputedRadiographyImageStorage, ExplicitVRLittleEndian

from carpus.dicom.reader import read_header
from carpus.errors import InputError
from carpus.files import new_file
from carpus.imaging.radiograph import Radiograph

_DERIVATION = "Wrist crop of a radiograph, resampled to 8 bits; the original and its attributes are not kept."
_PHANTOM = "PHANTOM: drawn by carpus, shows no patient."
_DEIDENTIFIED = "Released without identity; identifiers are the dataset's"
_LONGEST_TEXT = 64


@dataclass(frozen=True)
class Provenance:
    """Whose crop it is; None and empty where nothing is known.

    Attributes:
        patient: The dataset's name for the patient.
        study: The dataset's name for the visit.
        study_uid: One for all images of the visit.
        sex: `F` or `M`.
        age: Years.
        institution: Centre.
        synthetic: Whether the wrist is a phantom.
    """

    patient: str
    study: str
    study_uid: str
    sex: str | None = None
    age: int | None = None
    institution: str | None = None
    synthetic: bool = False


def new_study_uid() -> str:
    """A UID for a study that has none."""
    return str(pydicom.uid.generate_uid())


def write_crop(path: Path, radiograph: Radiograph, provenance: Provenance) -> None:
    """Writes a wrist crop of 8 bits as a derived DICOM image, losslessly.

    Args:
        path: To write.
        radiograph: The crop; its side and pixel size are written where they are known.
        provenance: Whose crop it is.

    Raises:
        InputError: Not 8 bits a pixel.
    """
    if radiograph.pixels.dtype != "uint8":
        raise InputError(f"{path} would hold {radiograph.pixels.dtype} pixels, expected 8 bits; give the crop itself")
    image = pydicom.Dataset()
    image.SpecificCharacterSet = "ISO_IR 192"
    image.SOPClassUID = ComputedRadiographyImageStorage
    image.SOPInstanceUID = pydicom.uid.generate_uid()
    _describe_patient(image, provenance)
    image.StudyInstanceUID = provenance.study_uid
    image.StudyID = provenance.study
    image.StudyDate = image.StudyTime = image.AccessionNumber = image.ReferringPhysicianName = ""
    image.Modality = "CR"
    image.SeriesInstanceUID = pydicom.uid.generate_uid()
    image.SeriesNumber = 1 if radiograph.side is None or radiograph.side.value == "R" else 2
    image.SeriesDescription = "PHANTOM wrist" if provenance.synthetic else "Wrist crop"
    image.BodyPartExamined = "WRIST"
    image.ViewPosition = ""
    image.Laterality = radiograph.side.value if radiograph.side else ""
    image.Manufacturer = image.ManufacturerModelName = "carpus"
    image.SoftwareVersions = version("carpus")
    if provenance.institution:
        image.InstitutionName = provenance.institution[:_LONGEST_TEXT]
    image.InstanceNumber = 1
    image.PatientOrientation = ""
    image.ImageType = ["DERIVED", "SECONDARY"]
    image.DerivationDescription = _PHANTOM if provenance.synthetic else _DERIVATION
    if provenance.synthetic:
        image.SyntheticData = "YES"
        image.ImageComments = _PHANTOM
    _add_pixels(image, radiograph)
    image.file_meta = pydicom.dataset.FileMetaDataset()
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    with new_file(path) as draft:
        image.save_as(draft, enforce_file_format=True)


def is_synthetic(path: Path) -> bool:
    """Whether a DICOM file says of itself that it shows no patient.

    Raises:
        InputError: Missing, or not readable.
    """
    header = read_header(path)
    return "YES" in (header.get("SyntheticData"), header.get("QualityControlSubject"))


def _describe_patient(image: pydicom.Dataset, provenance: Provenance) -> None:
    image.PatientID = f"PHANTOM-{provenance.patient}" if provenance.synthetic else provenance.patient
    image.PatientName = f"{'PHANTOM' if provenance.synthetic else 'Anonymous'}^{provenance.patient}"
    image.PatientBirthDate = ""
    image.PatientSex = provenance.sex or ""
    if provenance.age is not None:
        image.PatientAge = f"{provenance.age:03}Y"
    if provenance.synthetic:
        image.QualityControlSubject = "YES"
        return
    image.PatientIdentityRemoved = "YES"
    image.DeidentificationMethod = _DEIDENTIFIED


def _add_pixels(image: pydicom.Dataset, radiograph: Radiograph) -> None:
    image.SamplesPerPixel = 1
    image.PhotometricInterpretation = "MONOCHROME2"
    image.Rows, image.Columns = radiograph.shape
    image.BitsAllocated = image.BitsStored = 8
    image.HighBit = 7
    image.PixelRepresentation = 0
    if radiograph.spacing_mm is not None:
        image.ImagerPixelSpacing = [radiograph.spacing_mm, radiograph.spacing_mm]
    stored = radiograph.pixels.tobytes()
    image.PixelData = stored + b"\0" * (len(stored) % 2)
    image["PixelData"].VR = "OB"
