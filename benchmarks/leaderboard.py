"""How long the tables of a large leaderboard take, and how much memory: 20 models x 5 seeds x 1,000 images.

With 28 structures and 10 metrics that is a results file of 28 million rows. Its values are made up. The file is written
to a temporary folder; then a fresh process reads it and builds all bone tables, with 10,000 bootstrap replicates.

Example:
    python benchmarks/leaderboard.py
    python benchmarks/leaderboard.py --models 2 --images 100
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

from carpus.data.results import ResultRow, results_frame, scan_results
from carpus.report.bone_tables import bone_tables
from carpus.report.runs import BONES, PAIRS

METRICS = ("dsc", "nsd", "voe", "msd", "ravd", "assd", "hd95", "missed", "nsd_mm", "assd_mm")
PATIENTS = 350


def main() -> None:
    """Writes the file, then times a child process, so that its peak memory is that of the tables alone."""
    options = _options()
    if options.file:
        _build(options.file)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "results.parquet"
        rows = write_made_up(path, models=options.models, seeds=options.seeds, images=options.images)
        print(f"{rows / 1e6:.1f} million rows, {path.stat().st_size / 2**20:.0f} MiB as Parquet", flush=True)
        subprocess.run([sys.executable, __file__, "--file", str(path)], check=True)  # noqa: S603


def write_made_up(path: Path, *, models: int, seeds: int, images: int) -> int:
    """Writes made-up results; returns how many rows."""
    generator = np.random.default_rng(0)
    wrists = pl.DataFrame(
        {
            "image": [f"{i % PATIENTS:04d}_{i // PATIENTS:04d}_R" for i in range(images)],
            "patient": [f"{i % PATIENTS:04d}" for i in range(images)],
            "centre": ["HU", "HMCRD", "SCGH", "DHA"] * (images // 4) + ["HU"] * (images % 4),
            "group": generator.choice(["BE", "nonBE"], images, p=[0.3, 0.7]),
        }
    )
    parts = wrists.join(pl.DataFrame({"structure": [*BONES, *PAIRS]}), how="cross")
    parts = parts.join(pl.DataFrame({"metric": METRICS}), how="cross")
    schema = results_frame([ResultRow("", "", None, "", "", "", "", "", "", "", 0.0)]).schema
    frames = []
    for model in range(models):
        for seed in range(seeds):
            value = generator.beta(30, 2 + model / 10, parts.height)
            label = {
                "task": "bones",
                "model": f"Model{model:02d}",
                "recipe": "paper",
                "data": "phantom",
                "split": "test",
            }
            frame = parts.with_columns(*(pl.lit(text).alias(name) for name, text in label.items()), seed=pl.lit(seed))
            frames.append(
                frame.with_columns(value=value).select(pl.col(name).cast(kind) for name, kind in schema.items())
            )
    together = pl.concat(frames)
    together.write_parquet(path)
    return together.height


def _build(path: Path) -> None:
    start = time.perf_counter()
    tables = bone_tables(scan_results(path), seed=600)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{len(tables)} tables of {len(tables[0].rows)} rows in {seconds:.1f} s, peak memory {peak:.2f} GiB")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=int, default=20, help="default: %(default)s")
    parser.add_argument("--seeds", type=int, default=5, help="default: %(default)s")
    parser.add_argument("--images", type=int, default=1000, help="default: %(default)s")
    parser.add_argument("--file", type=Path, help="build the tables of this results file instead")
    return parser.parse_args()


if __name__ == "__main__":
    main()
