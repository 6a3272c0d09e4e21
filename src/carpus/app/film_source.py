"""A film before its pixels are read: whose it is, and why it may be no film for a dataset of adults' wrists."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from carpus.anatomy import YOUNGEST, Side
from carpus.data.case import CaseId
from carpus.data.film_table import FilmRow
from carpus.data.manifest import sha256_of
from carpus.dicom.acquisition import Acquisition, read_acquisition
from carpus.errors import InputError
from carpus.inference.film import is_dicom_film, side_in_name

_IMAGES = (".png", ".bmp", ".jpg", ".jpeg", ".tif", ".tiff")
_INDEX = "DICOMDIR"
_TOP_AGE = 90


@dataclass(frozen=True)
class Source:
    """A film as it was found.

    Attributes:
        path: Of the file.
        name: Its path within the folder of films.
        sha256: Of the file.
        row: What the table says of it.
        said: What its attributes say; None for an image file.
        patient: As the hospital or the table names it.
        study: The same of the visit.
    """

    path: Path
    name: str
    sha256: str
    row: FilmRow
    said: Acquisition | None
    patient: str
    study: str

    @property
    def date(self) -> str:
        """Of the visit, `YYYYMMDD`; empty if unknown."""
        return self.said.date if self.said else ""

    @property
    def sex(self) -> str | None:
        """`F` or `M`."""
        return self.row.sex or (self.said.sex if self.said else None)

    @property
    def age(self) -> int | None:
        """Years; 90 for all who are older, because so few are that it tells who."""
        age = self.row.age if self.row.age is not None else self.said.age if self.said else None
        return None if age is None else min(age, _TOP_AGE)

    def sides(self) -> dict[str, Side]:
        """The sides that somebody wrote down, by where, the most trusted first."""
        found: dict[str, Side] = {}
        if self.row.side:
            found["table"] = self.row.side
        if self.said:
            found |= self.said.sides
        if side := side_in_name(self.path.stem):
            found["file name"] = side
        return found


@dataclass
class Found:
    """The files of a folder: those that may be films, and how many are not."""

    films: dict[str, Path] = field(default_factory=dict)
    others: int = 0


def find_films(folder: Path, *, without: tuple[Path, ...]) -> Found:
    """The films of a folder, by their path within it.

    Args:
        folder: To look through, with all that it holds.
        without: Folders and files that are not looked at.

    Raises:
        InputError: No folder, or no film in it.
    """
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "does not exist"
        raise InputError(f"{folder} {what}, expected a folder of films; check the path")
    found = Found()
    skipped = [path.resolve() for path in without]
    for path in _files(folder):
        if any(path.resolve().is_relative_to(each) for each in skipped):
            continue
        if path.name != _INDEX and (path.suffix.lower() in _IMAGES or is_dicom_film(path)):
            found.films[path.relative_to(folder).as_posix()] = path
        else:
            found.others += 1
    if not found.films:
        raise InputError(f"{folder} holds no film, expected DICOM, PNG, BMP, JPEG or TIFF; check the folder")
    return found


def look_at(path: Path, name: str, row: FilmRow) -> Source:
    """The film before its pixels are decoded.

    Raises:
        InputError: It cannot be read, is no radiograph, has no patient, or is of a child.
    """
    said = None
    if is_dicom_film(path):
        said = read_acquisition(path)
        if not said.is_radiograph:
            raise InputError(f"{path} has the modality {said.modality}, expected a radiograph (CR, DX or converted)")
    patient, study = _person(path, row, said)
    source = Source(path, name, sha256_of(path), row, said, patient, study)
    if source.age is not None and source.age < YOUNGEST:
        raise InputError(f"{path} is of a child aged {source.age}, whose bones are not finished; leave it out")
    return source


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("[!.]*")) if path.is_file())


def _person(path: Path, row: FilmRow, said: Acquisition | None) -> tuple[str, str]:
    try:
        named: CaseId | None = CaseId.parse(path.stem)
    except InputError:
        named = None
    patient = row.patient or (said.patient if said else "") or (named.patient if named else "")
    study = row.study or (said.study if said else "") or (named.study if named else "")
    if not patient:
        raise InputError(f"{path} does not tell its patient, expected PatientID, or a column patient in the table")
    # Films without a study are of one visit; two of one hand are then found to collide.
    return patient, study
