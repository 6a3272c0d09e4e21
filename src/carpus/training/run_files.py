"""The files of a training's folder: whose it is, and how it was begun."""

import dataclasses
import json
import logging
from pathlib import Path
from typing import Any

from carpus.data.dataset import Dataset
from carpus.errors import InputError
from carpus.files import new_file
from carpus.training.engine import is_first_process
from carpus.training.provenance import fingerprint, machine, software
from carpus.training.recipe import Recipe, read_recipe, to_yaml

MODEL_FILE = "model.safetensors"
HISTORY_FILE = "history.csv"
RECIPE_FILE = "recipe.yaml"
RECORD_FILE = "training.json"
CHECKPOINTS_FOLDER = "checkpoints"
DRAWN = "phantoms drawn on the fly"
"""In place of data and their fingerprint; recipe, seed and commit say what was drawn."""

log = logging.getLogger(__name__)


def read_record(run: Path) -> dict[str, Any]:
    """How a training in a folder was begun: data and its fingerprint, versions, commit, machine.

    Raises:
        InputError: There is none.
    """
    path = run / RECORD_FILE
    try:
        found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        raise InputError(
            f"{run} holds no training (no {RECORD_FILE} that can be read); start one with `carpus train`"
        ) from None
    return found


def check_claim(run: Path, recipe: Recipe) -> None:
    """Makes sure that the folder is no training by another recipe.

    Raises:
        InputError: It is.
    """
    path = run / RECIPE_FILE
    if not path.exists():
        return
    theirs = vars(read_recipe(path)) if _is_recipe(path) else {}
    changed = [f"{name} is {theirs.get(name)!r} there" for name, own in vars(recipe).items() if theirs.get(name) != own]
    if changed:
        what = f" ({', '.join(changed[:3])})" if theirs else ""
        raise InputError(f"{run} holds a training by another recipe{what}; choose another folder or delete it")


def claim(run: Path, recipe: Recipe) -> None:
    """Makes the folder that of a training by this recipe.

    Raises:
        InputError: It holds a training by another recipe.
    """
    check_claim(run, recipe)
    path = run / RECIPE_FILE
    if not path.exists() and is_first_process():
        with new_file(path) as draft:
            draft.write_text(to_yaml(recipe), "utf-8")


def remove_drafts(run: Path) -> None:
    """Removes what was being written when a training was killed."""
    if not is_first_process():
        return
    own = (RECIPE_FILE, RECORD_FILE, HISTORY_FILE, MODEL_FILE, "curves.png", "curves.pdf")
    for pattern in [*(f".{name}.*" for name in own), f"{CHECKPOINTS_FOLDER}/.*"]:
        for draft in run.glob(pattern):
            draft.unlink(missing_ok=True)


def begin_record(run: Path, recipe: Recipe, dataset: Dataset | None) -> dict[str, Any]:
    """How the training is made, as it was begun; written down at its first beginning.

    Raises:
        InputError: It was begun with other data.
    """
    found = DRAWN if dataset is None else fingerprint(dataset, recipe.task)
    source = DRAWN if dataset is None else str(dataset.root.resolve())
    if (run / RECORD_FILE).exists():
        record = read_record(run)
        if record.get("fingerprint") != found:
            raise InputError(
                f"{run} was begun with other data than {source} holds now; bring the data back, or choose "
                "another folder"
            )
        if record.get("software") != software():
            log.warning(
                "%s was begun with other software (%s); its last digits may differ", run, record.get("software")
            )
        return record
    record = {
        "data": source,
        "fingerprint": found,
        "seed": recipe.seed,
        "recipe": dataclasses.asdict(recipe),
        "software": software(),
        "machine": machine(),
    }
    if is_first_process():
        with new_file(run / RECORD_FILE) as draft:
            draft.write_text(json.dumps(record, indent=2) + "\n", "utf-8")
    return record


def _is_recipe(path: Path) -> bool:
    try:
        read_recipe(path)
    except InputError:
        return False
    return True
