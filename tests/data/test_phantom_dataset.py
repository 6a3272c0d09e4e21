import hashlib
import json
import os
import shutil
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from carpus.anatomy import Joint
from carpus.data import layout, phantom_dataset
from carpus.data.check import check_dataset
from carpus.data.layout import Split
from carpus.data.phantom_dataset import write_phantom_dataset
from carpus.data.reader import read_dataset, read_masks
from carpus.errors import InputError
from carpus.imaging.masks import BoneMasks
from carpus.imaging.radiograph import Radiograph
from carpus.phantom import Phantom, Visit


def sketch(visit: Visit) -> Phantom:
    """Noise and fourteen overlapping squares in place of a drawn wrist, 1000 times as fast."""
    chance = np.random.default_rng([visit.seed, visit.patient, visit.study, ord(visit.side.value)])
    stack = np.zeros((14, 64, 64), bool)
    for channel in range(14):
        stack[channel, 4 * channel : 4 * channel + 6, 10:40] = True
    pixels = chance.integers(0, 256, (64, 64)).astype(np.uint8)
    return Phantom(Radiograph(pixels, layout.SPACING_MM, visit.side), BoneMasks.from_stack(stack))


@pytest.fixture
def sketched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phantom_dataset, "draw", sketch)


def digest(root: Path) -> str:
    sums = hashlib.sha256()
    for path in sorted(path for path in root.rglob("*") if path.is_file()):
        sums.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes())
    return sums.hexdigest()


@pytest.mark.usefixtures("sketched")
def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    for name, seed in {"first": 1, "second": 1, "third": 2}.items():
        write_phantom_dataset(tmp_path / name, patients=8, seed=seed)
    assert digest(tmp_path / "first") == digest(tmp_path / "second") != digest(tmp_path / "third")


@pytest.mark.usefixtures("sketched")
@pytest.mark.parametrize("patients", [8, 13, 24])
def test_a_phantom_dataset_has_no_problem_and_says_that_it_is_synthetic(tmp_path: Path, patients: int) -> None:
    steps: list[tuple[int, int]] = []
    write_phantom_dataset(tmp_path / "set", patients=patients, progress=lambda done, total: steps.append((done, total)))
    dataset = read_dataset(tmp_path / "set")
    assert check_dataset(tmp_path / "set") == []
    assert dataset.is_phantom
    assert len({case.id.patient for case in dataset.cases}) == patients
    assert steps == [(done, len(dataset.cases)) for done in range(1, len(dataset.cases) + 1)]
    mark = json.loads((tmp_path / "set" / layout.PHANTOM_FILE).read_text())
    assert mark["notice"].startswith("PHANTOM")
    assert (mark["patients"], mark["seed"]) == (patients, 3407)


@pytest.mark.usefixtures("sketched")
def test_both_tasks_share_one_split_by_patient_and_no_split_is_empty(tmp_path: Path) -> None:
    write_phantom_dataset(tmp_path / "set", patients=8)
    splits: dict[str, set[Split]] = defaultdict(set)
    for case in read_dataset(tmp_path / "set").cases:
        assert case.bone_split is not None
        splits[case.id.patient] |= {case.bone_split, case.erosion_split or case.bone_split}
    assert {len(found) for found in splits.values()} == {1}
    assert set.union(*splits.values()) == set(Split)


@pytest.mark.usefixtures("sketched")
def test_the_healthy_of_the_digital_hand_atlas_have_bones_but_no_scores(tmp_path: Path) -> None:
    write_phantom_dataset(tmp_path / "set", patients=8)
    cases = read_dataset(tmp_path / "set").cases
    assert {case.institution for case in cases} == {"HMCRD", "SCGH", "HU", "DHA"}
    for case in cases:
        healthy = case.institution == "DHA"
        assert case.masks is not None
        assert (case.scores is None) == (not case.rois) == (not case.boxes) == (case.erosion_split is None) == healthy


@pytest.mark.usefixtures("sketched")
@pytest.mark.parametrize("there", [True, False])
def test_a_drawing_that_fails_half_way_leaves_nothing_behind_and_the_old_folder_untouched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    if there:
        (tmp_path / "set").mkdir()
        (tmp_path / "set" / "old").touch()

    def fail(visit: Visit) -> Phantom:
        if visit.patient == 4:
            raise KeyboardInterrupt
        return sketch(visit)

    monkeypatch.setattr(phantom_dataset, "draw", fail)
    with pytest.raises(KeyboardInterrupt):
        write_phantom_dataset(tmp_path / "set", patients=8)
    assert os.listdir(tmp_path) == (["set"] if there else [])
    if there:
        assert os.listdir(tmp_path / "set") == ["old"]


def test_too_few_patients_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="7 patients do not make a cohort"):
        write_phantom_dataset(tmp_path / "set", patients=7)
    assert os.listdir(tmp_path) == []


def test_drawn_wrists_make_a_dataset_without_a_problem(phantoms: Path) -> None:
    assert check_dataset(phantoms) == []
    scored = [case for case in read_dataset(phantoms).cases if case.scores]
    assert scored
    for case in scored:
        assert case.boxes.keys() == set(Joint)
        assert all(box.width == box.height for box in case.boxes.values())


def test_drawn_wrists_in_another_variant_of_the_layout_read_the_same_without_a_problem(
    phantoms: Path, all_variants: Callable[[Path], None], tmp_path: Path
) -> None:
    changed = Path(shutil.copytree(phantoms, tmp_path / "changed"))
    all_variants(changed)
    assert check_dataset(changed) == []
    assert {path.name for path in changed.glob("[!.]*")} == {
        "BoneLocationDetection", "BoneSegmentation", "Phantom.json", "SvdHBEScoreClassification"
    }  # fmt: skip
    before, after = read_dataset(phantoms), read_dataset(changed)
    assert after.is_phantom
    for one, other in zip(before, after, strict=True):
        assert (one.id, one.scores, one.boxes, one.bone_split) == (
            other.id,
            other.scores,
            other.boxes,
            other.bone_split,
        )
        assert read_masks(one) == read_masks(other)
        assert one.rois.keys() == other.rois.keys()
        assert other.age is None
