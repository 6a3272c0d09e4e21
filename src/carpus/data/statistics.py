"""What a dataset holds: people, centres, splits, and the SvdH scores of the paper's Table 7."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from carpus.anatomy import SVDH_SCORES, Joint, is_eroded
from carpus.data.dataset import Case, Dataset
from carpus.data.layout import Split
from carpus.data.split_audit import SplitAudit, audit_splits
from carpus.imaging.files import read_head


@dataclass(frozen=True)
class Statistics:
    """Counts of a dataset, ready for JSON.

    Attributes:
        is_phantom: Whether the wrists are synthetic.
        images: Wrists.
        patients: People.
        centres: Patients by institution.
        sexes: Patients by sex.
        ages: Years at the first visit: least, median, most; empty if unknown.
        visits: Patients by number of visits.
        bones: Images with masks by split.
        erosion: Images with scores by split.
        patients_by_split: Patients by split, of either task.
        bone_scores: Images with masks by split, joint and score: the paper's Table 7a.
        erosion_scores: Images of the scoring task by split, joint and score: the paper's Table 7b.
        eroded_part: Part of the scored joints that is eroded, 0 to 1; None if none is scored.
        splits: How the splits were drawn.
    """

    is_phantom: bool
    images: int
    patients: int
    centres: dict[str, int]
    sexes: dict[str, int]
    ages: tuple[int, ...]
    visits: dict[int, int]
    bones: dict[str, int]
    erosion: dict[str, int]
    patients_by_split: dict[str, int]
    bone_scores: dict[str, dict[str, dict[int, int]]]
    erosion_scores: dict[str, dict[str, dict[int, int]]]
    eroded_part: float | None
    splits: SplitAudit

    def as_dict(self) -> dict[str, Any]:
        """The counts as plain values for JSON."""
        return asdict(self)


def dataset_statistics(dataset: Dataset) -> Statistics:
    """The counts of a dataset, from its index alone; no image is read."""
    cases = dataset.cases
    first = {case.id.patient: case for case in reversed(cases)}
    ages = sorted(case.age for case in first.values() if case.age is not None)
    studies = Counter(patient for patient, _ in {(case.id.patient, case.id.study) for case in cases})
    scored = [score for case in cases if case.scores for score in case.scores.values()]
    return Statistics(
        is_phantom=dataset.is_phantom,
        images=len(cases),
        patients=len(first),
        centres=_counted(case.institution or "unknown" for case in first.values()),
        sexes=_counted(case.sex or "unknown" for case in first.values()),
        ages=(ages[0], ages[len(ages) // 2], ages[-1]) if ages else (),
        visits=dict(sorted(Counter(studies.values()).items())),
        bones={split.value: sum(case.bone_split is split for case in cases) for split in Split},
        erosion={split.value: sum(case.erosion_split is split for case in cases) for split in Split},
        patients_by_split={
            split.value: len({case.id.patient for case in cases if split in (case.bone_split, case.erosion_split)})
            for split in Split
        },
        bone_scores=_table_7((case.bone_split, case) for case in cases),
        erosion_scores=_table_7((case.erosion_split, case) for case in cases),
        eroded_part=sum(map(is_eroded, scored)) / len(scored) if scored else None,
        splits=audit_splits(dataset),
    )


@dataclass(frozen=True)
class CentreImages:
    """The images of one centre as they are on disk.

    Attributes:
        centre: Institution, or `unknown`.
        sizes: Width and height of each image in pixels.
        bits: Depths met, bits a pixel.
        spacing_mm: Edge of a pixel in mm; None if unknown.
    """

    centre: str
    sizes: tuple[tuple[int, int], ...]
    bits: tuple[int, ...]
    spacing_mm: float | None


def images_by_centre(dataset: Dataset) -> list[CentreImages]:
    """The images of each centre, the largest centre first; only the heads of the files are read.

    Raises:
        InputError: An image is missing or damaged.
    """
    by_centre: dict[str, list[Case]] = defaultdict(list)
    for case in dataset:
        by_centre[case.institution or "unknown"].append(case)
    found = []
    for centre, cases in sorted(by_centre.items(), key=lambda each: (-len(each[1]), each[0])):
        heads = [read_head(case.image) for case in cases]
        found.append(
            CentreImages(
                centre=centre,
                sizes=tuple((head.width, head.height) for head in heads),
                bits=tuple(sorted({head.bits for head in heads})),
                spacing_mm=cases[0].spacing_mm,
            )
        )
    return found


def _counted(values: Iterable[str]) -> dict[str, int]:
    return dict(Counter(values).most_common())


def _table_7(cases: Iterable[tuple[Split | None, Case]]) -> dict[str, dict[str, dict[int, int]]]:
    table = {split.value: {joint.abbreviation: dict.fromkeys(SVDH_SCORES, 0) for joint in Joint} for split in Split}
    for split, case in cases:
        for joint, score in (case.scores or {}).items():
            if split is not None:
                table[split.value][joint.abbreviation][score] += 1
    return table
