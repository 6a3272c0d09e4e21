import csv
import re
from dataclasses import replace
from io import StringIO
from pathlib import Path

import polars as pl
import pytest

from carpus.data.results import results_frame
from carpus.report.cells import Cell, Column, Row, Table
from carpus.report.exports import table_as_csv, table_as_latex, table_as_markdown, tables_as_latex
from carpus.report.page import ReportPage, write_report_folder
from carpus.report.tables import all_tables

TABLE = Table(
    "table_x",
    "Made up: 100 % of A_b & c",
    (Column("DSC", "BE", better="higher"), Column("DSC", "All", better="higher"), Column("", "n", 0)),
    (
        Row("Unet_x", "PHANTOM", "test", (Cell(0.91234, 0.9, 0.92, "**", place=1), Cell(float("nan")), Cell(12))),
        Row("Unet", "paper", "paper, Table 4", (Cell(0.963, place=2), None, None)),
    ),
    ("A dash is undefined.",),
)


def test_markdown_has_every_number_with_marks_stars_and_intervals() -> None:
    text = table_as_markdown(TABLE)
    assert "PHANTOM: measured on synthetic wrists, not on patients." in text
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert lines[0] == "| model | source | DSC BE | DSC All | n |"
    assert lines[2] == r"| Unet_x | PHANTOM | **0.912**\*\* (0.900 to 0.920) | -- | 12 |".replace("--", "\N{EN DASH}")
    assert lines[3] == "| Unet | paper | *0.963* |  |  |"
    assert len({line.count("|") for line in lines}) == 1


def test_latex_is_escaped_and_every_line_has_all_columns() -> None:
    text = table_as_latex(TABLE)
    assert r"Made up: 100 \% of A\_b \& c. PHANTOM" in text
    cell = r"\begin{tabular}[t]{@{}r@{}}\textbf{0.912}$^{**}$\\[-3pt]{\tiny 0.900 to 0.920}\end{tabular}"
    assert rf"Unet\_x (PHANTOM) & {cell} & -- & 12 \\" in text
    assert r"\textit{Unet (paper)} & \underline{0.963} &  &  \\" in text
    assert r"\cmidrule(lr){2-3}" in text
    body = text[text.index(r"\midrule") : text.index(r"\bottomrule")]
    assert all(len(re.findall(r"(?<!\\)&", line)) == 3 for line in body.splitlines()[1:] if line)
    assert text.count(r"\begin{") == text.count(r"\end{")


def test_a_table_of_patients_is_not_called_a_phantom() -> None:
    rows = (replace(TABLE.rows[0], source="patients"), TABLE.rows[1])
    for write in (table_as_markdown, table_as_latex, table_as_csv):
        assert "PHANTOM" not in write(replace(TABLE, rows=rows))
    assert "PHANTOM" not in tables_as_latex((replace(TABLE, rows=rows),), title="Patients")


def test_csv_has_a_line_a_number_to_its_last_bit() -> None:
    rows = list(csv.DictReader(StringIO(table_as_csv(TABLE))))
    assert [(row["model"], row["source"], row["column"], row["value"]) for row in rows] == [
        ("Unet_x", "PHANTOM", "DSC BE", "0.91234"),
        ("Unet_x", "PHANTOM", "DSC All", ""),
        ("Unet_x", "PHANTOM", "n", "12.0"),
        ("Unet", "paper", "DSC BE", "0.963"),
    ]
    assert rows[0]["stars"] == "**"


def test_the_folder_has_the_report_in_every_form(results: pl.DataFrame, tmp_path: Path) -> None:
    write_report_folder(tmp_path / "out", ReportPage("All & everything", results), replicates=50)
    names = {table.name for table in all_tables(results, replicates=20)}
    assert {"table_4", "table_5", "table_8", "table_13"} <= names
    found = {str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert {"index.html", "report.md", "report.tex"} <= found
    assert {f"tables/{name}.{kind}" for name in names for kind in ("csv", "tex")} <= found
    drawn = {
        "bones",
        "bone_means",
        "patients",
        "confusion",
        "confusion_joints",
        "calibration",
        "scores",
        "probabilities",
    }
    assert {f"figures/{name}.{kind}" for name in drawn for kind in ("svg", "pdf")} <= found
    document = (tmp_path / "out" / "report.tex").read_text()
    for environment in ("document", "table", "tabular"):
        assert document.count(rf"\begin{{{environment}}}") == document.count(rf"\end{{{environment}}}") > 0
    assert "All \\& everything" in document
    assert document.isascii()


def test_a_report_of_phantoms_without_results_says_so_in_every_text(tmp_path: Path) -> None:
    write_report_folder(tmp_path / "out", ReportPage("Dataset", results_frame([]), is_phantom=True))
    for name in ("index.html", "report.md", "report.tex"):
        assert "PHANTOM" in (tmp_path / "out" / name).read_text(encoding="utf-8"), name


@pytest.mark.parametrize("text", ["50 % & $x_1$ #{2} ~ ^ \\ <>"])
def test_no_letter_of_latex_survives_unescaped(text: str) -> None:
    table = replace(TABLE, rows=(replace(TABLE.rows[0], model=text),))
    line = next(line for line in table_as_latex(table).splitlines() if "PHANTOM)" in line)
    assert (
        r"50 \% \& \$x\_1\$ \#\{2\} \textasciitilde{} \textasciicircum{} \textbackslash{} \textless{}\textgreater{}"
        in line
    )


def test_a_table_longer_than_a_page_goes_on_under_its_number() -> None:
    rows = tuple(replace(TABLE.rows[0], model=f"model {number}", source="patients") for number in range(80))
    without = replace(TABLE, rows=tuple(replace(row, cells=(Cell(0.5), None, None)) for row in rows))
    assert table_as_latex(without).count(r"\begin{table}") == 3
    text = table_as_latex(replace(TABLE, rows=rows))
    assert text.count(r"\begin{table}") == text.count(r"\toprule") == 4
    assert text.count(r"\addtocounter{table}{-1}") == text.count("Continued.") == 3
    assert text.count(r"\label{tab:table_x}") == text.count("A dash is undefined.") == 1
    assert all(text.count(f"model {number} &") == 1 for number in range(80))


def test_rows_that_would_read_the_same_are_told_apart() -> None:
    rows = tuple(replace(TABLE.rows[0], details=details) for details in ("seed 1", "seed 2"))
    for text in (table_as_markdown(replace(TABLE, rows=rows)), table_as_latex(replace(TABLE, rows=rows))):
        assert "seed 1" in text
        assert "seed 2" in text
    assert "seed" not in table_as_markdown(replace(TABLE, rows=rows[:1]))
