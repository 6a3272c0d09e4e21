"""Keeping a training: its best weights, and everything that is needed to go on."""

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.fabric.plugins.io.torch_io import TorchCheckpointIO

from carpus.errors import InputError
from carpus.files import new_file

LAST_FILE = "last.ckpt"
BEST_FILE = "best.safetensors"


class Keeper(pl.Callback):
    """After every epoch keeps the best weights where the epoch was the best so far, and then the whole training.

    A training killed between the two goes on from the epoch before and comes to the same best weights again.

    Args:
        folder: For both files.
        watched: Name of the logged figure that decides.
        higher_is_better: Which way it does.
        patience: Epochs without a better one after which the training stops; 0 never stops.
        save_best: Called with a path and the epoch's figures; writes the weights.
    """

    def __init__(
        self,
        folder: Path,
        *,
        watched: str,
        higher_is_better: bool,
        patience: int,
        save_best: Callable[[Path, dict[str, float]], None],
    ) -> None:
        self.folder = folder
        self.watched = watched
        self.higher_is_better = higher_is_better
        self.patience = patience
        self.save_best = save_best
        self.best: dict[str, float] = {}
        self.without_better = 0

    @property
    def state_key(self) -> str:
        """Under which a checkpoint keeps what was best."""
        return "Keeper"

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:  # noqa: ARG002
        """Stops at once if the training had come to its early end when it was interrupted."""
        self._stop_if_over(trainer)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:  # noqa: ARG002
        """Keeps best and last."""
        figures = {name: float(value) for name, value in trainer.callback_metrics.items()}
        figures["epoch"] = float(trainer.current_epoch + 1)
        self.without_better += 1
        if not self.best or self._better(figures[self.watched], self.best[self.watched]):
            self.best = figures
            self.without_better = 0
            if trainer.is_global_zero:
                self.save_best(self.folder / BEST_FILE, figures)
        trainer.save_checkpoint(self.folder / LAST_FILE)
        self._stop_if_over(trainer)

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        return {"best": self.best, "without_better": self.without_better}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes up what a checkpoint kept."""
        self.best, self.without_better = dict(state_dict["best"]), int(state_dict["without_better"])

    def _better(self, value: float, best: float) -> bool:
        return value > best if self.higher_is_better else value < best

    def _stop_if_over(self, trainer: pl.Trainer) -> None:
        if self.patience and self.without_better >= self.patience:
            trainer.should_stop = True


class WholeFiles(TorchCheckpointIO):
    """Checkpoints that are complete on the disk before they replace the ones before them."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:  # noqa: ARG002
        """Writes it beside its place, waits for the disk, and moves it there."""
        content = io.BytesIO()
        torch.save(checkpoint, content)
        with new_file(Path(path)) as draft, draft.open("wb") as file:
            file.write(content.getbuffer())
            file.flush()
            os.fsync(file.fileno())

    def load_checkpoint(self, path: Any, map_location: Any = None, weights_only: bool | None = True) -> dict[str, Any]:
        """What was saved; reading it runs nobody's code.

        Raises:
            InputError: Damaged.
        """
        try:
            found: dict[str, Any] = super().load_checkpoint(path, map_location, weights_only)
        except Exception as error:  # what torch.load raises at damaged files is not documented
            raise InputError(f"{path} is damaged; delete {Path(path).parent} to train from the beginning") from error
        return found
