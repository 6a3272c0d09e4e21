"""`carpus read`: films to wrist readings."""

import json
from enum import Enum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from carpus.app.console import progress

if TYPE_CHECKING:
    from carpus.app.reader.many import Engine as Readers


class Engine(Enum):
    """Where films are read."""

    HERE = "here"
    RAY = "ray"


_RAY = "A Ray cluster"
_STOPPED = 130


def read(
    images: Annotated[
        list[Path], typer.Argument(help="DICOM, PNG, BMP, JPEG or TIFF, or folders of them.", show_default=False)
    ],
    out: Annotated[Path, typer.Option(help="Folder for what is written.")] = Path("readings"),
    two_hands: Annotated[
        bool, typer.Option("--two-hands", help="Each film shows both hands side by side: read both halves.")
    ] = False,
    jobs: Annotated[
        int | None, typer.Option(help="Films at a time (default: one a core, as memory allows).", min=1)
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Read films that are done as well.")] = False,
    bones: Annotated[Path | None, typer.Option(help="Checkpoint for bones [default: bundled].")] = None,
    erosion: Annotated[Path | None, typer.Option(help="Checkpoint for erosion [default: bundled].")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the readings as JSON.")] = False,
    engine: Annotated[Engine, typer.Option(help="On this machine, or on a Ray cluster.")] = Engine.HERE,
    address: Annotated[
        str | None, typer.Option(help="Of the cluster (default: RAY_ADDRESS, else a local one).", rich_help_panel=_RAY)
    ] = None,
    cpus: Annotated[int, typer.Option(help="Cores of one film.", min=1, rich_help_panel=_RAY)] = 1,
) -> None:
    """Read wrists: find the wrist, outline fourteen bones, judge six joints. For research use only.

    Writes for every film NAME.html (a page with the film, its bones and joints), NAME-overlay.png and NAME.json
    (polygons, boxes, probabilities, mm, warnings, versions). Of a folder, every film in it and below it is read, and
    other files are passed over; NAME then begins with the folders between. For more than one film there are also
    index.html, readings.csv (a row a film and joint) and failures.csv. With --two-hands NAME ends in -left-half or
    -right-half, as one looks at the film; which hand that is, the picture tells.

    The same command again reads only what is new or has changed, and tries again what failed. A film that cannot be
    read never stops the rest, not even if it kills its process; the status is 2 if there was one. Ctrl-C leaves whole
    files only.

    With --engine ray every machine of the cluster must see films and OUT under the same path; needs the extra ray.

    Example: carpus read examples/hand-right-pa.dcm --out readings

    Example: carpus read films --out results --jobs 8
    """
    from carpus.app.reader.films import choose_films
    from carpus.app.reader.many import page_of, read_films, read_values
    from carpus.app.reader.one import Settings
    from carpus.app.reader.room import cores, default_jobs, need_torch
    from carpus.app.reader.tables import write_tables
    from carpus.inference.weights import bundled_weights

    need_torch()
    chosen = choose_films(images, out=out, two_hands=two_hands)
    films = chosen.films
    jobs = min(jobs or default_jobs(), len(films))
    settings = Settings(
        out=out.resolve(),
        bones=(bones or bundled_weights("bones")).resolve(),
        erosion=(erosion or bundled_weights("erosion")).resolve(),
        threads=cpus if engine is Engine.RAY else max(1, cores() // jobs),
    )
    readers = _readers(engine, address, jobs=jobs, films=len(films))
    with progress("Reading") as step:
        outcome = read_films(films, settings, readers, again=again, progress=step)
    folders = [image for image in images if image.is_dir()]
    if folders or len(films) > 1:
        write_tables(out, outcome, passed_over=chosen.others)
    for label, reason in outcome.failures.items():
        typer.echo(f"Error: {reason}." if label in reason else f"Error: {label}: {reason}.", err=True)
    if as_json:
        read_now = [{**read_values(out, film), "page": str(out / page_of(film))} for film in outcome.read]
        typer.echo(json.dumps(read_now, indent=2))
    elif not folders:
        from carpus.app.readings import print_reading

        for film in outcome.read:
            print_reading(read_values(out, film), out / page_of(film))
    else:
        words = [f"{outcome.kept} before", f"{len(outcome.failures)} not", f"{chosen.others} files passed over"]
        typer.echo(f"{len(outcome.read)} of {len(films)} films read ({', '.join(words)}): {out / 'index.html'}")
    if not outcome.is_complete:
        typer.echo("Stopped; the same command goes on.", err=True)
        raise typer.Exit(_STOPPED)
    if outcome.failures:
        raise typer.Exit(2)


def _readers(engine: Engine, address: str | None, *, jobs: int, films: int) -> "Readers":
    if engine is Engine.RAY:
        from carpus.app.reader.cluster import read_on_ray

        return partial(read_on_ray, address=address)
    from carpus.app.reader.many import in_processes, in_this_process

    return in_this_process if films == 1 else partial(in_processes, jobs=jobs)
