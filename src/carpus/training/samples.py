"""The samples of a training in batches, whichever processes share them."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import lightning.pytorch as pl
import torch
from torch.utils.data import DataLoader, Sampler

from carpus.data.dataset import Dataset
from carpus.data.layout import Split
from carpus.data.packed import Packed
from carpus.data.torch_datasets import Augment, BoneDataset, EpochSampler, ErosionDataset, Key, as_batch
from carpus.errors import InputError
from carpus.training.augmentation import augment
from carpus.training.augmentation_paper import augment_as_paper
from carpus.training.cases import task_cases
from carpus.training.phantom_joints import JointSampleDataset, as_joints
from carpus.training.phantom_samples import SampleDataset
from carpus.training.recipe import Recipe

Samples = BoneDataset | ErosionDataset | SampleDataset | JointSampleDataset
_VALIDATION_WRISTS = {"bones": 96, "erosion": 128}


class Batches(Sampler[list[Key]]):
    """The keys of each batch that fall to one of several processes.

    All processes draw the same order, and each takes its own part of every batch, so that together they see the
    batches that one process alone would see.

    Args:
        sampler: Gives the keys of an epoch in order.
        batch_size: Of all processes together.
        rank: Number of this process, from 0.
        processes: How many share the batches.
        drop_last: Whether an incomplete last batch is left out.
    """

    def __init__(
        self, sampler: EpochSampler, batch_size: int, *, rank: int = 0, processes: int = 1, drop_last: bool = False
    ) -> None:
        self.sampler = sampler
        self.batch_size = batch_size
        self.rank = rank
        self.processes = processes
        self.drop_last = drop_last

    def __iter__(self) -> Iterator[list[Key]]:
        keys = list(self.sampler)
        return (keys[part.start : part.stop] for part in self._parts())

    def __len__(self) -> int:
        return len(self._parts())

    def _parts(self) -> list[range]:
        length = len(self.sampler)
        parts = []
        for start in range(0, length, self.batch_size):
            count = min(self.batch_size, length - start)
            if count < self.batch_size and self.drop_last:
                break
            own = range(start + count * self.rank // self.processes, start + count * (self.rank + 1) // self.processes)
            if own:
                parts.append(own)
        return parts


class TrainingData(pl.LightningDataModule):
    """Training and validation samples for a recipe.

    Args:
        recipe: How they are prepared.
        dataset: Where they come from; None if the recipe draws them.
        packed: Their cache; None reads files.
        workers: Processes that prepare samples beside the training; 0 prepares them in between.

    Raises:
        InputError: A split has no cases for the task.
    """

    def __init__(self, recipe: Recipe, dataset: Dataset | None, *, packed: Packed | None, workers: int = 0) -> None:
        super().__init__()
        self.recipe = recipe
        self.workers = workers
        self.epochs_done = 0
        self.train = samples_of(recipe, dataset, Split.TRAIN, packed)
        self.val = samples_of(recipe, dataset, Split.VAL, packed)

    def train_dataloader(self) -> DataLoader[Any]:
        """Batches in an order drawn for every epoch."""
        return self._loader(self.train, shuffle=True)

    def val_dataloader(self) -> DataLoader[Any]:
        """Every case once."""
        return self._loader(self.val, shuffle=False)

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint at the end of an epoch keeps."""
        return {"epochs_done": 0 if self.trainer is None else self.trainer.current_epoch + 1}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes up what a checkpoint kept."""
        self.epochs_done = int(state_dict["epochs_done"])

    def _loader(self, samples: Samples, *, shuffle: bool) -> DataLoader[Any]:
        trainer = self.trainer
        rank, processes = (0, 1) if trainer is None else (trainer.global_rank, trainer.world_size)
        batch_size = self.recipe.batch_size
        if batch_size % processes or len(samples) < processes:
            raise InputError(
                f"{processes} processes cannot share batches of {batch_size} images and {len(samples)} samples evenly; "
                "choose a batch_size that their number divides, or fewer processes"
            )
        rare = None
        if shuffle and self.recipe.imbalance == "balanced" and isinstance(samples, ErosionDataset):
            rare = samples.eroded
        sampler = EpochSampler(len(samples), seed=self.recipe.seed, shuffle=shuffle, rare=rare)
        # Lightning sets the epoch itself, but asks for the first batches of a resumed training before it does.
        sampler.set_epoch(self.epochs_done)
        batches = Batches(
            sampler,
            batch_size,
            rank=rank,
            processes=processes,
            drop_last=shuffle and len(samples) > batch_size,
        )
        return DataLoader(
            samples,
            batch_sampler=batches,
            collate_fn=_collate(samples),
            num_workers=self.workers,
            persistent_workers=self.workers > 0,
            pin_memory=self.workers > 0 and torch.cuda.is_available(),
        )


def samples_of(recipe: Recipe, dataset: Dataset | None, split: Split, packed: Packed | None = None) -> Samples:
    """The samples of a split, changed by chance in training only.

    Raises:
        InputError: The split has no cases for the task, or only damaged ones.
    """
    if recipe.source == "phantom":
        return _drawn(recipe, split)
    if dataset is None:
        raise InputError(f"recipe {recipe.name} needs a dataset; give one")
    chance: Augment | None = None
    if split is Split.TRAIN and recipe.augmenter == "paper":
        chance = partial(augment_as_paper, zoom=recipe.task == "bones")
    elif split is Split.TRAIN:
        chance = partial(augment, settings=recipe.augmentation)
    kind: Callable[..., Samples] = BoneDataset
    if recipe.task == "erosion":
        kind = partial(ErosionDataset, contralateral=recipe.contralateral, joint_input=recipe.joint_input)
    samples = kind(
        task_cases(dataset, recipe.task, split),
        image_size=recipe.image_size,
        mirror_left=recipe.mirror_left,
        seed=recipe.seed,
        augment=chance,
        packed=packed,
    )
    if not len(samples):
        raise InputError(f"{dataset.root} has only damaged {recipe.task} cases in {split.value}; copy them again")
    return samples


def _collate(samples: Samples) -> Callable[..., Any] | None:
    if isinstance(samples, JointSampleDataset):
        return as_joints
    return None if isinstance(samples, ErosionDataset) else as_batch


def _drawn(recipe: Recipe, split: Split) -> SampleDataset | JointSampleDataset:
    """Wrists drawn on the fly: ever new ones in training, the same ones of another seed in validation."""
    is_training = split is Split.TRAIN
    length = recipe.epoch_items if is_training else min(recipe.epoch_items, _VALIDATION_WRISTS[recipe.task])
    # Decoys have nothing that a Dice could be taken of.
    decoys = recipe.decoys if is_training else 0.0
    kind: Callable[..., SampleDataset | JointSampleDataset] = partial(SampleDataset, decoys=decoys)
    if recipe.task == "erosion":
        if recipe.contralateral or recipe.imbalance == "balanced":
            raise InputError(
                "source phantom draws one wrist at a time, eroded or not as it comes; choose contralateral=false, and "
                "imbalance=weighted, which counts both alike"
            )
        if recipe.decoys:
            raise InputError("decoys have no joints to judge; leave decoys=0 for erosion")
        kind = partial(JointSampleDataset, joint_input=recipe.joint_input)
    return kind(
        length,
        image_size=recipe.image_size,
        mirror_left=recipe.mirror_left,
        seed=recipe.seed + (not is_training),
        is_fixed=not is_training,
    )
