"""The two trainings as Lightning modules: fourteen overlapping bones, and erosion of one joint."""

import math
from typing import Any, ClassVar

import lightning.pytorch as pl
import numpy as np
import torch
from torch import Tensor, distributed, nn

from carpus.anatomy import Bone
from carpus.data.torch_datasets import unpack_masks
from carpus.metrics.classification import auroc_within
from carpus.nets.apply import margins
from carpus.training.losses import (
    BONE_LOSSES,
    Total,
    answer_and_planes,
    conditional_cross_entropy,
    of_planes,
    of_stages,
    own,
    summed,
)
from carpus.training.recipe import Recipe
from carpus.training.schedule import lr_schedule

NO_PRIOR = 0.5


class TrainingModule(pl.LightningModule):
    """What both trainings share: AdamW, its schedule, and chance that is drawn anew for every step."""

    metric: ClassVar[str]

    def __init__(self, network: nn.Module, recipe: Recipe) -> None:
        super().__init__()
        self.network = network
        self.recipe = recipe
        self.record: dict[str, Any] = {}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Adds how the training was made."""
        checkpoint["carpus"] = self.record

    def configure_optimizers(self) -> Any:
        """AdamW and its schedule, stepped with every batch."""
        recipe = self.recipe
        optimizer = torch.optim.AdamW(self.network.parameters(), lr=recipe.lr, weight_decay=recipe.weight_decay)
        schedule = lr_schedule(recipe, optimizer, steps=int(self.trainer.estimated_stepping_batches))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def on_train_epoch_start(self) -> None:
        """Logs the learning rate that the epoch starts with."""
        self.log("lr", self.trainer.optimizers[0].param_groups[0]["lr"])

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:  # noqa: ARG002
        """Draws the step's chance (dropout) from seed, step and process, so that it survives any interruption."""
        drawn_from = [self.recipe.seed, self.trainer.global_step, self.trainer.global_rank]
        torch.manual_seed(int(np.random.SeedSequence(drawn_from).generate_state(1, np.uint64)[0]))

    def log_step(self, loss: Tensor, images: int) -> None:
        """Notes the loss of a batch for the mean of the epoch; the loss is of all processes already."""
        self.log("train_loss", loss, on_step=False, on_epoch=True, batch_size=images)


class BoneModule(TrainingModule):
    """Bones, validated by the mean over wrists of the mean Dice of their bones.

    A batch is images and packed planes, which are unpacked where the batch is.
    """

    metric: ClassVar[str] = "val_dsc"

    def __init__(self, network: nn.Module, recipe: Recipe) -> None:
        super().__init__(network, recipe)
        self.loss = BONE_LOSSES[recipe.loss]
        _start_from(recipe.bone_prior, network)
        if recipe.loss == "raw_dice":
            # Its outputs are the network's plus 0.5, and start where the authors' start.
            _move_bias(network, -0.5)

    def training_step(self, batch: tuple[Tensor, Tensor], _: int) -> Tensor:
        """The loss of a batch."""
        loss = of_stages(self.loss, self.network(batch[0]), unpack_masks(batch[1]))
        self.log_step(loss, len(batch[0]))
        return loss

    def validation_step(self, batch: tuple[Tensor, Tensor], _: int) -> None:
        """Logs the mean loss and Dice of the wrists."""
        images, masks = batch[0], unpack_masks(batch[1])
        logits = self.network(images).float()
        losses = [self.loss(logits[i : i + 1], masks[i : i + 1], total=own) for i in range(len(images))]
        predicted = logits > 0
        together = (predicted * masks).sum((2, 3))
        size = predicted.sum((2, 3)) + masks.sum((2, 3))
        dsc = torch.where(size > 0, 2 * together / size.clamp(min=1), torch.nan).nanmean(1).mean()
        self.log("val_loss", torch.stack(losses).mean(), batch_size=len(images), sync_dist=True)
        self.log(self.metric, dsc, batch_size=len(images), sync_dist=True)


class ErosionModule(TrainingModule):
    """Erosion: cross-entropy set right for the rarity of erosion, validated by the area under the ROC within joints.

    The area of all joints together would reward a network for knowing which joint it sees. Where the samples come with
    planes and the network outlines them, the loss of the outlines is added.
    """

    metric: ClassVar[str] = "val_auroc"
    class_weights: Tensor

    def __init__(self, network: nn.Module, recipe: Recipe, *, prevalence: float) -> None:
        super().__init__(network, recipe)
        weights, self.shift = [0.5 / (1 - prevalence), 0.5 / prevalence], 0.0
        if recipe.imbalance == "logit_adjusted":
            # Menon AK et al. Long-tail learning via logit adjustment. https://arxiv.org/abs/2007.07314, equation 10.
            weights, self.shift = [1.0, 1.0], math.log(prevalence / (1 - prevalence))
        elif recipe.imbalance == "weighted" and recipe.eroded_weight is not None:
            weights = [1.0, recipe.eroded_weight]
        self.register_buffer("class_weights", torch.tensor(weights), persistent=False)
        self._seen: list[tuple[Tensor, ...]] = []

    def training_step(self, batch: tuple[Tensor, ...], _: int) -> Tensor:
        """The loss of a batch."""
        images, scores, _joints, *planes = batch
        weights = torch.ones_like(self.class_weights) if self.recipe.imbalance == "balanced" else self.class_weights
        answer, outlined = answer_and_planes(self.network(images))
        loss = self._loss(margins(answer, head=self.recipe.head), scores, weights)
        if outlined is not None:
            loss = loss + of_planes(outlined, planes[0])
        self.log_step(loss, len(images))
        return loss

    def validation_step(self, batch: tuple[Tensor, ...], _: int) -> None:
        """Keeps what the network answers."""
        images, scores, joints = batch[:3]
        answer = margins(self.network(images), head=self.recipe.head)
        self._seen.append((answer.float().cpu(), scores.cpu(), joints.cpu()))

    def on_validation_epoch_end(self) -> None:
        """Logs loss and area under the ROC curve of the whole validation split."""
        seen = _of_all_processes(list(self._seen))
        self._seen.clear()
        answers, scores, joints = (torch.cat(parts) for parts in zip(*seen, strict=True))
        loss = self._loss(answers, scores, self.class_weights.cpu(), total=own)
        self.log("val_loss", loss.to(self.device))
        # Where no kind of joint is both eroded and healthy, as in a tiny split, there is no curve.
        area = auroc_within(scores.numpy() > 0, answers[:, 0].numpy().astype(np.float64), joints.numpy())
        self.log(self.metric, 0.5 if np.isnan(area) else area)

    def _loss(self, answers: Tensor, scores: Tensor, weights: Tensor, *, total: Total = summed) -> Tensor:
        shift = torch.zeros(answers.shape[1], device=answers.device)
        shift[0] = self.shift
        return conditional_cross_entropy(answers + shift, scores, weights, total=total)


def _start_from(prior: float, network: nn.Module) -> None:
    """Sets the bias of the convolutions that give the bones' logits, so that their sigmoid begins at the prior.

    Lin TY et al. Focal loss for dense object detection. https://arxiv.org/abs/1708.02002, section 3.3.
    """
    if prior == NO_PRIOR:
        return
    for bias in _last_biases(network):
        nn.init.constant_(bias, math.log(prior / (1 - prior)))


@torch.no_grad()
def _move_bias(network: nn.Module, by: float) -> None:
    for bias in _last_biases(network):
        bias.add_(by)


def _last_biases(network: nn.Module) -> list[Tensor]:
    """Of the convolutions that give the bones' logits."""
    return [
        layer.bias
        for layer in network.modules()
        if isinstance(layer, nn.Conv2d) and layer.out_channels == len(Bone) and layer.bias is not None
    ]


def _of_all_processes(own_part: list[tuple[Tensor, ...]]) -> list[tuple[Tensor, ...]]:
    if not (distributed.is_available() and distributed.is_initialized()):
        return own_part
    parts: list[Any] = [None] * distributed.get_world_size()
    distributed.all_gather_object(parts, own_part)
    return [pair for part in parts for pair in part]
