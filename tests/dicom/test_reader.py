from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian, generate_uid

from carpus.anatomy import Side
from carpus.dicom.reader import is_dicom, read_dicom, side_in_words
from carpus.errors import InputError

FILM = Path(__file__).parents[2] / "examples" / "hand-right-pa.dcm"
GREY = np.arange(12, dtype=np.uint16).reshape(3, 4) * 300

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a small radiograph; keywords set or, with None, leave out attributes."""

    def write(pixels: np.ndarray = GREY, **attributes: Any) -> Path:
        dataset = Dataset()
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset.file_meta.MediaStorageSOPClassUID = DigitalXRayImageStorageForPresentation
        dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        bits = 8 * pixels.dtype.itemsize
        usual = {
            "SOPClassUID": DigitalXRayImageStorageForPresentation,
            "SOPInstanceUID": dataset.file_meta.MediaStorageSOPInstanceUID,
            "Rows": pixels.shape[0],
            "Columns": pixels.shape[1],
            "SamplesPerPixel": 1,
            "PhotometricInterpretation": "MONOCHROME2",
            "BitsAllocated": bits,
            "BitsStored": 12 if bits == 16 else 8,
            "HighBit": 11 if bits == 16 else 7,
            "PixelRepresentation": int(np.issubdtype(pixels.dtype, np.signedinteger)),
            "PixelData": pixels.tobytes(),
        }
        for name, value in {**usual, **attributes}.items():
            if value is not None:
                setattr(dataset, name, value)
        dataset["PixelData"].VR = "OW" if bits == 16 else "OB"
        path = tmp_path / "film.dcm"
        dataset.save_as(path, enforce_file_format=True)
        return path

    return write


def test_the_example_is_a_right_hand_of_an_adult_with_bright_bone() -> None:
    film = read_dicom(FILM)
    assert film.shape == (2500, 2048)
    assert film.pixels.dtype == np.uint16
    assert film.spacing_mm == pytest.approx(0.115)
    assert film.side is Side.RIGHT
    assert film.notes == ("The side was taken from ProtocolName, because the file has no laterality.",)
    radius, beside_the_hand = film.pixels[2350:2400, 1050:1150], film.pixels[1100:1200, 150:250]
    assert radius.min() > 1.5 * beside_the_hand.max()


def test_the_example_says_its_view_and_age() -> None:
    film = read_dicom(FILM)
    assert (film.view, film.age) == ("PA", 111)


@pytest.mark.parametrize(
    ("attributes", "age"),
    [
        ({}, None),
        ({"PatientAge": "043Y"}, 43),
        ({"PatientAge": "018M"}, 1),
        ({"PatientAge": "104W"}, 1),
        ({"PatientAge": "400D"}, 1),
        ({"PatientBirthDate": "20010515", "StudyDate": "20190514"}, 17),
        ({"PatientBirthDate": "20010515", "StudyDate": "20190515"}, 18),
        ({"PatientBirthDate": "20010515"}, None),
    ],
)
def test_the_age_is_as_stated_or_by_the_dates(write: Write, attributes: dict[str, str], age: int | None) -> None:
    assert read_dicom(write(**attributes)).age == age


@pytest.mark.parametrize(
    ("attributes", "view"),
    [
        ({}, ""),
        ({"ViewPosition": "LL", "SeriesDescription": "Hand PA"}, "LL"),
        ({"SeriesDescription": "HAND OBLIQUE"}, "OBLIQUE"),
        ({"SeriesDescription": "hand pa/lat"}, ""),
        ({"SeriesDescription": "bilateral hands", "ProtocolName": "Hand PA"}, "PA"),
    ],
)
def test_the_view_is_as_stated_or_the_only_one_described(write: Write, attributes: dict[str, str], view: str) -> None:
    assert read_dicom(write(**attributes)).view == view


def test_stored_values_come_out_as_they_are(write: Write) -> None:
    film = read_dicom(write())
    assert np.array_equal(film.pixels, GREY)
    assert film.pixels.dtype == np.uint16
    assert film.source == "film.dcm"
    shallow = read_dicom(write((GREY // 16).astype(np.uint8)))
    assert shallow.pixels.dtype == np.uint8
    assert np.array_equal(shallow.pixels, GREY // 16)


@pytest.mark.parametrize("inverse", [{"PhotometricInterpretation": "MONOCHROME1"}, {"PresentationLUTShape": "INVERSE"}])
def test_a_film_with_dark_bone_is_turned_round(write: Write, inverse: dict[str, str]) -> None:
    assert np.array_equal(read_dicom(write(**inverse)).pixels, GREY.max() - GREY)


def test_monochrome1_with_its_own_inverse_lut_shape_is_turned_round_once(write: Write) -> None:
    path = write(PhotometricInterpretation="MONOCHROME1", PresentationLUTShape="INVERSE")
    assert np.array_equal(read_dicom(path).pixels, GREY.max() - GREY)


def test_the_rescale_is_applied(write: Write) -> None:
    assert np.array_equal(read_dicom(write(RescaleSlope=2, RescaleIntercept=100)).pixels, 2 * GREY + 100)


def test_values_that_become_negative_or_broken_are_spread_over_the_grey_scale(write: Write) -> None:
    for rescale in ({"RescaleSlope": 1, "RescaleIntercept": -1000}, {"RescaleSlope": 0.011, "RescaleIntercept": 0}):
        pixels = read_dicom(write(**rescale)).pixels
        assert (pixels.min(), pixels.max()) == (0, 65535)
        assert np.all(np.diff(pixels.ravel().astype(int)) > 0)


def test_a_rescale_that_gives_no_numbers_is_refused(write: Write) -> None:
    with pytest.raises(
        InputError, match=r"film\.dcm has a rescale that gives values which are not finite; export it again"
    ):
        read_dicom(write(RescaleSlope="1e308", RescaleIntercept="0"))


def test_signed_pixels_keep_their_order(write: Write) -> None:
    pixels = read_dicom(write(GREY.astype(np.int16) // 2 - 1000)).pixels
    assert np.all(np.diff(pixels.ravel().astype(int)) > 0)


@pytest.mark.parametrize("name", ["ModalityLUTSequence", "VOILUTSequence"])
def test_a_lookup_table_is_applied(write: Write, name: str) -> None:
    table = Dataset()
    table.add_new("LUTDescriptor", "US", [4, 0, 16])
    table.add_new("LUTData", "US", [7, 70, 700, 7000])
    if name == "ModalityLUTSequence":
        table.ModalityLUTType = "US"
    stored = np.array([[0, 1], [2, 3]], np.uint16)
    assert read_dicom(write(stored, **{name: [table]})).pixels.tolist() == [[7, 70], [700, 7000]]


def test_a_plain_window_is_not_applied_so_that_nothing_is_cut_off(write: Write) -> None:
    assert np.array_equal(read_dicom(write(WindowCenter=500, WindowWidth=100)).pixels, GREY)


def test_pixel_spacing_comes_before_the_detectors(write: Write) -> None:
    film = read_dicom(write(PixelSpacing=[0.15, 0.15], ImagerPixelSpacing=[0.2, 0.2]))
    assert film.spacing_mm == pytest.approx(0.15)
    assert not any("pixel size" in note for note in film.notes)


def test_the_detectors_spacing_is_used_with_a_note(write: Write) -> None:
    film = read_dicom(write(ImagerPixelSpacing=[0.2, 0.2]))
    assert film.spacing_mm == pytest.approx(0.2)
    assert "The pixel size is that of the detector, not corrected for magnification." in film.notes


@pytest.mark.parametrize(
    ("spacing", "note"),
    [
        (None, "The file gives no pixel size."),
        ([0, 0], "The file gives an impossible pixel size (0 x 0 mm), which was not used."),
        ([-0.1, -0.1], "The file gives an impossible pixel size (-0.1 x -0.1 mm), which was not used."),
        ([30, 30], "The file gives an impossible pixel size (30 x 30 mm), which was not used."),
        ([0.1, 0.2], "The file's pixels are not square (0.1 x 0.2 mm); their size was not used."),
        ([0.1], "The file gives no pixel size."),
    ],
)
def test_a_spacing_that_cannot_be_used_is_unknown_with_a_note(
    write: Write, spacing: list[float] | None, note: str
) -> None:
    film = read_dicom(write(PixelSpacing=spacing))
    assert film.spacing_mm is None
    assert note in film.notes


@pytest.mark.parametrize(
    ("attributes", "side"),
    [
        ({"ImageLaterality": "L"}, Side.LEFT),
        ({"Laterality": "R"}, Side.RIGHT),
        ({"ImageLaterality": "R", "Laterality": "L"}, Side.RIGHT),
        ({"Laterality": "L", "SeriesDescription": "RIGHT HAND"}, Side.LEFT),
        ({"SeriesDescription": "Hand PA rt"}, Side.RIGHT),
        ({"ProtocolName": "HAND_LINKS_DP"}, Side.LEFT),
        ({"StudyDescription": "Poignet droit"}, Side.RIGHT),
        ({"ImageLaterality": "B", "SeriesDescription": "left wrist"}, Side.LEFT),
        ({"SeriesDescription": "Hand left and right"}, None),
        ({"SeriesDescription": "bright wrist, sinus, upright"}, None),
        ({}, None),
    ],
)
def test_the_side_comes_from_the_laterality_and_else_from_words(
    write: Write, attributes: dict[str, str], side: Side | None
) -> None:
    film = read_dicom(write(**attributes))
    assert film.side is side
    told = any("has no laterality" in note for note in film.notes)
    assert told == (side is not None and attributes.get("ImageLaterality", attributes.get("Laterality")) in (None, "B"))
    assert ("The file does not tell the side." in film.notes) == (side is None)


def test_words_tell_a_side_only_if_they_name_just_one() -> None:
    assert side_in_words("Hand sin. PA") is Side.LEFT
    assert side_in_words("0001_LT_hand") is Side.LEFT
    assert side_in_words("left right") is side_in_words("") is None


@pytest.mark.parametrize(
    ("attributes", "sentence"),
    [
        ({"NumberOfFrames": 2}, "has 2 frames, expected one radiograph"),
        (
            {"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB", "PlanarConfiguration": 0},
            "is RGB, expected a grey",
        ),
        ({"PhotometricInterpretation": "PALETTE COLOR"}, "is PALETTE COLOR, expected a grey radiograph"),
        ({"PhotometricInterpretation": None}, "is of unknown colour, expected a grey radiograph"),
        ({"Rows": 0}, "states no image size"),
        ({"Rows": 65535, "Columns": 65535}, "has 65535 x 65535 x 1 pixels, expected at most 100000000"),
        ({"Rows": 4}, "holds pixels that cannot be decoded"),
        ({"BitsAllocated": 7}, "holds pixels that cannot be decoded"),
    ],
)
def test_what_is_no_single_grey_radiograph_is_refused_in_one_sentence(
    write: Write, attributes: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(InputError) as caught:
        read_dicom(write(**attributes))
    message = str(caught.value)
    assert f"film.dcm {sentence}" in message
    assert "\n" not in message
    assert len(message) < 400


def test_a_claimed_huge_size_is_refused_before_anything_is_decoded(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: list[Dataset] = []
    monkeypatch.setattr(Dataset, "pixel_array", property(decoded.append))
    with pytest.raises(InputError, match="expected at most"):
        read_dicom(write(Rows=65535, Columns=65535))
    with pytest.raises(InputError, match="expected at most"):
        read_dicom(write(NumberOfFrames=100_000_000))
    assert not decoded


def test_a_file_without_pixels_is_refused(write: Write) -> None:
    path = write()
    whole = path.read_bytes()
    path.write_bytes(whole[: whole.index(b"\xe0\x7f\x10\x00")])
    with pytest.raises(InputError, match=r"film\.dcm is a DICOM file without pixels or cut short; give the whole"):
        read_dicom(path)


@pytest.mark.parametrize("left", [0.999, 0.5, 0.1])
def test_truncated_pixels_are_refused(write: Write, left: float) -> None:
    path = write(np.zeros((100, 100), np.uint16))
    whole = path.read_bytes()
    start = whole.index(b"\xe0\x7f\x10\x00")
    path.write_bytes(whole[: start + int(left * (len(whole) - start))])
    with pytest.raises(
        InputError, match=r"film\.dcm holds pixels that cannot be decoded .*; export it again, uncompressed"
    ):
        read_dicom(path)


def test_a_film_cut_short_is_refused_quietly(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "cut.dcm"
    path.write_bytes(FILM.read_bytes()[:5000])
    with pytest.raises(InputError, match=r"cut\.dcm is not a readable DICOM file; export it again"):
        read_dicom(path)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("content", [b"", b"hello", bytes(range(256)) * 20, b"\x00" * 128 + b"DICM" + b"\xff" * 500])
def test_garbage_is_refused_as_no_dicom(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.dcm"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"x\.dcm is not a readable DICOM file"):
        read_dicom(path)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        read_dicom(tmp_path / "none.dcm")
    with pytest.raises(InputError, match="is a folder"):
        read_dicom(tmp_path)


def test_a_spacing_that_is_no_number_is_unknown(write: Write) -> None:
    path = write(PixelSpacing=[0.15, 0.15])
    path.write_bytes(path.read_bytes().replace(b"0.15\\0.15", b"o.15\\o.15"))
    film = read_dicom(path)
    assert film.spacing_mm is None
    assert "The file gives no pixel size." in film.notes


def test_a_damaged_laterality_is_none(write: Write) -> None:
    path = write(Laterality="L")
    path.write_bytes(path.read_bytes().replace(b"\x20\x00\x60\x00CS", b"\x20\x00\x60\x00CA"))
    assert read_dicom(path).side is None


def test_dicom_is_known_by_its_content(write: Write, tmp_path: Path) -> None:
    assert is_dicom(write())
    assert not is_dicom(tmp_path)
    assert not is_dicom(tmp_path / "none")
    (tmp_path / "short").write_bytes(b"DICM")
    assert not is_dicom(tmp_path / "short")
