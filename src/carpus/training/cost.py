"""What a training costs, measured: a few steps of the network as the recipe has it, on random numbers."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch.nn import functional

from carpus.nets.checkpoint import build_network
from carpus.training.engine import Engine, lightning_precision
from carpus.training.losses import BONE_LOSSES, answer_and_planes, of_stages
from carpus.training.network_info import network_info
from carpus.training.recipe import Recipe

_ENOUGH_S = 20.0
_STEPS = 3


@dataclass(frozen=True)
class StepCost:
    """One step of a training.

    Attributes:
        seconds: Of a step: forward, loss, backward, optimiser.
        forward_seconds: Of the forward pass of a batch without gradients, as in validation.
        gpu_memory_mib: Most memory of the GPU; None without one.
    """

    seconds: float
    forward_seconds: float
    gpu_memory_mib: float | None


def measure_step(recipe: Recipe) -> StepCost:
    """The cost of a step after a first one that warms up; the first alone if that takes 20 s already.

    Args:
        recipe: Decides network, size and number of images.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    is_bones = recipe.task == "bones"
    info = network_info(recipe, trained_on="nothing")
    network = build_network(info).train().to(device)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-6)
    precision = lightning_precision(recipe, Engine())
    dtype = torch.float16 if precision == "16-mixed" else torch.bfloat16
    autocast = torch.autocast(device.type, dtype, enabled=precision != "32-true")
    edge, count = recipe.image_size, recipe.batch_size
    images = torch.rand(count, recipe.in_channels, edge, edge, device=device)
    target = (
        torch.zeros(count, recipe.classes, edge, edge, device=device) if is_bones else torch.zeros(count, device=device)
    )

    def step() -> None:
        optimizer.zero_grad()
        with autocast:
            answer = network(images)
        if is_bones:
            loss = of_stages(BONE_LOSSES[recipe.loss], answer, target)
        else:
            loss = functional.cross_entropy(answer_and_planes(answer)[0].float(), target.long())
        loss.backward()
        optimizer.step()

    def forward() -> None:
        with torch.no_grad(), autocast:
            network(images)

    first = _timed(step, device)
    seconds = first if first > _ENOUGH_S else min(_timed(step, device) for _ in range(_STEPS))
    memory = torch.cuda.max_memory_reserved() / 2**20 if device.type == "cuda" else None
    return StepCost(seconds, _timed(forward, device), memory)


def _timed(work: Callable[[], None], device: torch.device) -> float:
    started = time.perf_counter()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - started
