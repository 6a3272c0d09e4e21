import dataclasses
import math

import pytest
import torch

from carpus.nets import CLASSIFIERS, SEGMENTERS
from carpus.training.modules import BoneModule, ErosionModule
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


@pytest.mark.parametrize(("head", "classes"), [("binary", 2), ("corn", 5)])
def test_logit_adjustment_adds_the_log_odds_of_erosion_to_the_first_question(
    head: str, classes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = dataclasses.replace(named_recipe("ResNet", "quick"), head=head, imbalance="logit_adjusted")  # type: ignore[arg-type]
    torch.manual_seed(0)
    network = CLASSIFIERS["ResNet"](in_channels=1, classes=classes).eval()
    module = ErosionModule(network, recipe, prevalence=0.2)
    monkeypatch.setattr(module, "log", lambda *_, **__: None)
    image, score = torch.rand(1, 1, 32, 32), torch.tensor([1])
    with torch.no_grad():
        answers = network(image)[0].tolist()
        found = float(module.training_step((image, score, torch.tensor([0])), 0))
    eroded = answers[1] - answers[0] if head == "binary" else answers[0]
    expected = math.log1p(math.exp(-(eroded + math.log(0.2 / 0.8))))
    if head == "corn":
        expected = (expected + math.log1p(math.exp(answers[1]))) / 2
    assert found == pytest.approx(expected, rel=1e-5)


def test_outlines_that_a_network_gives_besides_are_part_of_the_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = dataclasses.replace(named_recipe("ResNet", "shipped"), precision="float32")
    torch.manual_seed(0)
    network = CLASSIFIERS["ResNet"](in_channels=1, classes=5, supervised_planes=2).train()
    module = ErosionModule(network, recipe, prevalence=0.5)
    monkeypatch.setattr(module, "log", lambda *_, **__: None)
    images, scores, joints = torch.rand(2, 1, 32, 32), torch.tensor([0, 3]), torch.tensor([0, 1])
    nothing, everything = torch.zeros(2, 2, 32, 32), torch.ones(2, 2, 32, 32)
    with torch.no_grad():
        planes = dict(network.named_parameters())
        planes["pyramid.planes.weight"].zero_()
        planes["pyramid.planes.bias"].fill_(30.0)
        far, near = (float(module.training_step((images, scores, joints, of), 0)) for of in (nothing, everything))
    assert far > near + 20


def test_validation_does_not_reward_knowing_the_joint() -> None:
    recipe = named_recipe("ResNet", "quick")
    told: dict[str, float] = {}
    module = ErosionModule(torch.nn.Flatten(), recipe, prevalence=0.5)
    module.log = lambda name, value, **_: told.update({name: float(value)})  # type: ignore[method-assign]
    # The first joint is mostly eroded and the second mostly healthy; the network tells them apart and nothing else.
    joints, scores = torch.tensor([0] * 4 + [1] * 4), torch.tensor([2, 1, 3, 0, 0, 0, 0, 1])
    images = torch.stack([torch.zeros(8), 1.0 - joints], dim=1)[:, :, None, None]
    module.validation_step((images, scores, joints), 0)
    module.on_validation_epoch_end()
    assert told["val_auroc"] == 0.5
    images[:, 1, 0, 0] = scores.float()
    module.validation_step((images, scores, joints), 0)
    module.on_validation_epoch_end()
    assert told["val_auroc"] == 1
