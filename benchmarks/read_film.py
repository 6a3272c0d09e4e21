"""How long one film of a whole hand takes to be read and written, and how much memory, in fresh processes.

The film is a phantom of about 2500 x 2048 pixels; each process reads it as `carpus read` does, with the overlay, the
page and the JSON file. Asked: 5 s on two cores and 1 GB.

    python benchmarks/read_film.py
"""

import argparse
import json
import multiprocessing
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

SECONDS, GIGABYTES = 5.0, 1.0
SHAPE = (2500, 2048)
SEED = 1
"""Of a hand that is neither refused nor in a cast."""


def main() -> None:
    """Draws the film, reads it in several processes, and prints the medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--film", type=Path, help="a film, by default a phantom")
    parser.add_argument("--threads", type=int, default=2, help="cores of the process")
    parser.add_argument("--repeats", type=int, default=3, help="processes")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        film = options.film or draw(Path(folder) / "hand-right.png")
        context = multiprocessing.get_context("spawn")
        runs = []
        for number in range(options.repeats):
            ours, theirs = context.Pipe()
            process = context.Process(
                target=read, args=(theirs, film, Path(folder) / str(number), options.threads), daemon=True
            )
            process.start()
            theirs.close()
            runs.append(ours.recv())
            process.join()
    steps = {name: statistics.median(run[name] for run in runs) for name in runs[0]}
    print(json.dumps({"film": film.name, "threads": options.threads, "cores": os.cpu_count(), **machine()}))
    for name, value in steps.items():
        print(f"{name:32} {value:8.2f}")
    print(f"5 s for the film: {'met' if steps['film, seconds'] <= SECONDS else 'NOT MET'}")
    print(f"5 s with the start: {'met' if steps['all, seconds'] <= SECONDS else 'NOT MET'}")
    print(f"1 GB: {'met' if steps['most memory, GB'] <= GIGABYTES else 'NOT MET'}")


def draw(path: Path) -> Path:
    """Writes the film of a right hand."""
    from carpus.anatomy import Side
    from carpus.imaging.files import write_grey
    from carpus.imaging.geometry import resize
    from carpus.phantom.samples import draw_film

    drawn = draw_film(np.random.default_rng(SEED), spacing_mm=0.1, side=Side.RIGHT).pixels
    write_grey(path, resize(drawn, height=SHAPE[0], width=SHAPE[1]))
    return path


def read(connection: Any, film: Path, out: Path, threads: int) -> None:
    """Reads the film in this process, which must be fresh, and sends what it took."""
    begun = time.perf_counter()
    taken: dict[str, float] = {}

    def step(name: str, work: Callable[[], Any]) -> Any:
        started, used = time.perf_counter(), time.process_time()
        done = work()
        taken[f"{name}, seconds"] = time.perf_counter() - started
        taken[f"{name}, CPU seconds"] = time.process_time() - used
        return done

    def start() -> Any:
        from carpus.app.reader.one import Settings, reader
        from carpus.app.readings import write_reading  # noqa: F401 (imported here, so that the start has it)
        from carpus.inference.weights import bundled_weights

        return reader(Settings(out, bundled_weights("bones"), bundled_weights("erosion"), threads))

    work = step("start", start)
    taken["memory after the start, GB"] = memory_gb()

    from carpus.app.reader.films import Film
    from carpus.app.reader.one import Asked

    reason = step("film", lambda: work(Asked(Film(film, film.name, film.stem), "")))
    step("another film", lambda: work(Asked(Film(film, film.name, "again"), "")))
    assert not reason, reason
    taken["all, seconds"] = time.perf_counter() - begun - taken["another film, seconds"]
    taken["most memory, GB"] = memory_gb()
    connection.send(taken)


def memory_gb() -> float:
    """Most memory that this process has had, in 10^9 bytes."""
    import resource

    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used * (1 if sys.platform == "darwin" else 1024) / 1e9


def machine() -> dict[str, str]:
    """What it was measured on."""
    import torch

    return {"machine": f"{platform.system()} {platform.machine()}", "torch": torch.__version__}


if __name__ == "__main__":
    main()
