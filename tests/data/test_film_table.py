from pathlib import Path

import pandas as pd
import pytest

from carpus.anatomy import Joint, Side
from carpus.data.film_table import FilmRow, FilmTable, named_films, read_film_table
from carpus.errors import InputError


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "films.csv"
    path.write_text(text, "utf-8-sig")
    return path


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_row_tells_what_the_film_does_not(tmp_path: Path, separator: str) -> None:
    text = "File,MC1,Trapezium,Sca,Lunate,Radius,Ulna,side,spacing_mm,sex,age,institution,patient,study\n"
    text += "a.png,0,1,2,3,4,5,left,0.1,f,61,HMCRD,P 1,2019\n\n"
    row = read_film_table(written(tmp_path, text.replace(",", separator))).rows["a.png"]
    assert row.scores == dict(zip(Joint, range(6), strict=True))
    assert (row.side, row.spacing_mm, row.sex, row.age) == (Side.LEFT, 0.1, "F", 61)
    assert (row.institution, row.patient, row.study, row.line) == ("HMCRD", "P 1", "2019", 2)


def test_excel_is_read_too(tmp_path: Path) -> None:
    pd.DataFrame({"file": ["a", "b"], **{joint.abbreviation: [0, 2] for joint in Joint}}).to_excel(
        tmp_path / "films.xlsx", index=False
    )
    table = read_film_table(tmp_path / "films.xlsx")
    assert table.rows["b"].scores == dict.fromkeys(Joint, 2)
    assert not table.wrong


def test_no_scores_are_no_scores_but_some_are_wrong(tmp_path: Path) -> None:
    table = read_film_table(written(tmp_path, "file,MC1,Tr,Sca,Lu,Radius,Ulna\na,,,,,,\nb,0,,,,,\n"))
    assert table.rows["a"].scores is None
    assert "there is no score for" in table.wrong["b"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        ("a,b\n1,2\n", "unknown column 'a'"),
        ("side\nL\n", "has no column file"),
        ("file,MC1,metacarpal1st\n", "has the column 'metacarpal1st' twice"),
        ('file\n"a\n', "is no table"),
    ],
)
def test_what_is_no_table_of_films_is_refused(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        read_film_table(written(tmp_path, text))


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        ("spacing_mm\na,9", "spacing_mm '9' is impossible"),
        ("sex\na,x", "sex 'X' is unknown"),
        ("age\na,old", "age 'old' is impossible"),
        ("institution\na,=1+1", "institution '=1\\+1' is no name"),
    ],
)
def test_a_wrong_cell_names_its_line(tmp_path: Path, cells: str, says: str) -> None:
    table = read_film_table(written(tmp_path, f"file,{cells}\n"))
    assert not table.rows
    with pytest.raises(InputError, match=f"in line 2: {says}"):
        raise InputError(table.wrong["a"])


def test_films_are_named_by_path_name_or_stem_and_never_two_by_one_name() -> None:
    table = FilmTable({"old/a.dcm": FilmRow(2), "b.dcm": FilmRow(3), "c": FilmRow(4)})
    found = named_films(table, ["old/a.dcm", "new/b.dcm", "c.png", "d.png"])
    assert found == {"old/a.dcm": "old/a.dcm", "new/b.dcm": "b.dcm", "c.png": "c"}
    with pytest.raises(InputError, match=r"names b\.dcm, which is new/b\.dcm and old/b\.dcm; give the whole path"):
        named_films(table, ["new/b.dcm", "old/b.dcm"])
