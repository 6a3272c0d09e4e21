import numpy as np
import pandas as pd

from carpus.anatomy import SVDH_SCORES, Joint
from carpus.data.statistics import Statistics
from carpus.report.dataset_tables import dataset_tables


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
        )
    )


def test_scores_are_laid_out_as_the_papers_table_7_without_empty_rows() -> None:
    table = made()["Scores of the scoring task (the paper's Table 7b)"]
    assert list(table) == ["MC1", "Tr", "Sca", "Lu", "Radius", "Ulna"]
    assert list(table.index) == ["test, score 0", "test, score 2"]
    assert table.loc["test, score 0", "Lu"] == 7
    assert np.asarray(table).sum() == 8


def test_images_and_patients_stand_by_split() -> None:
    table = made()["Images and patients by split"]
    assert list(table.loc["images with masks"]) == [10, 2, 4]
    assert table.loc["patients", "test"] == 2


def test_the_people_are_told_in_words() -> None:
    table = made()["People"]
    assert list(table.loc["age in years"]) == ["18 to 80, median 52"]
    assert list(table.loc["institutions"]) == ["HU: 5, DHA: 3"]
