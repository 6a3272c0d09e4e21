"""A dataset of synthetic wrists in RAM-W600's layout, the same bytes for the same seed."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from carpus.data import layout
from carpus.data.case import CaseId
from carpus.data.splits import split_patients
from carpus.data.writer import (
    StudyRow,
    write_bones,
    write_boxes,
    write_metadata,
    write_regions,
    write_scores,
)
from carpus.files import new_folder
from carpus.imaging.geometry import Box
from carpus.imaging.joints import joint_boxes
from carpus.phantom import Visit, draw, plan_cohort

GENERATOR_VERSION = 1
_FRACTIONS = (0.65, 0.15, 0.2)
"""The release's 10 % for validation would leave a small cohort with hardly an eroded joint to choose a cut on."""


def write_phantom_dataset(
    root: Path,
    *,
    patients: int = 40,
    seed: int = 3407,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Writes a dataset of synthetic wrists: all three tasks and the metadata table.

    Both tasks share one split by patient, so that nobody leaks from one task's training into the other's test.
    Unscored visits (healthy people) have bones only. `Phantom.json` marks the folder as synthetic.

    Args:
        root: Folder to write; replaced as a whole once everything is drawn.
        patients: Number of patients, both hands each.
        seed: The same seed gives the same bytes.
        progress: Called with (done, total) after every wrist.

    Raises:
        InputError: The folder cannot be written, or too few patients to split.
    """
    visits = plan_cohort(patients=patients, seed=seed)
    chance = np.random.default_rng([seed, patients])
    splits = split_patients(_worst_scores(visits), generator=chance, fractions=_FRACTIONS)
    boxes, scores, studies = {}, {}, {}
    with new_folder(root) as folder:
        for done, visit in enumerate(visits, 1):
            case, split = _case(visit), splits[f"{visit.patient:04}"]
            phantom = draw(visit)
            write_bones(folder, case, phantom.radiograph, phantom.masks, split=split)
            if visit.scores is not None:
                found = joint_boxes(phantom.masks, spacing_mm=layout.SPACING_MM)
                write_regions(folder, case, phantom.radiograph, found, split=split)
                boxes[case] = phantom.masks.shape, {joint: _rounded(box) for joint, box in found.items()}
                scores[case] = visit.scores
            studies[case.patient, case.study] = StudyRow(
                case.patient, case.study, visit.sex, visit.age, visit.centre.name, visit.phase
            )
            if progress:
                progress(done, len(visits))
        write_boxes(folder, boxes)
        write_scores(folder, scores)
        write_metadata(folder, [studies[key] for key in sorted(studies)])
        _mark(folder, patients=patients, seed=seed)


def _case(visit: Visit) -> CaseId:
    return CaseId(f"{visit.patient:04}", f"{visit.study:04}", visit.side.value)


def _rounded(box: Box) -> Box:
    """The box to hundredths of a pixel, as the release has them."""
    return Box(*(round(float(value), 2) for value in (box.x, box.y, box.width, box.height)))


def _worst_scores(visits: Iterable[Visit]) -> dict[str, int]:
    worst: dict[str, int] = {}
    for visit in visits:
        patient = f"{visit.patient:04}"
        score = -1 if visit.scores is None else max(visit.scores.values())
        worst[patient] = max(worst.get(patient, -1), score)
    return worst


def _mark(folder: Path, *, patients: int, seed: int) -> None:
    content = {
        "synthetic": True,
        "notice": "PHANTOM: every wrist here is synthetic; nothing measured on it holds for patients.",
        "generator_version": GENERATOR_VERSION,
        "patients": patients,
        "seed": seed,
    }
    (folder / layout.PHANTOM_FILE).write_text(json.dumps(content, indent=2) + "\n", "utf-8")
