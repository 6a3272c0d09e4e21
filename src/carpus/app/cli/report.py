"""`carpus report`: results to one page."""

import json
from pathlib import Path
from typing import Annotated

import typer

from carpus.app.console import stop_unless_free


def report(
    runs: Annotated[list[Path], typer.Argument(help="Evaluated trainings, or results files.", show_default=False)],
    out: Annotated[Path, typer.Option(help="The page to write (.html), or a folder.")] = Path("report.html"),
    data: Annotated[
        Path | None, typer.Option(help="Dataset of the runs, to show its statistics and test cases.")
    ] = None,
    title: Annotated[str, typer.Option(help="Heading of the page.")] = "Wrist benchmark",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing page.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the tables as JSON and write no page.")] = False,
) -> None:
    """Make one self-contained page of tables, curves and overlays, beside the paper's numbers.

    With --out FOLDER the same as a page, Markdown, LaTeX, and every table (CSV, LaTeX) and figure (SVG, PDF) by itself.

    Example: carpus report runs/unet runs/resnet --data phantoms --out report.html

    Example: carpus report runs/* --out report/
    """
    from carpus.app.pages import collect
    from carpus.data.reader import read_dataset
    from carpus.report.page import write_report, write_report_folder
    from carpus.report.tables import tables_as_dict

    if not as_json:
        stop_unless_free(out, overwrite=overwrite)
    page = collect(runs, title=title, dataset=None if data is None else read_dataset(data))
    if as_json:
        typer.echo(json.dumps(tables_as_dict(page.results), indent=2))
        return
    if out.suffix.lower() in (".html", ".htm"):
        write_report(out, page)
    else:
        write_report_folder(out, page)
    typer.echo(f"Report: {out}")
