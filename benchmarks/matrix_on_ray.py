"""A matrix on a real Ray cluster on this machine, a worker of which is killed: every run must end, one after a retry.

uv run --extra torch --extra ray python benchmarks/matrix_on_ray.py
"""

import argparse
import os
import signal
import tempfile
import threading
import time
from pathlib import Path

from carpus.app.bench.engines import State, run_on_ray
from carpus.app.bench.jobs import LOCK_FILE, plan_jobs, read_record
from carpus.data.phantom_dataset import write_phantom_dataset

TINY = ("image_size=32", "epochs=3", "net_options={filters: [4, 8, 8]}")


def main() -> None:
    """Runs two trainings, kills the first worker after its first epoch, and says what became of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cpus", type=int, default=2, help="cores of one training")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data, out = Path(folder) / "phantoms", Path(folder) / "bench"
        write_phantom_dataset(data, patients=10)
        jobs = plan_jobs(["Unet"], seeds=2, flavour="quick", settings=TINY, out=out)
        killed: list[int] = []

        def kill_the_first() -> None:
            while not (jobs[0].folder / "checkpoints" / "last.ckpt").exists():
                time.sleep(0.02)
            process = int((jobs[0].folder / LOCK_FILE).read_text())
            os.kill(process, signal.SIGKILL)
            killed.append(process)

        threading.Thread(target=kill_the_first, daemon=True).start()
        started = time.monotonic()
        for event in run_on_ray(jobs, data, address="local", cpus=arguments.cpus, gpus=0):
            print(f"{time.monotonic() - started:6.1f} s  {event.job.name} {event.state.value} {event.reason}")
            if event.state is State.FAILED:
                raise SystemExit(1)
        if not killed or not all(job.is_done and read_record(job) for job in jobs):
            raise SystemExit("a run is not done, or no worker was killed")
        print(f"worker {killed[0]} was killed; {len(jobs)} of {len(jobs)} runs are done")


if __name__ == "__main__":
    main()
