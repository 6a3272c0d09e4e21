"""`carpus data export`: a dataset in another format."""

from pathlib import Path
from typing import Annotated

import typer

from carpus.app.console import progress, stop_unless_free


def export(
    folder: Annotated[Path, typer.Argument(help="Folder of the dataset.", show_default=False)],
    out: Annotated[Path, typer.Argument(help="Folder to write.", show_default=False)],
    to: Annotated[str, typer.Option("--to", help="coco, nnunet, dicom-seg, huggingface or png.", show_default=False)],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing folder.")] = False,
) -> None:
    """Write a dataset in another format, with a dataset card and Croissant metadata.

    All formats keep images, boxes, scores, splits and metadata, and all but
    nnunet the overlap of bones: its label maps cannot, and what that loses is
    counted. Phantoms stay marked as phantoms.

    Example: carpus data export phantoms phantoms-coco --to coco
    """
    from carpus.app.moving import export_dataset

    stop_unless_free(out, overwrite=overwrite)
    with progress("Writing") as step:
        losses = export_dataset(folder, out, form=to, progress=step)
    for loss in losses:
        typer.echo(loss, err=True)
    typer.echo(f"Dataset as {to}: {out}")
