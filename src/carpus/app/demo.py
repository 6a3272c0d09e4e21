"""The main job in one go: phantom dataset, check, training, evaluation, a real film, one page."""

import dataclasses
import json
import os
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from importlib.metadata import version
from pathlib import Path

from rich.console import Console

from carpus.app.console import progress, training_progress
from carpus.app.pages import collect
from carpus.app.readings import write_reading
from carpus.app.tables import print_statistics, print_tables
from carpus.data.check import check_dataset
from carpus.data.dataset import Dataset
from carpus.data.packing import open_packed
from carpus.data.phantom_dataset import write_phantom_dataset
from carpus.data.reader import read_dataset
from carpus.data.results import RESULTS_FILE
from carpus.data.statistics import dataset_statistics, images_by_centre
from carpus.errors import InputError
from carpus.files import new_file
from carpus.inference.reading import WristReading, read
from carpus.report.page import JointReading, ReadingPanel, write_report
from carpus.report.tables import all_tables
from carpus.training.evaluate import evaluate
from carpus.training.fit import MODEL_FILE, train
from carpus.training.provenance import commit
from carpus.training.recipe import named_recipe

PAGE_FILE = "index.html"
_SETTINGS_FILE = "demo.json"
_FILM = "hand-right-pa.dcm"
_PATIENTS = {True: 24, False: 40}


def run_demo(out: Path, *, quick: bool = False, seed: int = 3407) -> Path:
    """Runs the demo in a folder and returns the path of its page.

    Called again after an interruption it goes on where it stopped; called again after the end it only reads the film
    and writes the page anew.

    Args:
        out: Folder for everything.
        quick: Fewer patients and a shorter training, to see that everything runs.
        seed: Of the phantoms and the trainings.

    Raises:
        InputError: The folder holds something else, or a demo with other settings.
    """
    console = Console(highlight=False, soft_wrap=True)
    started = time.monotonic()
    _claim(out, {"quick": quick, "seed": seed, "version": version("carpus")})

    with _stage(console, "1/6 Phantom dataset"):
        data = out / "data"
        if not data.exists():
            with progress("Drawing wrists") as step:
                write_phantom_dataset(data, patients=_PATIENTS[quick], seed=seed, progress=step)
    with _stage(console, "2/6 Check and statistics"):
        dataset = _checked(data)
        print_statistics(dataset_statistics(dataset), images_by_centre(dataset))

    flavour = "quick" if quick else "demo"
    runs = {"bones": ("Unet", out / "bones"), "erosion": ("ResNet", out / "erosion")}
    for task, (net, run) in runs.items():
        with _stage(console, f"3/6 Training {net} for {task}"):
            recipe = dataclasses.replace(named_recipe(net, flavour), seed=seed)
            with progress("Packing") as step:
                packed = open_packed(dataset, recipe.task, progress=step)
            with training_progress() as tell:
                train(recipe, dataset, run, packed=packed, tell=tell)
    with _stage(console, "4/6 Evaluation on the test split, with baselines that look at no image"):
        for _, run in runs.values():
            if not (run / RESULTS_FILE).exists():
                with progress("Evaluating") as step:
                    evaluate(run, dataset, progress=step)
    with _stage(console, "5/6 A real radiograph"):
        reading = _read_film(bones=out / "bones" / MODEL_FILE, erosion=out / "erosion" / MODEL_FILE)
        write_reading(out / "reading", _film().stem, reading)
    with _stage(console, "6/6 Report"):
        page = collect([run for _, run in runs.values()], title="carpus demo", dataset=dataset)
        page = dataclasses.replace(page, reading=_panel(reading), provenance=_provenance(flavour, seed))
        write_report(out / PAGE_FILE, page)
        main = [table for table in all_tables(page.results) if table.name in ("table_4", "table_5")]
        print_tables(main)
    console.print(f"Finished in {time.monotonic() - started:.0f} s. Open [bold]{(out / PAGE_FILE).resolve()}[/bold]")
    return out / PAGE_FILE


def _claim(out: Path, settings: dict[str, object]) -> None:
    """Makes the folder this demo's own; refuses one that holds anything else."""
    path = out / _SETTINGS_FILE
    if path.is_file():
        try:
            found = json.loads(path.read_text("utf-8"))
        except ValueError:
            found = None
        if found != settings:
            raise InputError(f"{out} holds a demo with other settings ({found}); choose another --out or delete it")
        return
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out} exists already and is not a demo; choose another --out")
    with new_file(path) as draft:
        draft.write_text(json.dumps(settings) + "\n", "utf-8")


def _checked(data: Path) -> Dataset:
    with progress("Checking") as step:
        problems = check_dataset(data, progress=step)
    if problems:
        raise InputError(f"{data} has {len(problems)} problems, the first: {problems[0].message}; delete the folder")
    return read_dataset(data)


def _read_film(*, bones: Path, erosion: Path) -> WristReading:
    """The film as the demo's networks read it; outlined by the bundled weights if the demo's find no wrist on it."""
    try:
        return read(_film(), bones=bones, erosion=erosion)
    except InputError:
        reading = read(_film(), erosion=erosion)
    note = (
        "The bone network of this demo was trained too shortly to recognise the wrist on this film: "
        "the outlines are those of the weights that come with carpus."
    )
    return dataclasses.replace(reading, warnings=(note, *reading.warnings))


def _film() -> Path:
    """The real radiograph: inside an installed package, or in the examples of a source tree."""
    packaged = Path(str(resources.files("carpus"))) / "examples" / _FILM
    source = Path(__file__).parents[3] / "examples" / _FILM
    return packaged if packaged.is_file() else source


def _panel(reading: WristReading) -> ReadingPanel:
    """The reading as the report's page takes it."""
    return ReadingPanel(
        source=reading.film.source,
        side=f"{reading.side.name.lower()} hand",
        film=reading.film.pixels,
        wrist=reading.box,
        crop=reading.crop.pixels,
        masks=reading.masks,
        joints=tuple(JointReading(item.joint, item.erosion_probability, item.cut) for item in reading.joints),
        warnings=reading.warnings,
    )


def _provenance(flavour: str, seed: int) -> dict[str, str]:
    return {
        "command": f"carpus demo{' --quick' if flavour == 'quick' else ''} --seed {seed}",
        "recipes": f"{flavour}/Unet, {flavour}/ResNet",
        "seed": str(seed),
        "carpus": version("carpus") + (f", commit {commit()}" if commit() else ""),
        "torch, monai, lightning": ", ".join(version(name) for name in ("torch", "monai", "lightning")),
        "python": platform.python_version(),
        "hardware": f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}",
    }


@contextmanager
def _stage(console: Console, title: str) -> Iterator[None]:
    console.print(f"[bold]{title}[/bold]")
    started = time.monotonic()
    yield
    console.print(f"  done in {time.monotonic() - started:.0f} s", style="dim")
