"""The metadata table of version 2: who the patients are, study by study."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pandas as pd

from carpus.data.case import CaseId
from carpus.data.problem import Problem, one_line

_DIGITS = 4
_MAX_BYTES = 64 * 1024**2
_OLDEST = 120


@dataclass(frozen=True)
class Person:
    """What the metadata table says of one study; None where it says nothing."""

    institution: str | None = None
    age: int | None = None
    sex: str | None = None
    phase: int | None = None


def read_metadata(path: Path) -> tuple[dict[tuple[str, str], Person], list[Problem]]:
    """What is known of each study, by patient and study, from an Excel table."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise ValueError("larger than 64 MiB")
        table = pd.read_excel(path, dtype=str)
    except Exception as error:  # A damaged archive fails anywhere in zipfile, the XML parser or openpyxl.
        return {}, [_error(path, "metadata-file", f"is not an Excel table ({one_line(error)})", "export it again")]
    table.columns = [str(name).strip().lower() for name in table.columns]
    if not {"patient_id", "study_id"} <= set(table.columns):
        text = "lacks the columns patient_id and study_id"
        return {}, [_error(path, "metadata-columns", text, "name the columns so")]
    people: dict[tuple[str, str], Person] = {}
    problems = []
    for row in table.astype(object).where(table.notna(), None).to_dict("records"):
        if row["patient_id"] is None or row["study_id"] is None:
            continue
        # Excel keeps identifiers as numbers and so loses their leading zeros.
        key = row["patient_id"].zfill(_DIGITS), row["study_id"].zfill(_DIGITS)
        person = Person(
            institution=row.get("institution"),
            age=_whole(row.get("age")),
            sex=_sex(row.get("gender")),
            phase=_whole(row.get("phase")),
        )
        for name, value in (("age", person.age), ("phase", person.phase), ("gender", person.sex)):
            if value is None and row.get(name) is not None:
                text = f"has {row[name]!r:.40} as {name} of patient {key[0]}, study {key[1]}"
                problems.append(_warning(path, "metadata-value", text, "mend it or leave it empty"))
        if people.get(key, person) != person:
            text = f"has two different rows of patient {key[0]}, study {key[1]}"
            problems.append(_warning(path, "metadata-twice", text, "keep one of them"))
        people[key] = person
    return people, problems


def metadata_problems(
    path: Path, people: Mapping[tuple[str, str], Person], cases: Collection[CaseId]
) -> Iterator[Problem]:
    """What in the metadata table cannot be right, or fits no image.

    Args:
        path: Of the table.
        people: As `read_metadata` gives them.
        cases: Wrists that have an image.
    """
    studies = {(case.patient, case.study) for case in cases}
    patients = {patient for patient, _ in people}
    for patient in sorted({case.patient for case in cases} - patients):
        yield _warning(path, "metadata-missing", f"lacks patient {patient}", "add the patient's row")
    for patient, study in sorted(studies - people.keys()):
        if patient in patients:
            yield _warning(path, "metadata-missing", f"lacks study {study} of patient {patient}", "add its row")
    for patient, study in sorted(people.keys() - studies):
        what = f"has study {study} of patient {patient}, which has no image"
        yield _warning(path, "metadata-without-image", what, "add the image or remove the row")
    for (patient, study), person in sorted(people.items()):
        if person.age is not None and not 0 <= person.age <= _OLDEST:
            yield _warning(
                path, "metadata-age", f"gives patient {patient}, study {study} {person.age} years", "mend it"
            )
    for patient in sorted(patients):
        own = [person for (each, _), person in sorted(people.items()) if each == patient]
        for name, values in (("sex", {p.sex for p in own}), ("institution", {p.institution for p in own})):
            if len(values - {None}) > 1:
                told = " and ".join(sorted(str(value) for value in values - {None}))
                yield _warning(path, "metadata-conflict", f"gives patient {patient} the {name} {told}", "keep one")
        visits = sorted((p.phase, p.age) for p in own if p.phase is not None and p.age is not None)
        if any(later < age for (_, age), (_, later) in pairwise(visits)):
            what = f"has patient {patient} younger at a later visit"
            yield _warning(path, "metadata-order", what, "correct the ages or the phases")


def _error(path: Path, kind: str, what: str, remedy: str) -> Problem:
    return Problem(str(path), kind, f"{path} {what}; {remedy}")


def _warning(path: Path, kind: str, what: str, remedy: str) -> Problem:
    return Problem(str(path), kind, f"{path} {what}; {remedy}", "warning")


def _whole(text: str | None) -> int | None:
    try:
        return None if text is None else int(float(text))
    except (ValueError, OverflowError):
        return None


def _sex(text: str | None) -> str | None:
    letter = (text or "").strip().upper()[:1]
    return letter if letter in ("F", "M") else None
