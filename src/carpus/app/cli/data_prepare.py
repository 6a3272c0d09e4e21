"""`carpus data prepare`: a dataset in RAM-W600's layout from a folder of films."""

from pathlib import Path
from typing import Annotated

import typer

from carpus.app.console import progress
from carpus.errors import InputError


def prepare(
    films: Annotated[
        Path, typer.Argument(help="Folder of radiographs: DICOM, PNG, BMP, JPEG, TIFF.", show_default=False)
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder of the dataset to write.", show_default=False)],
    table: Annotated[
        Path | None,
        typer.Option(
            help="CSV or Excel with a row a film: file, MC1, Tr, Sca, Lu, Radius, Ulna (scores 0 to 5); and where the "
            "films do not tell: patient, study, side, spacing_mm, sex, age, institution.",
            show_default=False,
        ),
    ] = None,
    masks: Annotated[
        Path | None,
        typer.Option(help="Drawn bones: a COCO file, or a folder of DICOM SEG or LabelMe files.", show_default=False),
    ] = None,
    spacing_mm: Annotated[
        float | None,
        typer.Option(
            help="Edge of a film's pixels, for films that do not state it.", min=0.01, max=2, show_default=False
        ),
    ] = None,
    exclude: Annotated[
        Path | None,
        typer.Option(help="Text file of films to leave out, as the review page saves it.", show_default=False),
    ] = None,
    private: Annotated[
        Path | None,
        typer.Option(help="Folder for key, review page and finished films (default: OUT-private).", show_default=False),
    ] = None,
    crop_mm: Annotated[float, typer.Option(help="Edge of a crop's pixels in mm.", min=0.05, max=1)] = 0.15,
    size: Annotated[int, typer.Option(help="Edge of a crop in pixels.", min=64, max=4096)] = 600,
    seed: Annotated[int, typer.Option(help="Decides the new numbers and the split.", min=0)] = 3407,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a folder that is no dataset of this command, or was changed.")
    ] = False,
) -> None:
    """Make a dataset in RAM-W600's layout from hand radiographs of adults.

    For every film: read it, find the wrist, cut it at 0.15 mm a pixel into 600 x
    600 pixels (BMP of 8 bits; in Originals/ a PNG with all grey values), place the
    six joints, cut out their regions if the film is scored, and bring drawn bones
    onto the crop. Patients get new numbers and are split 70/10/20 by their worst
    score, alike for both tasks. Prepared.json says where everything is from.

    Without --masks the joints are placed by a network that learnt from synthetic
    wrists only: they are marked as predicted, and are no reading. Go through the
    review page, and check the result with: carpus data check OUT

    A run that was stopped goes on when it is started again; films that are done
    are kept. A film that cannot be taken never stops the others: it is listed with
    the reason, and the command ends with status 2.

    OUT-private/key.csv says which film is whose. Never give it away with OUT.

    Example: carpus data prepare films --out RAM-OURS --table scores.csv

    Example: carpus data prepare films --out RAM-OURS --masks drawn.coco.json --spacing-mm 0.15
    """
    from carpus.app.prepare import KEY_FILE, Request, prepare
    from carpus.app.prepare_film import Settings

    request = Request(
        films=films,
        out=out,
        private=private or out.with_name(f"{out.name}-private"),
        settings=Settings(crop_mm, size, spacing_mm),
        table=table,
        masks=masks,
        exclude=exclude,
        seed=seed,
        overwrite=overwrite,
    )
    with progress("Preparing") as step:
        outcome = prepare(request, progress=step)
    for name, reason in sorted(outcome.refused.items()):
        typer.echo(f"not taken: {name} {reason}", err=True)
    for remark in outcome.remarks:
        typer.echo(f"note: {remark}", err=True)
    if outcome.stopped:
        raise InputError(outcome.stopped)
    kind = "Phantom dataset" if outcome.is_phantom else "Dataset"
    typer.echo(
        f"{kind} of {outcome.wrists} wrists: {out} ({outcome.kept} done before, {len(outcome.refused)} not taken)"
    )
    typer.echo(f"Go through: {outcome.page} ({outcome.flagged} wrists with a doubt)")
    typer.echo(f"PRIVATE, never publish: {request.private / KEY_FILE} says which film is whose")
    typer.echo(f"Check it with: carpus data check {out}")
    if outcome.refused:
        raise typer.Exit(2)
