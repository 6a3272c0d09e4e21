"""The Mamba block against its formula, and the networks built of it."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from carpus.errors import InputError
from carpus.nets import SEGMENTERS
from carpus.nets.blocks.mamba import Mamba, PixelMamba

SMALL = (4, 8, 16)


def _by_the_formula(block: Mamba, tokens: torch.Tensor) -> torch.Tensor:
    """One sequence `(length, channels)`, one token and one inner channel at a time."""
    states = block.log_decay.shape[1]
    signal, gate = (tokens @ block.widen.weight.T).chunk(2, dim=1)
    kernel, bias = block.convolution.weight[:, 0], block.convolution.get_parameter("bias")
    smooth = torch.zeros_like(signal)
    for t in range(len(signal)):
        for back in range(min(t + 1, kernel.shape[1])):
            smooth[t] += kernel[:, kernel.shape[1] - 1 - back] * signal[t - back]
    smooth = functional.silu(smooth + bias)
    memory = torch.zeros_like(block.log_decay)
    outputs = []
    for t, now in enumerate(smooth):
        selected = block.select.weight @ now
        step = functional.softplus(block.step(selected[: -2 * states]))[:, None]
        enter, leave = selected[-2 * states : -states], selected[-states:]
        memory = torch.exp(-step * block.log_decay.exp()) * memory + step * enter * now[:, None]
        read = memory @ leave + block.pass_on * now
        outputs.append(block.narrow.weight @ (read * functional.silu(gate[t])))
    return torch.stack(outputs)


def test_the_block_computes_its_formula(filled) -> None:
    block = filled(Mamba(20, states=3)).double()
    tokens = torch.randn(2, 7, 20, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    with torch.no_grad():
        expected = torch.stack([_by_the_formula(block, sequence) for sequence in tokens])
        torch.testing.assert_close(block(tokens), expected, rtol=1e-9, atol=1e-12)


def test_a_token_changes_nothing_before_it_and_something_after_it(filled) -> None:
    block = filled(Mamba(8))
    tokens = torch.randn(1, 9, 8, generator=torch.Generator().manual_seed(0))
    changed = tokens.clone()
    changed[:, 3] += 1
    with torch.no_grad():
        difference = (block(changed) - block(tokens)).abs().amax(dim=(0, 2))
    assert (difference[:3] == 0).all()
    assert (difference[3:] > 0).all()


def test_the_block_starts_with_the_standard_decays_and_steps() -> None:
    torch.manual_seed(0)
    block = Mamba(64, states=16)
    steps = functional.softplus(block.step.bias).detach()
    torch.testing.assert_close(block.log_decay.detach().exp()[5], torch.arange(1.0, 17))
    assert (block.pass_on == 1).all()
    assert block.step.in_features == 4
    assert 0.00099 < steps.min() < 0.002
    assert 0.05 < steps.max() < 0.101
    assert steps.median().log10() == pytest.approx(-2, abs=0.3)
    assert 0.4 < block.step.weight.abs().max() <= 0.5


def test_pixels_are_read_row_by_row(filled) -> None:
    layer = filled(PixelMamba(8))
    image = torch.randn(1, 8, 3, 5, generator=torch.Generator().manual_seed(0))
    changed = image.clone()
    changed[:, 0, 1, 2] += 1
    with torch.no_grad():
        difference = (layer(changed) - layer(image)).abs().amax(dim=(0, 1)).flatten()
    assert (difference[:7] == 0).all()
    assert (difference[7:] > 0).all()


def test_the_layer_leaves_mixed_precision(filled) -> None:
    layer = filled(PixelMamba(8))
    image = torch.randn(1, 8, 4, 4, generator=torch.Generator().manual_seed(0)).bfloat16()
    with torch.no_grad():
        plain = layer(image.float())
        with torch.autocast("cpu", dtype=torch.bfloat16):
            mixed = layer(image)
    assert mixed.dtype == torch.float32
    assert torch.equal(mixed, plain)


@pytest.mark.parametrize("name", ["UMambaBot", "UMambaEnc"])
def test_a_u_mamba_takes_images_of_any_divisible_size(name: str) -> None:
    small = SEGMENTERS[name](in_channels=1, classes=3, filters=SMALL)
    with torch.no_grad():
        assert small(torch.randn(1, 1, 12, 20)).shape == (1, 3, 12, 20)


@pytest.mark.parametrize("name", ["UMambaBot", "UMambaEnc"])
def test_a_u_mamba_refuses_sizes_that_cannot_work(name: str) -> None:
    network = SEGMENTERS[name](in_channels=1, classes=14)
    with pytest.raises(InputError, match=f"{name} needs height and width divisible by 8, got 20 x 24; pad to 24 x 24"):
        network(torch.zeros(1, 1, 20, 24))
    with pytest.raises(InputError, match=f"{name} needs more than 8 x 8 pixels; pad to 16 x 16"):
        network(torch.zeros(1, 1, 8, 8))


@pytest.mark.parametrize("name", ["UMambaBot", "UMambaEnc"])
def test_only_the_outputs_for_deep_supervision_are_frozen(name: str) -> None:
    network = SEGMENTERS[name](in_channels=1, classes=14)
    frozen = {key: weights.numel() for key, weights in network.named_parameters() if not weights.requires_grad}
    assert all(key.startswith("decoder.idle_heads.") for key in frozen)
    assert sum(frozen.values()) == 2_716


def test_mamba_layers_stand_where_the_variant_has_them() -> None:
    for name, expected in (("UMambaBot", [False, False, True]), ("UMambaEnc", [True, True, True])):
        network = SEGMENTERS[name](in_channels=1, classes=14, filters=SMALL)
        assert isinstance(network.after_stage, nn.ModuleList)
        assert [isinstance(layer, PixelMamba) for layer in network.after_stage] == expected
