"""Recipe and dataset to a trained network, resumable."""

import logging
import warnings
from functools import partial
from importlib.metadata import version
from pathlib import Path

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import ModelCheckpoint, RichProgressBar
from torch.utils.data import DataLoader

from carpus.anatomy import Bone
from carpus.data.dataset import Dataset
from carpus.data.layout import Split
from carpus.data.packed import Packed
from carpus.data.packing import open_packed
from carpus.data.torch_datasets import BoneDataset, EpochSampler, ErosionDataset, as_batch
from carpus.errors import InputError
from carpus.files import new_file
from carpus.metrics.classification import best_cut
from carpus.nets.blocks.selective_scan import scan_backend
from carpus.nets.cards import CARDS
from carpus.nets.checkpoint import CheckpointInfo, build_network, save_checkpoint
from carpus.training.augmentation import augment
from carpus.training.cases import task_cases
from carpus.training.history import History
from carpus.training.modules import BoneModule, ErosionModule, TrainingModule
from carpus.training.predict import predict_erosion
from carpus.training.recipe import Recipe, to_yaml

MODEL_FILE = "model.safetensors"
HISTORY_FILE = "history.csv"
RECIPE_FILE = "recipe.yaml"


def train(recipe: Recipe, dataset: Dataset, run: Path, *, packed: Packed | None = None) -> Path:
    """Trains a network and returns the path of its checkpoint, `run/model.safetensors`.

    The folder also gets `recipe.yaml`, `history.csv` and `checkpoints/`. Called again after an interruption
    it goes on from the last whole epoch; called again after the end it returns at once.

    Args:
        recipe: How to train.
        dataset: With training and validation splits for the recipe's task.
        run: Folder of this training.
        packed: The dataset's cache for the recipe's task; None opens or builds it.

    Raises:
        InputError: The folder holds a training by another recipe, a split has no cases for the task, or files are
            missing or damaged.
    """
    _claim(run, recipe)
    model_path = run / MODEL_FILE
    if model_path.exists():
        return model_path

    torch.manual_seed(recipe.seed)
    info = CheckpointInfo(
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
    )
    network = build_network(info)
    if packed is None:
        packed = open_packed(dataset, recipe.task)
    train_set, val_set = (_samples(recipe, dataset, split, packed) for split in (Split.TRAIN, Split.VAL))
    module: TrainingModule
    if isinstance(train_set, ErosionDataset):
        prevalence = float(train_set.eroded.mean())
        if not 0 < prevalence < 1:
            raise InputError(f"{dataset.root} has eroded or healthy joints only in training; add patients")
        module = ErosionModule(network, recipe, prevalence=prevalence)
    else:
        module = BoneModule(network, recipe)
    best = _fit(module, recipe, run, train_set, val_set)

    network.eval()
    cut = None
    if isinstance(val_set, ErosionDataset):
        probability = predict_erosion(network, val_set)
        cut = best_cut(val_set.eroded, probability)
    provenance = {
        "carpus": version("carpus"),
        "torch": torch.__version__,
        "epochs": recipe.epochs,
        "training_items": len(train_set),
        module.metric: best,
    }
    if backend := scans_run_on(recipe.net):
        provenance["selective_scan"] = backend
    finished = CheckpointInfo(**{**vars(info), "cut": cut, "provenance": provenance})
    save_checkpoint(model_path, network, finished)
    return model_path


def scans_run_on(net: str) -> str:
    """What runs the network's selective scans where it is trained here: `triton`, `numba` or `torch`; empty without."""
    if net not in CARDS or not CARDS[net].scans:
        return ""
    return scan_backend(torch.device("cuda" if torch.cuda.is_available() else "cpu"))


def _claim(run: Path, recipe: Recipe) -> None:
    path = run / RECIPE_FILE
    text = to_yaml(recipe)
    if path.exists() and path.read_text("utf-8") != text:
        raise InputError(f"{run} holds a training by another recipe; choose another folder or delete it")
    with new_file(path) as draft:
        draft.write_text(text, "utf-8")


def _samples(recipe: Recipe, dataset: Dataset, split: Split, packed: Packed | None) -> BoneDataset | ErosionDataset:
    chance = None
    if split is Split.TRAIN:
        chance = partial(augment, settings=recipe.augmentation)
    cases = task_cases(dataset, recipe.task, split)
    kind = BoneDataset if recipe.task == "bones" else ErosionDataset
    samples = kind(
        cases,
        image_size=recipe.image_size,
        mirror_left=recipe.mirror_left,
        seed=recipe.seed,
        augment=chance,
        packed=packed,
    )
    if not len(samples):
        raise InputError(f"{dataset.root} has only damaged {recipe.task} cases in {split.value}; copy them again")
    return samples


def _fit(
    module: TrainingModule,
    recipe: Recipe,
    run: Path,
    train_set: BoneDataset | ErosionDataset,
    val_set: BoneDataset | ErosionDataset,
) -> float:
    """Runs Lightning, leaves the best weights in the module, and returns their validation figure."""
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    keeper = ModelCheckpoint(
        run / "checkpoints",
        filename="best",
        monitor=module.metric,
        mode="max",
        save_last=True,
        save_on_train_epoch_end=True,
        enable_version_counter=False,
    )
    trainer = pl.Trainer(
        max_epochs=recipe.epochs,
        callbacks=[keeper, History(run / HISTORY_FILE), RichProgressBar()],
        logger=False,
        devices=1,
        num_sanity_val_steps=0,
        enable_model_summary=False,
        deterministic=True,
        gradient_clip_val=1.0,
    )
    train_loader, val_loader = (
        DataLoader(
            samples,
            batch_size=recipe.batch_size,
            sampler=EpochSampler(len(samples), seed=recipe.seed, shuffle=shuffle),
            collate_fn=as_batch if isinstance(samples, BoneDataset) else None,
            drop_last=shuffle and len(samples) > recipe.batch_size,
        )
        for samples, shuffle in ((train_set, True), (val_set, False))
    )
    last = keeper.dirpath and Path(keeper.dirpath) / "last.ckpt"
    with warnings.catch_warnings():
        # A sample takes a millisecond or two from the packed cache, far less than the network.
        warnings.filterwarnings("ignore", ".*does not have many workers.*")
        # Lightning's own, against the newest PyTorch.
        warnings.filterwarnings("ignore", ".*isinstance\\(treespec, LeafSpec\\).*")
        # It is not empty when a training goes on.
        warnings.filterwarnings("ignore", "Checkpoint directory .* exists and is not empty.*")
        resume = last if last and last.exists() else None
        trainer.fit(module, train_loader, val_loader, ckpt_path=resume, weights_only=True)
    state = torch.load(keeper.best_model_path, weights_only=True)["state_dict"]
    module.load_state_dict(state)
    return float(keeper.best_model_score or 0.0)
