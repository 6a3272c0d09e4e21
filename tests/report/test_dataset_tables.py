import pandas as pd

from carpus.anatomy import SVDH_SCORES, Joint
from carpus.data.layout import Split
from carpus.data.split_audit import SplitAudit, SplitShare
from carpus.data.statistics import CentreImages, Statistics
from carpus.report.dataset_tables import dataset_tables, scores_table


def made() -> dict[str, pd.DataFrame]:
    nothing = {joint.abbreviation: dict.fromkeys(SVDH_SCORES, 0) for joint in Joint}
    some = {name: dict(counts) for name, counts in nothing.items()}
    some["Lu"] |= {0: 7, 2: 1}
    return dataset_tables(
        Statistics(
            is_phantom=True,
            images=20,
            patients=8,
            centres={"HU": 5, "DHA": 3},
            sexes={"F": 6, "M": 2},
            ages=(18, 52, 80),
            visits={1: 7, 2: 1},
            bones={"train": 10, "val": 2, "test": 4},
            erosion={"train": 8, "val": 2, "test": 3},
            patients_by_split={"train": 5, "val": 1, "test": 2},
            bone_scores={"train": nothing, "val": nothing, "test": nothing},
            erosion_scores={"train": nothing, "val": nothing, "test": some},
            eroded_part=0.1,
            splits=SplitAudit(
                shares=(SplitShare("bones", "train", 5, 10, 0.7, 0.625, 0.125),),
                crossing={"train": {"train": 3, "test": 2}, "train+val": {"-": 1}},
                leaks={"bones": {"0004": ("train", "val")}, "erosion": {}},
                cross_task_leaks=("0001", "0002"),
                safe={"train": 4, "val": 1, "test": 3},
            ),
        ),
        [
            CentreImages("HU", ((600, 590), (600, 610), (600, 600)), (8,), 0.15),
            CentreImages("DHA", ((512, 512),), (8, 16), None),
        ],
    )


def test_scores_stand_beside_the_papers_without_rows_that_are_empty_in_both() -> None:
    table = made()["Scores of the scoring task (Table 7b; in brackets the paper's)"]
    assert list(table) == ["MC1", "Tr", "Sca", "Lu", "Radius", "Ulna"]
    assert table.loc["test 0", "Lu"] == "7 (105)"
    assert table.loc["test 2", "Lu"] == "1 (2)"
    assert table.loc["train 5", "Sca"] == "0 (2)"
    assert not {"train 4", "test 5"} & set(table.index)


def test_the_papers_counts_join_ours_in_one_long_table() -> None:
    counts = {split.value: {joint.abbreviation: dict.fromkeys(SVDH_SCORES, 1) for joint in Joint} for split in Split}
    table = scores_table(counts, "bones")
    assert len(table) == 3 * 6 * 6
    assert set(table["wrists"]) == {1}
    assert table["paper"].sum() == 6 * (309 + 44 + 90)
    assert table.query("split == 'val' and joint == 'Sca' and score == 2")["paper"].item() == 7


def test_splits_are_audited_against_the_papers_aim() -> None:
    tables = made()
    row = tables["Patients by split, as the paper aims (70/10/20), and their eroded joints"].loc["bones train"]
    assert list(row) == ["5", "10", "62.5 %", "70 %", "12.5 %", "1"]
    crossing = tables["Patients by split of the bones (rows) and of the erosion task (columns)"]
    assert list(crossing.index) == ["train", "val", "test", "-", "train+val"]
    assert (crossing.loc["train", "test"], crossing.loc["train+val", "-"], crossing.to_numpy().sum()) == (2, 1, 6)
    assert list(tables["Images and patients by split"].loc["patients if both tasks are learnt at once"]) == [4, 1, 3]


def test_images_are_told_by_centre_beside_the_papers_table_6() -> None:
    tables = made()
    own = tables["Images by centre"]
    assert list(own.loc["HU"]) == ["3", "600", "590 to 610, median 600", "8", "0.15"]
    assert list(own.loc["DHA"]) == ["1", "512", "512", "8, 16", "unknown"]
    paper = tables["How the paper's centres made their radiographs (Table 6)"]
    assert (paper.loc["Tube voltage (kV)", "SCGH"], paper.loc["Model", "HU"]) == ("45", "not told")


def test_images_and_patients_stand_by_split() -> None:
    table = made()["Images and patients by split"]
    assert list(table.loc["images with masks"]) == [10, 2, 4]
    assert table.loc["patients", "test"] == 2


def test_the_people_are_told_in_words() -> None:
    table = made()["People"]
    assert list(table.loc["age in years"]) == ["18 to 80, median 52"]
    assert list(table.loc["institutions"]) == ["HU: 5, DHA: 3"]
