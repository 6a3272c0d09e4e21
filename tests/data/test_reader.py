import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from carpus.anatomy import Joint, Side
from carpus.data import layout
from carpus.data.case import CaseId
from carpus.data.layout import Split
from carpus.data.reader import is_phantom, read_dataset, read_mask_file, read_masks, read_radiograph, read_roi
from carpus.errors import InputError
from carpus.imaging.geometry import crop

CASE = "0001_0001_L"


def rewrite(path: Path, change: Callable[[Any], Any]) -> None:
    path.write_text(json.dumps(change(json.loads(path.read_text()))))


def test_what_is_written_is_read_bit_for_bit(tiny: Path, written: dict[CaseId, Any]) -> None:
    dataset = read_dataset(tiny)
    assert [case.id for case in dataset.cases] == sorted(written)
    for case in dataset.cases:
        truth = written[case.id]
        assert np.array_equal(read_radiograph(case).pixels, truth.radiograph.pixels)
        assert read_masks(case) == truth.masks
        assert (case.boxes, case.scores) == (truth.boxes, truth.scores)
        assert (case.bone_split, case.erosion_split) == (truth.split, truth.split)
        for joint in Joint:
            assert np.array_equal(read_roi(case, joint), crop(truth.radiograph.pixels, truth.boxes[joint]))


def test_a_case_knows_its_person_and_its_pixel_size(tiny: Path) -> None:
    case = read_dataset(tiny).cases[2]
    radiograph = read_radiograph(case)
    assert (case.institution, case.age, case.sex, case.phase) == ("HMCRD", 42, "F", 1)
    assert (radiograph.spacing_mm, radiograph.side, radiograph.source) == (0.15, Side.LEFT, "0002_0001_L")


def test_the_digital_hand_atlas_has_no_known_pixel_size(tiny: Path) -> None:
    import pandas as pd

    table = pd.read_excel(tiny / layout.METADATA_FILE, dtype=str)
    table.assign(institution="DHA").to_excel(tiny / layout.METADATA_FILE, index=False)
    assert read_radiograph(read_dataset(tiny).cases[0]).spacing_mm is None


def test_every_variant_of_the_layout_reads_the_same(
    tiny: Path, written: dict[CaseId, Any], variant: Callable[[Path], object]
) -> None:
    variant(tiny)
    cases = read_dataset(tiny).cases
    assert [case.id for case in cases] == sorted(written)
    for case in cases:
        assert read_masks(case) == written[case.id].masks
        assert case.scores == written[case.id].scores
        assert case.boxes == written[case.id].boxes
        assert case.rois.keys() == set(Joint)


def test_a_case_of_one_task_only_says_so(tiny: Path) -> None:
    (layout.bone_masks(tiny) / "train" / f"{CASE}.npy").unlink()
    case = read_dataset(tiny).cases[0]
    assert (case.masks, case.bone_split, case.erosion_split) == (None, None, Split.TRAIN)
    with pytest.raises(InputError, match=f"case {CASE} has no masks; choose cases with masks"):
        read_masks(case)


def test_a_missing_region_is_refused_by_name(tiny: Path) -> None:
    (layout.erosion_folder(tiny) / "train" / CASE / "Lunate.bmp").unlink()
    with pytest.raises(InputError, match=f"case {CASE} has no region of Lunate; see `carpus data check`"):
        read_roi(read_dataset(tiny).cases[0], Joint.LUNATE)


def test_hidden_files_are_passed_over(tiny: Path, written: dict[CaseId, Any]) -> None:
    (layout.bone_images(tiny) / f"._{CASE}.bmp").touch()
    (layout.erosion_folder(tiny) / "train" / ".DS_Store").touch()
    (layout.erosion_folder(tiny) / "train" / CASE / "._Lunate.bmp").touch()
    assert len(read_dataset(tiny).cases) == len(written)


def test_what_is_no_dataset_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "empty").mkdir()
    (tmp_path / "other" / "holiday").mkdir(parents=True)
    for name, message in {
        "nothing": "nothing does not exist, expected a folder in RAM-W600's layout; check the path",
        "file": "file is a file, expected a folder in RAM-W600's layout; check the path",
        "empty": "empty is empty, expected a dataset; make one with `carpus data phantom",
        "other": "other holds none of BoneSegmentation, .*; give the folder that does",
    }.items():
        with pytest.raises(InputError, match=message):
            read_dataset(tmp_path / name)


def test_broken_annotations_are_refused_with_the_first_problem_and_the_number_of_others(tiny: Path) -> None:
    rewrite(layout.score_file(tiny), lambda entries: [{**entry, "identifier": "hand"} for entry in entries])
    with pytest.raises(InputError, match=r"'hand' is not of the form .* \(and 11 more, see `carpus data check`\)"):
        read_dataset(tiny)


def test_a_wrong_area_of_a_box_is_only_a_warning_and_does_not_stop_the_reader(tiny: Path) -> None:
    rewrite(
        layout.coco_file(tiny),
        lambda coco: {**coco, "annotations": [{**item, "area": 1} for item in coco["annotations"]]},
    )
    assert read_dataset(tiny).cases


def test_a_misnamed_file_is_refused_by_its_path(tiny: Path) -> None:
    (layout.bone_images(tiny) / f"{CASE}.bmp").rename(layout.bone_images(tiny) / "hand.bmp")
    with pytest.raises(InputError, match=r"images/hand.bmp is misnamed: .*rename it"):
        read_dataset(tiny)


def test_a_region_of_an_unknown_joint_is_refused_by_its_path(tiny: Path) -> None:
    folder = layout.erosion_folder(tiny) / "train" / CASE
    (folder / "Lunate.bmp").rename(folder / "Lunat.bmp")
    with pytest.raises(InputError, match=rf"{CASE}/Lunat.bmp is misnamed: .*did you mean 'Lunate'\?"):
        read_dataset(tiny)


def test_a_case_in_two_splits_is_refused_because_it_would_be_tested_on_what_was_trained(tiny: Path) -> None:
    masks = layout.bone_masks(tiny)
    (masks / "test" / f"{CASE}.npy").write_bytes((masks / "train" / f"{CASE}.npy").read_bytes())
    with pytest.raises(InputError, match=rf"masks/test/{CASE}.npy is also in train, .*; keep one of them"):
        read_dataset(tiny)


def test_a_dataset_is_a_phantom_only_if_it_says_so(tiny: Path) -> None:
    assert not is_phantom(tiny)
    (tiny / layout.PHANTOM_FILE).write_text('{"synthetic": false}')
    assert not is_phantom(tiny)
    (tiny / layout.PHANTOM_FILE).write_text('{"synthetic": true}')
    assert is_phantom(tiny)
    assert read_dataset(tiny).is_phantom


@pytest.mark.parametrize("text", [b"", b"{", b"null", b"[1]", b'["synthetic"]', b"{}", b"\xff", b"[" * 100_000])
def test_a_damaged_phantom_file_never_passes_for_patients(tiny: Path, text: bytes) -> None:
    (tiny / layout.PHANTOM_FILE).write_bytes(text)
    for read in (is_phantom, read_dataset):
        with pytest.raises(
            InputError, match=r"Phantom\.json does not say whether the wrists are synthetic; restore it"
        ):
            read(tiny)


def test_a_missing_mask_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist; check the path"):
        read_mask_file(tmp_path / "nothing.npy")


def test_a_mask_file_is_never_unpickled(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return (tmp_path.joinpath("sprung").touch, ())

    np.save(tmp_path / "masks.npy", np.array([Trap()], object), allow_pickle=True)
    with pytest.raises(InputError, match="damaged or not a plain array"):
        read_mask_file(tmp_path / "masks.npy")
    assert not (tmp_path / "sprung").exists()
