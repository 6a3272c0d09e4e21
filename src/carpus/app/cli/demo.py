"""`carpus demo`: the main job in one go."""

from pathlib import Path
from typing import Annotated

import typer


def demo(
    out: Annotated[Path, typer.Option(help="Folder for everything.")] = Path("carpus-demo"),
    quick: Annotated[bool, typer.Option("--quick", help="Smaller and rougher: under two minutes.")] = False,
    seed: Annotated[int, typer.Option(help="Of phantoms and trainings.", min=0)] = 3407,
) -> None:
    """From nothing to a report: phantoms, training, evaluation, a real radiograph, one page.

    Needs no data and no GPU; takes some minutes on two cores. The same command again goes on where an interrupted
    one stopped.

    Example: carpus demo --quick --out demo
    """
    from carpus.app.demo import run_demo

    run_demo(out, quick=quick, seed=seed)
