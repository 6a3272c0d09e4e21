"""The contract of every network, and the paper's parameter counts."""

from functools import partial

import pytest
import torch

from carpus.nets import CLASSIFIERS, SEGMENTERS

PARAMETERS = {
    "Unet": 7_938_510,
    "DeepLabV3": 26_004_174,
    "FPN": 23_150_798,
    "PSPNet": 21_491_630,
    "DeepLabV3+": 22_434_526,
    "SegResNet": 1_598_222,
    "Unet++": 2_411_896,
    "SegFormer": 21_873_614,
    "TransUNet": 105_913_710,
    "UKAN": 6_356_910,
    "MobileViT": 4_938_626,
    "ResNet": 701_010,
    "MobileNet": 689_954,
    "LeViT": 7_008_310,
    "EfficientFormer": 3_246_676,
    "ConvKAN": 3_487_718,
    "ResNet": 701_010,
    "UMambaBot": 4_423_946,
    "UMambaEnc": 4_583_434,
    "SwinUMamba": 59_889_368,
    "ResNet": 701_010,
    "MedMamba": 14_451_074,
}

SMALL = {
    "TransUNet": {"image_size": 64, "layers": 2},
    "LeViT": {"image_size": 64},
    "EfficientFormer": {"image_size": 64},
}
EVERY = [
    *(pytest.param(partial(build, **SMALL.get(name, {})), 14, id=name) for name, build in SEGMENTERS.items()),
    *(pytest.param(partial(build, **SMALL.get(name, {})), 2, id=name) for name, build in CLASSIFIERS.items()),
]


@pytest.mark.parametrize("name", [*SEGMENTERS, *CLASSIFIERS])
def test_the_number_of_parameters_is_the_papers(name: str) -> None:
    classes = 14 if name in SEGMENTERS else 2
    network = {**SEGMENTERS, **CLASSIFIERS}[name](in_channels=1, classes=classes)
    assert sum(weights.numel() for weights in network.parameters()) == PARAMETERS[name]


@pytest.mark.parametrize(("build", "classes"), EVERY)
def test_logits_have_the_shape_of_the_task_and_go_below_zero(build, classes) -> None:
    torch.manual_seed(0)
    network = build(in_channels=1, classes=14).eval()
    with torch.no_grad():
        logits = network(torch.randn(2, 1, 64, 64))
    expected = (2, 14, 64, 64) if classes == 14 else (2, 14)
    assert logits.shape == expected
    assert logits.min() < 0


@pytest.mark.parametrize(("build", "classes"), EVERY)
def test_every_parameter_receives_a_gradient(build, classes) -> None:
    torch.manual_seed(0)
    network = build(in_channels=1, classes=classes)
    network(torch.randn(2, 1, 64, 64)).square().sum().backward()
    learning = {name: weights for name, weights in network.named_parameters() if weights.requires_grad}
    assert [name for name, weights in learning.items() if weights.grad is None] == []
    # Spare parts that a published count includes ask for no gradient.
    trained = [(name, weights) for name, weights in network.named_parameters() if weights.requires_grad]
    assert [name for name, weights in trained if weights.grad is None] == []


@pytest.mark.parametrize(("build", "classes"), EVERY)
def test_in_evaluation_the_images_of_a_batch_do_not_see_one_another(build, classes) -> None:
    torch.manual_seed(0)
    network = build(in_channels=1, classes=classes).eval()
    images = torch.randn(2, 1, 64, 64)
    with torch.no_grad():
        together, alone = network(images)[:1], network(images[:1])
    assert (together - alone).abs().max() < 1e-4 * together.abs().max()


def test_the_u_net_can_be_built_smaller() -> None:
    small = SEGMENTERS["Unet"](in_channels=1, classes=14, filters=(4, 8, 16))
    with torch.no_grad():
        assert small(torch.randn(1, 1, 20, 28)).shape == (1, 14, 20, 28)
