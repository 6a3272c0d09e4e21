"""`carpus train`: recipe and dataset to a trained network."""

from pathlib import Path
from typing import Annotated

import typer

from carpus.errors import InputError


def train(
    net: Annotated[str, typer.Option(help="Network, see `carpus nets`.")] = "Unet",
    recipe: Annotated[str, typer.Option(help="carpus, demo or quick, or a YAML file.")] = "carpus",
    data: Annotated[Path | None, typer.Option(help="Folder of the dataset.", show_default=False)] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of this training [default: runs/NET-RECIPE].")] = None,
    setting: Annotated[list[str] | None, typer.Option("--set", help="Change a field: --set lr=3e-4.")] = None,
    skip_damaged: Annotated[
        bool, typer.Option("--skip-damaged", help="Go on without files that are missing or damaged; they are named.")
    ] = False,
    print_recipe: Annotated[bool, typer.Option("--print-recipe", help="Print the recipe and stop.")] = False,
) -> None:
    """Train a network. The same command again goes on where an interrupted one stopped.

    The first training on a dataset packs its images and masks into one file, in .carpus-cache inside the dataset.

    Example: carpus train --net Unet --recipe demo --data phantoms --out runs/unet
    """
    from carpus.training.recipe import named_recipe, read_recipe, to_yaml, with_settings

    is_file = Path(recipe).suffix in {".yaml", ".yml"}
    chosen = read_recipe(Path(recipe)) if is_file else named_recipe(net, recipe)
    chosen = with_settings(chosen, setting or [])
    if print_recipe:
        typer.echo(to_yaml(chosen), nl=False)
        return
    if data is None:
        raise InputError("no dataset was given; add --data FOLDER, such as one from `carpus data phantom`")

    from carpus.app.console import progress
    from carpus.data.packing import open_packed
    from carpus.data.reader import read_dataset
    from carpus.training.fit import scans_run_on
    from carpus.training.fit import train as fit

    dataset = read_dataset(data)
    if backend := scans_run_on(chosen.net):
        typer.echo(f"Selective scans run on {backend}")
    with progress("Packing") as step:
        packed = open_packed(dataset, chosen.task, skip_damaged=skip_damaged, progress=step)
    model = fit(chosen, dataset, out or Path("runs") / f"{chosen.net}-{chosen.name}", packed=packed)
    typer.echo(f"Trained {chosen.net} ({chosen.task}): {model}")
