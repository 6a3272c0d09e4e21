"""`carpus data`: make, fetch, check, describe and move a dataset in RAM-W600's layout."""

import json
from pathlib import Path
from typing import Annotated

import typer

from carpus.app.cli import data_export, data_fetch, data_import, data_prepare
from carpus.app.console import progress, stop_unless_free

app = typer.Typer(help="Make, fetch, check, describe and move a dataset in RAM-W600's layout.", no_args_is_help=True)

_Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
_Folder = Annotated[Path, typer.Argument(help="Folder of the dataset.", show_default=False)]


@app.command()
def phantom(
    out: Annotated[Path, typer.Argument(help="Folder to write.", show_default=False)],
    patients: Annotated[int, typer.Option(help="Number of patients, both hands each.", min=8)] = 40,
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.", min=0)] = 3407,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing folder.")] = False,
) -> None:
    """Write a synthetic dataset in RAM-W600's layout: images, masks, joint boxes, regions and scores.

    Example: carpus data phantom phantoms --patients 40 --seed 3407
    """
    from carpus.data.phantom_dataset import write_phantom_dataset

    stop_unless_free(out, overwrite=overwrite)
    with progress("Drawing wrists") as step:
        write_phantom_dataset(out, patients=patients, seed=seed, progress=step)
    typer.echo(f"Phantom dataset of {patients} patients: {out}")


@app.command()
def check(
    folder: _Folder,
    audit: Annotated[bool, typer.Option(help="Also look for masks and scores that are unlike the others.")] = True,
    jobs: Annotated[
        int | None, typer.Option(help="Wrists at a time (default: one a core).", min=1, show_default=False)
    ] = None,
    as_json: _Json = False,
) -> None:
    """Find every problem of a dataset at once: files, shapes, scores, boxes, splits, copies, unusual bones.

    Each problem is told with its file and its remedy. Errors make results wrong or impossible; warnings ask for a
    second look, such as one patient's image under another's name, bones that changed places, or a bone scored as whole
    whose mask is not.

    Ends with status 2 if there is an error; warnings alone end with 0.

    Example: carpus data check RAM-W600

    Example: carpus data check RAM-W600 --no-audit --json
    """
    from carpus.data.check import check_dataset

    with progress("Checking") as step:
        problems = check_dataset(folder, audit=audit, jobs=jobs, progress=step)
    errors = [problem for problem in problems if problem.severity == "error"]
    if as_json:
        typer.echo(json.dumps([vars(problem) for problem in problems], indent=2))
    for problem in problems:
        if not as_json:
            typer.echo(f"{problem.severity}: {problem.message}", err=True)
    summary = f"{len(errors)} errors, {len(problems) - len(errors)} warnings"
    typer.echo(f"{folder}: {summary if problems else 'no problems'}", err=as_json)
    if errors:
        raise typer.Exit(2)


@app.command()
def stats(
    folder: _Folder,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Also write tables (CSV, JSON) and figures (SVG, PDF, PNG) into a folder.", show_default=False
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing folder.")] = False,
    as_json: _Json = False,
) -> None:
    """Describe a dataset: people, centres, images, how the splits were drawn, scores by joint beside the paper's.

    With --out also as files: a row a wrist, the paper's Tables 6 and 7, the audit of the splits, and each as a picture
    beside the paper's Figure 2.

    Example: carpus data stats phantoms --json

    Example: carpus data stats RAM-W600 --out about-ram-w600
    """
    from carpus.app.tables import print_statistics
    from carpus.data.reader import read_dataset
    from carpus.data.statistics import dataset_statistics, images_by_centre
    from carpus.report.dataset_files import write_dataset_files

    if out is not None:
        stop_unless_free(out, overwrite=overwrite)
    dataset = read_dataset(folder)
    statistics = dataset_statistics(dataset)
    if as_json:
        typer.echo(json.dumps(statistics.as_dict(), indent=2))
    images = images_by_centre(dataset) if out is not None or not as_json else []
    if not as_json:
        print_statistics(statistics, images)
    if out is not None:
        write_dataset_files(out, dataset, statistics, images)
        typer.echo(f"Tables and figures: {out}", err=as_json)


app.command()(data_export.export)
app.command("import")(data_import.import_)
app.command()(data_fetch.fetch)
app.command()(data_prepare.prepare)
