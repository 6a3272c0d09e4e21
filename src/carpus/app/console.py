"""Progress bars on standard error, and care with what is already there."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from carpus.errors import InputError


@contextlib.contextmanager
def progress(title: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on standard error if that is a terminal; the block calls what it gets with (done, total)."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@contextlib.contextmanager
def training_progress() -> Iterator[Callable[[int, int, str], None]]:
    """A progress bar of a training and the time left; the block calls what it gets with (done, total, words).

    The bar of a training that goes on starts where it was, so that the time left is that of the steps seen.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(compact=True))
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("Training", total=None)

        def tell(done: int, total: int, words: str) -> None:
            if bar.tasks[0].total is None:
                bar.reset(task, total=total, completed=done)
            bar.update(task, completed=done, description=words)

        yield tell


def stop_unless_free(path: Path, *, overwrite: bool) -> None:
    """Makes sure that writing `path` loses nothing unasked.

    Raises:
        InputError: Something is there and overwriting was not asked for.
    """
    taken = path.is_file() or (path.is_dir() and any(path.iterdir()))
    if taken and not overwrite:
        raise InputError(f"{path} exists already; choose another name, or add --overwrite to replace it")
