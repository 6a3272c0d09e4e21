import os
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from carpus.anatomy import Joint
from carpus.data import layout
from carpus.data.annotations import read_boxes
from carpus.data.case import CaseId
from carpus.data.metadata import read_metadata
from carpus.data.writer import StudyRow, write_boxes, write_metadata
from carpus.imaging.geometry import Box

CASE = CaseId.parse("0001_0001_L")


def test_masks_are_written_as_the_release_has_them(tiny: Path) -> None:
    stack = np.load(layout.bone_masks(tiny) / "train" / f"{CASE}.npy", allow_pickle=False)
    assert (stack.shape, stack.dtype) == ((14, 64, 64), np.uint8)
    assert np.unique(stack).tolist() == [0, 1]


def test_files_carry_the_spellings_of_the_release(tiny: Path) -> None:
    assert sorted(os.listdir(tiny)) == [
        "BoneSegmentation",
        "JointLocationDetection",
        "Metadata.xlsx",
        "SvdHBEScoreClassification",
    ]
    assert sorted(os.listdir(layout.erosion_folder(tiny) / "train" / str(CASE))) == [
        "DistalRadius.bmp",
        "DistalUlna.bmp",
        "Lunate.bmp",
        "Metacarpal1st.bmp",
        "Scaphoid.bmp",
        "Trapzium.bmp",
    ]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    left=st.floats(0, 60, allow_subnormal=False),
    top=st.floats(0, 60, allow_subnormal=False),
    size=st.floats(0.5, 64, allow_subnormal=False),
)
@example(left=64.0, top=0.0, size=0.525)
def test_a_box_inside_its_image_comes_back_as_it_was_without_a_problem(
    tmp_path: Path, left: float, top: float, size: float
) -> None:
    box = Box(left, top, size, size).inside(height=64, width=64)
    write_boxes(tmp_path, {CASE: ((64, 64), {Joint.LUNATE: box})})
    boxes, problems = read_boxes(layout.coco_file(tmp_path))
    assert problems == []
    assert boxes[CASE].boxes[Joint.LUNATE] == box


def test_the_metadata_table_has_the_same_bytes_for_the_same_rows(tmp_path: Path) -> None:
    rows = [StudyRow("0001", "0001", "F", 61, "HU", 1)]
    for name in ("first", "second"):
        write_metadata(tmp_path / name, rows)
    first, second = ((tmp_path / name / layout.METADATA_FILE).read_bytes() for name in ("first", "second"))
    assert first == second
    assert read_metadata(tmp_path / "first" / layout.METADATA_FILE)[1] == []


def test_the_metadata_table_does_not_say_when_it_was_written(tmp_path: Path) -> None:
    import zipfile

    write_metadata(tmp_path, [StudyRow("0001", "0001", "F", 61, "HU", 1)])
    with zipfile.ZipFile(tmp_path / layout.METADATA_FILE) as archive:
        assert {part.date_time for part in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        core = archive.read("docProps/core.xml").decode()
    assert core.count("1980-01-01T00:00:00Z") == 2
