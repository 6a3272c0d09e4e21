"""Draws every figure of the report from phantoms and made-up predictions, to see what they look like.

Run it from the repository: `uv run docs/pictures/figures.py FOLDER`. Nothing in these figures was measured.
"""

import argparse
from collections.abc import Callable, Iterable
from pathlib import Path

import cv2
import numpy as np
from matplotlib.figure import Figure

from carpus.anatomy import Bone, Joint, Side
from carpus.data.case import CaseId
from carpus.data.dataset import Case, Dataset
from carpus.data.layout import SPACING_MM
from carpus.data.splits import split_patients
from carpus.imaging import BoneMasks
from carpus.imaging.joints import joint_boxes
from carpus.metrics import Confusion, confusion, dsc
from carpus.phantom import Phantom, Visit, draw, plan_cohort
from carpus.phantom.cohort import SCORE_COUNTS
from carpus.report import figures
from carpus.report.cells import Cell, Column, Row, Table
from carpus.report.figures import (
    Difference,
    JointAnswer,
    JointCase,
    PatientValues,
    Reliability,
    ScoredProbabilities,
    SegmentationCase,
    Standing,
)
from carpus.report.published import published_confusions

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


def main() -> None:
    """Writes each figure as SVG, PDF and PNG."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where to write them")
    parser.add_argument("figures", nargs="*", help="names of figures, by default all")
    options = parser.parse_args()
    folder: Path = options.folder
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
        "bones": lambda: figures.bone_dots(
            [_bone_table("dsc", SEGMENTERS), _bone_table("nsd", SEGMENTERS)], wrist=_right_hand(phantoms)
        ),
        "bones_few": lambda: figures.bone_dots(
            [_bone_table(metric, ["UKAN", "SwinUMamba"]) for metric in ("dsc", "nsd")]
        ),
        "confusion": lambda: figures.confusion_matrices(
            [(model, _counts(_answers(model), None)) for model in CLASSIFIERS]
            + [(f"{model}, paper", counts) for model, counts in published_confusions().items()],
            is_phantom=True,
        ),
        "confusion_joints": lambda: figures.confusion_by_joint(
            {
                model: {
                    "All" if joint is None else joint.abbreviation: _counts(_answers(model), joint)
                    for joint in (None, *Joint)
                }
                for model in ("MedMamba", "ResNet", "JointPrior")
            },
            is_phantom=True,
        ),
        "probabilities": lambda: figures.probabilities_by_score(
            [_scored(model) for model in CLASSIFIERS], is_phantom=True, generator=np.random.default_rng(0)
        ),
        "calibration": lambda: figures.calibration_curves([_reliability(m) for m in CLASSIFIERS], is_phantom=True),
        "centres": lambda: figures.part_dots(_centre_table(), _DSC),
        "patients": lambda: figures.patient_ranges(
            {model: _patients(SEGMENTERS[model]) for model in ("PSPNet", "Unet", "TransUNet", "SwinUMamba")},
            metric="dsc", is_phantom=True,
        ),
        "leaderboard": lambda: figures.leaderboard(_standings(), metric="dsc", is_phantom=True),
        "differences": lambda: figures.paired_differences(
            _differences(), first="SwinUMamba", second="TransUNet", metric="dsc", is_phantom=True
        ),
        "training": lambda: figures.training_curves(
            {"SwinUMamba": _history("val_dsc", "val_nsd"), "MedMamba": _history("val_auroc")}, is_phantom=True
        ),
        "scores": lambda: figures.reference_scores(SCORE_COUNTS, is_phantom=True),
        "spreads": lambda: figures.bone_spreads(
            {model: _spread(SEGMENTERS[model]) for model in ("Unet", "TransUNet", "SwinUMamba")},
            metric="dsc", is_phantom=True,
        ),
    }  # fmt: skip
    for name, drawing in made.items():
        if options.figures and name not in options.figures:
            continue
        figure = drawing()
        for suffix in ("svg", "pdf", "png"):
            figures.write_figure(folder / f"{name}.{suffix}", figure)


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


_DSC = Column("", "DSC")
_JOINTS = 90


def _right_hand(phantoms: list[Phantom]) -> BoneMasks:
    phantom = phantoms[0]
    return phantom.masks if phantom.radiograph.side is Side.RIGHT else phantom.masks.mirrored()


def _bone_table(metric: str, models: Iterable[str]) -> Table:
    chance = np.random.default_rng([3, ord(metric[0])])
    hard = chance.uniform(0.7, 1.6, len(Bone)) * (0.025 if metric == "dsc" else 0.14)
    rows = []
    for model in models:
        values = 1 - SEGMENTERS[model] * hard * chance.uniform(0.85, 1.15, len(Bone))
        half = 0.12 * (1 - values)
        cells = tuple(Cell(v, v - h, v + h) for v, h in zip(values, half, strict=True))
        rows.append(Row(model, "PHANTOM", "made up", cells))
    columns = tuple(Column("", bone.abbreviation) for bone in Bone)
    return Table(f"by_bone_{metric}", f"{metric.upper()} by bone", columns, tuple(rows))


def _answers(model: str) -> dict[Joint, tuple[np.ndarray, np.ndarray]]:
    """Made-up reference scores and probabilities by joint."""
    found = {}
    for number, joint in enumerate(Joint):
        shares = np.array(SCORE_COUNTS[joint]) / sum(SCORE_COUNTS[joint])
        scores = np.random.default_rng([7, number]).choice(6, _JOINTS, p=shares)
        chance = np.random.default_rng([8, number, list(CLASSIFIERS).index(model)])
        found[joint] = scores, np.array([_made_up(score, CLASSIFIERS[model], chance) for score in scores])
    return found


def _counts(answers: dict[Joint, tuple[np.ndarray, np.ndarray]], joint: Joint | None) -> Confusion:
    chosen = list(answers.values()) if joint is None else [answers[joint]]
    scores, probability = (np.concatenate(part) for part in zip(*chosen, strict=True))
    return confusion(scores > 0, probability >= 0.5)


def _scored(model: str) -> ScoredProbabilities:
    scores, probability = (np.concatenate(part) for part in zip(*_answers(model).values(), strict=True))
    return ScoredProbabilities(model, scores, probability, (0.5,))


def _reliability(model: str) -> Reliability:
    own, edges = _scored(model), np.linspace(0, 1, 11)
    place = np.minimum((own.probability * 10).astype(int), 9)
    counts = np.bincount(place, minlength=10)
    with np.errstate(invalid="ignore"):
        probability = np.bincount(place, own.probability, 10) / counts
        eroded = np.bincount(place, own.scores > 0, 10) / counts
    error = float(np.nansum(np.abs(probability - eroded) * counts) / counts.sum())
    return Reliability(model, edges, probability, eroded, counts, error)


def _centre_table() -> Table:
    chance = np.random.default_rng(5)
    rows = []
    for model in ("Unet", "TransUNet", "UMambaEnc", "SwinUMamba"):
        for centre, width in (("HMCRD", 0.004), ("SCGH", 0.006), ("HU", 0.012), ("DHA", 0.008)):
            value = 1 - 0.03 * SEGMENTERS[model] * chance.uniform(0.9, 1.4)
            rows.append(Row(model, "PHANTOM", "made up", (Cell(value, value - width, value + width),), centre))
    return Table("by_centre", "By centre", (_DSC,), tuple(rows))


def _patients(amount: float) -> list[PatientValues]:
    chance = np.random.default_rng(11)
    found = []
    for number in range(46):
        group = ("BE", "nonBE", "nonBE", "")[number % 4]
        middle = 1 - amount * (0.028 + 0.01 * (group == "BE") + abs(chance.normal(0, 0.012)))
        values = np.clip(middle + chance.normal(0, 0.008, chance.integers(1, 7)) * amount, 0, 1)
        found.append(PatientValues(f"{number:04}", values, group))
    return found


def _history(*metrics: str) -> dict[str, list[float]]:
    chance = np.random.default_rng(19)
    epoch = np.arange(1, 41)
    curves = {"train_loss": 0.9 * np.exp(-epoch / 9) + 0.05, "val_loss": 0.8 * np.exp(-epoch / 8) + 0.12}
    curves |= {metric: 0.95 - 0.6 * np.exp(-epoch / (6 + 3 * n)) for n, metric in enumerate(metrics)}
    return {"epoch": epoch.tolist()} | {
        name: (curve + chance.normal(0, 0.012, len(epoch))).tolist() for name, curve in curves.items()
    }


def _spread(amount: float) -> dict[Bone, np.ndarray]:
    chance = np.random.default_rng(23)
    return {bone: 1 - amount * 0.03 * chance.gamma(4 + 3 * chance.random(), 0.2, 60) for bone in Bone}


def _standings() -> list[Standing]:
    chance = np.random.default_rng(13)
    values = np.array([1 - 0.03 * amount for amount in SEGMENTERS.values()])
    draws = values + chance.normal(0, 0.0018, (2000, 1)) + chance.normal(0, 0.0016, (2000, len(values)))
    ranks = (-draws).argsort(axis=1).argsort(axis=1)
    low, high = np.percentile(draws, (2.5, 97.5), axis=0)
    return [
        Standing(model, Cell(values[k], low[k], high[k]), np.bincount(ranks[:, k], minlength=len(values)) / len(draws))
        for k, model in enumerate(SEGMENTERS)
    ]


def _differences() -> list[Difference]:
    chance = np.random.default_rng(17)
    found = []
    for structure in ("All", *(bone.abbreviation for bone in Bone)):
        value, half = chance.normal(0.003, 0.003), chance.uniform(0.001, 0.004)
        p = min(1.0, float(np.exp(-1.6 * (value / half) ** 2)) * 3)
        found.append(Difference(structure, Cell(value, value - half, value + half), p))
    return found


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
    main()
