"""Results and statistics as tables in the terminal."""

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table

from carpus.report.cells import Table as ReportTable


def print_tables(tables: Iterable[ReportTable]) -> None:
    """Prints the report's tables, each with its notes."""
    console = Console()
    for table in tables:
        parts = any(row.part for row in table.rows)
        shown = Table(title=table.title, title_justify="left")
        for name in ["model", *(["of"] if parts else []), "data"]:
            shown.add_column(name)
        for column in table.columns:
            shown.add_column(f"{column.group} {column.name}".strip(), justify="right")
        for row in table.rows:
            values = (
                cell.text(column.digits) if cell else "" for cell, column in zip(row.cells, table.columns, strict=True)
            )
            shown.add_row(row.model, *([row.part] if parts else []), row.source, *values)
        console.print(shown)
        for note in table.notes:
            console.print(note, style="dim")
