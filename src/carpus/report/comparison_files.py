"""A comparison of two models as a file: a page, Markdown, LaTeX, CSV, or a figure of the bones."""

from dataclasses import replace
from pathlib import Path

from carpus.data.results import results_frame
from carpus.errors import InputError
from carpus.files import new_file
from carpus.report.comparison import Comparison
from carpus.report.exports import table_as_csv, table_as_markdown, tables_as_latex
from carpus.report.figures import write_figure
from carpus.report.page import ReportPage, comparison_figure, write_report

FIGURES = (".svg", ".pdf", ".png")
FORMATS = (".html", ".md", ".tex", ".csv", *FIGURES)


def check_format(path: Path) -> None:
    """Makes sure that `write_comparison` can write `path`.

    Raises:
        InputError: The name ends in none of `FORMATS`.
    """
    if path.suffix.lower() not in FORMATS:
        raise InputError(f"{path} ends in {path.suffix!r}, expected one of {', '.join(FORMATS)}; rename it")


def write_comparison(path: Path, comparison: Comparison) -> None:
    """Writes the answer and its numbers, complete or not at all; CSV has the numbers alone.

    Args:
        path: Its ending says the format, see `FORMATS`.
        comparison: The answer.

    Raises:
        InputError: The ending is unknown, a figure is wanted of something other than bones, or the disk is full.
    """
    check_format(path)
    table, ending = comparison.table, path.suffix.lower()
    if ending == ".html":
        write_report(path, ReportPage(table.title, results_frame([]), comparisons=(comparison,)))
        return
    if ending in FIGURES:
        figure = comparison_figure(comparison)
        if figure is None:
            raise InputError(f"{path} is to be a figure, which only a comparison of bones has; write .html or .csv")
        write_figure(path, figure)
        return
    if ending == ".md":
        text = f"{comparison.sentence}\n\n{table_as_markdown(table)}"
    elif ending == ".tex":
        answered = replace(table, notes=(comparison.sentence, *table.notes))
        text = tables_as_latex((answered,), title=table.title)
    else:
        rows = tuple(replace(row, details=comparison.pair) for row in table.rows)
        text = table_as_csv(replace(table, rows=rows))
    with new_file(path) as draft:
        draft.write_text(text, encoding="utf-8")
