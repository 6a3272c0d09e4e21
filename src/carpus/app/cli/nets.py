"""`carpus nets`: which networks there are."""

import json
from typing import Annotated

import typer


def nets(as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False) -> None:
    """List the networks, with their number of parameters beside the paper's.

    Example: carpus nets --json
    """
    from rich.console import Console
    from rich.table import Table

    from carpus.anatomy import Bone
    from carpus.nets import CLASSIFIERS, SEGMENTERS
    from carpus.report.published import published_parameters

    rows = []
    for task, known, classes in (("bones", SEGMENTERS, len(Bone)), ("erosion", CLASSIFIERS, 2)):
        for name, build in known.items():
            network = build(in_channels=1, classes=classes)
            rows.append(
                {
                    "name": name,
                    "task": task,
                    "parameters": sum(weights.numel() for weights in network.parameters()),
                    "paper_millions": published_parameters(name),
                }
            )
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    table = Table("network", "task", "parameters", "paper")
    for row in rows:
        table.add_row(str(row["name"]), str(row["task"]), f"{row['parameters']:,}", f"{row['paper_millions']:.2f} M")
    Console().print(table)
