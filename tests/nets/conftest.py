"""Weights and inputs that are defined by a seed alone, so that outputs can be compared with recorded ones."""

import zlib
from collections.abc import Callable
from math import prod

import numpy as np
import pytest
import torch
from torch import Tensor, nn


def fill(network: nn.Module, *, seed: int = 0) -> nn.Module:
    """Gives every parameter and running statistic values that follow from its name, its shape and the seed."""
    tensors = {**dict(network.named_parameters()), **dict(network.named_buffers())}
    parameters = {name for name, _ in network.named_parameters()}
    with torch.no_grad():
        for name, tensor in tensors.items():
            if name in parameters or name.endswith(("running_mean", "running_var")):
                values = _values(name, tuple(tensor.shape), np.random.default_rng([seed, zlib.crc32(name.encode())]))
                tensor.copy_(torch.from_numpy(values))
    return network


def image(*shape: int, seed: int = 0) -> Tensor:
    """Normally distributed input of a shape."""
    return torch.from_numpy(np.random.default_rng(seed).standard_normal(shape, np.float32))


def _values(name: str, shape: tuple[int, ...], generator: np.random.Generator) -> np.ndarray:
    if name.endswith("running_var") or (len(shape) == 1 and name.endswith("weight")):
        return generator.uniform(0.5, 1.5, shape).astype(np.float32)
    scale = prod(shape[1:]) ** -0.5 if len(shape) > 1 else 0.1
    return np.asarray(generator.standard_normal(shape, np.float32) * np.float32(scale))


@pytest.fixture(scope="session")
def filled() -> Callable[..., nn.Module]:
    return fill


@pytest.fixture(scope="session")
def seeded_image() -> Callable[..., Tensor]:
    return image
