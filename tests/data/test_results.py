import os
from dataclasses import replace
from pathlib import Path

import polars as pl
import polars.testing
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from carpus.data.results import COLUMNS, ResultRow, read_results, results_frame, scan_results, write_results
from carpus.errors import InputError

ROW = ResultRow(
    "bones", "unet", 1, "paper", "phantom", "test", "0035_0001_L", "0035", "Cap", "dice", 0.1 + 0.2, group="BE"
)


@pytest.mark.parametrize("name", ["results.csv", "results.parquet"])
def test_a_table_reads_back_as_it_was_written(tmp_path: Path, name: str) -> None:
    rows = [ROW, replace(ROW, seed=None, value=float("inf"), group="", centre="HU"), replace(ROW, value=float("nan"))]
    write_results(tmp_path / name, results_frame(rows))
    polars.testing.assert_frame_equal(read_results(tmp_path / name), results_frame(rows), check_exact=True)
    polars.testing.assert_frame_equal(scan_results(tmp_path / name).collect(), results_frame(rows), check_exact=True)


def test_what_a_file_holds_is_told_by_its_content_and_not_by_its_name(tmp_path: Path) -> None:
    write_results(tmp_path / "a.parquet", results_frame([ROW]))
    (tmp_path / "a.parquet").rename(tmp_path / "a.csv")
    assert read_results(tmp_path / "a.csv").rows() == results_frame([ROW]).rows()


def test_a_parquet_file_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "results.parquet"
    pl.DataFrame({"a": [1]}).write_parquet(path)
    with pytest.raises(InputError, match="lacks the columns task, model"):
        read_results(path)
    results_frame([ROW]).with_columns(value=pl.lit("high")).write_parquet(path)
    with pytest.raises(InputError, match="has other than text or numbers in value"):
        read_results(path)
    path.write_bytes(b"PAR1" + bytes(100))
    with pytest.raises(InputError, match="is no results table"):
        read_results(path)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=st.floats())
def test_every_number_survives_to_its_last_bit(tmp_path: Path, value: float) -> None:
    write_results(tmp_path / "results.csv", results_frame([replace(ROW, value=value)]))
    (read,) = read_results(tmp_path / "results.csv")["value"]
    assert read == value or (read != read and value != value)


def test_a_table_without_rows_reads_back_without_rows(tmp_path: Path) -> None:
    write_results(tmp_path / "results.csv", results_frame([]))
    assert list(read_results(tmp_path / "results.csv").columns) == list(COLUMNS)
    assert os.listdir(tmp_path) == ["results.csv"]


def test_identifiers_keep_their_zeros_and_words_like_none_stay_words(tmp_path: Path) -> None:
    write_results(tmp_path / "results.csv", results_frame([replace(ROW, patient="0007", model="None")]))
    row = read_results(tmp_path / "results.csv").row(0, named=True)
    assert (row["patient"], row["model"]) == ("0007", "None")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is no results table"),
        (b"\xff\xfe\x00", "lacks the columns task"),
        (b"a,b\n1,2,3\n1,2,3,4\n", "is no results table"),
        (b"task,model\nbones,unet\n", "lacks the columns seed, recipe"),
        (",".join(COLUMNS).encode() + b"\n" + b"a,b,1.5,d,e,f,g,h,i,j,0.5,k,\n", "seed or value"),
        (",".join(COLUMNS).encode() + b"\n" + b"a,b,1,d,e,f,g,h,i,j,high,k,\n", "seed or value"),
    ],
)
def test_a_file_that_is_no_results_table_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "results.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=f"results.csv .*{message}.*write it with `carpus evaluate`"):
        read_results(path)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist; run `carpus evaluate` first"):
        read_results(tmp_path / "nothing.csv")
    with pytest.raises(InputError, match="is no results table"):
        read_results(tmp_path)
