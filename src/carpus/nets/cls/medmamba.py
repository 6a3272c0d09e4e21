"""MedMamba, the benchmark's `MedMamba`.

Paper: Yue Y, Li Z. MedMamba: Vision Mamba for medical image classification. https://arxiv.org/abs/2403.03849; the
whole architecture with its SS-Conv-SSM blocks, in the tiny size.

A block splits the channels in half: convolutions take the first half, a 2-D selective scan the second; the halves are
shuffled together and added to the input. Four stages of 2, 2, 4 and 2 blocks on patches of 4 x 4 pixels, 96 channels,
doubled from stage to stage.

Departures: none known. Details that matter for equal numbers, all as in the benchmark's code:
- The convolution branch begins with a batch normalisation and ends with a 1 x 1 convolution and a ReLU that no
  normalisation precedes; stochastic depth acts on the scan branch alone.
- No normalisation before the classifier.
With 14,451,074 parameters it is the network of RAM-W600's Table 5.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

from carpus.errors import InputError
from carpus.nets.blocks.vssm import PatchEmbedding, PatchMerging, ScanBranch, drop_rates, initialise_linear

PATCH = 4
DROP_IN_LAST_BLOCK = 0.1


def medmamba(
    *,
    in_channels: int = 1,
    classes: int = 2,
    channels: Sequence[int] = (96, 192, 384, 768),
    depths: Sequence[int] = (2, 2, 4, 2),
) -> nn.Module:
    """MedMamba: `(b, in_channels, h, w)` to raw logits `(b, classes)`.

    Height and width must be at least 4 times 2 to the number of stages less one (32 by default); what a multiple of
    that leaves over may be cut off at the right and at the bottom.

    Args:
        in_channels: Channels of the input.
        classes: Number of classes.
        channels: Channels of each stage, from the finest, each twice the one before and even.
        depths: Blocks of each stage.

    Raises:
        ValueError: The stages do not fit one another.
    """
    doubled = all(after == 2 * before for before, after in pairwise(channels))
    if len(channels) != len(depths) or not doubled or channels[0] % 2:
        raise ValueError(f"MedMamba needs even channels that double for each of {len(depths)} stages, got {channels}")
    return _MedMamba(in_channels, classes, channels, depths)


class _MedMamba(nn.Module):
    def __init__(self, in_channels: int, classes: int, channels: Sequence[int], depths: Sequence[int]) -> None:
        super().__init__()
        self.least = PATCH * 2 ** (len(depths) - 1)
        self.embed = PatchEmbedding(in_channels, channels[0], patch=PATCH)
        stages: list[nn.Module] = []
        for width, rates in zip(channels, drop_rates(depths, last=DROP_IN_LAST_BLOCK), strict=True):
            if stages:
                stages.append(PatchMerging(width // 2))
            stages.append(nn.Sequential(*(_ConvolutionAndScan(width, drop=rate) for rate in rates)))
        self.stages = nn.Sequential(*stages)
        self.head = nn.Linear(channels[-1], classes)
        self.apply(initialise_linear)
        self.apply(_initialise_convolution)

    def forward(self, x: Float[Tensor, "b in_channels h w"]) -> Float[Tensor, "b classes"]:
        _check_size(x, self.least)
        logits: Tensor = self.head(self.stages(self.embed(x)).mean(dim=(1, 2)))
        return logits


class _ConvolutionAndScan(nn.Module):
    """SS-Conv-SSM, channels last."""

    def __init__(self, channels: int, *, drop: float) -> None:
        super().__init__()
        half = channels // 2
        self.convolve = nn.Sequential(
            nn.BatchNorm2d(half),
            nn.Conv2d(half, half, 3, padding=1),
            nn.BatchNorm2d(half),
            nn.ReLU(),
            nn.Conv2d(half, half, 3, padding=1),
            nn.BatchNorm2d(half),
            nn.ReLU(),
            nn.Conv2d(half, half, 1),
            nn.ReLU(),
        )
        self.scan = ScanBranch(half, drop=drop)

    def forward(self, x: Float[Tensor, "b h w channels"]) -> Float[Tensor, "b h w channels"]:
        first, second = x.chunk(2, dim=-1)
        convolved = self.convolve(first.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        # The channel shuffle: one of each half in turn.
        shuffled = torch.stack([convolved, self.scan(second)], dim=-1).flatten(-2)
        return shuffled + x


def _check_size(x: Tensor, least: int) -> None:
    height, width = x.shape[-2:]
    if not torch.compiler.is_compiling() and (height < least or width < least):
        raise InputError(
            f"MedMamba needs height and width of at least {least}, got {height} x {width}; enlarge or pad the images"
        )


def _initialise_convolution(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
