"""Films to files: what is done stays, the rest is read here or on a cluster, and no film stops another."""

import contextlib
import json
import os
import re
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from carpus.app.reader.films import OUTPUTS, PAGE, VALUES, Film
from carpus.app.reader.one import NEEDED, Asked, Settings, reader
from carpus.app.reader.processes import spread
from carpus.data.manifest import sha256_of
from carpus.errors import InputError
from carpus.files import hold

LOCK_FILE = ".lock"
"""Held as long as a command reads into the folder."""

Progress = Callable[[int, int], None]
Engine = Callable[[Sequence[Asked], Settings], Generator[tuple[Asked, str], None, None]]


@dataclass
class Outcome:
    """What came of films.

    Attributes:
        read: Those with a reading, in the order of asking.
        kept: How many of them were read before.
        failures: Label of a film to the reason why it was not read.
        is_complete: Whether all were tried.
    """

    read: list[Film] = field(default_factory=list)
    kept: int = 0
    failures: dict[str, str] = field(default_factory=dict)
    is_complete: bool = False


def in_processes(asked: Sequence[Asked], settings: Settings, *, jobs: int) -> Generator[tuple[Asked, str], None, None]:
    """Each film with why it could not be read, or nothing, in the order in which they end.

    Raises:
        InputError: A checkpoint that cannot be used.
    """
    return spread(asked, partial(reader, settings), jobs=jobs, needed=NEEDED)


def in_this_process(asked: Sequence[Asked], settings: Settings) -> Generator[tuple[Asked, str], None, None]:
    """As `in_processes`, one after the other here: soonest for a single film.

    Raises:
        InputError: A checkpoint that cannot be used.
    """
    read = reader(settings)
    return ((film, read(film)) for film in asked)


def read_films(
    films: Sequence[Film], settings: Settings, engine: Engine, *, again: bool, progress: Progress | None = None
) -> Outcome:
    """Reads films and writes their outputs; films whose outputs are of the same content, networks and version stay.

    Ctrl-C leaves whole files only, and an outcome that is not complete.

    Args:
        films: To read, each with its own name.
        settings: Of all of them.
        engine: Where they are read.
        again: Whether to read those that are done as well.
        progress: Called with (done, total) after every film.

    Raises:
        InputError: A checkpoint that cannot be used, or another command is reading into the folder.
    """
    outcome = Outcome()
    done: set[Film] = set()
    # Threads, because hashing leaves Python alone.
    threads = ThreadPoolExecutor(os.cpu_count())
    with _only_one(settings.out, films):
        try:
            identity = None if again else _identity(settings)
            left = []
            for film, (sha256, reason) in zip(films, threads.map(_digest, films), strict=True):
                if reason:
                    outcome.failures[film.label] = reason
                elif identity and _is_done(film, sha256, settings.out, identity):
                    done.add(film)
                else:
                    left.append(Asked(film, sha256))
            outcome.kept = len(done)
            # Closed before drafts are swept away, so that no process writes any more.
            with contextlib.closing(engine(left, settings)) if left else contextlib.nullcontext(()) as found:
                for asked, reason in found:
                    if reason:
                        _remove(settings.out, asked.film)
                        outcome.failures[asked.film.label] = " ".join(reason.split())
                    else:
                        done.add(asked.film)
                    if progress:
                        progress(len(done) + len(outcome.failures), len(films))
            outcome.is_complete = True
        except KeyboardInterrupt:
            _sweep(settings.out, films)
        finally:
            threads.shutdown(cancel_futures=True)
    outcome.read = [film for film in films if film in done]
    return outcome


def read_values(out: Path, film: Film) -> dict[str, Any]:
    """The values of a film that was read."""
    values: dict[str, Any] = json.loads((out / f"{film.name}{VALUES}").read_text("utf-8"))
    return values


def page_of(film: Film) -> str:
    """The film's page, as a path below the folder of outputs."""
    return f"{film.name}{PAGE}"


def _identity(settings: Settings) -> tuple[object, ...]:
    """What decides a reading beside the film."""
    return (version("carpus"), *(sha256_of(path) for path in (settings.bones, settings.erosion) if path.is_file()))


def _digest(film: Film) -> tuple[str, str]:
    """The SHA-256 of a film's file, and why there is none."""
    try:
        return sha256_of(film.path), ""
    except FileNotFoundError:
        return "", f"{film.path} does not exist; check the path"
    except IsADirectoryError:
        return "", f"{film.path} is a folder, expected a film"
    except OSError as error:
        return "", f"{film.path} cannot be read ({(error.strerror or str(error)).lower()}); check its permissions"


def _is_done(film: Film, sha256: str, out: Path, identity: tuple[object, ...]) -> bool:
    if not all((out / f"{film.name}{output}").is_file() for output in OUTPUTS):
        return False
    try:
        values: Mapping[str, Any] = read_values(out, film)
        found = (values["carpus"], *(model["sha256"] for model in values["models"]))
        return values["sha256"] == sha256 and values["file"] == film.path.name and found == identity
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _remove(out: Path, film: Film) -> None:
    """Takes away what another content of the same film gave."""
    for output in OUTPUTS:
        (out / f"{film.name}{output}").unlink(missing_ok=True)


def _sweep(out: Path, films: Sequence[Film]) -> None:
    """Takes away the drafts of outputs that killed processes left."""
    targets = {(out / f"{film.name}{output}") for film in films for output in OUTPUTS}
    for folder in {target.parent for target in targets}:
        for draft in folder.glob(".*"):
            named = re.fullmatch(r"\.(.+)\.[a-z0-9_]{8}\.(?:png|html|json)", draft.name)
            if named and folder / named[1] in targets:
                draft.unlink(missing_ok=True)


@contextlib.contextmanager
def _only_one(out: Path, films: Sequence[Film]) -> Iterator[None]:
    """Two commands that read into one folder would sweep away each other's drafts."""
    is_new = not out.exists()
    try:
        out.mkdir(parents=True, exist_ok=True)
        lock = (out / LOCK_FILE).open("a")
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise InputError(f"{out} cannot be written ({reason}); choose an output folder that you may write to") from None
    with lock:
        hold(lock, otherwise=f"another command is reading into {out}; wait for it, or choose another --out")
        _sweep(out, films)
        try:
            yield
        finally:
            (out / LOCK_FILE).unlink(missing_ok=True)
            if is_new:
                with contextlib.suppress(OSError):  # it holds something, as it should
                    out.rmdir()
