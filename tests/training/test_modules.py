import dataclasses

import pytest
import torch

from carpus.nets import SEGMENTERS
from carpus.training.modules import BoneModule
from carpus.training.recipe import named_recipe

RECIPE = named_recipe("Unet", "quick")


@pytest.mark.parametrize("net", ["Unet", "UMambaBot", "Unet++"])
def test_bones_start_as_rare_as_the_prior_says(net: str) -> None:
    torch.manual_seed(0)
    network = SEGMENTERS[net](in_channels=1, classes=14).eval()
    image = torch.randn(1, 1, 64, 64)
    with torch.no_grad():
        before = network(image)
        BoneModule(network, dataclasses.replace(RECIPE, bone_prior=0.5))
        assert torch.equal(network(image), before)
        BoneModule(network, dataclasses.replace(RECIPE, bone_prior=0.02))
        after = network(image)
    # Two per cent is a logit of -3.9; what the bias was before is small.
    assert float((after - before).mean()) == pytest.approx(-3.9, abs=0.5)
