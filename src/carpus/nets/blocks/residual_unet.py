"""A residual U-Net with room for one more layer after every stage of its encoder.

References:
    Isensee F et al. nnU-Net. Nat Methods 2021. https://doi.org/10.1038/s41592-020-01008-z (its residual variant).
    He T et al. Bag of tricks for image classification. CVPR 2019. https://doi.org/10.1109/CVPR.2019.00065 (the block,
    ResNet-D).
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from carpus.errors import InputError
from carpus.nets.blocks.sizes import check_divisible

BLOCKS_PER_STAGE = 2


class ResidualUNet(nn.Module):
    """An encoder of residual stages, each but the first halving the image, and a decoder that takes them all up.

    With `filters` of four stages every image side must be divisible by 8.

    Args:
        in_channels: Channels of the input.
        classes: Channels of the output.
        filters: Channels of each stage, from the finest.
        after_stage: One module a stage; its output replaces the stage's, for the next stage and for the decoder.
        name: The network's name in error messages.
    """

    def __init__(
        self, *, in_channels: int, classes: int, filters: Sequence[int], after_stage: Sequence[nn.Module], name: str
    ) -> None:
        super().__init__()
        self.name = name
        self.stem = nn.Sequential(*_convolution(in_channels, filters[0], size=3), nn.LeakyReLU())
        inputs = (filters[0], *filters[:-1])
        self.stages = nn.ModuleList(
            _stage(before, here, stride=1 if level == 0 else 2)
            for level, (before, here) in enumerate(zip(inputs, filters, strict=True))
        )
        self.after_stage = nn.ModuleList(after_stage)
        self.decoder = ResidualDecoder(filters, classes)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b k h w"]:
        """The logits.

        Raises:
            InputError: The image cannot be halved often enough, or nothing but one pixel would be left of it.
        """
        self._check_size(x)
        x = self.stem(x)
        maps = []
        for stage, after in zip(self.stages, self.after_stage, strict=True):
            x = after(stage(x))
            maps.append(x)
        logits: Tensor = self.decoder(maps)
        return logits

    def _check_size(self, x: Tensor) -> None:
        coarsest = 2 ** (len(self.stages) - 1)
        check_divisible(x, coarsest, net=self.name)
        # Instance normalisation of a single pixel is undefined.
        if not torch.compiler.is_compiling() and x.shape[-2] * x.shape[-1] == coarsest**2:
            up = 2 * coarsest
            raise InputError(f"{self.name} needs more than {coarsest} x {coarsest} pixels; pad to {up} x {up}")


class ResidualDecoder(nn.Module):
    """From the encoder's maps back to the size of the image, level by level.

    Args:
        filters: Channels of the encoder's maps, from the finest.
        classes: Channels of the output.
    """

    def __init__(self, filters: Sequence[int], classes: int) -> None:
        super().__init__()
        fine_to_coarse = list(pairwise(filters))
        self.enlarge = nn.ModuleList(
            nn.ConvTranspose2d(coarse, fine, kernel_size=2, stride=2) for fine, coarse in reversed(fine_to_coarse)
        )
        self.stages = nn.ModuleList(_stage(2 * fine, fine) for fine, _ in reversed(fine_to_coarse))
        self.head = nn.Conv2d(filters[0], classes, kernel_size=1)
        # Coarser outputs, for training with deep supervision. It is off, so they never run; they are kept, frozen,
        # because published parameter counts include them.
        self.idle_heads = nn.ModuleList(
            nn.Conv2d(channels, classes, kernel_size=1) for channels in reversed(filters[1:-1])
        ).requires_grad_(False)

    def forward(self, maps: Sequence[Tensor]) -> Float[Tensor, "b k h w"]:
        """The logits, from the encoder's maps, finest first."""
        *skips, x = maps
        for enlarge, stage, skip in zip(self.enlarge, self.stages, reversed(skips), strict=True):
            x = stage(torch.cat((enlarge(x), skip), dim=1))
        logits: Tensor = self.head(x)
        return logits


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions and a shortcut: ResNet-D with instance normalisation and leaky ReLU.

    Where the block halves the image, the shortcut averages 2 x 2 pixels; where it changes the number of channels, a
    1 x 1 convolution without bias follows.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        stride: Of the first convolution, 1 or 2.
    """

    def __init__(self, in_channels: int, out_channels: int, *, stride: int = 1) -> None:
        super().__init__()
        self.main = nn.Sequential(
            *_convolution(in_channels, out_channels, size=3, stride=stride),
            nn.LeakyReLU(),
            *_convolution(out_channels, out_channels, size=3),
        )
        self.shortcut = nn.Sequential()
        if stride > 1:
            self.shortcut.append(nn.AvgPool2d(stride))
        if in_channels != out_channels:
            self.shortcut.extend(_convolution(in_channels, out_channels, size=1, bias=False))

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b k height width"]:
        """The sum of both ways, rectified."""
        return functional.leaky_relu(self.main(x) + self.shortcut(x))


def _stage(in_channels: int, out_channels: int, *, stride: int = 1) -> nn.Sequential:
    first = ResidualBlock(in_channels, out_channels, stride=stride)
    return nn.Sequential(first, *(ResidualBlock(out_channels, out_channels) for _ in range(1, BLOCKS_PER_STAGE)))


def _convolution(
    in_channels: int, out_channels: int, *, size: int, stride: int = 1, bias: bool = True
) -> tuple[nn.Module, nn.Module]:
    return (
        nn.Conv2d(in_channels, out_channels, size, stride, padding=size // 2, bias=bias),
        nn.InstanceNorm2d(out_channels, affine=True),
    )
