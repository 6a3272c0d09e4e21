from pathlib import Path

import numpy as np
import pytest

from carpus.data.case import CaseId
from carpus.data.layout import Split
from carpus.data.private_key import KeyRow, Visit, new_numbers, read_key, write_key
from carpus.data.splits import split_patients
from carpus.errors import InputError

VISITS = [Visit(f"H{number}", f"1.{number}.{when}", f"20{when}0101") for number in range(30) for when in (19, 17)]


def row(case: str, patient: str, study: str = "s") -> KeyRow:
    return KeyRow(CaseId.parse(case), Split.TEST, 'a, "b".dcm', "f" * 64, patient, study, "20200101")


def test_a_key_comes_back_as_it_was_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    rows = (row("0001_0001_L", "=A,ß"), row("0002_0001_R", "B"))
    write_key(tmp_path / "key.csv", reversed(rows))
    assert read_key(tmp_path / "key.csv") == rows
    assert (tmp_path / "key.csv").stat().st_mode & 0o777 == 0o600
    assert read_key(tmp_path / "none.csv") == ()


def test_numbers_do_not_follow_names_and_visits_follow_time() -> None:
    numbers = new_numbers(VISITS, [], generator=np.random.default_rng(1))
    patients = [numbers[visit.patient, visit.study][0] for visit in VISITS[::2]]
    assert sorted(patients) == [f"{number:04}" for number in range(1, 31)]
    assert patients != sorted(patients)
    assert all(
        numbers[visit.patient, visit.study][1] == ("0001" if visit.date.startswith("2017") else "0002")
        for visit in VISITS
    )


def test_known_patients_and_studies_keep_their_numbers() -> None:
    known = [row("0007_0003_L", "H4", "1.4.19")]
    numbers = new_numbers(VISITS, known, generator=np.random.default_rng(1))
    assert numbers["H4", "1.4.19"] == ("0007", "0003")
    assert numbers["H4", "1.4.17"] == ("0007", "0004")
    others = {patient for (name, _), (patient, _) in numbers.items() if name != "H4"}
    assert len(others) == 29
    assert min(others) == "0008"


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ((row("0001_0001_L", "A"), row("0002_0001_L", "A")), "gives one patient two numbers"),
        ((row("0001_0001_L", "A"), row("0001_0002_L", "B")), "gives two patients one number"),
    ],
)
def test_a_key_that_contradicts_itself_is_refused(tmp_path: Path, rows: tuple[KeyRow, ...], says: str) -> None:
    write_key(tmp_path / "key.csv", rows)
    with pytest.raises(InputError, match=says):
        read_key(tmp_path / "key.csv")


def test_what_is_no_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "key.csv").write_text("identifier,split\n0001,train\n")
    with pytest.raises(InputError, match="is no key of carpus"):
        read_key(tmp_path / "key.csv")


def test_patients_keep_the_split_that_they_have() -> None:
    worst = {f"{number:04}": number % 4 for number in range(50)}
    kept = {f"{number:04}": Split.TEST for number in range(5)}
    chosen = split_patients(worst, generator=np.random.default_rng(0), kept=kept)
    assert all(chosen[patient] is split for patient, split in kept.items())
    assert [list(chosen.values()).count(split) for split in Split] == [35, 5, 10]
