"""How the learning rate goes through a training."""

import math
from collections.abc import Callable

import torch
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, OneCycleLR

from carpus.training.recipe import Recipe

_POWER = 0.9


def lr_schedule(recipe: Recipe, optimizer: torch.optim.Optimizer, *, steps: int) -> LRScheduler:
    """The recipe's schedule, to be stepped after every batch; `cosine` and `poly` hold through each epoch.

    Args:
        recipe: With schedule and peak.
        optimizer: Whose learning rate is changed.
        steps: Of the whole training.
    """
    if recipe.schedule == "one_cycle":
        return OneCycleLR(optimizer, max_lr=recipe.lr, total_steps=steps, pct_start=0.2)
    shape = _SHAPES[recipe.schedule]
    steps_per_epoch = max(steps // recipe.epochs, 1)

    def factor(step: int) -> float:
        return recipe.final_lr + (1 - recipe.final_lr) * shape(min(step // steps_per_epoch / recipe.epochs, 1))

    return LambdaLR(optimizer, factor)


def cosine(done: float) -> float:
    """Half a wave from 1 to 0, for the part of the training that is done.

    Example:
        >>> [round(cosine(done), 3) for done in (0, 0.5, 1)]
        [1.0, 0.5, 0.0]
    """
    return (1 + math.cos(math.pi * done)) / 2


def poly(done: float) -> float:
    """From 1 to 0, nearly straight: what is left of the training to the power of 0.9.

    Example:
        >>> [round(poly(done), 3) for done in (0, 0.5, 1)]
        [1.0, 0.536, 0.0]
    """
    return float((1 - done) ** _POWER)


_SHAPES: dict[str, Callable[[float], float]] = {"cosine": cosine, "poly": poly}
