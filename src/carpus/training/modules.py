"""The two trainings as Lightning modules: fourteen overlapping bones, and erosion of one joint."""

import math
from typing import Any, ClassVar

import lightning.pytorch as pl
import numpy as np
import torch
from monai.losses import DiceLoss
from torch import Tensor, nn
from torch.nn import functional

from carpus.anatomy import Bone
from carpus.data.torch_datasets import unpack_masks
from carpus.metrics.classification import auroc
from carpus.training.recipe import Recipe

NO_PRIOR = 0.5


class TrainingModule(pl.LightningModule):
    """What both trainings share: AdamW under a one-cycle schedule, stepped with every batch."""

    metric: ClassVar[str]

    def __init__(self, network: nn.Module, recipe: Recipe) -> None:
        super().__init__()
        self.network = network
        self.recipe = recipe

    def configure_optimizers(self) -> Any:
        """AdamW and its schedule."""
        recipe = self.recipe
        optimizer = torch.optim.AdamW(self.network.parameters(), lr=recipe.lr, weight_decay=recipe.weight_decay)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer,
            max_lr=recipe.lr,
            total_steps=int(self.trainer.estimated_stepping_batches),
            pct_start=0.2,
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


class BoneModule(TrainingModule):
    """Bones: sigmoid cross-entropy plus soft Dice, validated by the mean Dice of the bones.

    A batch is images and packed planes, which are unpacked where the batch is.
    """

    metric: ClassVar[str] = "val_dsc"

    def __init__(self, network: nn.Module, recipe: Recipe) -> None:
        super().__init__(network, recipe)
        self.dice = DiceLoss(sigmoid=True, batch=True)
        _start_from(recipe.bone_prior, network)

    def training_step(self, batch: tuple[Tensor, Tensor], _: int) -> Tensor:
        """The loss of a batch."""
        loss = self._loss(self.network(batch[0]), unpack_masks(batch[1]))
        self.log("train_loss", loss, on_step=False, on_epoch=True, prog_bar=True, batch_size=len(batch[0]))
        return loss

    def validation_step(self, batch: tuple[Tensor, Tensor], _: int) -> None:
        """Logs loss and mean Dice of a batch."""
        images, masks = batch[0], unpack_masks(batch[1])
        logits = self.network(images)
        predicted = logits > 0
        together = (predicted * masks).sum((2, 3))
        size = predicted.sum((2, 3)) + masks.sum((2, 3))
        dsc = torch.where(size > 0, 2 * together / size.clamp(min=1), torch.nan).nanmean()
        self.log("val_loss", self._loss(logits, masks), batch_size=len(images))
        self.log(self.metric, dsc, prog_bar=True, batch_size=len(images))

    def _loss(self, logits: Tensor, masks: Tensor) -> Tensor:
        loss: Tensor = functional.binary_cross_entropy_with_logits(logits, masks) + self.dice(logits, masks)
        return loss


def _start_from(prior: float, network: nn.Module) -> None:
    """Sets the bias of the convolutions that give the bones' logits, so that their sigmoid begins at the prior.

    Lin TY et al. Focal loss for dense object detection. https://arxiv.org/abs/1708.02002, section 3.3.
    """
    if prior == NO_PRIOR:
        return
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d) and layer.out_channels == len(Bone) and layer.bias is not None:
            nn.init.constant_(layer.bias, math.log(prior / (1 - prior)))


class ErosionModule(TrainingModule):
    """Erosion: cross-entropy weighted against the rarity of erosion, validated by the area under the ROC."""

    metric: ClassVar[str] = "val_auroc"
    class_weights: Tensor

    def __init__(self, network: nn.Module, recipe: Recipe, *, prevalence: float) -> None:
        super().__init__(network, recipe)
        weights = torch.tensor([0.5 / (1 - prevalence), 0.5 / prevalence])
        self.register_buffer("class_weights", weights, persistent=False)
        self._seen: list[tuple[Tensor, Tensor]] = []

    def training_step(self, batch: tuple[Tensor, Tensor], _: int) -> Tensor:
        """The loss of a batch."""
        loss = self._loss(self.network(batch[0]), batch[1])
        self.log("train_loss", loss, on_step=False, on_epoch=True, prog_bar=True, batch_size=len(batch[0]))
        return loss

    def validation_step(self, batch: tuple[Tensor, Tensor], _: int) -> None:
        """Logs the loss of a batch and keeps its logits."""
        logits = self.network(batch[0])
        self.log("val_loss", self._loss(logits, batch[1]), batch_size=len(logits))
        self._seen.append((batch[1].cpu(), (logits[:, 1] - logits[:, 0]).float().cpu()))

    def on_validation_epoch_end(self) -> None:
        """Logs the area under the ROC curve of the whole validation split."""
        eroded, logit = (torch.cat(parts).numpy() for parts in zip(*self._seen, strict=True))
        self._seen.clear()
        # One kind of joint only (Lightning's first sanity batch, a tiny split) has no curve.
        area = auroc(eroded.astype(bool), logit.astype(np.float64))
        self.log(self.metric, 0.5 if np.isnan(area) else area, prog_bar=True)

    def _loss(self, logits: Tensor, eroded: Tensor) -> Tensor:
        return functional.cross_entropy(logits, eroded, weight=self.class_weights)
