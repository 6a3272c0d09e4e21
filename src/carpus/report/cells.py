"""What a table of the report is made of; how it is printed is up to whoever prints it."""

import math
from dataclasses import dataclass, field, replace

import pandas as pd
import polars as pl

from carpus.report.published import published_table, same_network
from carpus.report.runs import Run

_PHANTOM_NOTE = "Not comparable: rows marked PHANTOM were measured on synthetic wrists, the paper's rows on patients."
_PATIENTS_NOTE = "The paper's rows come from version 1 of the data; they are comparable only with the same test images."


@dataclass(frozen=True)
class Cell:
    """One number.

    Attributes:
        value: NaN where undefined.
        low: Lower end of its 95 % interval; NaN without one.
        high: Upper end.
        stars: Significance, `*` to `***`.
        place: 1 for the best of its column, 2 for the second best, else 0; see `with_places`.
    """

    value: float
    low: float = math.nan
    high: float = math.nan
    stars: str = ""
    place: int = 0

    def text(self, digits: int) -> str:
        """The value with its stars as it is printed: a dash where undefined, the sign where infinite.

        Example:
            >>> Cell(0.9634, stars="**").text(3), Cell(math.inf).text(2)
            ('0.963**', '∞')
        """
        return number_text(self.value, digits) + self.stars


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        group: The heading it shares with its neighbours; may be empty.
        name: Its own heading.
        digits: Decimals that are printed.
        printed: The column of the paper's table that holds the same; empty if none.
        mark: The column of the paper's table that holds its stars; empty if none.
        better: `higher` or `lower`, the direction of improvement; empty if it has none.
    """

    group: str
    name: str
    digits: int = 3
    printed: str = ""
    mark: str = ""
    better: str = ""


def number_text(value: float, digits: int) -> str:
    """A number as the report prints it; what rounds to zero has no sign.

    Example:
        >>> number_text(-0.0001, 3)
        '0.000'
    """
    if math.isnan(value):
        return "\N{EN DASH}"
    return f"{value:z.{digits}f}" if math.isfinite(value) else "∞"


@dataclass(frozen=True)
class Row:
    """One row.

    Attributes:
        model: The network's or baseline's name.
        source: `PHANTOM`, `patients` or `paper`.
        details: Recipe, seed, split and how many images of how many patients.
        cells: One a column; None where there is no number.
        part: What of the run the row is about, such as a joint; empty for all of it.
    """

    model: str
    source: str
    details: str
    cells: tuple[Cell | None, ...]
    part: str = ""


@dataclass(frozen=True)
class Table:
    """A table ready to be printed.

    Attributes:
        name: Its key, such as `table_4`.
        title: One line.
        columns: In order.
        rows: In order, the paper's after the runs of the same network.
        notes: What a reader must know to read it, one sentence each.
        parts: What the parts of the rows are.
    """

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = field(default=())
    parts: str = "Joint"

    def frame(self) -> pd.DataFrame:
        """The values alone, one row a run, columns of two levels."""
        index = [" ".join(part for part in (row.model, row.source, row.part) if part) for row in self.rows]
        columns = pd.MultiIndex.from_tuples([(column.group, column.name) for column in self.columns])
        values = [[math.nan if cell is None else cell.value for cell in row.cells] for row in self.rows]
        return pd.DataFrame(values, index=index, columns=columns)

    def as_dict(self) -> dict[str, object]:
        """The table for JSON; undefined is None, infinity the text `inf`."""
        names = [f"{column.group} {column.name}".strip() for column in self.columns]
        return {
            "title": self.title,
            "notes": list(self.notes),
            "rows": [
                {
                    "model": row.model,
                    "source": row.source,
                    "details": row.details,
                    "part": row.part,
                    "values": {name: _cell_as_dict(cell) for name, cell in zip(names, row.cells, strict=True) if cell},
                }
                for row in self.rows
            ],
        }


def run_row(run: Run, rows: pl.DataFrame, cells: list[Cell], *, part: str = "") -> Row:
    """The row of a run, with how many images of how many patients it rests on."""
    images, patients = rows["image"].n_unique(), rows["patient"].n_unique()
    return Row(
        run.model,
        "PHANTOM" if run.is_phantom else "patients",
        f"{run.details}: {images} images, {patients} patients",
        tuple(cells),
        part,
    )


def beside_the_paper(rows: list[Row], columns: tuple[Column, ...], *, number: int) -> tuple[Row, ...]:
    """The rows, each network's followed by what the paper printed for it.

    Args:
        rows: Of runs.
        columns: Of the table.
        number: Of the paper's table.
    """
    published = published_table(number)
    together: list[Row] = []
    for position, row in enumerate(rows):
        together.append(row)
        if any(same_network(later.model, row.model) for later in rows[position + 1 :]):
            continue
        for model in published.index[[same_network(str(name), row.model) for name in published.index]]:
            cells = tuple(_published_cell(published.loc[model], column) for column in columns)
            together.append(Row(str(model), "paper", f"paper, Table {number}", cells))
    return with_places(together, columns)


def with_places(rows: list[Row], columns: tuple[Column, ...]) -> tuple[Row, ...]:
    """The rows with the best and the second best value of each column marked, as they are printed.

    Runs on phantoms, runs on patients and the paper's rows are each ranked among themselves, and so is each part.
    Nothing is marked where there is nothing to compare with.
    """
    found = [list(row.cells) for row in rows]
    for number, column in enumerate(columns):
        by_kind: dict[tuple[str, str], set[float]] = {}
        sign = {"higher": -1, "lower": 1}.get(column.better, 0)
        for row in rows:
            cell = row.cells[number]
            if sign and cell is not None and not math.isnan(cell.value):
                by_kind.setdefault((row.source, row.part), set()).add(sign * round(cell.value, column.digits))
        for row, cells in zip(rows, found, strict=True):
            values, cell = sorted(by_kind.get((row.source, row.part), ())), row.cells[number]
            if cell is not None and len(values) > 1 and not math.isnan(cell.value):
                place = values.index(sign * round(cell.value, column.digits)) + 1
                cells[number] = replace(cell, place=place if place < 3 else 0)
    return tuple(replace(row, cells=tuple(cells)) for row, cells in zip(rows, found, strict=True))


def comparison_notes(rows: tuple[Row, ...]) -> tuple[str, ...]:
    """What must be said about the paper's rows, if any stand in the table."""
    sources = {row.source for row in rows}
    notes = {"PHANTOM": _PHANTOM_NOTE, "patients": _PATIENTS_NOTE} if "paper" in sources else {}
    return tuple(note for source, note in notes.items() if source in sources)


def _published_cell(printed: pd.Series, column: Column) -> Cell | None:
    if not column.printed:
        return None
    return Cell(float(printed[column.printed]), stars=str(printed[column.mark]) if column.mark else "")


def _cell_as_dict(cell: Cell) -> dict[str, object]:
    found: dict[str, object] = {"value": _json(cell.value)}
    if not math.isnan(cell.low):
        found["interval"] = [_json(cell.low), _json(cell.high)]
    if cell.stars:
        found["stars"] = cell.stars
    return found


def _json(value: float) -> float | str | None:
    if math.isnan(value):
        return None
    return float(value) if math.isfinite(value) else "inf"
