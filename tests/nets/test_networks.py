"""The contract of every network, and the paper's parameter counts."""

import pytest
import torch

from carpus.nets import CLASSIFIERS, SEGMENTERS

PARAMETERS = {
    "Unet": 7_938_510,
    "SwinUMamba": 59_889_368,
    "ResNet": 701_010,
    "MedMamba": 14_451_074,
}

EVERY = [
    *(pytest.param(build, 14, id=name) for name, build in SEGMENTERS.items()),
    *(pytest.param(build, 2, id=name) for name, build in CLASSIFIERS.items()),
]


@pytest.mark.parametrize("name", [*SEGMENTERS, *CLASSIFIERS])
def test_the_number_of_parameters_is_the_papers(name: str) -> None:
    classes = 14 if name in SEGMENTERS else 2
    network = {**SEGMENTERS, **CLASSIFIERS}[name](in_channels=1, classes=classes)
    assert sum(weights.numel() for weights in network.parameters()) == PARAMETERS[name]


@pytest.mark.parametrize(("build", "classes"), EVERY)
def test_logits_have_the_shape_of_the_task_and_go_below_zero(build, classes) -> None:
    torch.manual_seed(0)
    network = build(in_channels=1, classes=classes).eval()
    with torch.no_grad():
        logits = network(torch.randn(2, 1, 64, 64))
    expected = (2, classes, 64, 64) if classes == 14 else (2, classes)
    assert logits.shape == expected
    assert logits.min() < 0


@pytest.mark.parametrize(("build", "classes"), EVERY)
def test_every_parameter_receives_a_gradient(build, classes) -> None:
    torch.manual_seed(0)
    network = build(in_channels=1, classes=classes)
    network(torch.randn(2, 1, 64, 64)).square().sum().backward()
    # Spare parts that a published count includes ask for no gradient.
    trained = [(name, weights) for name, weights in network.named_parameters() if weights.requires_grad]
    assert [name for name, weights in trained if weights.grad is None] == []


@pytest.mark.parametrize(("build", "classes"), EVERY)
def test_in_evaluation_the_images_of_a_batch_do_not_see_one_another(build, classes) -> None:
    torch.manual_seed(0)
    network = build(in_channels=1, classes=classes).eval()
    images = torch.randn(2, 1, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(network(images)[:1], network(images[:1]), rtol=1e-4, atol=1e-4)


def test_the_u_net_can_be_built_smaller() -> None:
    small = SEGMENTERS["Unet"](in_channels=1, classes=14, filters=(4, 8, 16))
    with torch.no_grad():
        assert small(torch.randn(1, 1, 20, 28)).shape == (1, 14, 20, 28)
