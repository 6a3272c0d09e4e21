import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from carpus.anatomy import Bone
from carpus.data.coco import write_coco_masks
from carpus.dicom.segmentation import write_segmentation
from carpus.errors import InputError
from carpus.imaging import BoneMasks
from carpus.imaging.files import write_grey, write_plane
from carpus.training.predicted_masks import find_masks

MASKS = BoneMasks.from_stack(np.random.default_rng(2).random((14, 21, 13)) < 0.3)
CASE = "0001_0002_R"


def _npy(folder: Path) -> None:
    np.save(folder / f"{CASE}.npy", MASKS.stack())


def _npy_of_255(folder: Path) -> None:
    np.save(folder / f"{CASE}.npy", MASKS.stack().astype(np.uint8) * 255)


def _plane(folder: Path) -> None:
    write_plane(folder / f"{CASE}.png", MASKS)


def _png_a_bone(folder: Path) -> None:
    for bone in Bone:
        write_grey(folder / CASE / f"{bone.abbreviation}.png", MASKS.mask(bone).astype(np.uint8) * 255)


def _coco(folder: Path) -> None:
    write_coco_masks(folder / "all.json", {CASE: MASKS})


def _dicom(folder: Path) -> None:
    write_segmentation(folder / f"{CASE}.dcm", MASKS, film=folder.parent / "film.dcm", algorithm=None)


@pytest.mark.usefixtures("film")
@pytest.mark.parametrize("write", [_npy, _npy_of_255, _plane, _png_a_bone, _coco, _dicom])
def test_the_same_masks_are_read_from_every_form(tmp_path: Path, write: Callable[[Path], None]) -> None:
    folder = tmp_path / "masks"
    folder.mkdir()
    write(folder)
    (folder / "notes.txt").write_text("ours")
    (folder / ".hidden.npy").write_bytes(b"")
    found = find_masks(folder)
    assert list(found) == [CASE]
    assert found[CASE]() == MASKS


def test_one_coco_file_is_enough(tmp_path: Path) -> None:
    _coco(tmp_path)
    assert find_masks(tmp_path / "all.json")[CASE]() == MASKS


def test_a_side_in_a_small_letter_is_the_same_wrist(tmp_path: Path) -> None:
    write_plane(tmp_path / "0001_0002_r.png", MASKS)
    assert list(find_masks(tmp_path)) == [CASE]


def test_json_beside_masks_is_not_taken_for_masks(tmp_path: Path) -> None:
    _plane(tmp_path)
    (tmp_path / "settings.json").write_text('{"lr": 1}')
    assert list(find_masks(tmp_path)) == [CASE]


def test_two_files_for_one_wrist_are_refused(tmp_path: Path) -> None:
    _npy(tmp_path)
    _plane(tmp_path)
    with pytest.raises(InputError, match=rf"{CASE}.npy and {CASE}.png are both masks of {CASE}; keep one"):
        find_masks(tmp_path)
    folder = tmp_path / "json"
    folder.mkdir()
    _coco(folder)
    shutil.copy(folder / "all.json", folder / "again.json")
    with pytest.raises(InputError, match=f"again.json and all.json are both masks of {CASE}"):
        find_masks(folder)


def test_a_folder_without_masks_and_a_missing_one_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no masks, expected files IDENTIFIER"):
        find_masks(tmp_path)
    with pytest.raises(InputError, match="does not exist, expected a folder of masks"):
        find_masks(tmp_path / "none")
    (tmp_path / "masks.zip").write_bytes(b"PK")
    with pytest.raises(InputError, match="is a file of another kind"):
        find_masks(tmp_path / "masks.zip")


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.zeros((13, 4, 4), np.uint8), r"shape \(13, 4, 4\), expected \(14, height, width\)"),
        (np.zeros((4, 4, 14), np.uint8), r"expected \(14, height, width\)"),
        (np.full((14, 4, 4), 0.7, np.float32), "dtype float32, expected bool or one byte a pixel; cut probabilities"),
        (np.full((14, 4, 4), 3, np.uint8), "values other than 0/1 or 0/255"),
        (np.array([{"lunate": 1}], object), "damaged or not a plain array"),
    ],
)
def test_arrays_that_are_no_masks_are_refused_and_named(tmp_path: Path, array: np.ndarray, said: str) -> None:
    path = tmp_path / f"{CASE}.npy"
    np.save(path, array, allow_pickle=array.dtype == object)
    with pytest.raises(InputError, match=f"{CASE}.npy .*{said}"):
        find_masks(tmp_path)[CASE]()


def test_an_array_that_claims_a_huge_size_or_is_cut_short_is_refused(tmp_path: Path) -> None:
    path = tmp_path / f"{CASE}.npy"
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(
            file, {"descr": "|u1", "fortran_order": False, "shape": (14, 10**6, 10**6)}
        )
    with pytest.raises(InputError, match="damaged or not a plain array"):
        find_masks(tmp_path)[CASE]()
    _npy(tmp_path)
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(InputError, match="damaged or not a plain array"):
        find_masks(tmp_path)[CASE]()
