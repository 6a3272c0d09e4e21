"""`carpus nets`: which networks there are, and one network's card."""

import json
from typing import Annotated, Any

import typer

from carpus.errors import InputError

_HELP_TIME = "Also time one image on this machine's CPU, median of 5 (minutes for all)."


def nets(
    name: Annotated[str | None, typer.Argument(help="Show one network's card.", show_default=False)] = None,
    time: Annotated[bool, typer.Option("--time", help=_HELP_TIME)] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """List the networks: parameters beside the paper's, operations for one image, what runs their selective scans.

    Example: carpus nets SwinUMamba --time
    """
    from carpus.app.console import progress
    from carpus.nets import CLASSIFIERS, SEGMENTERS

    known = [*SEGMENTERS, *CLASSIFIERS]
    if name is not None and name not in known:
        raise InputError(f"network {name!r} is unknown; expected one of {', '.join(known)}")
    names = known if name is None else [name]
    rows = []
    with progress("Counting") as step:
        for done, each in enumerate(names, 1):
            rows.append(_row(each, timed=time))
            step(done, len(names))
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
    elif name is None:
        _print_table(rows)
    else:
        _print_card(rows[0])


def _row(name: str, *, timed: bool) -> dict[str, Any]:
    import torch

    from carpus.anatomy import Bone
    from carpus.nets import CLASSIFIERS, SEGMENTERS
    from carpus.nets.blocks.selective_scan import scan_backend
    from carpus.nets.cards import CARDS
    from carpus.nets.cost import count_flops, count_parameters, cpu_latency_ms
    from carpus.report.published import published_parameters

    bones = name in SEGMENTERS
    build = {**SEGMENTERS, **CLASSIFIERS}[name]
    classes, image_size = (len(Bone), 512) if bones else (2, 224)
    card = CARDS.get(name)
    published = published_parameters(name)
    row = {
        "name": name,
        "task": "bones" if bones else "erosion",
        "paper": card.paper if card else "",
        "made_by": card.made_by if card else "another package",
        "summary": card.summary if card else "",
        "fixed_size": card.fixed_size if card else None,
        "parameters": count_parameters(build, classes=classes),
        "paper_millions": None if published != published else published,
        "image_size": image_size,
        "gflops": round(count_flops(build, classes=classes, image_size=image_size) / 1e9, 2),
        "scan_backend_cpu": scan_backend(torch.device("cpu")) if card and card.scans else "",
        "scan_backend_cuda": scan_backend(torch.device("cuda")) if card and card.scans else "",
    }
    if timed:
        row["cpu_ms"] = round(cpu_latency_ms(build, classes=classes, image_size=image_size), 1)
        row["cpu_threads"] = torch.get_num_threads()
    return row


def _print_table(rows: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    timed = "cpu_ms" in rows[0]
    table = Table(
        "network", "paper", caption="GFLOPs: one image of 512 (bones) or 224 pixels (erosion); 2 a multiply-add."
    )
    for column in ("parameters", "paper's", "GFLOPs", "scan", *(["CPU ms"] if timed else [])):
        table.add_column(column, justify="left" if column == "scan" else "right")
    for task in ("bones", "erosion"):
        for row in rows:
            if row["task"] != task:
                continue
            paper = row["paper_millions"]
            cells = [
                row["name"],
                row["paper"].partition(",")[0],
                f"{row['parameters']:,}",
                "" if paper is None else f"{paper:.2f} M",
                f"{row['gflops']:.1f}",
                row["scan_backend_cpu"],
                *([f"{row['cpu_ms']:.0f}"] if timed else []),
            ]
            table.add_row(*cells)
        table.add_section()
    Console().print(table)


def _print_card(row: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    shown = Table.grid(padding=(0, 2))
    size = f"{row['image_size']} x {row['image_size']}"
    paper = row["paper_millions"]
    lines = {
        "for": "fourteen overlapping bones" if row["task"] == "bones" else "erosion of one joint",
        "how": row["summary"],
        "paper": row["paper"],
        "made by": row["made_by"],
        "parameters": f"{row['parameters']:,}" + ("" if paper is None else f" (the benchmark printed {paper:.2f} M)"),
        "operations": f"{row['gflops']:.1f} GFLOPs for one image of {size} pixels",
        "image size": "one, by the option image_size" if row["fixed_size"] else "any that it divides",
        "scan": f"{row['scan_backend_cpu']} on CPU, {row['scan_backend_cuda']} on CUDA"
        if row["scan_backend_cpu"]
        else "",
        "CPU": f"{row['cpu_ms']:.0f} ms, {row['cpu_threads']} threads" if "cpu_ms" in row else "",
        "train": f"carpus train --net {row['name']} --recipe quick --data phantoms",
    }
    for label, text in lines.items():
        if text:
            shown.add_row(f"[bold]{label}[/bold]", text)
    console = Console(highlight=False)
    console.print(f"[bold]{row['name']}[/bold]")
    console.print(shown)
