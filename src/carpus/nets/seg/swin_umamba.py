"""Swin-UMamba, the benchmark's `SwinUMamba`.

Paper: Liu J, et al. Swin-UMamba: Mamba-based UNet with ImageNet-based pretraining. MICCAI 2024,
https://doi.org/10.1007/978-3-031-72114-4_59, https://arxiv.org/abs/2402.03302; figure 1.

A strided 7 x 7 convolution and patches of 2 x 2 pixels lead into four stages of 2, 2, 9 and 2 residual 2-D selective
scans, the encoder of VMamba-Tiny. The image, the stem and the first three stages are widened by residual convolution
blocks and joined to the decoder, which is that of UNETR (MONAI's blocks, instance normalisation).

Departures from the paper, all as in the benchmark's code:
- No ImageNet weights and no deep supervision. The heads of deep supervision are there all the same, and counted, but
  never used; here they ask for no gradient.
- Stochastic depth in the encoder grows to 0.2 in the last block.
With 59,889,368 parameters it is the network of RAM-W600's Table 4.
"""

from collections.abc import Sequence
from itertools import pairwise

from jaxtyping import Float
from monai.networks.blocks import UnetOutBlock, UnetrBasicBlock, UnetrUpBlock
from torch import Tensor, nn

from carpus.nets.blocks.sizes import check_divisible
from carpus.nets.blocks.vssm import PatchEmbedding, PatchMerging, ScanBranch, drop_rates, initialise_linear

DROP_IN_LAST_BLOCK = 0.2


def swin_umamba(
    *,
    in_channels: int = 1,
    classes: int = 14,
    channels: Sequence[int] = (48, 96, 192, 384, 768),
    depths: Sequence[int] = (2, 2, 9, 2),
) -> nn.Module:
    """Swin-UMamba: `(b, in_channels, h, w)` to raw logits `(b, classes, h, w)`.

    Height and width must be divisible by 2 to the number of stages plus one (32 by default).

    Args:
        in_channels: Channels of the input.
        classes: Channels of the output.
        channels: Of the stem, then of each stage; each twice the one before.
        depths: Blocks of each stage.

    Raises:
        ValueError: The stages do not fit one another.
    """
    if len(channels) != len(depths) + 1 or any(after != 2 * before for before, after in pairwise(channels)):
        raise ValueError(
            f"Swin-UMamba needs channels that double from the stem over {len(depths)} stages, got {channels}"
        )
    return _SwinUMamba(in_channels, classes, channels, depths)


class _SwinUMamba(nn.Module):
    def __init__(self, in_channels: int, classes: int, channels: Sequence[int], depths: Sequence[int]) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(in_channels, channels[0], 7, stride=2, padding=3), nn.InstanceNorm2d(channels[0], affine=True)
        )
        self.encoder = _Encoder(channels, depths)
        self.skips = nn.ModuleList(_convolutions(before, after) for before, after in pairwise([in_channels, *channels]))
        # The deepest step up keeps its channels: encoder and widest skip have equally many.
        self.ups = nn.ModuleList(_up(before, after) for before, after in pairwise([channels[-1], *reversed(channels)]))
        self.last = _convolutions(channels[0], channels[0])
        self.head = _head(channels[0], classes)
        self.spare_heads = nn.ModuleList(_head(width, classes) for width in channels[1:-1]).requires_grad_(False)
        self.divisor = 2 ** len(channels)

    def forward(self, x: Float[Tensor, "b in_channels h w"]) -> Float[Tensor, "b classes h w"]:
        check_divisible(x, self.divisor, net="SwinUMamba")
        half = self.stem(x)
        *finer, deepest = self.encoder(half)
        skips = [widen(level) for widen, level in zip(self.skips, [x, half, *finer], strict=True)]
        for up, skip in zip(self.ups, reversed(skips), strict=True):
            deepest = up(deepest, skip)
        logits: Tensor = self.head(self.last(deepest))
        return logits


class _Encoder(nn.Module):
    """VMamba-Tiny on the stem's output `(b, c, h, w)`: the output of each stage, channels first."""

    def __init__(self, channels: Sequence[int], depths: Sequence[int]) -> None:
        super().__init__()
        stem, *widths = channels
        self.embed = PatchEmbedding(stem, widths[0], patch=2)
        self.stages = nn.ModuleList(
            nn.Sequential(*(_ResidualScan(width, drop=rate) for rate in rates))
            for width, rates in zip(widths, drop_rates(depths, last=DROP_IN_LAST_BLOCK), strict=True)
        )
        self.merges = nn.ModuleList(PatchMerging(width) for width in widths[:-1])
        self.apply(initialise_linear)

    def forward(self, x: Float[Tensor, "b c h w"]) -> list[Tensor]:
        x = self.stages[0](self.embed(x))
        levels = [x]
        for merge, stage in zip(self.merges, self.stages[1:], strict=True):
            levels.append(stage(merge(levels[-1])))
        return [level.permute(0, 3, 1, 2) for level in levels]


class _ResidualScan(nn.Module):
    def __init__(self, channels: int, *, drop: float) -> None:
        super().__init__()
        self.branch = ScanBranch(channels, drop=drop)

    def forward(self, x: Float[Tensor, "b h w channels"]) -> Float[Tensor, "b h w channels"]:
        added: Tensor = self.branch(x)
        return x + added


def _convolutions(before: int, after: int) -> nn.Module:
    block: nn.Module = UnetrBasicBlock(2, before, after, kernel_size=3, stride=1, norm_name="instance", res_block=True)
    return block


def _up(before: int, after: int) -> nn.Module:
    block: nn.Module = UnetrUpBlock(
        2, before, after, kernel_size=3, upsample_kernel_size=2, norm_name="instance", res_block=True
    )
    return block


def _head(channels: int, classes: int) -> nn.Module:
    head: nn.Module = UnetOutBlock(2, channels, classes)
    return head
