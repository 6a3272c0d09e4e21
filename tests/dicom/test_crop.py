from pathlib import Path

import numpy as np
import pydicom
import pytest

from carpus.anatomy import Side
from carpus.dicom.crop import Provenance, is_synthetic, new_study_uid, write_crop
from carpus.dicom.reader import read_dicom
from carpus.errors import InputError
from carpus.imaging.radiograph import Radiograph

PIXELS = np.random.default_rng(3).integers(0, 256, (21, 13)).astype(np.uint8)

REQUIRED = [
    "SOPClassUID",
    "SOPInstanceUID",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "Modality",
    "ImageType",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "Rows",
    "Columns",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "PixelData",
]
"""Type 1 in the modules that PS3.3 A.2 makes mandatory for Computed Radiography; they must have a value."""

PRESENT = [
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyDate",
    "StudyTime",
    "ReferringPhysicianName",
    "StudyID",
    "AccessionNumber",
    "SeriesNumber",
    "Laterality",
    "BodyPartExamined",
    "ViewPosition",
    "Manufacturer",
    "InstanceNumber",
    "PatientOrientation",
]
"""Type 2 there; they must be present and may be empty."""


def provenance(**more: object) -> Provenance:
    return Provenance("0035", "0001", new_study_uid(), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("synthetic", [False, True])
def test_a_crop_comes_back_with_every_pixel_its_side_and_its_size(tmp_path: Path, synthetic: bool) -> None:
    write_crop(tmp_path / "a.dcm", Radiograph(PIXELS, 0.15, Side.LEFT), provenance(synthetic=synthetic))
    read = read_dicom(tmp_path / "a.dcm")
    assert np.array_equal(read.pixels, PIXELS)
    assert read.pixels.dtype == np.uint8
    assert (read.spacing_mm, read.side) == (0.15, Side.LEFT)
    assert is_synthetic(tmp_path / "a.dcm") is synthetic


def test_what_the_standard_demands_is_there(tmp_path: Path) -> None:
    write_crop(tmp_path / "a.dcm", Radiograph(PIXELS), provenance())
    image = pydicom.dcmread(tmp_path / "a.dcm")
    assert [name for name in REQUIRED if not image.get(name) and image.get(name) != 0] == []
    assert [name for name in PRESENT if name not in image] == []
    assert image.file_meta.MediaStorageSOPInstanceUID == image.SOPInstanceUID


def test_what_is_not_known_is_not_made_up(tmp_path: Path) -> None:
    write_crop(tmp_path / "a.dcm", Radiograph(PIXELS), provenance())
    image = pydicom.dcmread(tmp_path / "a.dcm")
    for name in ("PixelSpacing", "ImagerPixelSpacing", "PatientAge", "InstitutionName", "SyntheticData"):
        assert name not in image
    assert not image.StudyDate
    assert not image.Laterality


def test_more_than_8_bits_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected 8 bits"):
        write_crop(tmp_path / "a.dcm", Radiograph(PIXELS.astype(np.uint16)), provenance())
    assert list(tmp_path.iterdir()) == []
