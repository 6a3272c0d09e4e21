import os
from pathlib import Path

import pytest

from carpus.errors import InputError
from carpus.files import new_file, new_folder


def test_a_file_that_fails_half_way_leaves_the_old_one_and_no_scraps(tmp_path: Path) -> None:
    target = tmp_path / "table.csv"
    target.write_text("old")
    with pytest.raises(RuntimeError), new_file(target) as draft:
        draft.write_text("half")
        raise RuntimeError
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["table.csv"]


def test_a_file_appears_with_its_parents_and_ordinary_rights(tmp_path: Path) -> None:
    target = tmp_path / "a" / "b.txt"
    with new_file(target) as draft:
        draft.write_text("new")
        assert not target.exists()
    plain = tmp_path / "plain.txt"
    plain.write_text("")
    assert target.read_text() == "new"
    assert target.stat().st_mode == plain.stat().st_mode


def test_a_folder_that_fails_half_way_leaves_the_old_one_and_no_scraps(tmp_path: Path) -> None:
    target = tmp_path / "dataset"
    target.mkdir()
    (target / "old").touch()
    with pytest.raises(RuntimeError), new_folder(target) as draft:
        (draft / "half").touch()
        raise RuntimeError
    assert os.listdir(target) == ["old"]
    assert os.listdir(tmp_path) == ["dataset"]


def test_a_finished_folder_replaces_the_old_one_whole(tmp_path: Path) -> None:
    target = tmp_path / "dataset"
    target.mkdir()
    (target / "old").touch()
    with new_folder(target) as draft:
        (draft / "new").touch()
    assert os.listdir(target) == ["new"]
    assert os.listdir(tmp_path) == ["dataset"]


def test_an_output_that_cannot_be_written_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be written"), new_file(tmp_path / "file" / "x.csv"):
        pass
    with pytest.raises(InputError, match="expected a folder"), new_folder(tmp_path / "file"):
        pass


def test_an_error_inside_the_block_is_not_mistaken_for_one_of_writing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), new_file(tmp_path / "out.txt"):
        (tmp_path / "missing").read_text()
