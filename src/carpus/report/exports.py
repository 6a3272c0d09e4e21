"""Tables of the report for papers and spreadsheets: Markdown, LaTeX and CSV.

A phantom is called one in every file: in the column `source`, and in a line above each table of text.
"""

import csv
import math
from io import StringIO
from itertools import groupby

from carpus.report.cells import Cell, Column, Row, Table, number_text

PHANTOM_LINE = "PHANTOM: measured on synthetic wrists, not on patients."

_LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "∞": r"$\infty$",
    "\N{EN DASH}": "--",
}
_LONG, _LONG_WITH_INTERVALS = 28, 20
"""Rows that fit on a page in landscape; a float with more would run off it."""


def table_as_markdown(table: Table) -> str:
    """The table with its title and notes; the best of a column in bold, the second best in italics."""
    parts = any(row.part for row in table.rows)
    headings = [
        "model",
        "source",
        *([table.parts.lower()] if parts else []),
        *(_heading(column) for column in table.columns),
    ]
    lines = [f"## {table.title}", ""]
    if _is_phantom(table):
        lines += [f"**{PHANTOM_LINE}**", ""]
    lines += [
        _markdown_line(headings),
        _markdown_line(["---", "---", *(["---"] if parts else []), *["---:"] * len(table.columns)]),
    ]
    for row in table.rows:
        values = [_markdown_cell(cell, column) for cell, column in zip(row.cells, table.columns, strict=True)]
        lines.append(_markdown_line([_name(row, table), row.source, *([row.part] if parts else []), *values]))
    lines += ["", *(f"- {note}" for note in table.notes), ""]
    return "\n".join(lines)


def table_as_latex(table: Table) -> str:
    r"""The table as `table` floats of the packages booktabs and graphicx, no wider than the text.

    The best of a column is bold, the second best underlined, the paper's rows are italic, intervals stand below their
    values. A table with more rows than a page holds goes on in further floats of the same number.
    """
    has_intervals = any(cell and not math.isnan(cell.low) for row in table.rows for cell in row.cells)
    most = _LONG_WITH_INTERVALS if has_intervals else _LONG
    pieces = [table.rows[start : start + most] for start in range(0, len(table.rows), most)] or [()]
    return "\n".join(_latex_float(table, rows, part) for part, rows in enumerate(pieces))


def tables_as_latex(tables: tuple[Table, ...], *, title: str, is_phantom: bool = False) -> str:
    """A document of all tables, ready for pdflatex; `is_phantom` marks one that has no table yet."""
    mark = PHANTOM_LINE if is_phantom or any(map(_is_phantom, tables)) else ""
    head = [
        r"\documentclass[10pt]{article}",
        r"\usepackage[T1]{fontenc}",
        r"\usepackage[utf8]{inputenc}",
        r"\usepackage[a4paper,landscape,margin=18mm]{geometry}",
        r"\usepackage{booktabs,graphicx,fancyhdr}",
        r"\pagestyle{fancy}",
        rf"\fancyhead{{}}\fancyhead[L]{{{_latex(title)}}}\fancyhead[R]{{\textbf{{{_latex(mark)}}}}}",
        r"\begin{document}",
        "",
    ]
    return "\n".join([*head, *(table_as_latex(table) + "\\clearpage\n" for table in tables), r"\end{document}", ""])


def table_as_csv(table: Table) -> str:
    """One line a cell: model, source, details, part, column, value, low, high, stars; undefined is empty.

    In `source` a phantom is `PHANTOM`: synthetic wrists, not patients.
    """
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["model", "source", "details", "part", "column", "value", "low", "high", "stars"])
    for row in table.rows:
        for cell, column in zip(row.cells, table.columns, strict=True):
            if cell is not None:
                numbers = [
                    "" if math.isnan(number) else repr(float(number)) for number in (cell.value, cell.low, cell.high)
                ]
                writer.writerow([row.model, row.source, row.details, row.part, _heading(column), *numbers, cell.stars])
    return out.getvalue()


def _latex_float(table: Table, rows: tuple[Row, ...], piece: int) -> str:
    """The float of some of the table's rows; those after the first repeat the number and say that they go on."""
    parts = any(row.part for row in table.rows)
    before = 2 if parts else 1
    lines = [
        r"\begin{table}[htbp]",
        r"\centering",
        *([r"\addtocounter{table}{-1}"] if piece else []),
        rf"\caption{{{_latex(_caption(table))}{' Continued.' if piece else ''}}}",
        *([] if piece else [rf"\label{{tab:{table.name}}}"]),
        r"\resizebox{\ifdim\width>\textwidth\textwidth\else\width\fi}{!}{%",
        rf"\begin{{tabular}}{{{'l' * before}{'r' * len(table.columns)}}}",
        r"\toprule",
    ]
    if any(column.group for column in table.columns):
        cells, rules, place = ["" for _ in range(before)], [], before + 1
        for group, own in groupby(table.columns, key=lambda column: column.group):
            width = len(list(own))
            cells.append(rf"\multicolumn{{{width}}}{{c}}{{{_latex(group)}}}")
            rules += [rf"\cmidrule(lr){{{place}-{place + width - 1}}}"] if group else []
            place += width
        lines += [" & ".join(cells) + r" \\", " ".join(rules)]
    headings = ["model", *([table.parts.lower()] if parts else []), *(column.name for column in table.columns)]
    lines += [" & ".join(_latex(heading) for heading in headings) + r" \\", r"\midrule"]
    for row in rows:
        values = [_latex_cell(cell, column) for cell, column in zip(row.cells, table.columns, strict=True)]
        lines.append(" & ".join([_latex_name(row, table), *([_latex(row.part)] if parts else []), *values]) + r" \\")
    lines += [r"\bottomrule", r"\end{tabular}%", "}", ""]
    lines += [rf"\par\smallskip\raggedright\footnotesize {_latex(' '.join(table.notes))}"] if not piece else []
    return "\n".join([*lines, r"\end{table}", ""])


def _is_phantom(table: Table) -> bool:
    return any(row.source == "PHANTOM" for row in table.rows)


def _caption(table: Table) -> str:
    return f"{table.title}. {PHANTOM_LINE}" if _is_phantom(table) else f"{table.title}."


def _heading(column: Column) -> str:
    return f"{column.group} {column.name}".strip()


def _with_interval(cell: Cell, digits: int) -> str:
    if math.isnan(cell.low):
        return ""
    return f" ({number_text(cell.low, digits)} to {number_text(cell.high, digits)})"


def _markdown_cell(cell: Cell | None, column: Column) -> str:
    if cell is None:
        return ""
    mark = {1: "**", 2: "*"}.get(cell.place, "")
    stars = cell.stars.replace("*", r"\*")
    return f"{mark}{number_text(cell.value, column.digits)}{mark}{stars}{_with_interval(cell, column.digits)}"


def _markdown_line(cells: list[str]) -> str:
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"


def _latex_cell(cell: Cell | None, column: Column) -> str:
    if cell is None:
        return ""
    text = _latex(number_text(cell.value, column.digits))
    command = {1: "textbf", 2: "underline"}.get(cell.place)
    text = rf"\{command}{{{text}}}" if command else text
    text += f"$^{{{cell.stars}}}$" if cell.stars else ""
    if math.isnan(cell.low):
        return text
    interval = " to ".join(_latex(number_text(end, column.digits)) for end in (cell.low, cell.high))
    return rf"\begin{{tabular}}[t]{{@{{}}r@{{}}}}{text}\\[-3pt]{{\tiny {interval}}}\end{{tabular}}"


def _latex_name(row: Row, table: Table) -> str:
    if row.source == "paper":
        return rf"\textit{{{_latex(row.model)} (paper)}}"
    return _latex(_name(row, table) + (" (PHANTOM)" if row.source == "PHANTOM" else ""))


def _name(row: Row, table: Table) -> str:
    """The model's name, with the details where another row would read the same."""
    same = {other.details for other in table.rows if _reads(other) == _reads(row)}
    return f"{row.model}, {row.details}" if len(same) > 1 else row.model


def _reads(row: Row) -> tuple[str, str, str]:
    return row.model, row.source, row.part


def _latex(text: str) -> str:
    return "".join(_LATEX.get(letter, letter) for letter in text)
