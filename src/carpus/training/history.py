"""The figures of every epoch, kept beside the run and inside its checkpoints."""

from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import pandas as pd

from carpus.files import new_file


class History(pl.Callback):
    """Writes `history.csv`, one row an epoch, and goes on where a resumed training left off."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: list[dict[str, float]] = []

    @property
    def state_key(self) -> str:
        """Under which a checkpoint keeps the rows, whatever a subclass is called."""
        return "History"

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:  # noqa: ARG002
        """Adds the epoch's figures."""
        row = {name: float(value) for name, value in trainer.callback_metrics.items()}
        self.rows.append({"epoch": float(trainer.current_epoch + 1), **row})
        if not trainer.is_global_zero:
            return
        with new_file(self.path) as draft:
            pd.DataFrame(self.rows).astype({"epoch": int}).to_csv(draft, index=False)

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        return {"rows": list(self.rows)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes up what a checkpoint kept."""
        self.rows = list(state_dict["rows"])
