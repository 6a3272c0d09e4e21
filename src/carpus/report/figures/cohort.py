"""The paper's Figure 2: who is in a dataset, from where, how old, how often, and how eroded."""

from collections import Counter
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from carpus.anatomy import SVDH_SCORES, Joint
from carpus.data.dataset import Dataset
from carpus.data.layout import Split
from carpus.data.statistics import Statistics, dataset_statistics
from carpus.errors import InputError
from carpus.report.figures.cohort_circle import SEX_COLOURS, centre_colours, centre_names, draw_circle
from carpus.report.figures.splits import SPLIT_COLOURS
from carpus.report.figures.style import DOUBLE_MM, GREY, SEVERITY, canvas, styled

_AGE_STEP = 10
_PALE = 0.45
_LEGEND: dict[str, Any] = {
    "loc": "lower right", "bbox_to_anchor": (1.02, 0.97), "borderpad": 0,
    "handlelength": 0.8, "handletextpad": 0.3, "columnspacing": 0.7,
}  # fmt: skip


@styled
def cohort_overview(dataset: Dataset) -> Figure:
    """Every patient around a circle, and counts by centre, split, age, number of visits and score.

    Raises:
        InputError: The dataset has no case.
    """
    if not dataset.cases:
        raise InputError(f"{dataset.root} has no case, expected some to count; check the dataset")
    counts = dataset_statistics(dataset)
    figure = canvas(width_mm=DOUBLE_MM, height_mm=115, is_phantom=dataset.is_phantom)
    grid = figure.add_gridspec(5, 2, width_ratios=(1.75, 1), height_ratios=(1.5, 0.7, 1.1, 0.8, 1.6))
    circle, *panels = (figure.add_subplot(place) for place in (grid[:, 0], *(grid[row, 1] for row in range(5))))
    draw_circle(circle, dataset.cases)
    for letter, axes, title in zip(
        "ABCDEF",
        (circle, *panels),
        ("", "Patients and images", "Images", "Age", "Visits", "SvdH score"),
        strict=True,
    ):
        axes.set_title(f"{letter}   {title}")
    _draw_centres(panels[0], dataset)
    _draw_splits(panels[1], counts)
    _draw_ages(panels[2], dataset)
    _draw_visits(panels[3], counts)
    _draw_scores(panels[4], counts)
    return figure


def _draw_centres(axes: Axes, dataset: Dataset) -> None:
    centres = centre_names(dataset.cases)
    images = Counter(case.institution or "unknown" for case in dataset.cases)
    patients = Counter(
        centre for _, centre in {(case.id.patient, case.institution or "unknown") for case in dataset.cases}
    )
    full = np.array([to_rgb(colour) for colour in centre_colours(centres).values()])
    for shift, counted, colours in ((-0.2, patients, full), (0.2, images, 1 - (1 - full) * _PALE)):
        widths = [counted[centre] for centre in centres]
        bars = axes.barh(np.arange(len(centres)) + shift, widths, height=0.38, color=colours)
        axes.bar_label(bars, padding=1.5, fontsize=6)
    axes.set_yticks(range(len(centres)), centres)
    axes.invert_yaxis()
    axes.set_xlabel("patients (full), images (pale)")
    _only_x(axes)


def _draw_splits(axes: Axes, counts: Statistics) -> None:
    for row, by_split in enumerate((counts.bones, counts.erosion)):
        left = 0
        for split in Split:
            number = by_split[split.value]
            axes.barh(row, number, left=left, height=0.7, color=SPLIT_COLOURS[split])
            if number:
                ink = "white" if split is Split.TRAIN else "black"
                axes.text(left + number / 2, row, str(number), ha="center", va="center", color=ink, fontsize=6)
            left += number
    axes.set_yticks([0, 1], ["bones", "erosion"])
    axes.invert_yaxis()
    for split in Split:
        axes.barh(0, 0, color=SPLIT_COLOURS[split], label=split.value)
    axes.legend(ncols=3, **_LEGEND)
    _only_x(axes)


def _draw_ages(axes: Axes, dataset: Dataset) -> None:
    first = {case.id.patient: case for case in reversed(dataset.cases)}
    ages = {
        sex: [case.age for case in first.values() if case.sex == sex and case.age is not None] for sex in SEX_COLOURS
    }
    shown = {sex: own for sex, own in ages.items() if own}
    top = max((max(own) for own in shown.values()), default=0)
    edges = np.arange(0, top + _AGE_STEP + 1, _AGE_STEP)
    names = {"F": "female", "M": "male", None: "unknown"}
    axes.hist(
        list(shown.values()) or [[]], list(edges), stacked=True, rwidth=0.9,
        color=[SEX_COLOURS[sex] for sex in shown] or None, label=[names[sex] for sex in shown] or None,
    )  # fmt: skip
    axes.set(xlabel="years at the first visit", ylabel="patients")
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.grid(visible=False, axis="x")
    axes.tick_params(axis="x", length=2)
    if shown:
        axes.legend(ncols=3, **_LEGEND)


def _draw_visits(axes: Axes, counts: Statistics) -> None:
    bars = axes.bar(list(map(str, counts.visits)), list(counts.visits.values()), width=0.6, color=GREY)
    axes.bar_label(bars, padding=1, fontsize=6)
    axes.set(xlabel="visits", ylabel="patients")
    axes.margins(y=0.4)
    axes.yaxis.set_major_locator(MaxNLocator(3, integer=True))
    axes.grid(visible=False, axis="x")


def _draw_scores(axes: Axes, counts: Statistics) -> None:
    """Only scores above 0 have bars, as they would vanish beside the healthy joints."""
    every_split = counts.erosion_scores.values()
    total = {
        joint: np.sum([list(by_joint[joint.abbreviation].values()) for by_joint in every_split], axis=0)
        for joint in Joint
    }
    left = np.zeros(len(Joint))
    for score in SVDH_SCORES[1:]:
        share = np.array([100 * own[score] / max(own.sum(), 1) for own in total.values()])
        axes.barh(range(len(Joint)), share, left=left, height=0.7, color=SEVERITY[score], label=str(score))
        left += share
    labels = [f"{joint.abbreviation} ({own.sum()})" for joint, own in total.items()]
    axes.set_yticks(range(len(Joint)), labels)
    axes.invert_yaxis()
    axes.set_xlabel("% of the joints with a score above 0")
    axes.legend(ncols=5, **_LEGEND)
    _only_x(axes)


def _only_x(axes: Axes) -> None:
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
