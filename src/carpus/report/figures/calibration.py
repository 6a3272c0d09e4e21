"""Whether a probability means what it says: how often joints are eroded among those given each probability."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from carpus.errors import InputError
from carpus.report.figures.style import DOUBLE_MM, FAINT, GREY, Look, canvas, looks, styled

_ACROSS = 4
_LEAST_SIZE, _SIZE_OF_MOST = 4.0, 36.0


@dataclass(frozen=True, eq=False)
class Reliability:
    """A model's reliability curve.

    Attributes:
        model: The network's or baseline's name.
        edges: Of the bins of probability, 0 to 1.
        probability: Mean of each bin; NaN where it is empty.
        eroded: Part of each bin's joints that is eroded, 0 to 1; NaN where it is empty.
        counts: Joints of each bin.
        error: Expected calibration error, 0 to 1, lower is better.
    """

    model: str
    edges: Float[np.ndarray, " k1"]
    probability: Float[np.ndarray, " k"]
    eroded: Float[np.ndarray, " k"]
    counts: Int[np.ndarray, " k"]
    error: float


@styled
def calibration_curves(curves: Sequence[Reliability], *, is_phantom: bool = False) -> Figure:
    """A panel a model: the curve, its expected calibration error, and below how many joints each bin has.

    Raises:
        InputError: No curve.
    """
    if not curves:
        raise InputError("0 reliability curves, expected one or more; evaluate a classifier first")
    across = min(len(curves), _ACROSS)
    down = -(-len(curves) // across)
    figure = canvas(width_mm=min(44 * across + 8, DOUBLE_MM), height_mm=54 * down + 6, is_phantom=is_phantom)
    panels = figure.subplots(2 * down, across, squeeze=False, sharex=True, height_ratios=[3.4, 1] * down)
    for axes in panels[-2:, len(curves) - across * (down - 1) :].ravel():
        axes.axis("off")
    models = looks(curve.model for curve in curves)
    for place, curve in enumerate(curves):
        row, column = divmod(place, across)
        above, below = panels[2 * row : 2 * row + 2, column]
        _draw_curve(above, curve, models[curve.model])
        below.bar(curve.edges[:-1], curve.counts, np.diff(curve.edges), align="edge", color=GREY, edgecolor="white")
        below.yaxis.set_major_locator(MaxNLocator(2, integer=True))
        below.grid(visible=False)
        is_last = place + across >= len(curves)
        below.tick_params(labelbottom=is_last)
        if is_last:
            below.set_xlabel("probability of erosion")
        if column == 0:
            above.set_ylabel("part that is eroded")
            below.set_ylabel("joints")
    return figure


def _draw_curve(axes: Axes, curve: Reliability, look: Look) -> None:
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.6, linestyle="--")
    filled = curve.counts > 0
    x, y = curve.probability[filled], curve.eroded[filled]
    axes.vlines(x, x, y, color=FAINT, linewidth=1.2)
    axes.plot(x, y, color=look.colour)
    sizes = _LEAST_SIZE + _SIZE_OF_MOST * curve.counts[filled] / curve.counts.max()
    axes.scatter(x, y, sizes, color=look.colour, marker=look.marker, linewidths=0, zorder=3)
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), title=curve.model)
    axes.set_xticks([0, 0.5, 1])
    axes.set_yticks([0, 0.5, 1])
    axes.text(0.04, 0.95, f"ECE {curve.error:.3f}", transform=axes.transAxes, va="top")
