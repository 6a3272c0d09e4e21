"""A training done again from its own record, and how the second one differs from the first."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from safetensors.torch import load_file

from carpus.data.dataset import Dataset
from carpus.errors import InputError
from carpus.nets.checkpoint import read_checkpoint_info
from carpus.training.engine import Engine
from carpus.training.fit import train
from carpus.training.guards import Tell
from carpus.training.provenance import fingerprint, machine, software
from carpus.training.recipe import read_recipe
from carpus.training.run_files import HISTORY_FILE, MODEL_FILE, RECIPE_FILE, read_record


@dataclass(frozen=True)
class Reproduction:
    """How two trainings by one recipe differ.

    Attributes:
        weights: Largest difference between two weights; 0 if all are equal bit for bit.
        figures: Largest difference of each figure over the epochs, by its name in the history.
        epochs: How many epochs each of them went.
        circumstances: What was not the same: versions, commit, machine; first then, then now.
    """

    weights: float
    figures: dict[str, float]
    epochs: tuple[int, int]
    circumstances: dict[str, tuple[str, str]]

    @property
    def is_exact(self) -> bool:
        """Whether weights and figures are the same to the last bit."""
        return self.weights == 0 and self.epochs[0] == self.epochs[1] and not any(self.figures.values())


def reproduce(
    run: Path, dataset: Dataset | None, again: Path, *, engine: Engine | None = None, tell: Tell | None = None
) -> Reproduction:
    """Trains again by a finished training's recipe and compares. Interrupted, the same call goes on.

    Args:
        run: Folder of the finished training.
        dataset: The data it learnt from; None if its recipe drew it.
        again: Folder of the second training.
        engine: Where to compute.
        tell: Told after every step how far it is.

    Raises:
        InputError: No finished training, or the data is not what it learnt from.
    """
    recipe = read_recipe(run / RECIPE_FILE)
    read_checkpoint_info(run / MODEL_FILE)
    record = read_record(run)
    if dataset is not None and fingerprint(dataset, recipe.task) != record["fingerprint"]:
        raise InputError(f"{dataset.root} does not hold what {run} learnt from; give that data with --data")
    train(recipe, dataset, again, engine=engine, tell=tell)
    return compare(run, again, circumstances=_changed(record))


def compare(run: Path, again: Path, *, circumstances: dict[str, tuple[str, str]]) -> Reproduction:
    """How the second of two finished trainings differs from the first."""
    first, second = (load_file(folder / MODEL_FILE) for folder in (run, again))
    weights = max(float((first[name].double() - second[name].double()).abs().max()) for name in first)
    if any(not torch.equal(first[name], second[name]) for name in first) and weights == 0:
        weights = float("nan")
    histories = [pd.read_csv(folder / HISTORY_FILE) for folder in (run, again)]
    together = min(len(history) for history in histories)
    one, two = (history.head(together) for history in histories)
    figures = {str(name): float((one[name] - two[name]).abs().max()) for name in one.columns if name != "epoch"}
    return Reproduction(weights, figures, (len(histories[0]), len(histories[1])), circumstances)


def _changed(record: dict[str, Any]) -> dict[str, tuple[str, str]]:
    then = {**record["software"], **record["machine"]}
    now = {**software(), **machine()}
    return {name: (str(then.get(name)), str(now[name])) for name in now if then.get(name) != now[name]}
