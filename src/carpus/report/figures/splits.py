"""How a dataset's patients were split: their shares, how eroded each split is, who crosses from task to task."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from carpus.data.layout import Split
from carpus.data.split_audit import SPLIT_TASKS, SplitAudit
from carpus.report.figures.style import DOUBLE_MM, FAINT, GREY, INK, WRONG, canvas, styled

SPLIT_COLOURS = {Split.TRAIN: "#2c66a7", Split.VAL: "#d7ab13", Split.TEST: "#61bdd1"}
_LEGEND: dict[str, Any] = {"ncols": 3, "loc": "lower right", "bbox_to_anchor": (1.02, 0.97), "handlelength": 0.8}
_OUTSIDE = "-"


@styled
def split_audit(audit: SplitAudit, *, is_phantom: bool = False) -> Figure:
    """Three panels: shares of the patients with the paper's aim as lines, eroded joints, and patients by both splits.

    Args:
        audit: Of a dataset.
        is_phantom: Whether its wrists are synthetic.
    """
    figure = canvas(width_mm=DOUBLE_MM, height_mm=48, is_phantom=is_phantom)
    shares, eroded, crossing = figure.subplots(1, 3, width_ratios=(1.5, 1, 1))
    _draw_shares(shares, audit)
    _draw_eroded(eroded, audit)
    _draw_crossing(crossing, audit)
    return figure


def _draw_shares(axes: Axes, audit: SplitAudit) -> None:
    axes.set_title("A   Patients by split")
    for row, task in enumerate(SPLIT_TASKS):
        left, aim = 0.0, 0.0
        for share in (each for each in audit.shares if each.task == task):
            split = Split(share.split)
            axes.barh(row, 100 * share.share, left=left, height=0.6, color=SPLIT_COLOURS[split])
            if share.patients:
                ink = "white" if split is Split.TRAIN else INK
                middle = left + 50 * share.share
                axes.text(middle, row, str(share.patients), ha="center", va="center", color=ink, fontsize=6)
            left += 100 * share.share
            aim += 100 * share.expected
            axes.plot([aim, aim], [row - 0.42, row + 0.42], color=INK, linewidth=0.8)
    for split, colour in SPLIT_COLOURS.items():
        axes.barh(0, 0, color=colour, label=split.value)
    axes.legend(**_LEGEND)
    axes.set_yticks(range(len(SPLIT_TASKS)), SPLIT_TASKS)
    axes.set(xlim=(0, 100), ylim=(1.6, -0.6), xlabel="% of the task's patients (lines: 70, 80 and 100)")
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)


def _draw_eroded(axes: Axes, audit: SplitAudit) -> None:
    axes.set_title("B   Eroded joints")
    top = 0.0
    for share in audit.shares:
        place = SPLIT_TASKS.index(share.task) + 0.25 * (list(Split).index(Split(share.split)) - 1)
        part = 100 * (share.eroded or 0)
        bars = axes.bar(place, part, width=0.22, color=SPLIT_COLOURS[Split(share.split)])
        axes.bar_label(bars, ["none" if share.eroded is None else f"{part:.0f}"], padding=1, fontsize=6)
        top = max(top, part)
    axes.set_xticks(range(len(SPLIT_TASKS)), SPLIT_TASKS)
    axes.set(ylabel="% with a score above 0", ylim=(0, 1.2 * top or 1))
    axes.grid(visible=False, axis="x")
    axes.tick_params(axis="x", length=0)


def _draw_crossing(axes: Axes, audit: SplitAudit) -> None:
    axes.set_title("C   Patients by both splits")
    names = [*(split.value for split in Split), _OUTSIDE]
    rows = [*names, *(each for each in audit.crossing if each not in names)]
    columns = list(dict.fromkeys([*names, *(each for counts in audit.crossing.values() for each in counts)]))
    counts = np.array([[audit.crossing.get(row, {}).get(column, 0) for column in columns] for row in rows])
    for (y, x), count in np.ndenumerate(counts):
        apart = _OUTSIDE not in (rows[y], columns[x]) and ("test" in rows[y]) != ("test" in columns[x])
        colour = WRONG if apart and count else FAINT if count else "white"
        axes.fill([x - 0.46, x + 0.46, x + 0.46, x - 0.46], [y - 0.46, y - 0.46, y + 0.46, y + 0.46], color=colour)
        ink = "white" if colour == WRONG else INK if count else GREY
        axes.text(x, y, str(count), ha="center", va="center", fontsize=6, color=ink)
    axes.set_xticks(range(len(columns)), ["none" if name == _OUTSIDE else name for name in columns])
    axes.set_yticks(range(len(rows)), ["none" if name == _OUTSIDE else name for name in rows])
    axes.set(xlabel="erosion (orange: tested in one task only)", ylabel="bones")
    axes.set(xlim=(-0.5, len(columns) - 0.5), ylim=(len(rows) - 0.5, -0.5))
    axes.grid(visible=False)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
