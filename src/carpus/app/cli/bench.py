"""`carpus bench`: the whole matrix of networks and seeds, to its report."""

import math
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from carpus.app.console import progress

if TYPE_CHECKING:
    from carpus.app.bench.engines import Event
    from carpus.app.bench.estimate import Estimate
    from carpus.app.bench.jobs import Job


class Engine(Enum):
    """Where the trainings run."""

    HERE = "here"
    RAY = "ray"


_RAY = "A Ray cluster"


def bench(
    data: Annotated[Path, typer.Option(help="Folder of the dataset.", show_default=False)],
    out: Annotated[Path, typer.Option(help="Folder of the matrix: runs/ and report/.")] = Path("bench"),
    nets: Annotated[str, typer.Option(help="all, bones, erosion, or names with commas, see `carpus nets`.")] = "all",
    seeds: Annotated[int, typer.Option(help="Trainings a network: its recipe's seed and those after.", min=1)] = 1,
    recipe: Annotated[str, typer.Option(help="Flavour: paper, carpus, demo or quick.")] = "carpus",
    setting: Annotated[
        list[str] | None, typer.Option("--set", help="Change a field of every recipe: --set epochs=20.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Measure what it will cost, and stop.")] = False,
    engine: Annotated[Engine, typer.Option(help="One after the other here, or on a Ray cluster.")] = Engine.HERE,
    address: Annotated[
        str | None, typer.Option(help="Of the cluster (default: RAY_ADDRESS, else a local one).", rich_help_panel=_RAY)
    ] = None,
    cpus: Annotated[int, typer.Option(help="Cores of one training.", min=1, rich_help_panel=_RAY)] = 2,
    gpus: Annotated[float, typer.Option(help="GPUs of one training.", min=0, rich_help_panel=_RAY)] = 0,
) -> None:
    """Train and evaluate every network, and make the report: the paper's Tables 4 and 5 in one go.

    The same command again skips what is done, goes on with what was interrupted, and tries again what failed. A run
    that fails stops no other; its folder has log.txt and failure.txt. Ends with status 1 if one failed.

    Each run has a process of its own. With --engine ray every machine of the cluster must see DATA and OUT under the
    same path; needs the extra ray.

    Example: carpus bench --nets all --seeds 3 --recipe paper --data RAM-W600 --out bench --dry-run

    Example: carpus bench --nets Unet,SwinUMamba,MedMamba --recipe quick --data phantoms --out bench
    """
    from carpus.app.bench.engines import run_here, run_on_ray
    from carpus.app.bench.estimate import estimate_costs
    from carpus.app.bench.jobs import plan_jobs
    from carpus.data.reader import read_dataset

    dataset = read_dataset(data)
    data, out = data.resolve(), out.resolve()
    names = [name.strip() for name in nets.split(",") if name.strip()]
    jobs = plan_jobs(names, seeds=seeds, flavour=recipe, settings=setting or [], out=out)
    left = [job for job in jobs if not job.is_done]
    typer.echo(f"{len(jobs)} runs, {len(jobs) - len(left)} of them done: {out}")
    if dry_run:
        total = len({job.recipe.net for job in left})
        estimates = []
        with progress("Measuring") as step:
            for each in estimate_costs(left, dataset):
                estimates.append(each)
                step(len(estimates), total)
        _print_estimates(estimates)
        return
    if engine is Engine.RAY:
        events = run_on_ray(left, data, address=address, cpus=cpus, gpus=gpus)
    else:
        events = run_here(left, data)
    failed = _follow(jobs, events)
    done = [job.folder for job in jobs if job.is_done]
    if done:
        from carpus.app.pages import collect
        from carpus.report.page import write_report_folder

        page = collect(done, title=f"Benchmark: {len(done)} of {len(jobs)} runs, recipe {recipe}", dataset=dataset)
        write_report_folder(out / "report", page)
        typer.echo(f"Report: {out / 'report' / 'index.html'}")
    for job, reason in failed.items():
        typer.echo(f"failed: {job.name}: {reason} (log: {job.folder / 'log.txt'})", err=True)
    if failed:
        raise typer.Exit(1)


def _follow(jobs: Sequence["Job"], events: "Iterator[Event]") -> dict["Job", str]:
    """Shows a live table (a line an event where there is no terminal) until all is over; the failures with reasons."""
    from rich.console import Console
    from rich.live import Live

    from carpus.app.bench.board import Board
    from carpus.app.bench.engines import State

    console = Console(stderr=True)
    board = Board(jobs)
    failed: dict[Job, str] = {}
    shown = Live(get_renderable=board.table, console=console, refresh_per_second=2)
    with shown if console.is_terminal else nullcontext():
        for event in filter(None, events):
            board.take(event)
            if event.state is State.FAILED:
                failed[event.job] = event.reason
            if not console.is_terminal:
                typer.echo(board.line(event), err=True)
    return failed


def _print_estimates(estimates: "Sequence[Estimate]") -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title="What is left to do", title_justify="left")
    for heading in ("network", "task", "runs", "items", "epochs", "s a step", "hours", "memory"):
        table.add_column(heading, justify="left" if heading in ("network", "task") else "right")
    for each in estimates:
        memory = f"{each.memory_mib / 1024:.1f} GiB"
        if each.gpu_memory_mib is not None:
            memory += f", GPU {each.gpu_memory_mib / 1024:.1f} GiB"
        if math.isnan(each.hours):
            memory = "too much"
        numbers = (each.runs, each.items, each.epochs, f"{each.step_seconds:.2f}", f"{each.hours:.2f}")
        table.add_row(each.net, each.task, *map(str, numbers), memory)
    known = [each.hours for each in estimates if not math.isnan(each.hours)]
    table.add_section()
    table.add_row("all", "", str(sum(each.runs for each in estimates)), "", "", "", f"{sum(known):.2f}", "")
    Console().print(table)
    typer.echo("Measured on this machine, without the reading of files; an early stop makes it less.")
