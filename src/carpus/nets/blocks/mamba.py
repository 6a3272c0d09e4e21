"""The Mamba block: a sequence model whose memory chooses, at each token, what to keep.

Paper: Gu and Dao, https://arxiv.org/abs/2312.00752, Figure 3 (right): the tokens are widened twice, to a signal and
to a gate; the signal passes a short causal convolution and the selective scan, is multiplied by the gate, and is
narrowed again. There is no normalisation and no residual connection inside.

Departures: none. Layers start as in the authors' release: decays 1, 2, ..., n for the n states of every channel,
steps spread evenly over the logarithm of 0.001 to 0.1, the input itself passed on with weight 1.
"""

from contextlib import nullcontext
from math import ceil, log

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from carpus.nets.blocks.causal_convolution import causal_convolution
from carpus.nets.blocks.selective_scan import selective_scan

STEP_RANGE = (1e-3, 1e-1)


class Mamba(nn.Module):
    """A Mamba block over tokens, from the first to the last.

    Args:
        channels: Channels of a token.
        states: Size of each channel's memory.
        width: Tokens that the causal convolution sees: the present one and those just before it.
        expand: How many times wider the signal is than the tokens.
    """

    def __init__(self, channels: int, *, states: int = 16, width: int = 4, expand: int = 2) -> None:
        super().__init__()
        inner, rank = expand * channels, ceil(channels / 16)
        self.widen = nn.Linear(channels, 2 * inner, bias=False)
        self.convolution = nn.Conv1d(inner, inner, width, groups=inner)
        self.select = nn.Linear(inner, rank + 2 * states, bias=False)
        self.step = nn.Linear(rank, inner)
        self.log_decay = nn.Parameter(torch.arange(1.0, states + 1).log().repeat(inner, 1))
        self.pass_on = nn.Parameter(torch.ones(inner))
        self.narrow = nn.Linear(inner, channels, bias=False)
        _start_steps(self.step)

    def forward(self, tokens: Float[Tensor, "batch length channels"]) -> Float[Tensor, "batch length channels"]:
        """The tokens, each informed by those before it."""
        # Channels come before tokens throughout, as convolution and scan want them: no copy is turned around.
        states = self.log_decay.shape[1]
        signal, gate = _project(self.widen, tokens.transpose(1, 2)).chunk(2, dim=1)
        signal = functional.silu(causal_convolution(signal, self.convolution.weight, self.convolution.bias))
        step, enter, leave = _project(self.select, signal).split([self.step.in_features, states, states], dim=1)
        remembered = selective_scan(
            signal,
            _project(self.step, step),
            -self.log_decay.exp(),
            enter[:, None],
            leave[:, None],
            self.pass_on,
            delta_bias=self.step.bias,
        )
        return _project(self.narrow, remembered * functional.silu(gate)).transpose(1, 2)


class PixelMamba(nn.Module):
    """A Mamba block over the pixels of a feature map, row by row, each pixel's channels normalised first.

    The scan adds up thousands of terms, so the layer leaves mixed precision and works in the type of its weights.

    Args:
        channels: Channels of the map.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)
        self.mamba = Mamba(channels)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """What the Mamba block makes of the map; the map itself is not added."""
        # Tensors without values, by which costs are counted, have no autocast.
        with nullcontext() if x.is_meta else torch.autocast(x.device.type, enabled=False):
            pixels = x.to(self.norm.weight.dtype).flatten(2).transpose(1, 2)
            mixed: Tensor = self.mamba(self.norm(pixels))
            return mixed.transpose(1, 2).reshape(x.shape)


def _project(layer: nn.Linear, x: Float[Tensor, "batch channels length"]) -> Float[Tensor, "batch out length"]:
    """The layer's map of the channels without its bias. `layer.weight @ x` would turn x around in memory and back."""
    return torch.bmm(layer.weight.expand(len(x), -1, -1), x)


def _start_steps(layer: nn.Linear) -> None:
    """Makes `softplus(bias)` log-uniform over `STEP_RANGE`, and the weights keep the variance of their input."""
    bound = layer.in_features**-0.5
    nn.init.uniform_(layer.weight, -bound, bound)
    with torch.no_grad():
        step = layer.bias.uniform_(log(STEP_RANGE[0]), log(STEP_RANGE[1])).exp()
        layer.bias.copy_(step.expm1().log())  # the inverse of softplus
