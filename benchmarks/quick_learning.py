"""Trains every network by its recipe `quick` on small phantom datasets and records whether its loss falls.

Writes `benchmarks/results/quick_learning.csv`, a row a network; networks that are not trained now keep their row. Seeds
and hardware lie beside it in `quick_learning.yaml`. PHANTOM: this says nothing about patients. Run from the repository:

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

PATIENTS = {"bones": 10, "erosion": 24}
RESULTS = Path(__file__).parent / "results"


def main() -> None:
    """Trains and writes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="*", help="by default all")
    parser.add_argument("--seed", type=int, default=3407, help="of the phantoms, default: %(default)s")
    options = parser.parse_args()
    path = RESULTS / "quick_learning.csv"
    rows = {row["network"]: row for row in pd.read_csv(path).to_dict("records")} if path.exists() else {}
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True)  # noqa: S607
    with tempfile.TemporaryDirectory() as folder:
        datasets = {}
        for task, patients in PATIENTS.items():
            write_phantom_dataset(Path(folder) / task, patients=patients, seed=options.seed)
            datasets[task] = read_dataset(Path(folder) / task)
        for net in options.networks or [*SEGMENTERS, *CLASSIFIERS]:
            started = time.perf_counter()
            recipe = named_recipe(net, "quick")
            run = Path(folder) / net
            train(recipe, datasets[recipe.task], run)
            history = pd.read_csv(run / HISTORY_FILE)
            first, last = history["train_loss"].iloc[[0, -1]]
            rows[net] = {
                "network": net,
                "task": recipe.task,
                "patients": PATIENTS[recipe.task],
                "epochs": len(history),
                "train_loss_first": round(float(first), 4),
                "train_loss_last": round(float(last), 4),
                "falls": bool(last < first),
                "seconds": round(time.perf_counter() - started),
                "commit": commit.stdout.strip(),
            }
            print(rows[net], flush=True)
            with new_file(path) as draft:
                ordered = [rows[name] for name in [*SEGMENTERS, *CLASSIFIERS] if name in rows]
                pd.DataFrame(ordered).to_csv(draft, index=False)
    with new_file(RESULTS / "quick_learning.yaml") as draft:
        draft.write_text(yaml.safe_dump(_conditions(options.seed), sort_keys=False), "utf-8")


def _conditions(seed: int) -> dict[str, object]:
    return {
        "data": f"PHANTOM, seed {seed}",
        "recipe": "quick of each network, seed 3407",
        "hardware": f"{os.cpu_count()} cores, {platform.machine()}, {torch.get_num_threads()} threads of PyTorch",
        "versions": {name: version(name) for name in ("carpus", "torch", "monai", "timm")},
    }


if __name__ == "__main__":
    main()
