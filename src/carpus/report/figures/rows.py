"""What figures need of a report's table: its runs under distinct names, apart from the paper's rows."""

from collections import Counter
from collections.abc import Sequence

from carpus.report.cells import Row, Table


def run_rows(table: Table) -> tuple[Row, ...]:
    """The rows of runs, without the paper's."""
    return tuple(row for row in table.rows if row.source != "paper")


def any_phantom(tables: Sequence[Table]) -> bool:
    """Whether a row was measured on synthetic wrists."""
    return any(row.source == "PHANTOM" for table in tables for row in table.rows)


def row_names(rows: Sequence[Row]) -> tuple[str, ...]:
    """The model of each row, with recipe, seed and split where the model alone would name two runs.

    Example:
        >>> rows = [Row("Unet", "PHANTOM", "carpus, seed 1, test: 9 images, 3 patients", ()) for _ in range(2)]
        >>> row_names(rows[:1]), row_names(rows)[0]
        (('Unet',), 'Unet (carpus, seed 1, test)')
    """
    often = Counter((row.model, row.part) for row in rows)
    return tuple(
        f"{row.model} ({row.details.split(':')[0]})" if often[row.model, row.part] > 1 else row.model for row in rows
    )
