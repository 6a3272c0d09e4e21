"""Steps are measured as they are trained, also of networks that answer more than once while they are."""

import pytest

from carpus.training.cost import measure_step
from carpus.training.recipe import named_recipe, with_settings


@pytest.mark.parametrize(("net", "flavour"), [("Unet", "carpus"), ("Unet", "quick"), ("ResNet", "shipped")])
def test_a_step_of_any_recipe_can_be_measured(net: str, flavour: str) -> None:
    cost = measure_step(with_settings(named_recipe(net, flavour), ["image_size=64", "batch_size=2"]))
    assert cost.seconds > 0
    assert cost.forward_seconds > 0
