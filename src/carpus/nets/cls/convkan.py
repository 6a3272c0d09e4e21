"""A small convolutional network whose kernels are learned functions, the benchmark's `ConvKAN`.

Papers: Bodner et al., 2024, https://arxiv.org/abs/2406.13155, for the convolution; Drokin, 2024,
https://arxiv.org/abs/2407.01092, for the network: four 3 x 3 convolutions of 32, 64, 128 and 256 channels with
strides 1, 2, 2 and 1, the mean over the image, and a linear head.

Departures from the papers, kept from the benchmark:

- The smooth base is GELU and the norm a batch norm, followed by a PReLU with one slope for all channels. There is no
  normalisation in front of the splines and no bias.
- What lies beyond the image counts as 0 behind the splines, not in front of them.
- Dropout 0.25 takes whole channels after all convolutions but the first, and 0.5 acts in front of the head.

The benchmark wraps three convolutions in a penalty on their weights with factor 0, which is nothing and left out.
It has the 3,487,718 parameters of RAM-W600's Table 5.
"""

from itertools import pairwise

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from carpus.nets.blocks.b_splines import SPLINES, cubic_b_splines

_CHANNELS = (32, 64, 128, 256)
_STRIDES = (2, 2, 1)


def convkan(*, in_channels: int = 1, classes: int = 2) -> nn.Module:
    """A network of KAN convolutions: `(b, in_channels, h, w)` to raw logits `(b, classes)`.

    Args:
        in_channels: Channels of the input.
        classes: Number of classes.
    """
    layers: list[nn.Module] = [_KANConv2d(in_channels, _CHANNELS[0], stride=1)]
    for (inputs, outputs), stride in zip(pairwise(_CHANNELS), _STRIDES, strict=True):
        layers += [_KANConv2d(inputs, outputs, stride=stride), nn.Dropout2d(0.25)]
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.5), nn.Linear(_CHANNELS[-1], classes)]
    return nn.Sequential(*layers, *head)


class _KANConv2d(nn.Module):
    """A 3 x 3 convolution of learned functions, batch norm and PReLU."""

    def __init__(self, inputs: int, outputs: int, *, stride: int) -> None:
        super().__init__()
        self.base = nn.Conv2d(inputs, outputs, kernel_size=3, stride=stride, padding=1, bias=False)
        self.splines = nn.Conv2d(SPLINES * inputs, outputs, kernel_size=3, stride=stride, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(outputs)
        self.activation = nn.PReLU()
        for conv in (self.base, self.splines):
            nn.init.kaiming_uniform_(conv.weight, nonlinearity="linear")

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b _ _ _"]:
        splines = cubic_b_splines(x, dim=2).flatten(start_dim=1, end_dim=2)
        mixed: Tensor = self.activation(self.norm(self.base(functional.gelu(x)) + self.splines(splines)))
        return mixed
