"""A dataset as typed cases that can be chosen from, looked up and turned into a table; no pixel is read."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from carpus.anatomy import Joint, Side, parse_score, parse_side
from carpus.data import layout
from carpus.data.case import CaseId
from carpus.data.layout import Split
from carpus.errors import InputError
from carpus.imaging.geometry import Box

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

TASKS = ("bones", "erosion", "joints")
"""Outlining the bones, scoring the joints' erosion, finding the joints."""


@dataclass(frozen=True)
class Case:
    """One wrist at one visit.

    Attributes:
        id: Patient, study and side.
        image: The wrist crop.
        masks: The bones' masks; None if they were not drawn.
        bone_split: Split of the segmentation task; None without masks.
        erosion_split: Split of the scoring task; None without regions.
        rois: The joints' regions as files.
        boxes: The joints' regions in pixels of the crop.
        scores: SvdH erosion scores, 0 to 5; None if unscored.
        institution: Centre, such as `HMCRD`; None if unknown, as are the following.
        age: Years.
        sex: `F` or `M`.
        phase: Number of the visit, from 1.
    """

    id: CaseId
    image: Path
    masks: Path | None
    bone_split: Split | None
    erosion_split: Split | None
    rois: Mapping[Joint, Path]
    boxes: Mapping[Joint, Box]
    scores: Mapping[Joint, int] | None
    institution: str | None
    age: int | None
    sex: str | None
    phase: int | None

    @property
    def spacing_mm(self) -> float | None:
        """Edge of a pixel of image and masks in mm; None at centres that do not tell it."""
        return None if self.institution in layout.UNKNOWN_SPACING else layout.SPACING_MM

    def serves(self, task: str) -> bool:
        """Whether it carries the reference for a task: masks, scores, or joint boxes."""
        return {"bones": self.masks is not None, "erosion": self.scores is not None, "joints": bool(self.boxes)}[task]

    def split(self, task: str) -> Split | None:
        """Its split of a task; joint boxes go by the split of the erosion task, having none of their own."""
        return self.bone_split if task == "bones" else self.erosion_split


@dataclass(frozen=True)
class Dataset:
    """All cases of a dataset, ordered by identifier, and whether they are synthetic.

    Example:
        >>> dataset = Dataset(Path("RAM-W600"), (), is_phantom=False)
        >>> len(dataset.where(task="bones", split="test", side="L", score=(3, 4, 5)))
        0
    """

    root: Path
    cases: tuple[Case, ...]
    is_phantom: bool

    def __len__(self) -> int:
        return len(self.cases)

    def __iter__(self) -> Iterator[Case]:
        return iter(self.cases)

    def __getitem__(self, name: str | CaseId) -> Case:
        """The case of an identifier.

        Raises:
            InputError: There is none.
        """
        wanted = name if isinstance(name, CaseId) else CaseId.parse(name)
        for case in self.cases:
            if case.id == wanted:
                return case
        raise InputError(f"{self.root} has no case {wanted}; see `carpus data stats` for what it holds")

    def where(
        self,
        *,
        task: str | None = None,
        split: Split | str | Collection[Split | str] | None = None,
        centre: str | Collection[str] | None = None,
        patient: str | Collection[str] | None = None,
        side: Side | str | None = None,
        sex: str | None = None,
        visit: int | Collection[int] | None = None,
        score: int | Collection[int] | None = None,
    ) -> "Dataset":
        """The cases that fit everything that is asked; what is None is not asked.

        Args:
            task: `bones`, `erosion` or `joints`: only cases with the reference for it.
            split: Of the task, or of either if no task is given.
            centre: Institutions, such as `HMCRD`.
            patient: Identifiers, such as `0035`.
            side: Of the body, `L` or `R`.
            sex: `F` or `M`.
            visit: Numbers of visits (`phase` in the metadata), from 1.
            score: SvdH scores of which at least one joint has one.

        Raises:
            InputError: A task, split, side or score that does not exist, or a centre or patient that the dataset lacks.
        """
        if task is not None and task not in TASKS:
            raise InputError(f"task {task!r} is unknown, expected one of {', '.join(TASKS)}; choose one")
        splits = None if split is None else {_split(each) for each in _several(split)}
        sides = None if side is None else {side if isinstance(side, Side) else parse_side(side)}
        scores = None if score is None else {parse_score(each) for each in _several(score)}
        centres = self._known("centre", centre, {case.institution for case in self.cases})
        patients = self._known("patient", patient, {case.id.patient for case in self.cases})
        visits = None if visit is None else set(_several(visit))

        def fits(case: Case) -> bool:
            own_splits = {case.split(each) for each in ([task] if task else TASKS)}
            return (
                (task is None or case.serves(task))
                and (splits is None or bool(splits & own_splits))
                and (centres is None or case.institution in centres)
                and (patients is None or case.id.patient in patients)
                and (sides is None or case.id.side in sides)
                and (sex is None or case.sex == sex)
                and (visits is None or case.phase in visits)
                and (scores is None or bool(scores & set((case.scores or {}).values())))
            )

        return replace(self, cases=tuple(filter(fits, self.cases)))

    def to_polars(self) -> "pl.DataFrame":
        """A row a wrist: identifiers, person, splits, files, the six SvdH scores as `svdh_MC1` and so on."""
        import polars as pl

        return pl.DataFrame(self._columns())

    def to_pandas(self) -> "pd.DataFrame":
        """As `to_polars`, indexed by identifier."""
        import pandas as pd

        return pd.DataFrame(self._columns()).set_index("identifier")

    def _columns(self) -> dict[str, list[Any]]:
        def of(value: Any) -> list[Any]:
            return [value(case) for case in self.cases]

        return {
            "identifier": of(lambda case: str(case.id)),
            "patient": of(lambda case: case.id.patient),
            "study": of(lambda case: case.id.study),
            "side": of(lambda case: case.id.side.value),
            "centre": of(lambda case: case.institution),
            "age": of(lambda case: case.age),
            "sex": of(lambda case: case.sex),
            "visit": of(lambda case: case.phase),
            "bone_split": of(lambda case: case.bone_split and case.bone_split.value),
            "erosion_split": of(lambda case: case.erosion_split and case.erosion_split.value),
            "spacing_mm": of(lambda case: case.spacing_mm),
            "image": of(lambda case: str(case.image)),
            "masks": of(lambda case: case.masks and str(case.masks)),
            "boxes": of(lambda case: len(case.boxes)),
            **{
                f"svdh_{joint.abbreviation}": of(lambda case, joint=joint: case.scores and case.scores[joint])
                for joint in Joint
            },
            "synthetic": of(lambda _: self.is_phantom),
        }

    def _known(self, name: str, asked: str | Collection[str] | None, there: set[Any]) -> set[str] | None:
        if asked is None:
            return None
        wanted = set(_several(asked))
        if strangers := wanted - there:
            known = sorted(each for each in there if each is not None)
            listed = ", ".join(known[:8]) + (", ..." if len(known) > 8 else "")
            raise InputError(
                f"{self.root} has no {name} {min(strangers)!r}, it has {listed or 'none'}; choose of these"
            )
        return wanted


def _several(value: Any) -> Collection[Any]:
    return value if isinstance(value, Collection) and not isinstance(value, str) else (value,)


def _split(value: Split | str) -> Split:
    try:
        return Split(value)
    except ValueError:
        known = ", ".join(split.value for split in Split)
        raise InputError(f"split {value!r} is unknown, expected one of {known}; choose one") from None
