"""Results and statistics as tables in the terminal."""

import math
from collections.abc import Iterable

from rich.console import Console
from rich.table import Table

from carpus.data.statistics import Statistics
from carpus.report.cells import Cell, number_text
from carpus.report.cells import Table as ReportTable
from carpus.report.dataset_tables import dataset_tables


def print_tables(tables: Iterable[ReportTable]) -> None:
    """Prints the report's tables, a column a model, each with its notes."""
    console = Console()
    for table in tables:
        shown = Table(title=table.title, title_justify="left")
        shown.add_column("")
        for row in table.rows:
            shown.add_column("\n".join(part for part in (row.model, row.part, row.source) if part), justify="right")
        for number, column in enumerate(table.columns):
            cells = (row.cells[number] for row in table.rows)
            values = (_with_interval(cell, column.digits) if cell else "" for cell in cells)
            shown.add_row(f"{column.group} {column.name}".strip(), *values)
        console.print(shown)
        for note in table.notes:
            console.print(note, style="dim", highlight=False)


def _with_interval(cell: Cell, digits: int) -> str:
    text = cell.text(digits)
    style = {1: "bold", 2: "underline"}.get(cell.place)
    if style:
        text = f"[{style}]{text}[/{style}]"
    if math.isnan(cell.low):
        return text
    return f"{text} ({number_text(cell.low, digits)} to {number_text(cell.high, digits)})"


def print_statistics(statistics: Statistics) -> None:
    """Prints what a dataset holds."""
    console = Console()
    if statistics.is_phantom:
        console.print("PHANTOM: every wrist of this dataset is synthetic.", style="bold")
    for title, frame in dataset_tables(statistics).items():
        shown = Table("", *map(str, frame.columns), title=title, title_justify="left")
        for name, row in frame.iterrows():
            shown.add_row(str(name), *map(str, row))
        console.print(shown)
