"""Laws of every figure, on small samples of each."""

import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from functools import cache
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from carpus.anatomy import Bone, Joint
from carpus.data.case import CaseId
from carpus.data.dataset import Case, Dataset
from carpus.data.layout import Split
from carpus.data.split_audit import SPLIT_TASKS, audit_splits
from carpus.data.statistics import CentreImages, dataset_statistics
from carpus.imaging import BoneMasks
from carpus.imaging.joints import joint_boxes
from carpus.metrics import Confusion
from carpus.report import figures
from carpus.report.cells import Cell, Column, Row, Table
from carpus.report.dataset_tables import scores_table
from carpus.report.figures.style import styled

MODELS = ("Unet", "EfficientFormer", "SwinUMamba")
BY_BONE = tuple(Column("", bone.abbreviation) for bone in Bone)


def wrist() -> BoneMasks:
    stack = np.zeros((14, 180, 180), np.uint8)
    for number, bone in enumerate(Bone):
        cv2.circle(stack[bone.channel], (30 + 38 * (number % 4), 30 + 38 * (number // 4)), 24, (1,), -1)
    return BoneMasks.from_stack(stack)


def dataset(*, is_phantom: bool) -> Dataset:
    cases = []
    for number in range(24):
        scores = {joint: int(number % 5 == 0) * place for place, joint in enumerate(Joint)} if number % 4 else None
        centre = ("HMCRD", "SCGH", "DHA", None)[number % 4]
        for study in range(1, 2 + number % 3):
            for side in "LR":
                case = CaseId(f"{number:04}", f"{study:04}", side)
                split = list(Split)[number % 3]
                known = (scores, centre, 18 + 3 * number, "FM"[number % 2], study)
                cases.append(Case(case, Path(), None, split, split if scores else None, {}, {}, *known))
    return Dataset(Path(), tuple(cases), is_phantom=is_phantom)


def segmentation(*, is_phantom: bool) -> Figure:
    pixels = np.random.default_rng(0).integers(0, 256, (180, 180), np.uint8)
    shifted = BoneMasks(np.roll(wrist().plane, 7, axis=1))
    case = figures.SegmentationCase(
        "0001_0001_L", pixels, wrist(), {"Unet": shifted, "SwinUMamba": wrist()}, {"Unet": 0.9}
    )
    return figures.segmentation_errors([case], is_phantom=is_phantom)


def joints(*, is_phantom: bool) -> Figure:
    pixels = np.random.default_rng(0).integers(0, 4096, (180, 180), np.uint16)
    answers = {model: {joint: figures.JointAnswer(0.4, 0.5) for joint in Joint} for model in MODELS}
    case = figures.JointCase(
        "0001_0001_L", pixels, joint_boxes(wrist(), spacing_mm=0.5), dict.fromkeys(Joint, 1), answers
    )
    return figures.joint_answers([case], is_phantom=is_phantom)


def by_bone(metric: str, *, is_phantom: bool) -> Table:
    cells = tuple(Cell(0.9 + 0.005 * place, 0.89, 0.98) for place in range(len(Bone)))
    source = "PHANTOM" if is_phantom else "patients"
    return Table(metric, f"{metric} by bone", BY_BONE, tuple(Row(model, source, "carpus", cells) for model in MODELS))


def by_centre(*, is_phantom: bool) -> Figure:
    column = Column("", "DSC")
    source = "PHANTOM" if is_phantom else "patients"
    rows = [
        Row(model, source, "carpus", (Cell(0.9, 0.88, 0.93),), part) for model in MODELS for part in ("HMCRD", "HU")
    ]
    return figures.part_dots(Table("by_centre", "By centre", (column,), tuple(rows)), column)


def probabilities() -> list[figures.ScoredProbabilities]:
    scores = np.arange(60) % 6
    return [figures.ScoredProbabilities(model, scores, scores / 6 + 0.05, (0.5,)) for model in MODELS]


def reliabilities() -> list[figures.Reliability]:
    middle = np.linspace(0.05, 0.95, 10)
    counts = np.arange(10)[::-1]
    return [figures.Reliability(model, np.linspace(0, 1, 11), middle, middle**2, counts, 0.1) for model in MODELS]


SAMPLES: dict[str, Callable[..., Figure]] = {
    "segmentation_errors": segmentation,
    "joint_answers": joints,
    "cohort_overview": lambda *, is_phantom: figures.cohort_overview(dataset(is_phantom=is_phantom)),
    "split_audit": lambda *, is_phantom: figures.split_audit(
        audit_splits(dataset(is_phantom=is_phantom)), is_phantom=is_phantom
    ),
    "score_counts": lambda *, is_phantom: figures.score_counts(
        {
            task: scores_table(dataset_statistics(dataset(is_phantom=is_phantom)).erosion_scores, task)
            for task in SPLIT_TASKS
        },
        is_phantom=is_phantom,
    ),
    "image_sizes": lambda *, is_phantom: figures.image_sizes(
        [CentreImages(centre, ((600, 598), (590, 600)), (8,), 0.15) for centre in ("HMCRD", "SCGH", "HU", "DHA")],
        is_phantom=is_phantom,
    ),
    "bone_dots": lambda *, is_phantom: figures.bone_dots(
        [by_bone(metric, is_phantom=is_phantom) for metric in ("DSC", "NSD")], wrist=wrist()
    ),
    "bone_spreads": lambda *, is_phantom: figures.bone_spreads(
        {model: {bone: np.linspace(0.8, 0.99, 9) for bone in Bone} for model in MODELS},
        metric="dsc",
        is_phantom=is_phantom,
    ),
    "confusion_matrices": lambda *, is_phantom: figures.confusion_matrices(
        [(f"{model}, paper", Confusion(30, 400, 46, 1178)) for model in (*MODELS, *MODELS)], is_phantom=is_phantom
    ),
    "confusion_by_joint": lambda *, is_phantom: figures.confusion_by_joint(
        {model: {joint.abbreviation: Confusion(30, 400, 46, 1178) for joint in Joint} for model in MODELS},
        is_phantom=is_phantom,
    ),
    "probabilities_by_score": lambda *, is_phantom: figures.probabilities_by_score(
        probabilities(), is_phantom=is_phantom, generator=np.random.default_rng(0)
    ),
    "calibration_curves": lambda *, is_phantom: figures.calibration_curves(reliabilities(), is_phantom=is_phantom),
    "part_dots": by_centre,
    "patient_ranges": lambda *, is_phantom: figures.patient_ranges(
        {
            model: [figures.PatientValues(f"{n}", np.array([0.9, 0.9 + n / 100]), "BE") for n in range(6)]
            for model in MODELS
        },
        metric="dsc",
        is_phantom=is_phantom,
    ),
    "leaderboard": lambda *, is_phantom: figures.leaderboard(
        [figures.Standing(model, Cell(0.9, 0.88, 0.93), np.array([0.5, 0.3, 0.2])) for model in MODELS],
        metric="dsc",
        is_phantom=is_phantom,
    ),
    "paired_differences": lambda *, is_phantom: figures.paired_differences(
        [figures.Difference(bone.abbreviation, Cell(0.01, -0.01, 0.03), 0.04) for bone in Bone],
        first="UMambaEnc",
        second="EfficientFormer",
        metric="dsc",
        is_phantom=is_phantom,
    ),
    "training_curves": lambda *, is_phantom: figures.training_curves(
        {"unet": {"epoch": [1, 2, 3], "train_loss": [3, 2, 1], "val_dsc": [0.1, 0.5, 0.7]}}, is_phantom=is_phantom
    ),
    "reference_scores": lambda *, is_phantom: figures.reference_scores(
        dict.fromkeys(Joint, (500, 30, 12, 5, 1, 0)), is_phantom=is_phantom
    ),
}


@styled
def texts(figure: Figure) -> list[tuple[str, Bbox]]:
    """What is written in a figure, and where in pixels; ticks outside their axis are not drawn."""
    canvas = FigureCanvasAgg(figure)
    figure.draw_without_rendering()
    hidden: set[Text] = set()
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            places = axis.get_majorticklocs()
            for number, tick in enumerate(axis.get_major_ticks()):
                if number >= len(places) or not low <= places[number] <= high or not axes.axison:
                    hidden.update((tick.label1, tick.label2))
    found = [text for text in figure.findobj(Text) if text not in hidden]
    written = [text for text in found if text.get_visible() and text.get_text().strip()]
    return [(text.get_text(), text.get_window_extent(canvas.get_renderer())) for text in written]


def test_every_figure_has_a_sample() -> None:
    made = {name for name in figures.__all__ if name[0].islower()} - {"looks", "svg", "write_figure"}
    assert set(SAMPLES) == made


@cache
def phantom_sample(name: str) -> tuple[Figure, list[tuple[str, Bbox]]]:
    figure = SAMPLES[name](is_phantom=True)
    return figure, texts(figure)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_figure_is_text_that_parses_the_same_every_time_and_phantoms_are_called_so(name: str) -> None:
    first = figures.svg(SAMPLES[name](is_phantom=False))
    ElementTree.fromstring(first)  # noqa: S314 (written by the figure under test)
    assert figures.svg(SAMPLES[name](is_phantom=False)) == first
    assert "PHANTOM" not in first
    assert any("PHANTOM" in text for text, _ in phantom_sample(name)[1])


@pytest.mark.parametrize("name", SAMPLES)
def test_nothing_written_is_cut_off_or_lies_on_another(name: str) -> None:
    figure, placed = phantom_sample(name)
    width, height = figure.bbox.size
    for text, box in placed:
        assert -2 <= box.x0 <= box.x1 <= width + 2, text
        assert -2 <= box.y0 <= box.y1 <= height + 2, text
    for (one, first), (other, second) in combinations(placed, 2):
        across = min(first.x1, second.x1) - max(first.x0, second.x0)
        down = min(first.y1, second.y1) - max(first.y0, second.y0)
        assert across <= 3 or down <= 5, (one, other)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_figure_fits_a_page(name: str) -> None:
    width, height = phantom_sample(name)[0].get_size_inches() * 25.4
    assert width <= 180.01
    assert height <= 225
