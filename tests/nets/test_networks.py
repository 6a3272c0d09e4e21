"""The contract of every network, and the paper's parameter counts."""

import math
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from carpus.errors import InputError
from carpus.nets import CLASSIFIERS, SEGMENTERS
from carpus.nets.cards import CARDS
from carpus.nets.checkpoint import CheckpointInfo, load_checkpoint, save_checkpoint
from carpus.nets.cost import count_flops, count_parameters, cpu_latency_ms
from carpus.nets.onnx import TOLERANCE, export_onnx

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
    "UMambaBot": 4_423_946,
    "UMambaEnc": 4_583_434,
    "SwinUMamba": 59_889_368,
    "MobileViT": 4_938_626,
    "ResNet": 701_010,
    "MobileNet": 689_954,
    "LeViT": 7_008_310,
    "EfficientFormer": 3_246_676,
    "MedMamba": 14_451_074,
    "ConvKAN": 3_487_718,
}
IDLE = {"PSPNet": 19_936_768, "Unet++": 1_386, "UMambaBot": 2_716, "UMambaEnc": 2_716, "SwinUMamba": 9_450}
"""Parameters that the published counts include though nothing is ever computed with them; they ask for no gradient."""

ANY_SIZE = {"MobileViT", "ResNet", "MobileNet", "MedMamba", "ConvKAN"}

ROUGH = {"UMambaEnc": 0.3}
"""In bfloat16, relative to the largest logit. With random weights this one multiplies rounding more than the others."""

SMALL: dict[str, dict[str, Any]] = {
    "TransUNet": {"image_size": 64, "layers": 2},
    "SwinUMamba": {"depths": (1, 1, 1, 1)},
    "LeViT": {"image_size": 64},
    "EfficientFormer": {"image_size": 64},
    "MedMamba": {"depths": (1, 1, 1, 1)},
}
"""Options that keep the tests fast: the same blocks, fewer of them."""

BUILD = {name: build for known in (SEGMENTERS, CLASSIFIERS) for name, build in known.items() if name in CARDS}
# Carpus's own; what other installed packages add is theirs to test.
EVERY = pytest.mark.parametrize("name", BUILD)


def built(name: str) -> nn.Module:
    torch.manual_seed(0)
    return BUILD[name](in_channels=1, classes=classes(name), **SMALL.get(name, {}))


def classes(name: str) -> int:
    return 14 if name in SEGMENTERS else 2


@cache
def images() -> Tensor:
    return torch.randn(2, 1, 64, 64, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def evaluated() -> Callable[[str], tuple[nn.Module, Tensor]]:
    """A network in evaluation mode and its logits for two images, kept until the next network is asked for."""
    last: dict[str, tuple[nn.Module, Tensor]] = {}

    def get(name: str) -> tuple[nn.Module, Tensor]:
        if name not in last:
            last.clear()
            network = built(name).eval()
            with torch.no_grad():
                last[name] = network, network(images())
        return last[name]

    return get


def distance(found: Tensor, expected: Tensor) -> float:
    return float((found.float() - expected).abs().max() / expected.abs().max())


def test_the_twenty_networks_of_the_benchmark_are_there_and_have_a_card() -> None:
    assert set(PARAMETERS) == set(CARDS) == set(BUILD)
    assert {name for name, card in CARDS.items() if card.kind == "segmentation"} == set(SEGMENTERS) & set(CARDS)


@EVERY
def test_the_number_of_parameters_is_the_papers(name: str) -> None:
    assert count_parameters(BUILD[name], classes=classes(name)) == PARAMETERS[name]


@EVERY
def test_logits_have_the_shape_of_the_task_and_are_no_probabilities(name: str, evaluated) -> None:
    _, logits = evaluated(name)
    assert logits.shape == ((2, 14, 64, 64) if name in SEGMENTERS else (2, 2))
    assert logits.min() < 0 or (logits.sum(dim=1) - 1).abs().min() > 1e-3


@EVERY
def test_in_evaluation_the_images_of_a_batch_do_not_see_one_another(name: str, evaluated) -> None:
    network, together = evaluated(name)
    with torch.no_grad():
        alone = network(images()[1:])
    assert distance(alone, together[1:]) < 1e-4


@EVERY
def test_weights_and_logits_follow_from_the_seed(name: str, evaluated) -> None:
    network, logits = evaluated(name)
    again = built(name).eval()
    state = network.state_dict()
    assert all(torch.equal(state[key], value) for key, value in again.state_dict().items())
    with torch.no_grad():
        assert torch.equal(again(images()), logits)


@EVERY
def test_a_saved_network_gives_the_same_logits(name: str, evaluated, tmp_path: Path) -> None:
    network, logits = evaluated(name)
    info = CheckpointInfo(
        task="bones" if name in SEGMENTERS else "erosion",
        net=name,
        net_options=SMALL.get(name, {}),
        classes=classes(name),
        image_size=64,
        mirror_left=True,
        cut=None,
        trained_on="phantom",
        recipe="test",
        seed=0,
    )
    save_checkpoint(tmp_path / "model.safetensors", network, info)
    loaded, _ = load_checkpoint(tmp_path / "model.safetensors")
    with torch.no_grad():
        assert torch.equal(loaded(images()), logits)


@EVERY
def test_mixed_precision_stays_near_single_precision(name: str, evaluated) -> None:
    network, logits = evaluated(name)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        assert distance(network(images()[:1]), logits[:1]) < ROUGH.get(name, 0.1)


@EVERY
def test_an_exported_program_gives_the_same_logits(name: str, evaluated) -> None:
    network, logits = evaluated(name)
    program = torch.export.export(network, (images(),))
    with torch.no_grad():
        assert distance(program.module()(images()), logits) < 1e-4


# Four scans and more take minutes to write; `benchmarks/network_support.py` tries them whole.
@pytest.mark.parametrize("name", [name for name in BUILD if name not in {"UMambaEnc", "SwinUMamba", "MedMamba"}])
def test_an_onnx_file_gives_the_same_logits(name: str, evaluated, tmp_path: Path) -> None:
    network, _ = evaluated(name)
    assert export_onnx(network, tmp_path / "model.onnx", image_size=64) < TOLERANCE
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]


@EVERY
def test_an_odd_size_works_or_is_refused_with_the_size_to_take(name: str, evaluated) -> None:
    network, _ = evaluated(name)
    odd = torch.zeros(1, 1, 75, 52)
    if name in ANY_SIZE:
        with torch.no_grad():
            assert network(odd).shape == (1, 2)
    else:
        with pytest.raises(InputError, match=f"^{re.escape(name)} .* 75 x 52; (pad to |resize to 64 x 64)"):
            network(odd)


@EVERY
def test_every_parameter_receives_a_gradient(name: str) -> None:
    network = built(name)
    network(images()).square().sum().backward()
    trained = {key: weights for key, weights in network.named_parameters() if weights.requires_grad}
    assert [key for key, weights in trained.items() if weights.grad is None] == []
    idle = sum(weights.numel() for weights in network.parameters() if not weights.requires_grad)
    assert idle == IDLE.get(name, 0)


@pytest.mark.parametrize("name", ["Unet", "UMambaEnc", "ConvKAN", "MedMamba"])
def test_a_compiled_graph_gives_the_same_logits(name: str, evaluated) -> None:
    network, logits = evaluated(name)
    compiled = torch.compile(network, backend="aot_eager", fullgraph=True)
    with torch.no_grad():
        assert distance(compiled(images()), logits) < 1e-4


@pytest.mark.parametrize("name", ["Unet", "ConvKAN"])
def test_costs_are_counted_and_timed(name: str) -> None:
    size = CARDS[name].image_size
    flops = [count_flops(BUILD[name], classes=classes(name), image_size=edge) for edge in (size // 2, size)]
    assert flops[1] == pytest.approx(4 * flops[0], rel=0.05)
    assert 0 < cpu_latency_ms(BUILD[name], classes=classes(name), image_size=64, repeats=1) < math.inf


def test_the_u_net_can_be_built_smaller() -> None:
    small = SEGMENTERS["Unet"](in_channels=1, classes=14, filters=(4, 8, 16))
    with torch.no_grad():
        assert small(torch.randn(1, 1, 20, 28)).shape == (1, 14, 20, 28)


def test_deep_supervision_answers_at_coarser_stages_too_but_only_in_training() -> None:
    network = SEGMENTERS["Unet"](in_channels=1, classes=14, filters=(4, 8, 16, 32), supervised_stages=2)
    images = torch.rand(2, 1, 64, 64)
    assert network.train()(images).shape == (2, 3, 14, 64, 64)
    assert network.eval()(images).shape == (2, 14, 64, 64)
    with pytest.raises(InputError, match="3 supervised stages, expected 0 to 2"):
        SEGMENTERS["Unet"](filters=(4, 8, 16, 32), supervised_stages=3)


def test_the_residual_network_outlines_planes_too_but_only_in_training() -> None:
    network = CLASSIFIERS["ResNet"](in_channels=1, classes=5, supervised_planes=2)
    images = torch.rand(2, 1, 48, 48)
    answer, planes = network.train()(images)
    assert (answer.shape, planes.shape) == ((2, 5), (2, 2, 12, 12))
    assert network.eval()(images).shape == (2, 5)
    planes.sum().backward()
    gradient = dict(network.named_parameters())["layer4.0.conv1.weight"].grad
    assert gradient is not None
    assert gradient.abs().sum() > 0


def test_coarser_stages_are_coarser_and_nearer_ones_come_first() -> None:
    network = SEGMENTERS["Unet"](in_channels=1, classes=1, filters=(4, 8, 16, 32), supervised_stages=2).train()
    stages = network(torch.rand(1, 1, 64, 64))[0, :, 0]
    for depth, stage in enumerate(stages):
        blocks = stage.unfold(0, 2**depth, 2**depth).unfold(1, 2**depth, 2**depth)
        assert torch.equal(blocks.amax((2, 3)), blocks.amin((2, 3)))
    assert len(stages[1].unique()) > len(stages[2].unique())
