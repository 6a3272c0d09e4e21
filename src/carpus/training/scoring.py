"""Predictions to rows of the tidy results file. Needs no network: anybody's predictions will do."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from carpus.anatomy import OVERLAP_PAIRS, Bone, Joint, is_eroded, pair_name
from carpus.data.layout import Split
from carpus.data.reader import Case, Dataset, read_masks
from carpus.data.results import ResultRow, results_frame
from carpus.imaging.files import read_plane
from carpus.imaging.masks import BoneMasks
from carpus.metrics.bones import score_bones
from carpus.metrics.joint_prior import fit_joint_prior
from carpus.training.cases import task_cases

EVALUATION_SIZE = 512
"""Edge in pixels of the grid on which bones are scored, the paper's."""


@dataclass(frozen=True)
class RunLabel:
    """What the rows of one model have in common; see `carpus.data.results`."""

    model: str
    seed: int | None
    recipe: str
    data: str
    split: str


def score_bone_predictions(
    cases: Sequence[Case],
    predict: Callable[[Case], BoneMasks | None],
    label: RunLabel,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> pd.DataFrame:
    """All bone metrics of every case, on the paper's grid of 512 x 512 pixels.

    Args:
        cases: With masks.
        predict: The predicted bones of a case in the image's own orientation, at any size; None for a missing
            prediction, which counts as an empty one: the worst value of every metric.
        label: Of the model.
        progress: Called with (done, total) after every case.
    """
    rows = []
    for done, case in enumerate(cases, 1):
        reference = read_masks(case).resized(height=EVALUATION_SIZE, width=EVALUATION_SIZE)
        predicted = predict(case) or BoneMasks.empty(height=EVALUATION_SIZE, width=EVALUATION_SIZE)
        predicted = predicted.resized(height=EVALUATION_SIZE, width=EVALUATION_SIZE)
        groups = _groups(case)
        rows += [
            _row("bones", case, label, structure, metric, value, groups[structure])
            for structure, metric, value in score_bones(reference, predicted)
        ]
        if progress:
            progress(done, len(cases))
    return results_frame(rows)


def score_bone_folder(
    folder: Path,
    dataset: Dataset,
    *,
    model: str,
    split: Split = Split.TEST,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[pd.DataFrame, list[str]]:
    """The results table of anybody's bone predictions, and the identifiers that have none.

    Args:
        folder: Packed planes `<identifier>.png`, 16 bits, bit i = bone i, in the images' own orientation.
        dataset: With the split.
        model: Name for the table.
        split: To evaluate on.
        progress: Called with (done, total) after every case.

    Raises:
        InputError: A plane that cannot be read, or a split without cases.
    """
    cases = task_cases(dataset, "bones", split)
    missing = [str(case.id) for case in cases if not _plane_path(folder, case).is_file()]

    def predict(case: Case) -> BoneMasks | None:
        path = _plane_path(folder, case)
        return read_plane(path) if path.is_file() else None

    data = "phantom" if dataset.is_phantom else "patients"
    label = RunLabel(model=model, seed=None, recipe="", data=data, split=split.value)
    return score_bone_predictions(cases, predict, label, progress=progress), missing


def score_erosion_predictions(
    cases: Sequence[Case],
    probability: Mapping[tuple[str, Joint], float],
    label: RunLabel,
    *,
    cut: float,
) -> pd.DataFrame:
    """Reference score, probability and cut of every scored joint.

    Args:
        cases: With scores.
        probability: By identifier and joint; a missing one becomes NaN, which the report counts as wrong.
        label: Of the model.
        cut: Probability at or above which the model calls a joint eroded.
    """
    rows = []
    for case in cases:
        for joint, score in (case.scores or {}).items():
            values = {
                "score": float(score),
                "probability": probability.get((str(case.id), joint), float("nan")),
                "cut": cut,
            }
            group = "BE" if is_eroded(score) else "nonBE"
            rows += [
                _row("erosion", case, label, joint.abbreviation, metric, value, group)
                for metric, value in values.items()
            ]
    return results_frame(rows)


def score_joint_prior(dataset: Dataset, split: Split) -> pd.DataFrame:
    """The rows of the baseline that looks at no image, fitted on the dataset's own training split."""
    train, val, cases = (task_cases(dataset, "erosion", part) for part in (Split.TRAIN, Split.VAL, split))
    prior = fit_joint_prior(_scores(train), _scores(val))
    probability = {(str(case.id), joint): prior.probability(joint) for case in cases for joint in Joint}
    data = "phantom" if dataset.is_phantom else "patients"
    label = RunLabel(model="JointPrior", seed=None, recipe="", data=data, split=split.value)
    return score_erosion_predictions(cases, probability, label, cut=prior.cut)


def _scores(cases: Sequence[Case]) -> list[tuple[Joint, int]]:
    return [item for case in cases for item in (case.scores or {}).items()]


def _groups(case: Case) -> dict[str, str]:
    """BE or nonBE of every structure: a scored bone by its own joint, anything else by the worst joint."""
    structures = [bone.abbreviation for bone in Bone] + [pair_name(pair) for pair in OVERLAP_PAIRS]
    if case.scores is None:
        return dict.fromkeys(structures, "")
    worst = "BE" if any(is_eroded(score) for score in case.scores.values()) else "nonBE"
    own = {joint.abbreviation: "BE" if is_eroded(score) else "nonBE" for joint, score in case.scores.items()}
    return {structure: own.get(structure, worst) for structure in structures}


def _row(task: str, case: Case, label: RunLabel, structure: str, metric: str, value: float, group: str) -> ResultRow:
    return ResultRow(
        task=task,
        **vars(label),
        image=str(case.id),
        patient=case.id.patient,
        structure=structure,
        metric=metric,
        value=value,
        group=group,
    )


def _plane_path(folder: Path, case: Case) -> Path:
    return folder / f"{case.id}.png"
