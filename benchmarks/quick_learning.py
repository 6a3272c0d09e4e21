"""Trains every network by its recipe `quick` on a small phantom dataset and records whether its loss falls.

Writes `benchmarks/results/quick_learning.csv`, a row a network, with recipe, seed, commit, hardware and versions beside
it in `quick_learning.yaml`. PHANTOM: nothing of this says anything about patients. Run from the repository:

    uv run --extra torch benchmarks/quick_learning.py
"""

import argparse
import os
import platform
import subprocess
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import pandas as pd
import torch
import yaml

from carpus.data.phantom_dataset import write_phantom_dataset
from carpus.data.reader import read_dataset
from carpus.files import new_file
from carpus.nets import CLASSIFIERS, SEGMENTERS
from carpus.training.fit import HISTORY_FILE, train
from carpus.training.recipe import named_recipe

RESULTS = Path(__file__).parent / "results"


def main() -> None:
    """Trains and writes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="*", help="by default all")
    parser.add_argument("--patients", type=int, default=10, help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=3407, help="of the phantoms, default: %(default)s")
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        write_phantom_dataset(Path(folder) / "phantoms", patients=options.patients, seed=options.seed)
        dataset = read_dataset(Path(folder) / "phantoms")
        for net in options.networks or [*SEGMENTERS, *CLASSIFIERS]:
            started = time.perf_counter()
            recipe = named_recipe(net, "quick")
            run = Path(folder) / net
            train(recipe, dataset, run)
            history = pd.read_csv(run / HISTORY_FILE)
            first, last = history["train_loss"].iloc[[0, -1]]
            rows.append(
                {
                    "network": net,
                    "task": recipe.task,
                    "epochs": len(history),
                    "train_loss_first": round(float(first), 4),
                    "train_loss_last": round(float(last), 4),
                    "falls": bool(last < first),
                    "seconds": round(time.perf_counter() - started),
                }
            )
            print(rows[-1], flush=True)
    with new_file(RESULTS / "quick_learning.csv") as draft:
        pd.DataFrame(rows).to_csv(draft, index=False)
    with new_file(RESULTS / "quick_learning.yaml") as draft:
        draft.write_text(yaml.safe_dump(_conditions(options.patients, options.seed), sort_keys=False), "utf-8")


def _conditions(patients: int, seed: int) -> dict[str, object]:
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True)  # noqa: S607
    return {
        "data": f"PHANTOM, {patients} patients, seed {seed}",
        "recipe": "quick of each network, seed 3407",
        "commit": commit.stdout.strip(),
        "hardware": f"{os.cpu_count()} cores, {platform.machine()}, {torch.get_num_threads()} threads of PyTorch",
        "versions": {name: version(name) for name in ("carpus", "torch", "monai", "timm")},
    }


if __name__ == "__main__":
    main()
