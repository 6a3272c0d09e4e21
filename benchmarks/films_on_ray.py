"""Films read on a real Ray cluster on this machine, a worker of which is killed: every film must be read in the end.

uv run --extra torch --extra ray python benchmarks/films_on_ray.py
"""

import argparse
import os
import signal
import tempfile
import threading
import time
from pathlib import Path

from carpus.app.reader.cluster import read_on_ray
from carpus.app.reader.films import choose_films
from carpus.app.reader.many import read_films
from carpus.app.reader.one import Settings
from carpus.imaging.files import write_grey
from carpus.inference.weights import bundled_weights
from carpus.phantom import draw, plan_cohort

WORKER = b"ray::_read_there"


def main() -> None:
    """Reads films, kills the first worker at its first film, and says what became of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--films", type=int, default=6, help="how many")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        films, out = Path(folder) / "films", Path(folder) / "out"
        films.mkdir()
        for number, visit in enumerate(plan_cohort(patients=max(8, arguments.films), seed=99)[: arguments.films]):
            write_grey(films / f"film{number}.png", draw(visit).radiograph.pixels)
        (films / "bad.png").write_bytes(b"no film")
        others = set(workers())
        killed: list[int] = []

        def kill_the_first() -> None:
            while not killed:
                for process in sorted(set(workers()) - others)[:1]:
                    os.kill(process, signal.SIGKILL)
                    killed.append(process)
                time.sleep(0.02)

        threading.Thread(target=kill_the_first, daemon=True).start()
        started = time.monotonic()
        settings = Settings(out, bundled_weights("bones"), bundled_weights("erosion"), threads=1)
        chosen = choose_films([films], out=out).films
        outcome = read_films(
            chosen,
            settings,
            lambda asked, them: read_on_ray(asked, them, address="local"),
            again=False,
            progress=lambda done, total: print(f"{time.monotonic() - started:6.1f} s  {done} of {total}"),
        )
        print(f"failed: {outcome.failures}")
        if not killed or len(outcome.read) != arguments.films or list(outcome.failures) != ["bad.png"]:
            raise SystemExit("a film was not read, or no worker was killed")
        print(f"worker {killed[0]} was killed; {len(outcome.read)} of {arguments.films} films are read")


def workers() -> list[int]:
    """The processes of this machine that Ray reads a film in."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if (folder / "cmdline").read_bytes().startswith(WORKER):
                found.append(int(folder.name))
        except OSError:  # it has ended
            continue
    return found


if __name__ == "__main__":
    main()
