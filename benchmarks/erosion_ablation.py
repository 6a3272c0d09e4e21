"""From the authors' erosion training to carpus's, one change after the other, in one table.

Every row keeps the changes of the rows above it, but for the last three: each changes in row 5 what was tried and is
not in the recipe `carpus`. Network, data, image size, epochs and seeds are the same in all. The figures are the test
split's, with 95 % intervals of a bootstrap over patients, beside JointPrior, which looks at no image. AUROC within
joint is the one that knowing the joint gains nothing in.

An interrupted run goes on where it stopped. Run from the repository:

    carpus data phantom DATA --patients 500
    python benchmarks/erosion_ablation.py DATA
"""

import argparse
import dataclasses
import json
import math
import os
import platform
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import pandas as pd
import polars as pl
import torch

from carpus.anatomy import Joint
from carpus.data.packing import open_packed
from carpus.data.reader import read_dataset
from carpus.data.results import JOINT_PRIOR, RESULTS_FILE, read_results
from carpus.errors import InputError
from carpus.files import new_file
from carpus.report.cells import Cell, Row
from carpus.report.erosion_tables import further_table, joint_table, table_5
from carpus.training.evaluate import evaluate
from carpus.training.fit import train
from carpus.training.recipe import Recipe, named_recipe

RESULTS = Path(__file__).parent / "results"
LEARNS = (
    "lr", "schedule", "final_lr", "clip_norm", "ema", "precision", "watch", "patience", "eroded_weight",
    "augmenter", "augmentation",
)  # fmt: skip
STEPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("paper", ()),
    ("+ a rate that learns", LEARNS),
    ("+ balanced batches", ("imbalance",)),
    ("+ left hands flipped", ("mirror_left",)),
    ("+ ordinal head", ("head",)),
)
TRIED: tuple[tuple[str, str, object], ...] = (
    ("+ other hand", "contralateral", True),
    ("+ joint as input", "joint_input", True),
    ("logits adjusted instead of balanced batches", "imbalance", "logit_adjusted"),
)


def main() -> None:
    """Trains, evaluates, prints and writes the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="a dataset in RAM-W600's layout")
    parser.add_argument("--net", default="ResNet", help="default: %(default)s")
    parser.add_argument("--size", type=int, default=64, help="edge of the input in pixels, default: %(default)s")
    parser.add_argument("--epochs", type=int, default=8, help="default: %(default)s")
    parser.add_argument("--seeds", type=int, default=1, help="how many, default: %(default)s")
    parser.add_argument("--out", type=Path, default=Path("erosion-ablation"), help="folder of the trainings")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of the table")
    options = parser.parse_args()
    dataset = read_dataset(options.data)
    packed = open_packed(dataset, "erosion")
    frames = []
    for number, (name, recipe) in enumerate(recipes(options.net, size=options.size, epochs=options.epochs), 1):
        for seed in range(recipe.seed, recipe.seed + options.seeds):
            run = options.out / f"{number}-{seed}"
            started = time.perf_counter()
            if not (run / RESULTS_FILE).exists():
                train(dataclasses.replace(recipe, seed=seed), dataset, run, packed=packed)
                evaluate(run, dataset)
                print(f"{name}, seed {seed}: {time.perf_counter() - started:.0f} s", file=sys.stderr, flush=True)
            rows = read_results(run / RESULTS_FILE)
            frames.append(rows if not frames else rows.filter(pl.col("model") != JOINT_PRIOR))
    table = as_table(pl.concat(frames))
    kind = "PHANTOM" if dataset.is_phantom else "patients"
    print(f"{kind}: {options.net}, {options.size} px, {options.epochs} epochs, {options.seeds} seed(s), test split")
    print(table.to_string(index=False))
    with new_file(options.results / "erosion_ablation.csv") as draft:
        table.to_csv(draft, index=False)
    with new_file(options.results / "erosion_ablation.json") as draft:
        draft.write_text(json.dumps({"data": kind, **conditions(options)}, indent=2) + "\n", "utf-8")


def recipes(net: str, *, size: int, epochs: int) -> list[tuple[str, Recipe]]:
    """Name and recipe of each step, from the paper's to carpus's."""
    carpus = named_recipe(net, "carpus")
    recipe = dataclasses.replace(named_recipe(net, "paper"), image_size=size, epochs=epochs, precision="float32")
    found = []
    for number, (name, fields) in enumerate(STEPS, 1):
        recipe = dataclasses.replace(
            recipe, name=f"{number} {name}", **{field: getattr(carpus, field) for field in fields}
        )
        found.append((name, recipe))
    for number, (name, field, value) in enumerate(TRIED, len(found) + 1):
        found.append((name, dataclasses.replace(recipe, name=f"{number} {name}", **{field: value})))
    return found


def as_table(results: pl.DataFrame) -> pd.DataFrame:
    """A row a step: rates, areas, areas of each joint, agreement of scores."""
    seed = 3407
    whole, more, joints = table_5(results, seed=seed), further_table(results), joint_table(results, seed=seed)
    names = [column.group + " " + column.name for column in whole.columns]
    wanted = {"BACC": " BACC", "F1": " F1", "AUROC": "AUROC all joints", "AUROC within joint": "AUROC within joint"}
    kappa = next(index for index, column in enumerate(more.columns) if "kappa" in column.name.lower())
    area = next(index for index, column in enumerate(joints.columns) if column.name == "AUROC")
    rows = []
    for row, further in zip(_own(whole.rows), _own(more.rows), strict=True):
        own = [each for each in joints.rows if (each.model, _recipe(each)) == (row.model, _recipe(row))]
        rows.append(
            {"training": JOINT_PRIOR if row.model == JOINT_PRIOR else _recipe(row)}
            | {label: _text(row.cells[names.index(name)]) for label, name in wanted.items()}
            | {f"AUROC {joint.abbreviation}": "" for joint in Joint}
            | {f"AUROC {_joint(each).abbreviation}": _text(each.cells[area]) for each in own}
            | {"kappa": _text(further.cells[kappa])}
        )
    return pd.DataFrame(rows)


def conditions(options: argparse.Namespace) -> dict[str, object]:
    """What the figures were made with."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True)  # noqa: S607
    asked = {name: getattr(options, name) for name in ("net", "size", "epochs", "seeds")}
    return {
        **asked,
        "commit": commit.stdout.strip(),
        "hardware": f"{os.cpu_count()} cores, {platform.machine()}, {torch.get_num_threads()} threads of PyTorch",
        "versions": {name: version(name) for name in ("carpus", "torch", "monai")},
    }


def _own(rows: tuple[Row, ...]) -> list[Row]:
    return [row for row in rows if row.source != "paper"]


def _recipe(row: Row) -> str:
    return row.details.split(", ")[0]


def _joint(row: Row) -> Joint:
    return next(joint for joint in Joint if joint.label == row.part)


def _text(cell: Cell | None) -> str:
    if cell is None or math.isnan(cell.value):
        return ""
    spread = "" if math.isnan(cell.low) else f" [{cell.low:.2f}, {cell.high:.2f}]"
    return f"{cell.value:.2f}{spread}"


if __name__ == "__main__":
    try:
        main()
    except InputError as error:
        sys.exit(f"error: {error}")
