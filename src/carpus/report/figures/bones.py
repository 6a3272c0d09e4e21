"""The paper's Figure 6, right: how well each bone was found, by every model."""

from collections.abc import Sequence

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.transforms import ScaledTranslation

from carpus.anatomy import Bone
from carpus.errors import InputError
from carpus.imaging.masks import BoneMasks
from carpus.report.cells import Cell, Row, Table
from carpus.report.figures.rows import any_phantom, row_names, run_rows
from carpus.report.figures.style import DOUBLE_MM, FAINT, INK, Look, canvas, looks, styled
from carpus.report.overlay import BONE_COLOURS, hex_colour

_DOT_MM, _LEAST_MM = 0.95, 4.4
_ACROSS = 7


@styled
def bone_dots(tables: Sequence[Table], *, wrist: BoneMasks | None = None) -> Figure:
    """A panel a metric, a line a bone, a dot a model, with its 95 % interval; the best found bone on top.

    Args:
        tables: By bone, one a metric, such as the report's Tables 8 and 9; the paper's rows are left out.
        wrist: Bones to draw beside it in their colours; any wrist will do.

    Raises:
        InputError: No table, or one without any run.
    """
    if not tables or not all(run_rows(table) for table in tables):
        raise InputError(f"{len(tables)} tables by bone, expected some, each with runs; evaluate a model first")
    rows = [dict(zip(row_names(run_rows(table)), run_rows(table), strict=True)) for table in tables]
    models = looks(name for own in rows for name in own)
    bones = _best_first(tables[0], list(rows[0].values()))
    band_mm = max(_LEAST_MM, _DOT_MM * (len(models) + 1))
    figure = canvas(width_mm=DOUBLE_MM, height_mm=band_mm * len(bones) + 16, is_phantom=any_phantom(tables))
    widths = [1.0] * len(tables) + ([0.6] if wrist else [])
    panels = figure.subplots(1, len(widths), sharey=not wrist, squeeze=False, width_ratios=widths)[0]
    for axes, table, own in zip(panels, tables, rows, strict=False):
        _draw_panel(axes, table, own, bones, models)
        axes.set_title(table.title)
        if axes is not panels[0]:
            axes.tick_params(axis="y", labelleft=False)
    _swatches(panels[0], bones)
    if wrist:
        draw_wrist(panels[-1], wrist)
    handles, labels = panels[0].get_legend_handles_labels()
    if wrist:
        panels[-1].legend(handles, labels, loc="upper left", bbox_to_anchor=(0, -0.08))
    else:
        figure.legend(handles, labels, loc="outside lower center", ncols=min(len(models), _ACROSS))
    return figure


def draw_wrist(axes: Axes, wrist: BoneMasks) -> None:
    """The bones as smooth areas in their colours, named."""
    stack = wrist.stack()
    alone = stack.sum(axis=0) == 1
    for bone in Bone:
        outlines, _ = cv2.findContours(wrist.mask(bone).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        if not outlines:
            continue
        outline = max(outlines, key=cv2.contourArea)
        outline = cv2.approxPolyDP(outline, 0.002 * cv2.arcLength(outline, closed=True), closed=True)[:, 0]
        path = Path(outline.astype(float), closed=True)
        axes.add_patch(PathPatch(path, facecolor=hex_colour(BONE_COLOURS[bone]), alpha=0.75, edgecolor="none"))
        axes.add_patch(PathPatch(path, fill=False, edgecolor=INK, linewidth=0.4))
    for bone, mask in zip(Bone, stack, strict=True):
        if mask.any():
            # Where no other bone lies over it a name cannot be mistaken for a neighbour's.
            own = np.pad((mask & alone) if (mask & alone).any() else mask, 1).astype(np.uint8)
            depth = cv2.distanceTransform(own, cv2.DIST_L2, cv2.DIST_MASK_5)[1:-1, 1:-1]
            y, x = np.argwhere(depth >= depth.max() - 0.5).mean(axis=0)
            axes.text(x, y, bone.abbreviation, ha="center", va="center", fontsize=5, zorder=3)
    height, width = wrist.shape
    axes.set(xlim=(0, width), ylim=(height, 0), aspect="equal")
    axes.set_axis_off()
    axes.set_anchor("N")


def _best_first(table: Table, rows: Sequence[Row]) -> tuple[Bone, ...]:
    """The bones by their mean over the models, higher first; a bone without a value last."""
    values = {bone: [_cell(table, row, bone).value for row in rows] for bone in Bone}
    means = {bone: np.mean([one for one in own if np.isfinite(one)] or [-np.inf]) for bone, own in values.items()}
    return tuple(sorted(Bone, key=lambda bone: -means[bone]))


def _cell(table: Table, row: Row, bone: Bone) -> Cell:
    for column, cell in zip(table.columns, row.cells, strict=True):
        if column.name == bone.abbreviation and cell is not None:
            return cell
    return Cell(float("nan"))


def _draw_panel(axes: Axes, table: Table, rows: dict[str, Row], bones: Sequence[Bone], models: dict[str, Look]) -> None:
    step = 1 / (len(models) + 1)
    for place in range(1, len(bones), 2):
        axes.axhspan(place - 0.5, place + 0.5, color=FAINT, alpha=0.35, linewidth=0)
    for number, (model, look) in enumerate(models.items(), 1):
        if model not in rows:
            continue
        cells = [_cell(table, rows[model], bone) for bone in bones]
        places = np.arange(len(bones)) - 0.5 + step * number
        axes.hlines(
            places, [cell.low for cell in cells], [cell.high for cell in cells], color=look.colour, linewidth=0.7
        )
        axes.plot(
            [cell.value for cell in cells], places, look.marker, color=look.colour, markersize=2.6,
            markeredgewidth=0, label=model,
        )  # fmt: skip
    axes.set_yticks(range(len(bones)), [bone.abbreviation for bone in bones])
    axes.set_ylim(len(bones) - 0.5, -0.5)
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0, pad=9)


def _swatches(axes: Axes, bones: Sequence[Bone]) -> None:
    """Each bone's colour between its name and the panel."""
    beside = ScaledTranslation(-5 / 72, 0, axes.figure.dpi_scale_trans)
    for place, bone in enumerate(bones):
        axes.plot(
            0, place, "s", color=hex_colour(BONE_COLOURS[bone]), markersize=4.5, markeredgecolor=INK,
            markeredgewidth=0.3, transform=axes.get_yaxis_transform() + beside, clip_on=False,
        )  # fmt: skip
