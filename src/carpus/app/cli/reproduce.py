"""`carpus reproduce`: a training done again, and compared with the first."""

from pathlib import Path
from typing import Annotated

import typer

from carpus.errors import InputError

_HELP_DATA = "Folder of the dataset [default: where it was]."
_HELP_OUT = "Folder of the second training [default: RUN-again]."


def reproduce(
    run: Annotated[Path, typer.Argument(help="Folder of a finished training.", show_default=False)],
    data: Annotated[Path | None, typer.Option(help=_HELP_DATA, show_default=False)] = None,
    out: Annotated[Path | None, typer.Option(help=_HELP_OUT, show_default=False)] = None,
) -> None:
    """Train again by a run's recipe, seed and data, and compare weights and figures.

    On the same machine, with the same versions, everything is equal to the last bit on a CPU, and the command ends with
    status 0; it ends with status 1 if anything differs, and says what.

    Example: carpus reproduce runs/unet
    """
    from carpus.app.console import training_progress
    from carpus.data.reader import read_dataset
    from carpus.training.reproduce import reproduce as again
    from carpus.training.run_files import DRAWN, read_record

    target = out or run.with_name(f"{run.name}-again")
    if target.resolve() == run.resolve():
        raise InputError(f"{target} is the training itself; choose another --out")
    recorded = read_record(run)["data"]
    dataset = None if recorded == DRAWN else read_dataset(data or Path(recorded))
    with training_progress() as tell:
        found = again(run, dataset, target, tell=tell)
    for name, (then, now) in found.circumstances.items():
        typer.echo(f"Not the same {name}: {then or 'none'} then, {now or 'none'} now")
    if found.epochs[0] != found.epochs[1]:
        typer.echo(f"Epochs: {found.epochs[0]} then, {found.epochs[1]} now")
    for name, difference in found.figures.items():
        typer.echo(f"{name}: {'equal in every epoch' if difference == 0 else f'differs by up to {difference:.3g}'}")
    typer.echo(f"weights: {'equal bit for bit' if found.weights == 0 else f'differ by up to {found.weights:.3g}'}")
    typer.echo(f"{'Reproduced' if found.is_exact else 'Not reproduced exactly'}: {target}")
    if not found.is_exact:
        raise typer.Exit(1)
