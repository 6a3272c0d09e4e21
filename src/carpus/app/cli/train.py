"""`carpus train`: recipe and dataset to a trained network."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from carpus.errors import InputError


class Device(StrEnum):
    """Where to compute."""

    AUTO = "auto"
    CPU = "cpu"
    GPU = "gpu"


_HELP_RECIPE = "carpus (ours), paper (the benchmark authors'), demo or quick (small), or a YAML file."
_HELP_DEVICES = "GPUs or CPU processes of this machine, which share each batch."
_HELP_NODES = "Machines, started by torchrun or SLURM."
_HELP_WORKERS = "Processes that prepare samples [default: up to 8 on a GPU, 0 on a CPU]."


def train(
    net: Annotated[str, typer.Option(help="Network, see `carpus nets`.")] = "Unet",
    recipe: Annotated[str, typer.Option(help=_HELP_RECIPE)] = "carpus",
    data: Annotated[Path | None, typer.Option(help="Folder of the dataset.", show_default=False)] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of this training [default: runs/NET-RECIPE].")] = None,
    setting: Annotated[list[str] | None, typer.Option("--set", help="Change a field: --set lr=3e-4.")] = None,
    skip_damaged: Annotated[
        bool, typer.Option("--skip-damaged", help="Go on without files that are missing or damaged; they are named.")
    ] = False,
    print_recipe: Annotated[bool, typer.Option("--print-recipe", help="Print the recipe and stop.")] = False,
    device: Annotated[Device, typer.Option(help="Where to compute.")] = Device.AUTO,
    devices: Annotated[int, typer.Option(min=1, help=_HELP_DEVICES)] = 1,
    nodes: Annotated[int, typer.Option(min=1, help=_HELP_NODES)] = 1,
    workers: Annotated[int | None, typer.Option(min=0, help=_HELP_WORKERS, show_default=False)] = None,
    mlflow: Annotated[bool, typer.Option("--mlflow", help="Log to MLflow too (MLFLOW_TRACKING_URI).")] = False,
) -> None:
    """Train a network. The same command again goes on where an interrupted one stopped, and ends the same.

    The first training on a dataset packs its images and masks into one file, in .carpus-cache inside the dataset.

    With --recipe shipped no dataset is needed: synthetic wrists are drawn while it trains (Unet, ResNet).

    Example: carpus train --net SwinUMamba --recipe paper --data RAM-W600 --out runs/swin
    """
    from carpus.training.recipe import named_recipe, read_recipe, to_yaml, with_settings

    is_file = Path(recipe).suffix in {".yaml", ".yml"}
    chosen = read_recipe(Path(recipe)) if is_file else named_recipe(net, recipe)
    chosen = with_settings(chosen, setting or [])
    if print_recipe:
        typer.echo(to_yaml(chosen), nl=False)
        return
    if data is None and chosen.source == "dataset":
        raise InputError("no dataset was given; add --data FOLDER, such as one from `carpus data phantom`")

    from carpus.app.console import progress, training_progress
    from carpus.app.curves import write_curves
    from carpus.data.packing import open_packed
    from carpus.data.reader import read_dataset
    from carpus.training.engine import Engine
    from carpus.training.fit import scans_run_on
    from carpus.training.fit import train as fit

    dataset = read_dataset(data) if data is not None and chosen.source == "dataset" else None
    if backend := scans_run_on(chosen.net):
        typer.echo(f"Selective scans run on {backend}")
    engine = Engine(device=device.value, devices=devices, nodes=nodes, workers=workers, mlflow=mlflow)
    packed = None
    if dataset is not None:
        with progress("Packing") as step:
            packed = open_packed(dataset, chosen.task, skip_damaged=skip_damaged, progress=step)
    run = out or Path("runs") / f"{chosen.net}-{chosen.name}"
    with training_progress() as tell:
        model = fit(chosen, dataset, run, packed=packed, engine=engine, tell=tell)
    if model.exists():
        name = f"{chosen.net} ({chosen.name})"
        curves = write_curves(model.parent, name=name, is_phantom=dataset is None or dataset.is_phantom)
        typer.echo(f"Curves: {curves}")
        typer.echo(f"Trained {chosen.net} ({chosen.task}): {model}")
