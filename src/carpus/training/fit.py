"""Recipe and dataset to a trained network. Whatever interrupts it, the same call goes on and ends the same."""

import dataclasses
import errno
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch

from carpus.anatomy import Bone
from carpus.data.reader import Dataset
from carpus.data.torch_datasets import ErosionDataset
from carpus.errors import InputError
from carpus.files import new_file
from carpus.metrics.classification import best_cut
from carpus.nets.blocks.selective_scan import scan_backend
from carpus.nets.cards import CARDS
from carpus.nets.checkpoint import (
    CheckpointInfo,
    build_network,
    load_checkpoint,
    save_checkpoint,
)
from carpus.training.ema import Ema
from carpus.training.engine import Engine, make_trainer, quiet
from carpus.training.guards import FiniteLoss, Progress, Tell
from carpus.training.history import History
from carpus.training.keeper import BEST_FILE, LAST_FILE, Keeper, WholeFiles
from carpus.training.modules import BoneModule, ErosionModule, TrainingModule
from carpus.training.predict import predict_erosion
from carpus.training.provenance import fingerprint, machine, software
from carpus.training.recipe import Recipe, read_recipe, to_yaml
from carpus.training.samples import TrainingData

MODEL_FILE = "model.safetensors"
HISTORY_FILE = "history.csv"
RECIPE_FILE = "recipe.yaml"
RECORD_FILE = "training.json"
CHECKPOINTS_FOLDER = "checkpoints"
_FULL = {errno.ENOSPC, errno.EDQUOT}

log = logging.getLogger(__name__)


def train(
    recipe: Recipe, dataset: Dataset, run: Path, *, engine: Engine | None = None, tell: Tell | None = None
) -> Path:
    """Trains a network and returns the path of its checkpoint, `run/model.safetensors`.

    The folder also gets `recipe.yaml`, `training.json`, `history.csv`, `tensorboard/` and `checkpoints/`. Called again
    after an interruption it goes on from the last whole epoch and ends with the same weights as if nothing had been;
    called again after the end it returns at once. Of several processes, the first writes, and the others may return
    before the checkpoint is there.

    Args:
        recipe: How to train.
        dataset: With training and validation splits for the recipe's task.
        run: Folder of this training.
        engine: Where to compute; by default the best device there is.
        tell: Told after every step how far the training is.

    Raises:
        InputError: The folder holds a training by another recipe or from other data, a split has no cases for the
            task, the loss is no number any more, the data vanished, or the disk is full.
    """
    engine = engine or Engine()
    _claim(run, recipe)
    model_path = run / MODEL_FILE
    if model_path.exists():
        return model_path

    record = _record(run, recipe, dataset)
    _remove_drafts(run)
    torch.manual_seed(recipe.seed)
    info = _info(recipe, dataset, record)
    module = _module(recipe, info, data := TrainingData(recipe, dataset, workers=engine.sample_workers), dataset)
    module.record = record
    keeper, callbacks = _callbacks(module, info, recipe, run, tell)
    trainer = make_trainer(recipe, run, engine, [*callbacks, keeper], [WholeFiles()])
    last = run / CHECKPOINTS_FOLDER / LAST_FILE
    with quiet(), _in_a_sentence(run):
        trainer.fit(module, datamodule=data, ckpt_path=last if last.exists() else None, weights_only=True)
    if trainer.is_global_zero:
        _finish(run, data)
    return model_path


def scans_run_on(net: str) -> str:
    """What runs the network's selective scans where it is trained here: `triton`, `numba` or `torch`; empty without."""
    if net not in CARDS or not CARDS[net].scans:
        return ""
    return scan_backend(torch.device("cuda" if torch.cuda.is_available() else "cpu"))


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


def _claim(run: Path, recipe: Recipe) -> None:
    path = run / RECIPE_FILE
    if path.exists():
        theirs = vars(read_recipe(path)) if _is_recipe(path) else {}
        changed = [
            f"{name} is {theirs.get(name)!r} there" for name, own in vars(recipe).items() if theirs.get(name) != own
        ]
        if changed:
            what = f" ({', '.join(changed[:3])})" if theirs else ""
            raise InputError(f"{run} holds a training by another recipe{what}; choose another folder or delete it")
        return
    with new_file(path) as draft:
        draft.write_text(to_yaml(recipe), "utf-8")


def _remove_drafts(run: Path) -> None:
    """Removes what was being written when a training was killed."""
    for name in (RECIPE_FILE, RECORD_FILE, HISTORY_FILE, MODEL_FILE):
        for draft in [*run.glob(f".{name}.*"), *run.glob(f"{CHECKPOINTS_FOLDER}/.*")]:
            draft.unlink(missing_ok=True)


def _is_recipe(path: Path) -> bool:
    try:
        read_recipe(path)
    except InputError:
        return False
    return True


def _record(run: Path, recipe: Recipe, dataset: Dataset) -> dict[str, Any]:
    """How the training is made, as it was begun."""
    found = fingerprint(dataset, recipe.task)
    if (run / RECORD_FILE).exists():
        record = read_record(run)
        if record.get("fingerprint") != found:
            raise InputError(
                f"{run} was begun with other data than {dataset.root} holds now; bring the data back, or choose "
                "another folder"
            )
        if record.get("software") != software():
            log.warning(
                "%s was begun with other software (%s); its last digits may differ", run, record.get("software")
            )
        return record
    record = {
        "data": str(dataset.root.resolve()),
        "fingerprint": found,
        "seed": recipe.seed,
        "recipe": dataclasses.asdict(recipe),
        "software": software(),
        "machine": machine(),
    }
    with new_file(run / RECORD_FILE) as draft:
        draft.write_text(json.dumps(record, indent=2) + "\n", "utf-8")
    return record


def _info(recipe: Recipe, dataset: Dataset, record: dict[str, Any]) -> CheckpointInfo:
    provenance = {**record["software"], **{name: record[name] for name in ("recipe", "fingerprint", "machine")}}
    if backend := scans_run_on(recipe.net):
        provenance["selective_scan"] = backend
    return CheckpointInfo(
        task=recipe.task,
        net=recipe.net,
        net_options=recipe.net_options,
        classes=len(Bone) if recipe.task == "bones" else 2,
        image_size=recipe.image_size,
        mirror_left=recipe.mirror_left,
        cut=None,
        trained_on="phantom" if dataset.is_phantom else "patients",
        recipe=recipe.name,
        seed=recipe.seed,
        provenance=provenance,
    )


def _module(recipe: Recipe, info: CheckpointInfo, data: TrainingData, dataset: Dataset) -> TrainingModule:
    network = build_network(info)
    if not isinstance(data.train, ErosionDataset):
        return BoneModule(network, recipe)
    prevalence = float(data.train.eroded.mean())
    if not 0 < prevalence < 1:
        raise InputError(f"{dataset.root} has eroded or healthy joints only in training; add patients")
    return ErosionModule(network, recipe, prevalence=prevalence)


def _callbacks(
    module: TrainingModule, info: CheckpointInfo, recipe: Recipe, run: Path, tell: Tell | None
) -> tuple[Keeper, list[pl.Callback]]:
    ema = Ema(recipe.ema)

    def save_best(path: Path, figures: dict[str, float]) -> None:
        with ema.applied(module.network):
            save_checkpoint(
                path, module.network, _with(info, metrics=figures, **{module.metric: figures[module.metric]})
            )

    keeper = Keeper(
        run / CHECKPOINTS_FOLDER,
        watched=module.metric if recipe.watch == "metric" else "val_loss",
        higher_is_better=recipe.watch == "metric",
        patience=recipe.patience,
        save_best=save_best,
    )
    callbacks: list[pl.Callback] = [FiniteLoss(), ema, History(run / HISTORY_FILE)]
    return keeper, [*callbacks, Progress(tell, epochs=recipe.epochs)] if tell else callbacks


def _finish(run: Path, data: TrainingData) -> None:
    """The best weights as the training's checkpoint, with a cut where there is one to choose."""
    network, info = load_checkpoint(run / CHECKPOINTS_FOLDER / BEST_FILE)
    if isinstance(data.val, ErosionDataset):
        cut = best_cut(data.val.eroded, predict_erosion(network, data.val))
        info = dataclasses.replace(info, cut=cut)
    epochs = _epochs(run)
    save_checkpoint(run / MODEL_FILE, network, _with(info, epochs=epochs, training_items=len(data.train)))


def _epochs(run: Path) -> int:
    return sum(1 for line in (run / HISTORY_FILE).read_text("utf-8").splitlines() if line) - 1


def _with(info: CheckpointInfo, **more: Any) -> CheckpointInfo:
    return dataclasses.replace(info, provenance={**info.provenance, **more})


@contextmanager
def _in_a_sentence(run: Path) -> Iterator[None]:
    """Says in one sentence what stopped a training, and that nothing is lost."""
    go_on = f"what was learnt up to the last whole epoch is kept in {run}, and the same command goes on"
    try:
        yield
    except SystemExit as stop:  # what Lightning makes of Ctrl-C
        if isinstance(stop.__context__, KeyboardInterrupt):
            raise InputError(f"stopped; {go_on}") from None
        raise
    except torch.OutOfMemoryError:
        raise InputError("the GPU's memory is too small for this batch; choose a smaller batch_size") from None
    except (InputError, OSError) as error:
        cause = error if isinstance(error, OSError) else error.__cause__
        if isinstance(cause, OSError) and cause.errno in _FULL:
            raise InputError(f"the disk of {run} is full; {go_on} once there is room") from error
        if isinstance(error, OSError):
            raise
        # From a process that prepares samples, the message comes with its traceback.
        message = str(error).strip().splitlines()[-1].removeprefix("carpus.errors.InputError: ")
        if "no finite number" in message:
            raise
        raise InputError(f"{message}; {go_on} when that is put right") from error
