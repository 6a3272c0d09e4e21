from pathlib import Path

import polars as pl
import pytest

from carpus.anatomy import Joint
from carpus.data.erosion_table import read_erosion_table
from carpus.errors import InputError

HEAD = "image,joint,probability"


def test_a_table_is_read_with_joints_in_any_spelling(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(f"{HEAD}\n0001_0002_l,Trapezium,0.25\n0001_0002_L,MC1,1\n")
    answers = read_erosion_table(tmp_path / "a.csv")
    assert answers.probability == {
        ("0001_0002_L", Joint.TRAPEZIUM): 0.25,
        ("0001_0002_L", Joint.METACARPAL_1): 1.0,
    }
    assert answers.predicted_score == {}
    assert answers.cut is None


def test_scores_and_the_cut_are_taken_where_there_are_any_from_csv_and_parquet(tmp_path: Path) -> None:
    table = pl.DataFrame(
        {
            "image": ["w", "w"],
            "joint": ["Lu", "Sca"],
            "probability": [0.1, 0.9],
            "predicted_score": [0.2, 3],
            "cut": 0.3,
        }
    )
    table.write_csv(tmp_path / "a.csv")
    table.write_parquet(tmp_path / "a.parquet")
    answers = read_erosion_table(tmp_path / "a.csv")
    assert answers == read_erosion_table(tmp_path / "a.parquet")
    assert answers.predicted_score[("w", Joint.SCAPHOID)] == 3
    assert answers.cut == 0.3


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("image,joint\nw,Lu", "lacks the columns probability"),
        ("", "is no table"),
        (f"{HEAD}\nw,Lun,0.1", "in line 2 a joint 'Lun' is unknown; did you mean 'Lunate'"),
        (f"{HEAD}\nw,Capitate,0.1", "in line 2 a joint 'Capitate' is unknown"),
        (f"{HEAD}\nw,Lu,0.1\nw,Lunate,0.2", "in line 3 w, Lunate again"),
        (f"{HEAD}\nw,Lu,1.2", "in line 2 the probability '1.2', expected a number from 0 to 1"),
        (f"{HEAD}\nw,Lu,", "in line 2 the probability None"),
        (f"{HEAD}\nw,Lu,nan", "in line 2 the probability 'nan'"),
        (f"{HEAD}\nw,Lu,high", "in line 2 the probability 'high'"),
        (f"{HEAD},predicted_score\nw,Lu,0.5,6", "in line 2 the predicted_score '6', expected a number from 0 to 5"),
        (f"{HEAD},cut\nw,Lu,0.5,0.4\nw,Sca,0.5,0.5", "has 2 different cuts, expected one"),
    ],
)
def test_what_is_no_answer_is_refused_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(InputError, match=rf"a\.csv .*{said}"):
        read_erosion_table(tmp_path / "a.csv")


def test_a_missing_or_damaged_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        read_erosion_table(tmp_path / "none.csv")
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    with pytest.raises(InputError, match="is no table"):
        read_erosion_table(tmp_path / "a.parquet")
