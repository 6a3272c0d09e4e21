"""What came of many films: `readings.csv`, `failures.csv` and `index.html`."""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from carpus.app.reader.films import LIST, PAGE
from carpus.app.reader.many import Outcome, page_of, read_values
from carpus.files import new_file
from carpus.report.reading_page import ReadFilm, write_reading_list

READINGS_FILE, FAILURES_FILE = "readings.csv", "failures.csv"
_JOINT = (
    "joint",
    "erosion_probability",
    "erosion_prevalence",
    "cut",
    "eroded",
    "svdh_score",
    "svdh_score_low",
    "svdh_score_high",
)
_FILM = (
    "film",
    "sha256",
    "side",
    "side_from",
    "spacing_mm",
    "spacing_from",
    "confidence",
    "bones",
    "trusted",
    "doubts",
    "warnings",
)


def write_tables(out: Path, outcome: Outcome, *, passed_over: int) -> None:
    """Writes the tables of one command: a row a film and joint, a row a failure, and a page that links all pages.

    Args:
        out: Folder of outputs.
        outcome: Of the command.
        passed_over: How many files of the folders are no films.
    """
    films = [ReadFilm(film.label, page_of(film), read_values(out, film)) for film in outcome.read]
    _write(out / READINGS_FILE, (*_FILM, *_JOINT), (row for film in films for row in _rows(film)))
    _write(out / FAILURES_FILE, ("film", "reason"), outcome.failures.items())
    write_reading_list(out / f"{LIST}{PAGE}", films, failures=outcome.failures, passed_over=passed_over)


def _rows(film: ReadFilm) -> Iterator[Sequence[object]]:
    values = film.values
    known = {
        **values,
        "film": film.name,
        "bones": sum(bool(bone["polygons"]) for bone in values["bones"]),
        "doubts": " ".join(values["doubts"]),
        "warnings": " ".join(values["warnings"]),
    }
    joints: list[Mapping[str, Any]] = values["joints"] or [{}]  # a film without joints has a row too
    for joint in joints:
        low, high = joint.get("svdh_score_range", (None, None))
        own = {**joint, "svdh_score_low": low, "svdh_score_high": high}
        yield [*(known[name] for name in _FILM), *(own.get(name) for name in _JOINT)]


def _write(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with new_file(path) as draft, draft.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
