"""Where the jobs of a matrix run: one after the other on this machine, or spread over a Ray cluster."""

import multiprocessing
import os
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from multiprocessing.connection import wait
from pathlib import Path

from carpus.app.bench.jobs import LOG_FILE, Job, run_job
from carpus.app.ray_cluster import connect

_TICK_S = 0.5
_TRIES = 5
"""How often Ray starts a job whose worker was killed; each goes on where the one before stopped."""


class State(Enum):
    """Where a job stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True)
class Event:
    """A job has come to another state; `reason` says in a line why it failed."""

    job: Job
    state: State
    reason: str = ""


def run_here(jobs: Sequence[Job], data: Path) -> Iterator[Event]:
    """Runs the jobs one after the other, each in a fresh process, so that none takes the others along.

    Yields:
        What happens, when it happens.
    """
    context = multiprocessing.get_context("spawn")
    for job in jobs:
        process = context.Process(target=_as_child, args=(job, data))
        process.start()
        yield Event(job, State.RUNNING)
        try:
            process.join()
        finally:
            # Also when nobody wants to know any more.
            if process.is_alive():
                process.terminate()
                process.join()
        if job.is_done and process.exitcode == 0:
            yield Event(job, State.DONE)
        else:
            yield Event(job, State.FAILED, job.failure() or _died(process.exitcode or 0))


def run_on_ray(jobs: Sequence[Job], data: Path, *, address: str | None, cpus: int, gpus: float) -> Iterator[Event]:
    """Runs the jobs on a Ray cluster, as many at once as it has room for.

    Every machine of it must see the folders under the same path. A job whose worker or machine dies is started again,
    and goes on where it stopped.

    Args:
        jobs: To run.
        data: Folder of the dataset.
        address: Of the cluster; None for the one that the environment names, else a local one.
        cpus: Cores of one job.
        gpus: GPUs of one job.

    Raises:
        InputError: Ray is not installed, or no cluster answers.
    """
    ray = connect(address)
    try:
        remote = ray.remote(num_cpus=cpus, num_gpus=gpus, max_retries=_TRIES, max_calls=1)(run_job)
        begun = {job: _size(job) for job in jobs}
        waiting = {remote.remote(job, data): job for job in jobs}
        unseen = set(jobs)
        while waiting:
            ready, _ = ray.wait(list(waiting), timeout=_TICK_S)
            for job in [job for job in waiting.values() if job in unseen and _size(job) != begun[job]]:
                unseen.discard(job)
                yield Event(job, State.RUNNING)
            for reference in ready:
                job = waiting.pop(reference)
                try:
                    ray.get(reference)
                    yield Event(job, State.DONE)
                except ray.exceptions.RayError as error:
                    yield Event(job, State.FAILED, job.failure() or " ".join(str(error).split())[:200])
    finally:
        ray.shutdown()


def _as_child(job: Job, data: Path) -> None:
    """Runs the job, and ends at once if the process that started it is no more."""
    parent = multiprocessing.parent_process()

    def watch() -> None:
        if parent is not None:
            wait([parent.sentinel])
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
    try:
        run_job(job, data)
    except Exception:
        raise SystemExit(1) from None


def _died(exitcode: int) -> str:
    if exitcode < 0:
        return f"its process was killed by signal {-exitcode}; was there too little memory?"
    return f"its process ended with status {exitcode}; see its {LOG_FILE}"


def _size(job: Job) -> int:
    path = job.folder / LOG_FILE
    return path.stat().st_size if path.is_file() else -1
