"""What watches a training while it runs: for figures that are none, and for those who wait."""

from collections.abc import Callable, Mapping
from typing import Any

import lightning.pytorch as pl
import torch
from torch import Tensor

from carpus.errors import InputError

Tell = Callable[[int, int, str], None]
"""Called with (steps done, steps in all, a few words on the epoch and its figures)."""

_LOOK_EVERY = 50


class FiniteLoss(pl.Callback):
    """Stops a training whose loss is no number any more, before anything of it is kept.

    Looks every few steps only, because looking waits for the GPU.
    """

    def __init__(self) -> None:
        self.bad: Tensor | None = None

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, *_: Any) -> None:  # noqa: ARG002
        """Takes note of the loss."""
        loss: Tensor = outputs["loss"]
        bad = ~torch.isfinite(loss.detach())
        self.bad = bad if self.bad is None else self.bad | bad
        if trainer.global_step % _LOOK_EVERY == 0:
            self._look(trainer)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:  # noqa: ARG002
        """Looks at the epoch's loss, and at that of its validation."""
        self._look(trainer)
        if not torch.isfinite(trainer.callback_metrics["val_loss"]):
            _stop(trainer, "validation loss")

    def _look(self, trainer: pl.Trainer) -> None:
        if self.bad is not None and bool(self.bad):
            _stop(trainer, "loss")


def _stop(trainer: pl.Trainer, what: str) -> None:
    epoch = trainer.current_epoch + 1
    kept = f"what was learnt up to epoch {epoch - 1} is kept" if epoch > 1 else "nothing had been learnt yet"
    raise InputError(
        f"the {what} is no finite number any more in epoch {epoch}; {kept}; "
        "start anew in another folder with a smaller lr or with precision=float32"
    )


class Progress(pl.Callback):
    """Tells after every step how far the training is.

    Args:
        tell: To whom.
        epochs: In all.
    """

    def __init__(self, tell: Tell, *, epochs: int) -> None:
        self.tell = tell
        self.epochs = epochs

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        """Tells."""
        if trainer.is_global_zero:
            words = [f"epoch {trainer.current_epoch + 1} of {self.epochs}", *_words(trainer.callback_metrics)]
            self.tell(trainer.global_step, int(trainer.estimated_stepping_batches), ", ".join(words))


def _words(figures: Mapping[str, Tensor]) -> list[str]:
    """The figures of the latest whole epoch."""
    shown = ("train_loss", "val_loss", "val_dsc", "val_auroc")
    return [f"{name} {float(figures[name]):.3f}" for name in shown if name in figures]
