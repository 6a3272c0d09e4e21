"""`carpus data fetch`: RAM-W600 from the Hugging Face Hub."""

from pathlib import Path
from typing import Annotated

import typer

from carpus.app.console import progress, stop_unless_free


def fetch(
    out: Annotated[Path, typer.Argument(help="Folder to write.", show_default=False)],
    revision: Annotated[
        str,
        typer.Option(
            help="Commit of the dataset, 7 to 40 digits: 5034d8c (version 1, the paper's) or 1070e21 (version 2).",
            show_default=False,
        ),
    ],
    repository: Annotated[str, typer.Option(help="Dataset on the Hub.")] = "TokyoTechMagicYang/RAM-W600",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be fetched, and stop.")] = False,
    allow_moving: Annotated[
        bool, typer.Option("--allow-moving", help="Take a branch or tag, which may mean other data tomorrow.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an existing folder; its good files are kept.")
    ] = False,
) -> None:
    """Fetch RAM-W600 from the Hugging Face Hub at one commit, verified file by file.

    Goes on where it was interrupted. The folder appears when every file is there,
    with the size and hash that the Hub states. A second run needs no network.

    Needs the extra hub.

    Example: carpus data fetch RAM-W600 --revision 1070e21
    """
    from carpus.data import fetch as fetching

    if not overwrite and not dry_run:
        with progress("Verifying") as step:
            manifest = fetching.verified(out, revision=revision, repository=repository, progress=step)
        if manifest is not None:
            typer.echo(f"{out} is complete: {len(manifest.files)} files of {repository} at {manifest.revision}")
            return
    if not dry_run:
        stop_unless_free(out, overwrite=overwrite)
    wanted = fetching.plan(out, revision=revision, repository=repository, allow_moving=allow_moving)
    if dry_run:
        size, missing = (sum(file.size for file in files.values()) for files in (wanted.files, wanted.missing))
        typer.echo(f"{repository} at {wanted.commit}: {len(wanted.files)} files, {size} bytes ({size / 1e9:.2f} GB)")
        typer.echo(f"To fetch: {len(wanted.missing)} files, {missing} bytes; free on the disk: {wanted.free} bytes")
        return
    with progress("Fetching") as step:
        manifest = fetching.fetch(out, wanted, progress=step)
    typer.echo(f"{len(manifest.files)} files of {repository} at {manifest.revision}: {out}")
    typer.echo(f"Check it with: carpus data check {out}")
