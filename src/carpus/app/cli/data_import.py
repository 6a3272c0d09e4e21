"""`carpus data import`: a dataset from another format."""

from pathlib import Path
from typing import Annotated

import typer

from carpus.app.console import progress, stop_unless_free


def import_(
    source: Annotated[Path, typer.Argument(help="Folder to read.", show_default=False)],
    out: Annotated[Path, typer.Argument(help="Folder to write.", show_default=False)],
    form: Annotated[
        str, typer.Option("--from", help="coco, nnunet, dicom-seg, huggingface or png.", show_default=False)
    ],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing folder.")] = False,
) -> None:
    """Write what is in another format as a dataset in RAM-W600's layout.

    Reads what `carpus data export` wrote, and the same of others if wrists have
    names like RAM-W600's, such as 0035_0001_L. Nothing is trusted: names, links,
    sizes and values are checked, nothing is unpickled.

    Example: carpus data import phantoms-coco phantoms --from coco
    """
    from carpus.app.moving import import_dataset

    stop_unless_free(out, overwrite=overwrite)
    with progress("Reading") as step:
        wrists, is_phantom = import_dataset(source, out, form=form, progress=step)
    typer.echo(f"{'Phantom dataset' if is_phantom else 'Dataset'} of {wrists} wrists: {out}")
