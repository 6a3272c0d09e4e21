"""The paper's Figures 4 and 10: how many joints were eroded or not, and called so or not."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Int
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from carpus.errors import InputError
from carpus.metrics import Confusion
from carpus.report.figures.style import DOUBLE_MM, INK, canvas, styled

_ACROSS = 5
_CELL_MM = 33.0


@styled
def confusion_matrices(matrices: Sequence[tuple[str, Confusion]], *, is_phantom: bool = False) -> Figure:
    """One square a model: counts, and the part of the row.

    Args:
        matrices: Name of the model and its four counts; the paper's as well, under a name that says so.
        is_phantom: Whether any was measured on synthetic wrists.

    Raises:
        InputError: No matrix.
    """
    if not matrices:
        raise InputError("0 confusion matrices, expected one or more; evaluate a classifier first")
    across = min(len(matrices), _ACROSS)
    down = -(-len(matrices) // across)
    figure = canvas(
        width_mm=min(across * _CELL_MM + 10, DOUBLE_MM), height_mm=down * (_CELL_MM + 6) + 5, is_phantom=is_phantom
    )
    panels = figure.subplots(down, across, squeeze=False)
    for place, axes in enumerate(panels.ravel()):
        if place >= len(matrices):
            axes.axis("off")
            continue
        name, counts = matrices[place]
        _draw_matrix(axes, counts, size=8)
        axes.set_title(name)
        _name_sides(axes, left=place % across == 0, below=place + across >= len(matrices))
    return figure


@styled
def confusion_by_joint(matrices: Mapping[str, Mapping[str, Confusion]], *, is_phantom: bool = False) -> Figure:
    """A row a model, a square a joint and one for all of them together.

    Args:
        matrices: Name of the model to name of the joint, or `All`, to the four counts; the same joints for each.
        is_phantom: Whether any was measured on synthetic wrists.

    Raises:
        InputError: No matrix, or not the same joints for every model.
    """
    joints = {tuple(own) for own in matrices.values()}
    if len(joints) != 1 or () in joints:
        raise InputError(f"{len(joints)} sets of joints, expected the same for every model; evaluate it again")
    (columns,) = joints
    edge_mm = (DOUBLE_MM - 14) / max(len(columns), 4)
    figure = canvas(
        width_mm=min(DOUBLE_MM, edge_mm * len(columns) + 14),
        height_mm=len(matrices) * (edge_mm - 0.5) + 10,
        is_phantom=is_phantom,
    )
    panels = figure.subplots(len(matrices), len(columns), squeeze=False)
    for row, (model, own) in enumerate(matrices.items()):
        for column, (joint, counts) in enumerate(own.items()):
            axes = panels[row, column]
            _draw_matrix(axes, counts, size=6)
            if row == 0:
                axes.set_title(joint, loc="center")
            _name_sides(axes, left=column == 0, below=row == len(matrices) - 1)
        panels[row, 0].set_ylabel(model, fontweight="bold")
    return figure


def _draw_matrix(axes: Axes, counts: Confusion, *, size: float) -> None:
    numbers: Int[np.ndarray, "2 2"] = np.array([[counts.tp, counts.fn], [counts.fp, counts.tn]])
    of_row = numbers.sum(axis=1, keepdims=True)
    share = numbers / np.maximum(of_row, 1)
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1.25, aspect="equal")
    for (row, column), number in np.ndenumerate(numbers):
        ink = "white" if share[row, column] > 0.7 else INK
        part = f"{share[row, column]:.0%}" if of_row[row] else "\N{EN DASH}"
        axes.text(column, row - 0.14, str(number), ha="center", va="center", color=ink, fontsize=size)
        axes.text(column, row + 0.2, part, ha="center", va="center", color=ink, fontsize=max(size - 2, 5.5))
    axes.axhline(0.5, color="white", linewidth=1)
    axes.set_xticks([0, 1], ["called BE", "nonBE"])
    axes.set_yticks([0, 1], ["BE", "nonBE"], rotation=90, va="center")
    axes.tick_params(length=0, labelsize=6)
    axes.spines[:].set_visible(False)
    axes.grid(visible=False)


def _name_sides(axes: Axes, *, left: bool, below: bool) -> None:
    axes.tick_params(labelleft=left, labelbottom=below)
