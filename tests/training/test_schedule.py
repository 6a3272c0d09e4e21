import dataclasses
from typing import Literal

import pytest
import torch
from torch.optim.lr_scheduler import CosineAnnealingLR

from carpus.training.recipe import named_recipe
from carpus.training.schedule import lr_schedule

EPOCHS, BATCHES = 10, 7


def rates(schedule: Literal["one_cycle", "cosine", "poly"]) -> list[float]:
    recipe = dataclasses.replace(named_recipe("Unet", "paper"), schedule=schedule, epochs=EPOCHS)
    optimizer = torch.optim.AdamW([torch.zeros(1)], lr=recipe.lr)
    stepper = lr_schedule(recipe, optimizer, steps=EPOCHS * BATCHES)
    found = []
    for _ in range(EPOCHS * BATCHES):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        stepper.step()
    return found


def test_cosine_is_the_authors_once_an_epoch() -> None:
    optimizer = torch.optim.AdamW([torch.zeros(1)], lr=1e-4)
    theirs = CosineAnnealingLR(optimizer, EPOCHS, eta_min=1e-6)
    expected = []
    for _ in range(EPOCHS):
        expected += [optimizer.param_groups[0]["lr"]] * BATCHES
        optimizer.step()
        theirs.step()
    assert rates("cosine") == pytest.approx(expected)


def test_poly_falls_from_the_peak_to_nearly_its_end() -> None:
    found = rates("poly")
    assert found[0] == 1e-4
    assert found == sorted(found, reverse=True)
    assert found[-1] == pytest.approx(1e-4 * (0.01 + 0.99 * 0.1**0.9))


def test_one_cycle_climbs_first() -> None:
    found = rates("one_cycle")
    assert found.index(max(found)) == pytest.approx(0.2 * len(found), abs=1)
    assert found[-1] < found[0] < max(found) == pytest.approx(1e-4)
