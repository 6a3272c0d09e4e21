"""A small residual network, the benchmark's `ResNet`.

Paper: He et al., CVPR 2016, https://doi.org/10.1109/CVPR.2016.90; MONAI's `ResNet` with basic blocks
2, 2, 2, 2 of 16, 32, 64 and 128 channels, first stride 1, projection shortcuts (type B).

Departures: none. It has the 701,010 parameters of RAM-W600's Table 5. Written here, and not taken from MONAI, for the
reason that `carpus.nets.seg.unet` gives; the tests hold it to MONAI's, to the last bit.
"""

from itertools import pairwise

from jaxtyping import Float
from torch import Tensor, nn

_CHANNELS = (16, 32, 64, 128)


def resnet(*, in_channels: int = 1, classes: int = 2) -> nn.Module:
    """A residual network: `(b, in_channels, h, w)` to raw logits `(b, classes)`.

    Args:
        in_channels: Channels of the input.
        classes: Number of classes.
    """
    return _ResNet(in_channels, classes)


class _ResNet(nn.Module):
    def __init__(self, in_channels: int, classes: int) -> None:
        super().__init__()
        first = _CHANNELS[0]
        self.conv1 = nn.Conv2d(in_channels, first, 7, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(first)
        self.act = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        self.layer1 = nn.Sequential(_Block(first, first), _Block(first, first))
        self.layer2, self.layer3, self.layer4 = (_halved(a, b) for a, b in pairwise(_CHANNELS))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(_CHANNELS[-1], classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        nn.init.zeros_(self.fc.bias)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b classes"]:
        x = self.maxpool(self.act(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        logits: Tensor = self.fc(self.avgpool(x).flatten(1))
        return logits


class _Block(nn.Module):
    """Two convolutions beside a shortcut, which may be a projection."""

    def __init__(
        self, in_channels: int, channels: int, *, stride: int = 1, downsample: nn.Module | None = None
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, channels, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.act = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.downsample = downsample

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c2 h2 w2"]:
        out: Tensor = self.bn2(self.conv2(self.act(self.bn1(self.conv1(x)))))
        out += x if self.downsample is None else self.downsample(x)
        result: Tensor = self.act(out)
        return result


def _halved(in_channels: int, channels: int) -> nn.Sequential:
    """Two blocks, the first of which halves the size."""
    projection = nn.Sequential(nn.Conv2d(in_channels, channels, 1, stride=2), nn.BatchNorm2d(channels))
    return nn.Sequential(_Block(in_channels, channels, stride=2, downsample=projection), _Block(channels, channels))
