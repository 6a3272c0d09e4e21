"""Recipe and dataset to a trained network. Whatever interrupts it, the same call goes on and ends the same."""

import dataclasses
import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch

from carpus.data.dataset import Dataset
from carpus.data.packed import Packed
from carpus.data.packing import open_packed
from carpus.data.torch_datasets import ErosionDataset
from carpus.errors import InputError
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
from carpus.training.network_info import network_info
from carpus.training.phantom_joints import BALANCED, JointSampleDataset
from carpus.training.predict import judge_drawn, predict_erosion
from carpus.training.recipe import Recipe
from carpus.training.run_files import CHECKPOINTS_FOLDER, begin_record, claim, remove_drafts
from carpus.training.run_files import HISTORY_FILE as HISTORY_FILE
from carpus.training.run_files import MODEL_FILE as MODEL_FILE
from carpus.training.samples import TrainingData

_FULL = {errno.ENOSPC, errno.EDQUOT}


def train(
    recipe: Recipe,
    dataset: Dataset | None,
    run: Path,
    *,
    packed: Packed | None = None,
    engine: Engine | None = None,
    tell: Tell | None = None,
) -> Path:
    """Trains a network and returns the path of its checkpoint, `run/model.safetensors`.

    The folder also gets `recipe.yaml`, `training.json`, `history.csv`, `tensorboard/` and `checkpoints/`. Called again
    after an interruption it goes on from the last whole epoch and ends with the same weights as if nothing had been;
    called again after the end it returns at once. Of several processes, the first writes, and the others may return
    before the checkpoint is there.

    Args:
        recipe: How to train.
        dataset: With training and validation splits for the recipe's task; None if the recipe draws its samples.
        run: Folder of this training.
        packed: The dataset's cache for the recipe's task; None opens or builds it.
        engine: Where to compute; by default the best device there is.
        tell: Told after every step how far the training is.

    Raises:
        InputError: The folder holds a training by another recipe or from other data, a split has no cases for the
            task, files are missing or damaged, the loss is no number any more, the data vanished, or the disk is full.
    """
    engine = engine or Engine()
    claim(run, recipe)
    remove_drafts(run)
    model_path = run / MODEL_FILE
    if model_path.exists():
        return model_path

    record = begin_record(run, recipe, dataset)
    torch.manual_seed(recipe.seed)
    info = _info(recipe, dataset, record)
    if packed is None and dataset is not None:
        packed = open_packed(dataset, recipe.task)
    data = TrainingData(recipe, dataset, packed=packed, workers=engine.sample_workers)
    module = _module(recipe, info, data)
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


def _info(recipe: Recipe, dataset: Dataset | None, record: dict[str, Any]) -> CheckpointInfo:
    provenance = {**record["software"], **{name: record[name] for name in ("recipe", "fingerprint", "machine")}}
    if backend := scans_run_on(recipe.net):
        provenance["selective_scan"] = backend
    info = network_info(recipe, trained_on="phantom" if dataset is None or dataset.is_phantom else "patients")
    return dataclasses.replace(info, provenance=provenance)


def _module(recipe: Recipe, info: CheckpointInfo, data: TrainingData) -> TrainingModule:
    network = build_network(info)
    if not isinstance(data.train, ErosionDataset | JointSampleDataset):
        return BoneModule(network, recipe)
    if recipe.net_options.get("supervised_planes") and recipe.source != "phantom":
        raise InputError("supervised_planes are known of drawn wrists only; choose source=phantom, or 0 planes")
    prevalence = data.train.prevalence
    if not 0 < prevalence < 1:
        raise InputError("there are eroded or healthy joints only in training; add patients")
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
        cut = best_cut(data.val.eroded, predict_erosion(network, data.val, head=info.head)[:, 0])
        info = dataclasses.replace(info, cut=cut)
    elif isinstance(data.val, JointSampleDataset):
        scores, beyond = judge_drawn(network, data.val, head=info.head)
        # Drawn joints are eroded equally often, whichever they are, and count in the loss as if half of them were, but
        # where the recipe says how much an eroded one counts.
        counts_alike = data.recipe.imbalance == "logit_adjusted" or data.recipe.eroded_weight is None
        prevalence = BALANCED if counts_alike else None
        info = dataclasses.replace(info, cut=best_cut(scores > 0, beyond[:, 0]), prevalence=prevalence)
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
