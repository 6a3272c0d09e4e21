"""U-Net with residual blocks, the benchmark's `Unet`.

Paper: Ronneberger et al., MICCAI 2015, https://doi.org/10.1007/978-3-319-24574-4_28; in the form of MONAI's
`DynUNet` (Isensee et al., Nat Methods 2021, https://doi.org/10.1038/s41592-020-01008-z): five stages of
3 x 3 convolutions with residual blocks and batch normalisation.

Departures: none. With the default filters it has the 7,938,510 parameters of RAM-W600's Table 4. It is written here
and not taken from MONAI, because importing MONAI takes longer than reading a film and 0.4 GB; the tests hold it to
MONAI's, to the last bit, from the first random number on.
"""

from collections import OrderedDict
from collections.abc import Sequence
from functools import partial
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from carpus.errors import InputError
from carpus.nets.blocks.checked import Checked
from carpus.nets.blocks.sizes import check_divisible

_FEWEST_STAGES = 3
_SLOPE = 0.01


def unet(
    *,
    in_channels: int = 1,
    classes: int = 14,
    filters: Sequence[int] = (32, 64, 128, 256, 512),
    supervised_stages: int = 0,
) -> nn.Module:
    """A U-Net: `(b, in_channels, h, w)` to raw logits `(b, classes, h, w)`.

    Height and width must be divisible by 2 to the number of stages less one (16 by default). With deep supervision it
    gives `(b, 1 + supervised_stages, classes, h, w)` while it is trained: its answer, and those of coarser stages.

    Args:
        in_channels: Channels of the input.
        classes: Channels of the output.
        filters: Channels of each stage, from the finest; their number is the number of stages.
        supervised_stages: How many coarser stages of the way up answer too, in training only.

    Raises:
        InputError: Fewer than three stages, or fewer than are to be supervised.
    """
    if len(filters) < _FEWEST_STAGES:
        raise InputError(f"network Unet has {len(filters)} stages, expected 3 or more; give it more filters")
    if not 0 <= supervised_stages <= len(filters) - 2:
        raise InputError(
            f"network Unet of {len(filters)} stages has {supervised_stages} supervised stages, "
            f"expected 0 to {len(filters) - 2}"
        )
    network = _Unet(in_channels, classes, list(filters), supervised_stages)
    return Checked(network, partial(check_divisible, by=2 ** (len(filters) - 1), net="Unet"))


class _Unet(nn.Module):
    def __init__(self, in_channels: int, classes: int, filters: list[int], supervised_stages: int) -> None:
        super().__init__()
        self.input_block = _Residual(in_channels, filters[0], stride=1)
        down = pairwise(filters[:-1])
        self.downsamples = nn.ModuleList([_Residual(a, b, stride=2) for a, b in down])
        self.bottleneck = _Residual(filters[-2], filters[-1], stride=2)
        self.upsamples = nn.ModuleList([_Up(a, b) for a, b in pairwise(filters[::-1])])
        self.output_block = nn.Sequential(OrderedDict(conv=_convolution(filters[0], classes, kernel=1, bias=True)))
        torch.rand(1)  # as MONAI draws one here, so that a seed still gives the same weights
        coarser = filters[1 : 1 + supervised_stages]
        self.heads = nn.ModuleList([nn.Conv2d(channels, classes, 1) for channels in coarser])
        self.apply(_initialise)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b ..."]:
        seen = [self.input_block(x)]
        for stage in self.downsamples:
            seen.append(stage(seen[-1]))
        x = self.bottleneck(seen[-1])
        on_the_way = []
        for stage in self.upsamples:
            x = stage(x, seen.pop())
            on_the_way.append(x)
        logits: Tensor = self.output_block(x)
        if not self.training or not self.heads:
            return logits
        coarser = [head(features) for head, features in zip(self.heads, on_the_way[-2::-1], strict=False)]
        size = logits.shape[-2:]
        return torch.stack([logits, *(functional.interpolate(each, size, mode="nearest") for each in coarser)], dim=1)


class _Residual(nn.Module):
    """Two convolutions beside a shortcut, which is one of 1 x 1 where size or channels change."""

    def __init__(self, in_channels: int, channels: int, *, stride: int) -> None:
        super().__init__()
        self.conv1 = _convolution(in_channels, channels, stride=stride)
        self.conv2 = _convolution(channels, channels)
        self.lrelu = nn.LeakyReLU(_SLOPE, inplace=True)
        self.norm1 = nn.BatchNorm2d(channels)
        self.norm2 = nn.BatchNorm2d(channels)
        self.conv3, self.norm3 = None, None
        if in_channels != channels or stride != 1:
            self.conv3 = _convolution(in_channels, channels, kernel=1, stride=stride)
            self.norm3 = nn.BatchNorm2d(channels)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c2 h2 w2"]:
        out: Tensor = self.norm2(self.conv2(self.lrelu(self.norm1(self.conv1(x)))))
        out += x if self.conv3 is None or self.norm3 is None else self.norm3(self.conv3(x))
        result: Tensor = self.lrelu(out)
        return result


class _Double(nn.Module):
    """Two convolutions."""

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        self.conv1 = _convolution(in_channels, channels)
        self.conv2 = _convolution(channels, channels)
        self.lrelu = nn.LeakyReLU(_SLOPE, inplace=True)
        self.norm1 = nn.BatchNorm2d(channels)
        self.norm2 = nn.BatchNorm2d(channels)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c2 h w"]:
        x = self.lrelu(self.norm1(self.conv1(x)))
        result: Tensor = self.lrelu(self.norm2(self.conv2(x)))
        return result


class _Up(nn.Module):
    """Twice the size, joined with what was seen there on the way down."""

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        up = nn.ConvTranspose2d(in_channels, channels, 2, stride=2, bias=False)
        self.transp_conv = nn.Sequential(OrderedDict(conv=up))
        self.conv_block = _Double(2 * channels, channels)

    def forward(self, x: Float[Tensor, "b c h w"], seen: Float[Tensor, "b c2 h2 w2"]) -> Float[Tensor, "b c2 h2 w2"]:
        result: Tensor = self.conv_block(torch.cat((self.transp_conv(x), seen), dim=1))
        return result


def _convolution(
    in_channels: int, channels: int, *, kernel: int = 3, stride: int = 1, bias: bool = False
) -> nn.Sequential:
    """A convolution under the name that MONAI's weights have."""
    convolution = nn.Conv2d(in_channels, channels, kernel, stride=stride, padding=kernel // 2, bias=bias)
    return nn.Sequential(OrderedDict(conv=convolution))


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.kaiming_normal_(module.weight, a=_SLOPE)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
