from dataclasses import replace
from pathlib import Path

import pytest

from carpus.anatomy import Joint, Side
from carpus.data.canonical import read_canonical
from carpus.data.case import CaseId
from carpus.data.dataset import Dataset
from carpus.data.layout import Split
from carpus.data.reader import read_dataset, read_masks, read_radiograph
from carpus.errors import InputError
from carpus.imaging.geometry import crop


@pytest.fixture
def dataset(tiny: Path) -> Dataset:
    """Six patients; the first at HU, the last without masks, the left hand of the second without scores."""
    found = read_dataset(tiny)
    cases = list(found.cases)
    cases[0] = replace(cases[0], institution="HU", phase=2)
    cases[1] = replace(cases[1], institution="HU", phase=2)
    cases[2] = replace(cases[2], scores=None)
    cases[-1] = replace(cases[-1], masks=None, bone_split=None)
    return replace(found, cases=tuple(cases))


def names(dataset: Dataset) -> list[str]:
    return [str(case.id) for case in dataset]


def test_a_dataset_is_iterated_counted_and_looked_up(dataset: Dataset) -> None:
    assert len(dataset) == len(names(dataset)) == 12
    assert dataset["0003_0001_r"] == dataset[CaseId.parse("0003_0001_R")] == dataset.cases[5]
    with pytest.raises(InputError, match="has no case 0009_0001_R"):
        dataset["0009_0001_R"]


def test_cases_are_chosen_by_all_that_is_asked(dataset: Dataset) -> None:
    assert names(dataset.where()) == names(dataset)
    assert names(dataset.where(centre="HU")) == ["0001_0001_L", "0001_0001_R"]
    assert names(dataset.where(centre=["HU", "HMCRD"])) == names(dataset)
    assert names(dataset.where(visit=2, side="left")) == ["0001_0001_L"]
    assert names(dataset.where(patient="0002", side=Side.RIGHT)) == ["0002_0001_R"]
    assert {case.sex for case in dataset.where(sex="F")} == {"F"}
    assert dataset.where(side="L").is_phantom is dataset.is_phantom


def test_a_split_is_that_of_the_task_that_is_asked(dataset: Dataset) -> None:
    last = "0006_0001_R"
    assert last in names(dataset.where(split="test"))
    assert last in names(dataset.where(task="erosion", split=Split.TEST))
    assert last not in names(dataset.where(task="bones", split="test"))
    assert "0002_0001_L" not in names(dataset.where(task="erosion"))
    assert "0002_0001_L" in names(dataset.where(task="joints", split={"train", "val"}))


def test_a_score_is_had_by_some_joint(dataset: Dataset) -> None:
    wanted = [str(case.id) for case in dataset if case.scores and case.scores[Joint.LUNATE] == 5]
    moved = replace(
        dataset,
        cases=tuple(
            replace(case, scores=case.scores and dict.fromkeys(Joint, 0) | {Joint.LUNATE: case.scores[Joint.LUNATE]})
            for case in dataset
        ),
    )
    assert wanted
    assert names(moved.where(score=5)) == wanted
    assert set(wanted) < set(names(moved.where(score=range(1, 6))))


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"split": "tset"}, "split 'tset' is unknown, expected one of train, val, test"),
        ({"task": "bone"}, "task 'bone' is unknown, expected one of bones, erosion, joints"),
        ({"side": "up"}, "up"),
        ({"score": 6}, "6 is not a whole number from 0 to 5"),
        ({"centre": "HMRCD"}, "has no centre 'HMRCD', it has HMCRD, HU"),
        ({"patient": ["0001", "0090"]}, "has no patient '0090'"),
    ],
)
def test_what_does_not_exist_is_refused_by_name(dataset: Dataset, asked: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        dataset.where(**asked)  # type: ignore[arg-type]


def test_a_dataset_becomes_a_table_with_a_row_a_wrist(dataset: Dataset) -> None:
    table = dataset.to_polars()
    assert table.height == 12
    row = table.row(3, named=True)
    case = dataset.cases[3]
    assert case.scores
    assert (row["identifier"], row["side"], row["centre"], row["bone_split"]) == ("0002_0001_R", "R", "HMCRD", "train")
    assert [row[f"svdh_{joint.abbreviation}"] for joint in Joint] == [case.scores[joint] for joint in Joint]
    assert table["svdh_Lu"][2] is None
    assert table["bone_split"][11] is None
    pandas = dataset.to_pandas()
    assert pandas.loc["0002_0001_R", "age"] == case.age
    assert list(pandas.columns) == table.columns[1:]
    assert dataset.where(split="val", patient="0001").to_polars().is_empty()


@pytest.mark.parametrize("side", ["L", "R"])
def test_a_left_hand_is_shown_as_a_right_one_and_back(dataset: Dataset, side: str) -> None:
    case = dataset[f"0003_0001_{side}"]
    seen = read_canonical(case)
    assert seen.is_flipped is (side == "L")
    assert seen.radiograph.side is case.id.side
    assert seen.masks is not None
    assert seen.original(seen.masks) == read_masks(case)
    assert (seen.masks == read_masks(case)) is not seen.is_flipped
    whole = read_radiograph(case)
    for joint, box in seen.boxes.items():
        shown, own = crop(seen.radiograph.pixels, box), crop(whole.pixels, case.boxes[joint])
        assert ((shown[:, ::-1] if seen.is_flipped else shown) == own).all()
        assert seen.original_box(box) == case.boxes[joint]


def test_a_case_without_masks_is_shown_without(dataset: Dataset) -> None:
    assert read_canonical(dataset.cases[-1]).masks is None
