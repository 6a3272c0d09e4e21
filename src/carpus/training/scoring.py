"""Predictions to rows of the tidy results file. Needs no network: anybody's predictions will do."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from carpus.anatomy import Joint, is_eroded
from carpus.data.coco import Detection
from carpus.data.dataset import Case, Dataset
from carpus.data.layout import Split
from carpus.data.results import ResultRow
from carpus.imaging.masks import BoneMasks
from carpus.metrics.bones import score_bones
from carpus.metrics.boxes import box_iou
from carpus.training.references import BoneReference

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


def dataset_label(model: str, dataset: Dataset, split: Split, *, seed: int | None = None, recipe: str = "") -> RunLabel:
    """The label of a model's rows on a split of a dataset."""
    data = "phantom" if dataset.is_phantom else "patients"
    return RunLabel(model=model, seed=seed, recipe=recipe, data=data, split=split.value)


def score_bone_predictions(
    references: Sequence[BoneReference],
    predict: Callable[[BoneReference], BoneMasks | None],
    label: RunLabel,
    *,
    size: int | None = EVALUATION_SIZE,
    jobs: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> list[ResultRow]:
    """All bone metrics of every wrist, on one grid: by default the paper's, 512 x 512 pixels.

    Both masks are brought to the grid by the nearest pixel, as the paper does. Where the reference's pixel size is
    known, distances are given in mm as well. A grid of another shape than the reference has pixels that are not
    square; theirs then count as square ones of the same area.

    Args:
        references: To compare with.
        predict: The predicted bones of a wrist in the image's own orientation, at any size; None for a missing
            prediction, which counts as an empty one: the worst value of every metric.
        label: Of the model.
        size: Edge of the grid in pixels; None for each reference's own grid.
        jobs: How many wrists are read and measured at once, 1 or more.
        progress: Called with (done, total) after every wrist.
    """

    def score(reference: BoneReference) -> list[ResultRow]:
        return _score_bones(reference, predict(reference), label, size=size)

    rows = []
    for done, each in enumerate(_in_order(score, references, jobs=jobs), 1):
        rows += each
        if progress:
            progress(done, len(references))
    return rows


def score_erosion_predictions(
    cases: Sequence[Case],
    probability: Mapping[tuple[str, Joint], float],
    label: RunLabel,
    *,
    cut: float,
    predicted_score: Mapping[tuple[str, Joint], float] | None = None,
) -> list[ResultRow]:
    """Reference score, probability and cut of every scored joint, and the predicted score where there are any.

    Args:
        cases: With scores.
        probability: By identifier and joint; a missing one becomes NaN, which the report counts as wrong.
        label: Of the model.
        cut: Probability at or above which the model calls a joint eroded.
        predicted_score: SvdH score by identifier and joint, 0 to 5.
    """
    rows = []
    for case in cases:
        for joint, score in (case.scores or {}).items():
            key = str(case.id), joint
            values = {"score": float(score), "probability": probability.get(key, math.nan), "cut": cut}
            if predicted_score:
                values["predicted_score"] = predicted_score.get(key, math.nan)
            group = "BE" if is_eroded(score) else "nonBE"
            rows += _case_rows("erosion", case, label, joint, values, group)
    return rows


def score_joint_boxes(
    cases: Sequence[Case], found: Mapping[str, Mapping[Joint, Detection]], label: RunLabel
) -> list[ResultRow]:
    """The overlap (IoU) of every joint's box with the reference, and the confidence it was found with.

    Args:
        cases: With boxes.
        found: By identifier and joint, in pixels of the case's image; a missing box has IoU 0 and no confidence.
        label: Of the model.
    """
    rows = []
    for case in cases:
        for joint, reference in case.boxes.items():
            detection = found.get(str(case.id), {}).get(joint)
            values = {
                "box_iou": box_iou(reference, detection.box) if detection else 0.0,
                "confidence": detection.confidence if detection else math.nan,
            }
            score = None if case.scores is None else case.scores.get(joint)
            group = "" if score is None else "BE" if is_eroded(score) else "nonBE"
            rows += _case_rows("joints", case, label, joint, values, group)
    return rows


def _score_bones(
    reference: BoneReference, predicted: BoneMasks | None, label: RunLabel, *, size: int | None
) -> list[ResultRow]:
    expert = reference.read()
    height, width = expert.shape if size is None else (size, size)
    spacing_mm = reference.spacing_mm
    if spacing_mm is not None:
        spacing_mm *= math.sqrt(expert.shape[0] * expert.shape[1] / (height * width))
    found = BoneMasks.empty(height=height, width=width) if predicted is None else predicted
    return [
        ResultRow(
            task="bones",
            **vars(label),
            image=reference.image,
            patient=reference.patient,
            centre=reference.centre,
            structure=structure,
            metric=metric,
            value=value,
            group=reference.groups.get(structure, ""),
        )
        for structure, metric, value in score_bones(
            expert.resized(height=height, width=width),
            found.resized(height=height, width=width),
            spacing_mm=spacing_mm,
        )
    ]


def _in_order(
    score: Callable[[BoneReference], list[ResultRow]], references: Sequence[BoneReference], *, jobs: int
) -> Iterator[list[ResultRow]]:
    if jobs == 1:
        # In this thread, because a network's settings hold for the thread they were made in.
        yield from map(score, references)
        return
    with ThreadPoolExecutor(jobs) as pool:
        try:
            yield from pool.map(score, references)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _case_rows(
    task: str, case: Case, label: RunLabel, joint: Joint, values: Mapping[str, float], group: str
) -> list[ResultRow]:
    return [
        ResultRow(
            task=task,
            **vars(label),
            image=str(case.id),
            patient=case.id.patient,
            centre=case.institution or "",
            structure=joint.abbreviation,
            metric=metric,
            value=value,
            group=group,
        )
        for metric, value in values.items()
    ]
