from pathlib import Path

import highdicom as hd
import numpy as np
import pydicom
import pytest
from pydicom.sr.coding import Code
from pydicom.uid import generate_uid

from carpus.anatomy import Bone
from carpus.dicom.segmentation import read_segmentation, write_segmentation
from carpus.errors import InputError
from carpus.imaging import BoneMasks

HEIGHT, WIDTH = 21, 13
CHANCE = np.random.default_rng(4)
BONE = Code("272673000", "SCT", "Bone")


def segmentation(
    path: Path, film: Path, pixels: np.ndarray, labels: list[str], types: list[Code] | None = None, kind: str = "BINARY"
) -> Path:
    descriptions = [
        hd.seg.SegmentDescription(number, label, Code("123037004", "SCT", "Anatomical Structure"), type_, "MANUAL")
        for number, (label, type_) in enumerate(zip(labels, types or [BONE] * len(labels), strict=True), 1)
    ]
    made = hd.seg.Segmentation(
        [pydicom.dcmread(film)], pixels, kind, descriptions, generate_uid(), 1, generate_uid(), 1, "m", "m", "1", "1"
    )
    made.save_as(path)
    return path


def stack(*empty: Bone) -> np.ndarray:
    drawn = CHANCE.random((14, HEIGHT, WIDTH)) < 0.4
    for bone in empty:
        drawn[bone.channel] = False
    return drawn


def test_writing_and_reading_loses_nothing(tmp_path: Path, film: Path) -> None:
    masks = BoneMasks.from_stack(stack(Bone.LUNATE))
    write_segmentation(tmp_path / "seg.dcm", masks, film=film, algorithm="Unet")
    assert read_segmentation(tmp_path / "seg.dcm") == masks
    dataset = pydicom.dcmread(tmp_path / "seg.dcm")
    assert dataset.PatientID == pydicom.dcmread(film).PatientID
    assert len(dataset.SegmentSequence) == 13


def test_what_highdicom_reads_is_what_was_written(tmp_path: Path, film: Path) -> None:
    masks = BoneMasks.from_stack(stack())
    write_segmentation(tmp_path / "seg.dcm", masks, film=film, algorithm=None)
    read = hd.seg.segread(tmp_path / "seg.dcm").get_pixels_by_source_instance([pydicom.dcmread(film).SOPInstanceUID])
    assert np.array_equal(np.moveaxis(read[0], -1, 0), masks.stack())


def test_fractions_count_from_one_half_on(tmp_path: Path, film: Path) -> None:
    fractions = np.zeros((1, HEIGHT, WIDTH, 1))
    fractions[0, 0, :4, 0] = 0.2, 0.49, 0.51, 1
    path = segmentation(tmp_path / "seg.dcm", film, fractions, ["Lunate"], kind="FRACTIONAL")
    assert read_segmentation(path).mask(Bone.LUNATE)[0, :4].tolist() == [False, False, True, True]
    assert int(read_segmentation(path).mask(Bone.LUNATE).sum()) == 2


def test_a_label_map_is_read(tmp_path: Path, film: Path) -> None:
    labels = CHANCE.integers(0, 3, (1, HEIGHT, WIDTH)).astype(np.uint8)
    path = segmentation(tmp_path / "seg.dcm", film, labels, ["Cap", "Radius"], kind="LABELMAP")
    masks = read_segmentation(path)
    assert np.array_equal(masks.mask(Bone.CAPITATE), labels[0] == 1)
    assert np.array_equal(masks.mask(Bone.DISTAL_RADIUS), labels[0] == 2)


@pytest.mark.parametrize(
    ("label", "type_", "bone"),
    [
        ("MC1", BONE, Bone.METACARPAL_1),
        ("Trapzium", BONE, Bone.TRAPEZIUM),
        ("Left lunate bone", BONE, Bone.LUNATE),
        ("Segment 1", Code("1", "99X", "Bone structure of capitate (body structure)"), Bone.CAPITATE),
        ("Segment 1", Code("30518006", "SCT", "Os scaphoideum"), Bone.SCAPHOID),
    ],
)
def test_a_segment_is_a_bone_by_label_meaning_or_code(
    tmp_path: Path, film: Path, label: str, type_: Code, bone: Bone
) -> None:
    pixels = np.ones((1, HEIGHT, WIDTH, 1), bool)
    path = segmentation(tmp_path / "seg.dcm", film, pixels, [label], [type_])
    assert read_segmentation(path).mask(bone).all()


def test_a_segment_that_is_no_bone_is_refused_and_named(tmp_path: Path, film: Path) -> None:
    path = segmentation(tmp_path / "seg.dcm", film, np.ones((1, HEIGHT, WIDTH, 1), bool), ["Soft tissue"])
    with pytest.raises(InputError, match=r"seg.dcm has the segment 'Soft tissue', which is no known bone"):
        read_segmentation(path)


def test_what_is_no_segmentation_is_refused(tmp_path: Path, film: Path) -> None:
    with pytest.raises(InputError, match=r"film.dcm is no DICOM Segmentation"):
        read_segmentation(film)
    (tmp_path / "text.dcm").write_text("hello")
    with pytest.raises(InputError, match=r"text.dcm is no DICOM Segmentation|not a readable DICOM"):
        read_segmentation(tmp_path / "text.dcm")
    with pytest.raises(InputError, match="does not exist"):
        read_segmentation(tmp_path / "none.dcm")


def changed(path: Path, **attributes: object) -> Path:
    dataset = pydicom.dcmread(path)
    for name, value in attributes.items():
        setattr(dataset, name, value)
    dataset.save_as(path)
    return path


def test_damage_and_huge_sizes_are_refused(tmp_path: Path, film: Path) -> None:
    def fresh() -> Path:
        write_segmentation(tmp_path / "seg.dcm", BoneMasks.from_stack(stack()), film=film, algorithm=None)
        return tmp_path / "seg.dcm"

    for attributes, said in (
        ({"Rows": 60000, "Columns": 60000}, "claims 60000 x 60000 pixels"),
        ({"NumberOfFrames": 10**6}, "has 1000000 frames, expected one a bone"),
        ({"Rows": 5000, "Columns": 5000}, "is a Segmentation that cannot be read"),
        ({"PixelData": b"\0\0"}, "is a Segmentation that cannot be read"),
        ({"PerFrameFunctionalGroupsSequence": []}, "is a Segmentation that cannot be read"),
    ):
        with pytest.raises(InputError, match=f"seg.dcm {said}"):
            read_segmentation(changed(fresh(), **attributes))
    path = fresh()
    frames = pydicom.dcmread(path).PerFrameFunctionalGroupsSequence
    frames[1] = frames[0]
    with pytest.raises(InputError, match="has a segment in several frames"):
        read_segmentation(changed(path, PerFrameFunctionalGroupsSequence=frames))
    path = fresh()
    path.write_bytes(path.read_bytes()[:-300])
    with pytest.raises(InputError, match=r"seg.dcm"):
        read_segmentation(path)


def test_masks_of_another_size_and_empty_ones_are_not_written(tmp_path: Path, film: Path) -> None:
    with pytest.raises(InputError, match=r"masks are \(3, 3\) but .*film.dcm is \(21, 13\)"):
        write_segmentation(tmp_path / "s.dcm", BoneMasks.empty(height=3, width=3), film=film, algorithm=None)
    with pytest.raises(InputError, match="hold no bone"):
        write_segmentation(tmp_path / "s.dcm", BoneMasks.empty(height=HEIGHT, width=WIDTH), film=film, algorithm=None)
    assert not (tmp_path / "s.dcm").exists()
