"""Two models compared on the same images: the paired difference by bone, with its interval."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from carpus.errors import InputError
from carpus.metrics import METRICS
from carpus.report.cells import Cell, number_text
from carpus.report.figures.style import GREY, INK, SINGLE_MM, canvas, looks, styled

_LINE_MM = 4.2
_LEVEL = 0.05


@dataclass(frozen=True)
class Difference:
    """How far one model is above another on one structure.

    Attributes:
        structure: A bone, an overlap or a joint as the tables print it, or `All`.
        cell: Mean of first minus second, with its 95 % interval.
        adjusted_p: Of the paired test after Holm's correction; NaN if not tested.
    """

    structure: str
    cell: Cell
    adjusted_p: float


@styled
def paired_differences(
    differences: Sequence[Difference], *, first: str, second: str, metric: str, is_phantom: bool = False
) -> Figure:
    """A line a structure: the difference with its interval, filled where significant after Holm's correction.

    Args:
        differences: In the order to be drawn.
        first: Name of the model that is subtracted from.
        second: Name of the model that is subtracted.
        metric: A name of `carpus.metrics.METRICS`.
        is_phantom: Whether they were measured on synthetic wrists.

    Raises:
        InputError: No difference.
    """
    if not differences:
        raise InputError("0 differences, expected one or more; compare two models on the same images")
    figure = canvas(width_mm=SINGLE_MM, height_mm=_LINE_MM * len(differences) + 22, is_phantom=is_phantom)
    axes = figure.subplots()
    colours = {name: look.colour for name, look in looks([first, second]).items()}
    favours_first = 1 if METRICS[metric].better == "higher" else -1
    for place, difference in enumerate(differences):
        cell = difference.cell
        colour = colours[first if favours_first * cell.value >= 0 else second]
        is_significant = difference.adjusted_p < _LEVEL
        face = colour if is_significant else "white"
        axes.hlines(place, cell.low, cell.high, color=colour)
        axes.plot(cell.value, place, "o", color=colour, markerfacecolor=face, markersize=4, markeredgewidth=0.8)
        axes.text(
            1.02, place, _p_text(difference.adjusted_p), transform=axes.get_yaxis_transform(), va="center",
            color=INK if is_significant else GREY, fontweight="bold" if is_significant else "normal",
        )  # fmt: skip
    axes.axvline(0, color=INK, linewidth=0.6)
    axes.text(1.02, -0.9, "P (Holm)", transform=axes.get_yaxis_transform(), va="center", color=GREY)
    axes.set_yticks(range(len(differences)), [difference.structure for difference in differences])
    axes.set_ylim(len(differences) - 0.5, -1.4)
    ends = np.abs([(d.cell.value, d.cell.low, d.cell.high) for d in differences])
    reach = 1.08 * ends[np.isfinite(ends)].max(initial=0) or 1.0
    axes.set_xlim(-reach, reach)
    left, right = (second, first) if favours_first > 0 else (first, second)
    for x, align, name, arrow in ((0.02, "left", left, "\N{LEFTWARDS ARROW} "), (0.98, "right", right, "")):
        tail = " \N{RIGHTWARDS ARROW}" if align == "right" else ""
        axes.text(
            x, -0.9, f"{arrow}{name} better{tail}", transform=axes.get_yaxis_transform(), ha=align, va="center",
            color=colours[name], fontweight="bold",
        )  # fmt: skip
    axes.set_xlabel(f"difference in {METRICS[metric].label}, {first} \N{MINUS SIGN} {second}")
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)
    return figure


def _p_text(p: float) -> str:
    return "<0.001" if p < 0.001 else number_text(p, 3)
