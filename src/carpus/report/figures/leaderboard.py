"""Who is best, how surely, and how often another draw of patients would have ranked the models otherwise."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from carpus.errors import InputError
from carpus.metrics import METRICS
from carpus.report.cells import Cell
from carpus.report.figures.style import DOUBLE_MM, GREY, INK, SINGLE_MM, canvas, looks, styled

_LINE_MM = 4.6


@dataclass(frozen=True, eq=False)
class Standing:
    """One model of a leaderboard.

    Attributes:
        model: The network's or baseline's name.
        cell: Its value with its 95 % interval.
        rank_shares: Part of the bootstrap replicates in which it was first, second, ..., 0 to 1; None if not drawn.
    """

    model: str
    cell: Cell
    rank_shares: Float[np.ndarray, " ranks"] | None = None


@styled
def leaderboard(standings: Sequence[Standing], *, metric: str, is_phantom: bool = False) -> Figure:
    """A line a model, the best on top: its value with interval, and how often it had each rank.

    Args:
        standings: One a model; undefined values come last.
        metric: A name of `carpus.metrics.METRICS`.
        is_phantom: Whether they were measured on synthetic wrists.

    Raises:
        InputError: No model, or rank shares for some models only.
    """
    with_ranks = {standing.rank_shares is not None for standing in standings}
    if len(with_ranks) != 1:
        raise InputError(
            f"{len(standings)} models, expected one or more, all or none with rank shares; complete the leaderboard"
        )
    sign = -1 if METRICS[metric].better == "higher" else 1
    ordered = sorted(standings, key=lambda own: (np.isnan(own.cell.value), sign * own.cell.value))
    height_mm = _LINE_MM * len(ordered) + 14
    if with_ranks == {False}:
        figure = canvas(width_mm=SINGLE_MM, height_mm=height_mm, is_phantom=is_phantom)
        _draw_values(figure.subplots(), ordered, metric)
        return figure
    figure = canvas(width_mm=DOUBLE_MM, height_mm=height_mm, is_phantom=is_phantom)
    values, ranks = figure.subplots(1, 2, width_ratios=(1, 1.1))
    _draw_values(values, ordered, metric)
    _draw_ranks(ranks, ordered)
    return figure


def _draw_values(axes: Axes, standings: Sequence[Standing], metric: str) -> None:
    for place, (standing, look) in enumerate(
        zip(standings, looks(own.model for own in standings).values(), strict=True)
    ):
        cell = standing.cell
        axes.hlines(place, cell.low, cell.high, color=look.colour)
        axes.plot(cell.value, place, look.marker, color=look.colour, markersize=4)
        axes.text(1.02, place, cell.text(3), transform=axes.get_yaxis_transform(), va="center", color=INK)
    _name_lines(axes, standings)
    axes.set_xlabel(f"{METRICS[metric].label} ({METRICS[metric].better} is better)")


def _draw_ranks(axes: Axes, standings: Sequence[Standing]) -> None:
    shares = np.stack([np.asarray(own.rank_shares, float) for own in standings])
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1.2, aspect="auto")
    for (row, column), share in np.ndenumerate(shares):
        if share >= 0.005:
            ink = "white" if share > 0.6 else INK
            axes.text(column, row, f"{share:.0%}".removesuffix("%"), ha="center", va="center", color=ink, fontsize=6)
    _name_lines(axes, standings)
    axes.tick_params(labelleft=False)
    axes.set_xticks(range(shares.shape[1]), [str(rank) for rank in range(1, shares.shape[1] + 1)])
    axes.set_xlabel("rank (% of the bootstrap replicates)")
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.tick_params(axis="x", length=0, labelcolor=GREY)


def _name_lines(axes: Axes, standings: Sequence[Standing]) -> None:
    axes.set_yticks(range(len(standings)), [own.model for own in standings])
    axes.set_ylim(len(standings) - 0.5, -0.5)
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)
