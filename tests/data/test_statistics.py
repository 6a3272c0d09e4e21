from dataclasses import replace
from pathlib import Path

import pytest

from carpus.data.dataset import Dataset
from carpus.data.layout import Split
from carpus.data.reader import read_dataset
from carpus.data.statistics import dataset_statistics


def test_people_and_images_are_counted_by_centre_sex_visit_and_split(tiny: Path) -> None:
    found = dataset_statistics(read_dataset(tiny))
    assert (found.images, found.patients, found.is_phantom) == (12, 6, False)
    assert (found.centres, found.sexes, found.visits) == ({"HMCRD": 6}, {"M": 3, "F": 3}, {1: 6})
    assert found.ages == (41, 44, 46)
    assert found.bones == found.erosion == {"train": 6, "val": 2, "test": 4}
    assert found.patients_by_split == {"train": 3, "val": 1, "test": 2}


def test_scores_are_counted_by_split_joint_and_score(tiny: Path) -> None:
    found = dataset_statistics(read_dataset(tiny))
    assert found.erosion_scores == found.bone_scores
    assert found.erosion_scores["train"]["MC1"] == {0: 0, 1: 2, 2: 2, 3: 2, 4: 0, 5: 0}
    assert found.erosion_scores["test"]["MC1"] == {0: 2, 1: 0, 2: 0, 3: 0, 4: 0, 5: 2}
    assert found.eroded_part == pytest.approx(5 / 6)


def test_the_splits_of_the_two_tasks_are_counted_apart(tiny: Path) -> None:
    dataset = read_dataset(tiny)
    moved = tuple(replace(case, bone_split=None) for case in dataset.cases[:2])
    found = dataset_statistics(Dataset(tiny, (*moved, *dataset.cases[2:]), is_phantom=True))
    assert (found.bones["train"], found.erosion["train"]) == (4, 6)
    assert (found.bone_scores["train"]["MC1"][1], found.erosion_scores["train"]["MC1"][1]) == (0, 2)
    assert found.is_phantom


def test_patients_are_aged_at_their_first_visit_and_counted_once(tiny: Path) -> None:
    first = read_dataset(tiny).cases[0]
    later = replace(first, id=replace(first.id, study="0002"), age=71)
    found = dataset_statistics(Dataset(tiny, (first, later), is_phantom=False))
    assert (found.images, found.patients, found.ages, found.visits) == (2, 1, (41, 41, 41), {2: 1})


def test_a_dataset_without_scores_or_ages_has_no_such_figures(tiny: Path) -> None:
    case = replace(read_dataset(tiny).cases[0], scores=None, age=None, sex=None, institution=None)
    found = dataset_statistics(Dataset(tiny, (case,), is_phantom=False))
    assert (found.ages, found.sexes, found.centres) == ((), {"unknown": 1}, {"unknown": 1})
    assert found.eroded_part is None
    assert {sum(joint.values()) for split in Split for joint in found.erosion_scores[split.value].values()} == {0}
