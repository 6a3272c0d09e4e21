"""One training of the matrix: what it is, whether it is done, and how a process of its own carries it out."""

import contextlib
import json
import os
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from carpus.data.results import RESULTS_FILE
from carpus.errors import InputError
from carpus.files import hold, new_file
from carpus.nets import CLASSIFIERS, SEGMENTERS
from carpus.training.recipe import Recipe, named_recipe, with_settings
from carpus.training.run_files import MODEL_FILE, check_claim

RUNS_FOLDER = "runs"
LOG_FILE = "log.txt"
RECORD_FILE = "job.json"
LOCK_FILE = ".lock"
"""Held, and with the process in it, as long as one is at the run."""
_FAILURE_FILE = "failure.txt"
_GROUPS = {"all": (*SEGMENTERS, *CLASSIFIERS), "bones": tuple(SEGMENTERS), "erosion": tuple(CLASSIFIERS)}


@dataclass(frozen=True, eq=False)
class Job:
    """One training and its evaluation.

    Attributes:
        recipe: With its seed.
        folder: Of the run.
    """

    recipe: Recipe
    folder: Path

    @property
    def name(self) -> str:
        """The run's name, such as `Unet-seed3407`."""
        return self.folder.name

    @property
    def is_done(self) -> bool:
        """Whether it is trained and evaluated."""
        return (self.folder / MODEL_FILE).is_file() and (self.folder / RESULTS_FILE).is_file()

    def failure(self) -> str:
        """Why the last try failed, in a line; empty if it did not."""
        path = self.folder / _FAILURE_FILE
        return path.read_text("utf-8").strip() if path.is_file() else ""


@dataclass(frozen=True)
class Record:
    """What a finished job took.

    Attributes:
        seconds: Of its last try, training and evaluation.
        memory_mib: Most main memory of its process.
        gpu_memory_mib: Most memory of its GPU; None without.
    """

    seconds: float
    memory_mib: float
    gpu_memory_mib: float | None


def plan_jobs(nets: Sequence[str], *, seeds: int, flavour: str, settings: Sequence[str], out: Path) -> list[Job]:
    """The jobs of a matrix, seed by seed, so that one seed of every network is there before the second begins.

    Args:
        nets: Names of networks, or `all`, `bones`, `erosion`.
        seeds: How many: the recipe's own and those after it.
        flavour: Of the package's recipes.
        settings: Changes of them, as `field=value`.
        out: Folder of the matrix.

    Raises:
        InputError: An unknown network or flavour, no recipe for it, a wrong setting, or a folder with runs by another
            recipe.
    """
    names = dict.fromkeys(name for each in nets for name in _GROUPS.get(each, (each,)))
    recipes = [with_settings(named_recipe(name, flavour), settings) for name in names]
    jobs = []
    for number in range(seeds):
        for recipe in recipes:
            own = replace(recipe, seed=recipe.seed + number)
            jobs.append(Job(own, out / RUNS_FOLDER / f"{own.net}-seed{own.seed}"))
    for job in jobs:
        check_claim(job.folder, job.recipe)
    return jobs


def run_job(job: Job, data: Path) -> None:
    """Trains and evaluates in this process, which ends with it; everything printed goes into the run's `log.txt`.

    A training that was interrupted goes on. On failure `failure.txt` says why in a line.

    Args:
        job: What to do.
        data: Folder of the dataset.

    Raises:
        InputError: Another process is at the same run.
        Exception: What made it fail.
    """
    from carpus.data.reader import read_dataset
    from carpus.training.evaluate import evaluate
    from carpus.training.fit import train

    job.folder.mkdir(parents=True, exist_ok=True)
    with _only_one(job.folder), _into(job.folder / LOG_FILE):
        failure = job.folder / _FAILURE_FILE
        failure.unlink(missing_ok=True)
        started = time.monotonic()
        try:
            dataset = read_dataset(data)
            train(job.recipe, dataset, job.folder)
            evaluate(job.folder, dataset)
        except BaseException as error:
            traceback.print_exc()
            reason = " ".join(str(error).split()) or type(error).__name__
            failure.write_text(
                reason if isinstance(error, InputError) else f"{type(error).__name__}: {reason}", "utf-8"
            )
            raise
        _write_record(job, time.monotonic() - started)


def read_record(job: Job) -> Record | None:
    """What a finished job took; None if that is not known."""
    try:
        return Record(**json.loads((job.folder / RECORD_FILE).read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def memory_used_mib() -> float:
    """Most main memory that this process has had; NaN where the system does not tell."""
    try:
        import resource
    except ImportError:  # Windows
        return float("nan")
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used / 2**20 if sys.platform == "darwin" else used / 2**10


def _write_record(job: Job, seconds: float) -> None:
    import torch

    gpu = torch.cuda.max_memory_reserved() / 2**20 if torch.cuda.is_available() else None
    with new_file(job.folder / RECORD_FILE) as draft:
        draft.write_text(json.dumps(vars(Record(seconds, memory_used_mib(), gpu))) + "\n", "utf-8")


@contextlib.contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    """Two processes in one run would spoil it; the lock falls with the process that holds it."""
    with (folder / LOCK_FILE).open("a+") as lock:
        hold(lock, otherwise=f"{folder} is being trained by another process; wait for it, or end it")
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield


@contextlib.contextmanager
def _into(log: Path) -> Iterator[None]:
    """Whatever this process prints goes to the end of a file, what libraries in C print as well."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = [os.dup(stream) for stream in (1, 2)]
    with log.open("a", encoding="utf-8") as file:
        for stream in (1, 2):
            os.dup2(file.fileno(), stream)
        out = open(1, "w", encoding="utf-8", closefd=False, buffering=1)  # noqa: SIM115
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            try:
                yield
            finally:
                out.flush()
                for stream, old in zip((1, 2), kept, strict=True):
                    os.dup2(old, stream)
                    os.close(old)
