"""What each figure shows of its data, and what it refuses."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.text import Text

from carpus.anatomy import Bone, Joint
from carpus.data.case import CaseId
from carpus.data.dataset import Case, Dataset
from carpus.data.layout import Split
from carpus.errors import InputError
from carpus.imaging import BoneMasks, Box
from carpus.metrics import Confusion
from carpus.report import figures
from carpus.report.cells import Cell, Column, Row, Table
from carpus.report.figures.style import SEVERITY

GREY = np.full((100, 100), 100, np.uint8)
NOTHING = BoneMasks.empty(height=100, width=100)
DSC = Column("", "DSC")


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text)]


def pictures(figure: Figure) -> list[np.ndarray]:
    return [np.asarray(image.get_array()) for axes in figure.axes for image in axes.get_images()]


def square(bone: Bone, rows: slice, columns: slice) -> BoneMasks:
    stack = np.zeros((14, 100, 100), bool)
    stack[bone.channel, rows, columns] = True
    return BoneMasks.from_stack(stack)


def share_of(picture: np.ndarray, colour: tuple[int, int, int]) -> float:
    """The part of a picture whose hue leans to a colour, as filled errors do."""
    lean = picture.astype(float) - 100
    return float(((lean @ (np.array(colour) - 100.0) > 4000) & (np.ptp(picture, axis=-1) > 60)).mean())


def test_close_ups_show_what_is_missed_in_blue_and_what_is_added_in_orange() -> None:
    reference = square(Bone.LUNATE, slice(40, 60), slice(40, 60))
    added = square(Bone.LUNATE, slice(40, 60), slice(40, 72))
    missed = square(Bone.LUNATE, slice(40, 60), slice(40, 48))
    case = figures.SegmentationCase("wrist", GREY, reference, {"more": added, "less": missed})
    shown = pictures(figures.segmentation_errors([case], is_phantom=False))
    # Radiograph, reference, two models; one close-up each, as no overlap is wrong.
    assert len(shown) == 8
    more, less = shown[5], shown[7]
    blue, orange = (86, 196, 244), (255, 150, 20)
    assert share_of(more, orange) > 0.2 > 0.01 > share_of(more, blue)
    assert share_of(less, blue) > 0.2 > 0.01 > share_of(less, orange)


def test_more_than_six_models_go_on_below() -> None:
    predicted = {f"net {number}": square(Bone.LUNATE, slice(40, 60), slice(40, 60)) for number in range(9)}
    case = figures.SegmentationCase("wrist", GREY, NOTHING, predicted)
    figure = figures.segmentation_errors([case], is_phantom=False)
    assert set(predicted) <= set(texts(figure))
    tops = {round(axes.get_position().y1, 4) for axes in figure.axes}
    assert len(tops) == 4


def test_masks_without_any_error_need_no_close_up() -> None:
    case = figures.SegmentationCase("wrist", GREY, NOTHING, {"net": NOTHING})
    assert len(pictures(figures.segmentation_errors([case], is_phantom=False))) == 3


def test_masks_of_another_size_are_refused_by_name() -> None:
    case = figures.SegmentationCase("wrist", GREY, NOTHING, {"net": BoneMasks.empty(height=50, width=100)})
    with pytest.raises(InputError, match=r"wrist is \(100, 100\) and the masks of net are \(50, 100\)"):
        figures.segmentation_errors([case], is_phantom=False)


@pytest.mark.parametrize(("probability", "score", "colour"), [(0.7, 2, "#0072b2"), (0.7, 0, "#d55e00")])
def test_a_joint_is_framed_by_whether_the_call_was_right(probability: float, score: int, colour: str) -> None:
    answers = {"net": {Joint.LUNATE: figures.JointAnswer(probability, 0.5)}}
    case = figures.JointCase("wrist", GREY, {Joint.LUNATE: Box(10, 10, 50, 50)}, {Joint.LUNATE: score}, answers)
    figure = figures.joint_answers([case], is_phantom=False)
    written = next(text for text in figure.findobj(Text) if text.get_text() == "0.70")
    assert str(written.get_color()).lower() == colour
    assert f"Lu: {score}" in texts(figure)


def test_an_unread_joint_is_wrong_and_says_so() -> None:
    answers = {"net": {Joint.LUNATE: figures.JointAnswer(float("nan"), 0.5)}}
    case = figures.JointCase("wrist", GREY, {Joint.LUNATE: Box(10, 10, 50, 50)}, {Joint.LUNATE: 0}, answers)
    figure = figures.joint_answers([case], is_phantom=False)
    written = next(text for text in figure.findobj(Text) if text.get_text() == "unread")
    assert written.get_color() == "#D55E00"


def case(patient: int, study: int, side: str, worst: int | None, centre: str | None = "HU") -> Case:
    scores = None if worst is None else {**dict.fromkeys(Joint, 0), Joint.LUNATE: worst}
    split = Split.TRAIN
    known = (scores, centre, 60, "F", study)
    return Case(CaseId(f"{patient:04}", f"{study:04}", side), Path(), None, split, split, {}, {}, *known)


def colour_of(score: int) -> tuple[int, ...]:
    return tuple(int(SEVERITY[score][at : at + 2], 16) for at in (1, 3, 5))


def test_the_circle_has_one_cell_a_wrist_with_the_colour_of_its_highest_score() -> None:
    cases = (case(1, 1, "L", 3), case(1, 1, "R", 0), case(1, 2, "L", 5), case(2, 1, "R", None, None))
    figure = figures.cohort_overview(Dataset(Path(), cases, is_phantom=False))
    (cells,) = [c for c in figure.axes[0].collections if isinstance(c, PolyCollection) and len(c.get_paths()) > 4]
    colours = [tuple(row) for row in np.rint(np.asarray(cells.get_facecolor())[:, :3] * 255).astype(int)]
    assert [colours.count(colour_of(score)) for score in (0, 3, 5)] == [1, 1, 1]
    written = texts(figure)
    assert "2 patients\n4 images" in written
    assert "unknown\n1 patients" in written


def test_the_worst_patient_of_a_centre_comes_first() -> None:
    cases = (case(1, 1, "L", 0), case(2, 1, "L", 5), case(3, 1, "L", 2))
    figure = figures.cohort_overview(Dataset(Path(), cases, is_phantom=False))
    (cells,) = [c for c in figure.axes[0].collections if isinstance(c, PolyCollection) and len(c.get_paths()) > 4]
    colours = [tuple(row) for row in np.rint(np.asarray(cells.get_facecolor())[:, :3] * 255).astype(int)]
    places = [colours.index(colour_of(score)) for score in (5, 2, 0)]
    assert places == sorted(places)


def test_the_best_found_bone_stands_on_top_whatever_the_order_of_the_table() -> None:
    values = np.random.default_rng(0).permutation(np.linspace(0.8, 0.99, len(Bone)))
    columns = tuple(Column("", bone.abbreviation) for bone in Bone)
    row = Row("Unet", "patients", "", tuple(Cell(value) for value in values))
    paper = Row("Unet", "paper", "", tuple(Cell(1 - value) for value in values))
    figure = figures.bone_dots([Table("table_8", "DSC by bone", columns, (row, paper))])
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert names == [list(Bone)[place].abbreviation for place in np.argsort(-values)]


@pytest.mark.parametrize("models", [1, 3, 6])
def test_confusion_matrices_print_their_counts_and_the_part_of_the_row(models: int) -> None:
    matrices = [(f"model {number}", Confusion(tp=3, fp=20, fn=1, tn=80)) for number in range(models)]
    found = texts(figures.confusion_matrices(matrices))
    numbers = [text for text in found if text.removesuffix("%").isdigit()]
    assert numbers == ["3", "75%", "1", "25%", "20", "20%", "80", "80%"] * models
    assert f"model {models - 1}" in found


def test_a_matrix_without_an_eroded_joint_has_no_parts_of_that_row() -> None:
    assert texts(figures.confusion_matrices([("net", Confusion(tp=0, fp=1, fn=0, tn=1))])).count("\N{EN DASH}") == 2


@pytest.mark.parametrize(("metric", "best"), [("dsc", "high"), ("msd", "low")])
def test_the_best_model_leads_the_leaderboard(metric: str, best: str) -> None:
    standings = [figures.Standing(name, Cell(value)) for name, value in (("low", 0.1), ("high", 0.9))]
    figure = figures.leaderboard([*standings, figures.Standing("none", Cell(float("nan")))], metric=metric)
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert names[0] == best
    assert names[-1] == "none"


def test_only_significant_differences_are_filled() -> None:
    made = [figures.Difference("Lu", Cell(0.1, 0, 0.2), 0.04), figures.Difference("Sca", Cell(0.1, 0, 0.2), 0.06)]
    axes = figures.paired_differences(made, first="a", second="b", metric="dsc").axes[0]
    faces = [line.get_markerfacecolor() for line in axes.lines if line.get_marker() == "o"]
    assert faces[0] != "white"
    assert faces[1] == "white"


@pytest.mark.parametrize(("metric", "better"), [("dsc", "first"), ("msd", "second")])
def test_a_difference_points_to_the_better_model(metric: str, better: str) -> None:
    made = [figures.Difference("Lu", Cell(0.1, 0, 0.2), 0.04)]
    assert f"{better} better \N{RIGHTWARDS ARROW}" in texts(
        figures.paired_differences(made, first="first", second="second", metric=metric)
    )


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_undefined_and_infinite_values_leave_their_line_empty(value: float) -> None:
    cell = Cell(value, float("nan"), float("nan"))
    made = [figures.Difference("Lu", cell, float("nan"))]
    drawn = figures.svg(figures.paired_differences(made, first="a", second="b", metric="msd"))
    assert ">Lu</text>" in drawn
    assert ">\N{EN DASH}</text>" in drawn
    assert ">net</text>" in figures.svg(figures.leaderboard([figures.Standing("net", cell)], metric="msd"))
    row = Row("net", "patients", "", (cell,), "HU")
    assert ">HU</text>" in figures.svg(figures.part_dots(Table("by_centre", "", (DSC,), (row,)), DSC))


def test_patients_stand_from_worst_to_best_and_undefined_ones_are_left_out() -> None:
    people = [figures.PatientValues(str(n), np.array([value, np.nan])) for n, value in enumerate((0.9, 0.7, np.nan))]
    figure = figures.patient_ranges({"net": people}, metric="dsc")
    (dots,) = [line for line in figure.axes[0].lines if line.get_marker() == "o"]
    assert list(np.asarray(dots.get_ydata(), float)) == [0.7, 0.9]
    assert "net   2 patients" in texts(figure)


def test_two_runs_of_one_model_are_told_apart_by_their_details() -> None:
    rows = tuple(
        Row("Unet", "patients", f"carpus, seed {seed}, test: 9 images, 3 patients", (Cell(0.9),), "HU")
        for seed in (1, 2)
    )
    found = texts(figures.part_dots(Table("by_centre", "By centre", (DSC,), rows), DSC))
    assert {"Unet (carpus, seed 1, test)", "Unet (carpus, seed 2, test)"} <= set(found)


def test_a_training_without_validation_still_has_its_curve() -> None:
    found = texts(figures.training_curves({"unet": {"epoch": [1, 2], "train_loss": [2.0, 1.0]}}))
    assert "training" in found
    assert "validation" not in found


def test_runs_without_any_defined_value_are_drawn_empty() -> None:
    values = {"unet": {Bone.LUNATE: np.array([np.nan, np.inf])}}
    figure = figures.bone_spreads(values, metric="dsc")
    assert "unet" in texts(figure)
    assert not any(len(np.asarray(line.get_xdata())) for line in figure.axes[0].lines)


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: figures.segmentation_errors([], is_phantom=False), "0 cases"),
        (lambda: figures.joint_answers([], is_phantom=False), "0 cases"),
        (lambda: figures.cohort_overview(Dataset(Path("data"), (), is_phantom=False)), "data has no case"),
        (lambda: figures.bone_dots([]), "0 tables by bone"),
        (lambda: figures.bone_spreads({}, metric="dsc"), "0 models with values by bone"),
        (lambda: figures.confusion_matrices([]), "0 confusion matrices"),
        (lambda: figures.confusion_by_joint({}), "0 sets of joints"),
        (
            lambda: figures.probabilities_by_score([], generator=np.random.default_rng(0)),
            "0 models with probabilities",
        ),
        (lambda: figures.calibration_curves([]), "0 reliability curves"),
        (lambda: figures.part_dots(Table("by_centre", "", (DSC,), ()), DSC), "by_centre has 0 rows with parts"),
        (lambda: figures.patient_ranges({}, metric="dsc"), "0 models with patients"),
        (lambda: figures.leaderboard([], metric="dsc"), "0 models, expected"),
        (lambda: figures.paired_differences([], first="a", second="b", metric="dsc"), "0 differences"),
        (lambda: figures.training_curves({}), "0 trainings"),
    ],
)
def test_a_figure_of_nothing_is_refused(draw: Callable[[], Figure], message: str) -> None:
    with pytest.raises(InputError, match=message):
        draw()
