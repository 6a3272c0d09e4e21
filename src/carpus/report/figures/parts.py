"""One number of every model, part by part: centres, joints, groups."""

from itertools import groupby

import numpy as np
from matplotlib.figure import Figure

from carpus.errors import InputError
from carpus.report.cells import Cell, Column, Table
from carpus.report.figures.rows import any_phantom, row_names, run_rows
from carpus.report.figures.style import FAINT, SINGLE_MM, canvas, looks, styled

_DOT_MM, _LEAST_MM = 1.6, 5.0


@styled
def part_dots(table: Table, column: Column) -> Figure:
    """A band a part, a dot a model with its 95 % interval.

    Args:
        table: Whose rows have parts, such as one centre each.
        column: Of the table.

    Raises:
        InputError: The table has no such column, or no run with a part.
    """
    rows = [row for row in run_rows(table) if row.part]
    if not rows or column not in table.columns:
        raise InputError(
            f"table {table.name} has {len(rows)} rows with parts, expected some and the column; choose another table"
        )
    place = table.columns.index(column)
    names = row_names(rows)
    models = looks(names)
    parts = list(dict.fromkeys(row.part for row in rows))
    band_mm = max(_LEAST_MM, _DOT_MM * (len(models) + 1))
    figure = canvas(
        width_mm=SINGLE_MM,
        height_mm=band_mm * len(parts) + 13 + 3.5 * -(-len(models) // 4),
        is_phantom=any_phantom([table]),
    )
    axes = figure.subplots()
    for band in range(1, len(parts), 2):
        axes.axhspan(band - 0.5, band + 0.5, color=FAINT, alpha=0.35, linewidth=0)
    step = 1 / (len(models) + 1)
    cells = sorted(zip(names, rows, strict=True), key=lambda pair: list(models).index(pair[0]))
    for number, (name, own) in enumerate(groupby(cells, key=lambda pair: pair[0]), 1):
        found = [(parts.index(row.part), row.cells[place] or Cell(float("nan"))) for _, row in own]
        at = np.array([band for band, _ in found]) - 0.5 + step * number
        look = models[name]
        axes.hlines(at, [cell.low for _, cell in found], [cell.high for _, cell in found], color=look.colour)
        axes.plot([cell.value for _, cell in found], at, look.marker, color=look.colour, markersize=3.4, label=name)
    axes.set_yticks(range(len(parts)), parts)
    axes.set_ylim(len(parts) - 0.5, -0.5)
    axes.set_xlabel(" ".join(dict.fromkeys(word for word in (column.name, column.group) if word)))
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)
    figure.legend(loc="outside lower center", ncols=4)
    return figure
