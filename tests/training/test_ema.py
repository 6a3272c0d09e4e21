from types import SimpleNamespace
from typing import Any

import torch
from torch import nn

from carpus.training.ema import Ema


def test_the_average_is_the_formulas_and_is_there_for_validation_only() -> None:
    linear, norm = nn.Linear(1, 1, bias=False), nn.BatchNorm1d(1)
    network = nn.Sequential(linear, norm)
    module: Any = SimpleNamespace(network=network, device="cpu")
    ema, weight = Ema(0.5), linear.weight
    weight.data.fill_(0.0)
    ema.on_train_start(None, module)  # type: ignore[arg-type]
    expected = 0.0
    for step, value in enumerate([1.0, 4.0, 2.0, 8.0] * 5, 1):
        weight.data.fill_(value)
        assert norm.num_batches_tracked is not None
        norm.num_batches_tracked.fill_(step)
        ema.on_train_batch_end(SimpleNamespace(global_step=step), module)  # type: ignore[arg-type]
        decay = min(0.5, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * value
    ema.on_validation_start(None, module)  # type: ignore[arg-type]
    torch.testing.assert_close(weight.item(), expected)
    assert norm.num_batches_tracked is not None
    assert int(norm.num_batches_tracked) == 20
    ema.on_validation_end(None, module)  # type: ignore[arg-type]
    assert weight.item() == 8.0

    other = Ema(0.5)
    other.load_state_dict(ema.state_dict())
    with other.applied(network):
        torch.testing.assert_close(weight.item(), expected)


def test_without_decay_nothing_is_kept() -> None:
    network = nn.Linear(1, 1)
    ema = Ema(0.0)
    module: Any = SimpleNamespace(network=network, device="cpu")
    ema.on_train_start(None, module)  # type: ignore[arg-type]
    ema.on_train_batch_end(None, module)  # type: ignore[arg-type]
    before = network.weight.clone()
    with ema.applied(network):
        assert torch.equal(network.weight, before)
    assert ema.state_dict() == {"average": {}}
