"""U-KAN, a U-Net with Kolmogorov-Arnold layers at its two deepest levels; the benchmark's `UKAN`.

Paper: Li et al., AAAI 2025, https://doi.org/10.1609/aaai.v39i5.32491, figure 1: three convolutional stages, two
tokenised KAN stages of one block each, and the way back up; skips are added. A block has three KAN layers, each with a
depthwise convolution, batch norm and ReLU behind it. The channels are 128, 160 and 256.

Departures from the paper, kept from its implementation:

- A layer norm stands in front of the three KAN layers of a block too, not only behind its residual.
- A grey image is repeated to three channels. Other numbers of channels enter the first convolution as they are.
- There is no dropout and no stochastic depth, and one output only.

The implementation also rectifies pooled and upsampled features, which cannot be negative; this is left out, as it
changes neither output nor gradient. It has the 6,356,910 parameters of RAM-W600's Table 4.
"""

from collections.abc import Sequence
from math import sqrt

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from carpus.nets.blocks.kan_linear import KANLinear
from carpus.nets.blocks.sizes import check_divisible


def ukan(*, in_channels: int = 1, classes: int = 14, channels: Sequence[int] = (128, 160, 256)) -> nn.Module:
    """A U-KAN: `(b, in_channels, h, w)` to raw logits `(b, classes, h, w)`; h and w divisible by 32.

    Args:
        in_channels: Channels of the input; 1 is repeated to three.
        classes: Channels of the output.
        channels: Of the last convolutional stage, a multiple of 8, and of the two tokenised stages.
    """
    return _UKAN(in_channels, classes, *channels)


class _UKAN(nn.Module):
    def __init__(self, in_channels: int, classes: int, wide: int, wider: int, widest: int) -> None:
        super().__init__()
        self.repeats = 3 if in_channels == 1 else 1
        self.down1 = _convolutions(in_channels * self.repeats, wide // 8, wide // 8)
        self.down2 = _convolutions(wide // 8, wide // 4, wide // 4)
        self.down3 = _convolutions(wide // 4, wide, wide)
        self.embed4 = _PatchEmbedding(wide, wider)
        self.down4 = _TokenStage(wider)
        self.embed5 = _PatchEmbedding(wider, widest)
        self.down5 = _TokenStage(widest)
        self.up5 = _convolutions(widest, widest, wider)
        self.mix4 = _TokenStage(wider)
        self.up4 = _convolutions(wider, wider, wide)
        self.mix3 = _TokenStage(wide)
        self.up3 = _convolutions(wide, wide, wide // 4)
        self.up2 = _convolutions(wide // 4, wide // 4, wide // 8)
        self.up1 = _convolutions(wide // 8, wide // 8, wide // 8)
        self.head = nn.Conv2d(wide // 8, classes, kernel_size=1)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b classes h w"]:
        check_divisible(x, 32, net="UKAN")
        half = functional.max_pool2d(self.down1(x.repeat(1, self.repeats, 1, 1)), 2)
        quarter = functional.max_pool2d(self.down2(half), 2)
        eighth = functional.max_pool2d(self.down3(quarter), 2)
        sixteenth = self.down4(self.embed4(eighth))
        x = self.down5(self.embed5(sixteenth))
        x = _twice(self.up5(x)) + sixteenth
        x = _twice(self.up4(self.mix4(x))) + eighth
        x = _twice(self.up3(self.mix3(x))) + quarter
        x = _twice(self.up2(x)) + half
        logits: Tensor = self.head(_twice(self.up1(x)))
        return logits


class _PatchEmbedding(nn.Module):
    """Half the size, each pixel normalised over its channels."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel_size=3, stride=2, padding=1)
        self.norm = nn.LayerNorm(outputs)
        _start_by_fan_out(self.conv)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b _ h/2 w/2"]:
        return _to_image(self.norm(_to_tokens(self.conv(x))))


class _TokenStage(nn.Module):
    """Three KAN layers with a residual, then a layer norm."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm_in = nn.LayerNorm(channels)
        self.layers = nn.Sequential(*(_KANLayer(channels) for _ in range(3)))
        self.norm_out = nn.LayerNorm(channels)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        tokens = _to_tokens(x)
        return _to_image(self.norm_out(tokens + self.layers(self.norm_in(tokens))))


class _KANLayer(nn.Module):
    """A KAN layer over channels, then a convolution over neighbours."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.functions = KANLinear(channels, channels)
        self.conv = nn.Conv2d(channels, channels, kernel_size=3, padding=1, groups=channels)
        self.norm = nn.BatchNorm2d(channels)
        _start_by_fan_out(self.conv)

    def forward(self, tokens: Float[Tensor, "b h w c"]) -> Float[Tensor, "b h w c"]:
        mixed = self.conv(_to_image(self.functions(tokens)))
        return _to_tokens(functional.relu(self.norm(mixed)))


def _convolutions(inputs: int, inner: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, inner, kernel_size=3, padding=1),
        nn.BatchNorm2d(inner),
        nn.ReLU(inplace=True),
        nn.Conv2d(inner, outputs, kernel_size=3, padding=1),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


def _start_by_fan_out(conv: nn.Conv2d) -> None:
    fan_out = conv.kernel_size[0] * conv.kernel_size[1] * conv.out_channels // conv.groups
    nn.init.normal_(conv.weight, std=sqrt(2 / fan_out))
    if conv.bias is not None:
        nn.init.zeros_(conv.bias)


def _twice(x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c 2*h 2*w"]:
    return functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


def _to_tokens(x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b h w c"]:
    return x.permute(0, 2, 3, 1)


def _to_image(tokens: Float[Tensor, "b h w c"]) -> Float[Tensor, "b c h w"]:
    return tokens.permute(0, 3, 1, 2)
