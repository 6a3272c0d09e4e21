"""A running average of the weights, which is what is validated and kept."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import lightning.pytorch as pl
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn


class Ema(pl.Callback):
    """Averages the network exponentially over the steps, and puts the average in its place for validation.

    The average starts with the latest weights only and reaches further back as the training goes on, up to the decay:
    min(decay, (1 + n) / (10 + n)) after n steps.

    Args:
        decay: Weight of the past at every step, 0 to 1; 0 averages nothing.
    """

    def __init__(self, decay: float) -> None:
        self.decay = decay
        self.average: dict[str, Tensor] = {}

    @property
    def state_key(self) -> str:
        """Under which a checkpoint keeps the average."""
        return "Ema"

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:  # noqa: ARG002
        """Starts from the weights, or goes on from a checkpoint's average."""
        if self.decay:
            start = self.average or {name: tensor.clone() for name, tensor in _state(_network(pl_module)).items()}
            self.average = {name: tensor.to(pl_module.device) for name, tensor in start.items()}

    @torch.no_grad()
    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: Any) -> None:
        """Takes the new weights in."""
        if not self.decay:
            return
        steps = trainer.global_step
        decay = min(self.decay, (1 + steps) / (10 + steps))
        state = _state(_network(pl_module))
        real = [name for name, tensor in state.items() if tensor.is_floating_point()]
        average = get_ema_multi_avg_fn(decay)
        average([self.average[name] for name in real], [state[name] for name in real], torch.tensor(steps))
        for name in state.keys() - real:
            self.average[name].copy_(state[name])

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:  # noqa: ARG002
        """Validates the average."""
        self._swap(_network(pl_module))

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:  # noqa: ARG002
        """Puts the weights that are trained back."""
        self._swap(_network(pl_module))

    @contextmanager
    def applied(self, network: nn.Module) -> Iterator[None]:
        """Within the block the network has the average as its weights."""
        self._swap(network)
        try:
            yield
        finally:
            self._swap(network)

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        return {"average": self.average}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes up what a checkpoint kept."""
        self.average = dict(state_dict["average"])

    @torch.no_grad()
    def _swap(self, network: nn.Module) -> None:
        if not self.average:
            return
        for name, tensor in _state(network).items():
            kept = tensor.clone()
            tensor.copy_(self.average[name])
            self.average[name].copy_(kept)


def _network(module: pl.LightningModule) -> nn.Module:
    network = module.network
    assert isinstance(network, nn.Module)  # noqa: S101
    return network


def _state(network: nn.Module) -> dict[str, Tensor]:
    return {**{name: weights.detach() for name, weights in network.named_parameters()}, **dict(network.named_buffers())}
