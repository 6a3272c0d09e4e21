"""Draws every figure of the report from phantoms and made-up predictions, to see what they look like.

Run it from the repository: `uv run docs/pictures/figures.py FOLDER`. Nothing in these figures was measured.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from matplotlib.figure import Figure

from carpus.anatomy import Bone, Joint
from carpus.data.case import CaseId
from carpus.data.layout import SPACING_MM
from carpus.data.reader import Case, Dataset
from carpus.data.splits import split_patients
from carpus.imaging import BoneMasks
from carpus.imaging.joints import joint_boxes
from carpus.metrics import dsc
from carpus.phantom import Phantom, Visit, draw, plan_cohort
from carpus.report import figures
from carpus.report.figures import JointAnswer, JointCase, SegmentationCase

SEGMENTERS = {
    "Unet": 1.3, "DeepLabV3": 1.2, "FPN": 1.3, "PSPNet": 1.6, "DeepLabV3+": 1.1, "SegResNet": 1.4, "Unet++": 1.0,
    "SegFormer": 1.1, "TransUNet": 0.8, "UKAN": 1.1, "UMambaBot": 0.8, "UMambaEnc": 0.75, "SwinUMamba": 0.6,
}  # fmt: skip
"""How wrong each network's made-up masks are."""

CLASSIFIERS = {
    "MobileViT": 0.9, "ResNet": 0.8, "MobileNet": 0.4, "LeViT": 0.5, "EfficientFormer": 0.4, "MedMamba": 1.0,
    "ConvKAN": 0.6, "JointPrior": 0.7,
}  # fmt: skip
"""How much of an erosion each network's made-up answers see."""


def main(folder: Path) -> None:
    """Writes each figure as SVG, PDF and PNG."""
    visits = [visit for visit in plan_cohort(patients=40, seed=3407) if visit.scores]
    visits.sort(key=lambda visit: -max(visit.scores.values()))
    phantoms = [draw(visit) for visit in visits[:3]]
    cohort = _cohort(patients=227)
    made: dict[str, Callable[[], Figure]] = {
        "segmentation": lambda: figures.segmentation_errors(
            [_case(p, list(SEGMENTERS)[-5:], n) for n, p in enumerate(phantoms)], is_phantom=True
        ),
        "segmentation_all": lambda: figures.segmentation_errors(
            [_case(phantoms[0], list(SEGMENTERS), 9)], is_phantom=True
        ),
        "cohort": lambda: figures.cohort_overview(cohort),
        "joints": lambda: figures.joint_answers(
            [_joint_case(visit, phantom) for visit, phantom in zip(visits, phantoms[:2], strict=False)], is_phantom=True
        ),
    }
    for name, drawing in made.items():
        if len(sys.argv) > 2 and name not in sys.argv[2:]:
            continue
        figure = drawing()
        for suffix in ("svg", "pdf", "png"):
            figures.write_figure(folder / f"{name}.{suffix}", figure)
        print(folder / name)


def _case(phantom: Phantom, models: list[str], seed: int) -> SegmentationCase:
    predicted = {
        model: _perturbed(phantom.masks, SEGMENTERS[model], np.random.default_rng([seed, number]))
        for number, model in enumerate(models)
    }
    means = {
        model: float(np.mean([dsc(phantom.masks.mask(bone), masks.mask(bone)) for bone in Bone]))
        for model, masks in predicted.items()
    }
    return SegmentationCase(f"wrist {seed + 1}", phantom.radiograph.pixels, phantom.masks, predicted, means)


def _joint_case(visit: Visit, phantom: Phantom) -> JointCase:
    chance = np.random.default_rng(visit.patient)
    scores = visit.scores or {}
    answers = {
        model: {joint: JointAnswer(_made_up(scores[joint], skill, chance), 0.5) for joint in Joint}
        for model, skill in CLASSIFIERS.items()
    }
    boxes = joint_boxes(phantom.masks, spacing_mm=SPACING_MM)
    title = f"patient {visit.patient}, {visit.side.name.lower()}"
    return JointCase(title, phantom.radiograph.pixels, boxes, scores, answers)


def _made_up(score: int, skill: float, chance: np.random.Generator) -> float:
    """A probability of erosion that rises with the score, the more the better the network."""
    return float(1 / (1 + np.exp(1.2 - skill * min(score, 3) - chance.normal(0, 1))))


def _cohort(*, patients: int) -> Dataset:
    """The index of a cohort whose images are never drawn."""
    visits = plan_cohort(patients=patients, seed=3407)
    worst: dict[str, int] = {}
    for visit in visits:
        patient = f"{visit.patient:04}"
        worst[patient] = max(worst.get(patient, -1), max(visit.scores.values()) if visit.scores else -1)
    splits = split_patients(worst, generator=np.random.default_rng(0))
    cases = []
    for visit in visits:
        case = CaseId(f"{visit.patient:04}", f"{visit.study:04}", visit.side.value)
        split = splits[case.patient]
        cases.append(
            Case(
                case, Path(), None, split, split if visit.scores else None, {}, {}, visit.scores,
                visit.centre.name, visit.age, visit.sex, visit.phase,
            )
        )  # fmt: skip
    return Dataset(Path(), tuple(cases), is_phantom=True)


def _perturbed(masks: BoneMasks, amount: float, generator: np.random.Generator) -> BoneMasks:
    """Bones whose outlines waver, and one with a bite or a bump."""
    height, width = masks.shape
    stack = masks.stack()
    for bone in Bone:
        noise = generator.normal(size=(2, 14, 14)).astype(np.float32) * 4 * amount
        x, y = (cv2.resize(field, (width, height), interpolation=cv2.INTER_CUBIC) for field in noise)
        columns, rows = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
        moved = cv2.remap(stack[bone.channel].astype(np.uint8), columns + x, rows + y, cv2.INTER_NEAREST)
        outline = np.argwhere(cv2.morphologyEx(moved, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)))
        if len(outline) and generator.random() < 0.3:
            row, column = map(int, outline[generator.integers(len(outline))])
            radius = int(generator.uniform(6, 22) * amount)
            cv2.circle(moved, (column, row), radius, (int(generator.integers(2)),), -1)
        stack[bone.channel] = moved > 0
    return BoneMasks.from_stack(stack)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
