"""New numbers for patients and studies, and the private table that alone tells which film became which wrist.

The table stays with whoever may see the patients. It is read again on the next run, so that known patients keep their
numbers and their split, and new ones are added.

```
identifier,split,file,sha256,patient,study,date
0007_0001_L,train,old/IM0001.dcm,9f86d0...,4711-A,1.2.840....,20190312
```
"""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from carpus.anatomy import Side
from carpus.data.case import CaseId
from carpus.data.layout import Split
from carpus.data.problem import one_line
from carpus.errors import InputError
from carpus.files import new_file

_COLUMNS = ("identifier", "split", "file", "sha256", "patient", "study", "date")
_ONLY_OWNER = 0o600


@dataclass(frozen=True)
class KeyRow:
    """Which film became which wrist.

    Attributes:
        identifier: Of the wrist in the dataset.
        split: Of its patient.
        file: Path of the film within its folder.
        sha256: Of the file.
        patient: As the hospital calls it.
        study: The same of the visit.
        date: Of the visit, `YYYYMMDD`, or empty.
    """

    identifier: CaseId
    split: Split
    file: str
    sha256: str
    patient: str
    study: str
    date: str


@dataclass(frozen=True)
class Visit:
    """A visit as the hospital names it."""

    patient: str
    study: str
    date: str


def read_key(path: Path) -> tuple[KeyRow, ...]:
    """The table; empty if there is none yet.

    Raises:
        InputError: Not such a table, or one that contradicts itself. New numbers would then not fit the old ones.
    """
    if not path.exists():
        return ()
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = tuple(
                KeyRow(CaseId.parse(row["identifier"]), Split(row["split"]), *(row[name] for name in _COLUMNS[2:]))
                for row in csv.DictReader(file, strict=True)
            )
    except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
        raise InputError(f"{path} is no key of carpus ({one_line(error)}); restore it, or move it away") from None
    patients: dict[str, str] = {}
    for row in rows:
        if patients.setdefault(row.patient, row.identifier.patient) != row.identifier.patient:
            raise InputError(f"{path} gives one patient two numbers; restore it from its source")
    if len(set(patients.values())) < len(patients):
        raise InputError(f"{path} gives two patients one number; restore it from its source")
    return rows


def write_key(path: Path, rows: Iterable[KeyRow]) -> None:
    """Writes the table, readable to its owner alone."""
    with new_file(path) as draft, draft.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(_COLUMNS)
        for row in sorted(rows, key=lambda row: (row.identifier, row.file)):
            table.writerow([row.identifier, row.split.value, *(getattr(row, name) for name in _COLUMNS[2:])])
    path.chmod(_ONLY_OWNER)


def new_numbers(
    visits: Sequence[Visit], known: Iterable[KeyRow], *, generator: np.random.Generator
) -> dict[tuple[str, str], tuple[str, str]]:
    """The new patient and study numbers, four digits each, by the hospital's patient and study.

    Patients are numbered by chance, so that a number tells nothing of a name; a patient's visits in the order of time.

    Args:
        visits: Of all films.
        known: Rows of the key, whose patients and studies keep their numbers.
        generator: Decides the order of new patients.

    Example:
        >>> visits = [Visit("A", "1.2", "20200101"), Visit("A", "1.1", "20210101")]
        >>> new_numbers(visits, [], generator=np.random.default_rng(0))
        {('A', '1.2'): ('0001', '0001'), ('A', '1.1'): ('0001', '0002')}
    """
    rows = list(known)
    patients = {row.patient: int(row.identifier.patient) for row in rows}
    studies = {(row.patient, row.study): int(row.identifier.study) for row in rows}
    fresh = sorted({visit.patient for visit in visits} - patients.keys())
    first = max(patients.values(), default=0) + 1
    patients |= {fresh[place]: first + number for number, place in enumerate(generator.permutation(len(fresh)))}
    for visit in sorted(set(visits), key=lambda visit: (visit.patient, visit.date, visit.study)):
        if (visit.patient, visit.study) not in studies:
            own = [number for (patient, _), number in studies.items() if patient == visit.patient]
            studies[visit.patient, visit.study] = max(own, default=0) + 1
    return {
        (visit.patient, visit.study): (f"{patients[visit.patient]:04}", f"{studies[visit.patient, visit.study]:04}")
        for visit in visits
    }


def identifier(numbers: tuple[str, str], side: Side) -> CaseId:
    """The identifier of a wrist from its numbers."""
    return CaseId(*numbers, side.value)


def known_splits(rows: Iterable[KeyRow]) -> Mapping[str, Split]:
    """The split of each patient that has one, by new number."""
    return {row.identifier.patient: row.split for row in rows}
