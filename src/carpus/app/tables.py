"""Results and statistics as tables in the terminal."""

import math
from collections.abc import Iterable, Iterator, Sequence
from textwrap import fill

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from carpus.data.statistics import CentreImages, Statistics
from carpus.report.cells import Cell, Column, number_text
from carpus.report.cells import Table as ReportTable
from carpus.report.dataset_tables import dataset_tables

_ANY_WIDTH = 10_000
_HEADING = 10
"""Letters in a line of a heading, where the words allow it."""


def print_tables(tables: Iterable[ReportTable]) -> None:
    """Prints the report's tables with their notes: a line a row where that fits, else rows side by side."""
    console = Console()
    for table in tables:
        whole = _lines(table)
        for shown in [whole] if _fits(whole, console) else _side_by_side(table, console):
            console.print(shown)
        for note in table.notes:
            console.print(note, style="dim", highlight=False)


def _lines(table: ReportTable) -> Table:
    shown = Table(title=table.title, title_justify="left")
    shown.add_column("")
    for column in table.columns:
        shown.add_column(
            fill(f"{column.group} {column.name}".strip(), _HEADING, break_long_words=False), justify="right"
        )
    for row in table.rows:
        name = " ".join(part for part in (row.model, row.part, row.source) if part)
        shown.add_row(
            name, *(_with_interval(cell, column) for cell, column in zip(row.cells, table.columns, strict=True))
        )
    return shown


def _side_by_side(table: ReportTable, console: Console) -> Iterator[Table]:
    begin = 0
    while begin < len(table.rows):
        end = begin + 1
        shown = _turned(table, begin, end)
        while end < len(table.rows) and _fits(wider := _turned(table, begin, end + 1), console):
            shown, end = wider, end + 1
        yield shown
        begin = end


def _turned(table: ReportTable, begin: int, end: int) -> Table:
    """Some of the rows, a column a row."""
    rows = table.rows[begin:end]
    shown = Table(title=table.title if begin == 0 else None, title_justify="left")
    shown.add_column("")
    for row in rows:
        shown.add_column("\n".join(part for part in (row.model, row.part, row.source) if part), justify="right")
    for number, column in enumerate(table.columns):
        values = (_with_interval(row.cells[number], column) for row in rows)
        shown.add_row(f"{column.group} {column.name}".strip(), *values)
    return shown


def _fits(shown: Table, console: Console) -> bool:
    return Measurement.get(console, console.options.update(width=_ANY_WIDTH), shown).maximum <= console.width


def _with_interval(cell: Cell | None, column: Column) -> str:
    if cell is None:
        return ""
    text = cell.text(column.digits)
    style = {1: "bold", 2: "underline"}.get(cell.place)
    if style:
        text = f"[{style}]{text}[/{style}]"
    if math.isnan(cell.low):
        return text
    return f"{text}\n{number_text(cell.low, column.digits)} to {number_text(cell.high, column.digits)}"


def print_statistics(statistics: Statistics, images: Sequence[CentreImages]) -> None:
    """Prints what a dataset holds; `images` are those of each centre."""
    console = Console()
    if statistics.is_phantom:
        console.print("PHANTOM: every wrist of this dataset is synthetic.", style="bold")
    for title, frame in dataset_tables(statistics, images).items():
        shown = Table(title=title, title_justify="left")
        shown.add_column("", no_wrap=True)
        for column in frame.columns:
            shown.add_column(str(column))
        for name, row in frame.iterrows():
            shown.add_row(str(name), *map(str, row))
        console.print(shown)
