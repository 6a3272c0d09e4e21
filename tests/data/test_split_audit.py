from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from carpus.data.dataset import Case, Dataset
from carpus.data.layout import Split
from carpus.data.reader import read_dataset
from carpus.data.split_audit import audit_splits, safe_splits
from carpus.data.statistics import images_by_centre
from carpus.errors import InputError
from carpus.imaging.files import write_grey

PLACES = {
    "0001": (Split.TRAIN, Split.TRAIN),
    "0002": (Split.TRAIN, Split.TEST),
    "0003": (Split.VAL, Split.TRAIN),
    "0004": (Split.TEST, None),
    "0005": (None, Split.VAL),
    "0006": (Split.TEST, Split.TEST),
}


@pytest.fixture
def dataset(tiny: Path) -> Dataset:
    """Six patients whose splits of the two tasks were drawn apart."""

    def moved(case: Case) -> Case:
        bones, erosion = PLACES[case.id.patient]
        return replace(case, bone_split=bones, erosion_split=erosion)

    found = read_dataset(tiny)
    return replace(found, cases=tuple(map(moved, found.cases)))


def test_patients_are_counted_by_their_splits_of_both_tasks(dataset: Dataset) -> None:
    audit = audit_splits(dataset)
    assert audit.crossing == {
        "-": {"val": 1},
        "test": {"-": 1, "test": 1},
        "train": {"train": 1, "test": 1},
        "val": {"train": 1},
    }
    assert audit.cross_task_leaks == ("0002",)
    assert audit.leaks == {"bones": {}, "erosion": {}}


def test_each_split_has_its_share_of_the_tasks_patients(dataset: Dataset) -> None:
    shares = {(share.task, share.split): share for share in audit_splits(dataset).shares}
    train = shares["bones", "train"]
    assert (train.patients, train.images, train.share, train.expected) == (2, 4, 0.4, 0.7)
    assert [shares["erosion", split.value].patients for split in Split] == [2, 1, 2]
    case = next(case for case in dataset if case.bone_split is Split.VAL)
    assert case.scores
    assert shares["bones", "val"].eroded == pytest.approx(sum(score > 0 for score in case.scores.values()) / 6)


def test_a_safe_split_leaves_both_test_sets_unseen(dataset: Dataset) -> None:
    safe = safe_splits(dataset)
    assert safe == {
        "0001": Split.TRAIN,
        "0002": Split.TEST,
        "0003": Split.VAL,
        "0004": Split.TEST,
        "0005": Split.VAL,
        "0006": Split.TEST,
    }
    tested = {case.id.patient for case in dataset if Split.TEST in (case.bone_split, case.erosion_split)}
    assert not tested & {patient for patient, split in safe.items() if split is not Split.TEST}
    assert audit_splits(dataset).safe == {"train": 1, "val": 2, "test": 3}


def test_a_patient_in_two_splits_of_a_task_is_named(dataset: Dataset) -> None:
    cases = [*dataset.cases[1:], replace(dataset.cases[0], bone_split=Split.TEST)]
    audit = audit_splits(replace(dataset, cases=tuple(cases)))
    assert audit.leaks["bones"] == {"0001": ("train", "test")}
    assert audit.crossing["train+test"] == {"train": 1}
    assert audit.cross_task_leaks == ("0001", "0002")


def test_a_task_that_nobody_has_shares_nothing(dataset: Dataset) -> None:
    nobody = replace(dataset, cases=tuple(replace(case, bone_split=None) for case in dataset))
    shares = [share for share in audit_splits(nobody).shares if share.task == "bones"]
    assert [(share.patients, share.share, share.eroded) for share in shares] == [(0, 0, None)] * 3


def test_images_are_counted_by_centre_with_their_sizes(dataset: Dataset) -> None:
    write_grey(dataset.cases[0].image, np.zeros((50, 70), np.uint8))
    cases = [replace(dataset.cases[0], institution="DHA"), *dataset.cases[1:]]
    large, small = images_by_centre(replace(dataset, cases=tuple(cases)))
    assert (large.centre, len(large.sizes), set(large.sizes), large.bits) == ("HMCRD", 11, {(64, 64)}, (8,))
    assert (small.centre, small.sizes, small.spacing_mm) == ("DHA", ((70, 50),), None)


def test_an_image_that_cannot_be_read_is_named(dataset: Dataset) -> None:
    dataset.cases[3].image.write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"0002_0001_R.bmp is not an image"):
        images_by_centre(dataset)
