"""A small residual network, the benchmark's `ResNet`.

Paper: He et al., CVPR 2016, https://doi.org/10.1109/CVPR.2016.90; MONAI's `ResNet` with basic blocks
2, 2, 2, 2 of 16, 32, 64 and 128 channels, first stride 1, projection shortcuts (type B).

Departures: none, unless it is to outline planes, which it does by a feature pyramid (Lin et al., CVPR 2017,
https://arxiv.org/abs/1612.03144) over its last three stages, and answers from them too. It has the 701,010 parameters
of RAM-W600's Table 5. Written here, and not taken from MONAI, for the reason that `carpus.nets.seg.unet` gives; the
tests hold it to MONAI's, to the last bit.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

_CHANNELS = (16, 32, 64, 128)
_TOGETHER = 32
_FIGURES = 3
_FAINT = 1e-3


def resnet(*, in_channels: int = 1, classes: int = 2, supervised_planes: int = 0) -> nn.Module:
    """A residual network: `(b, in_channels, h, w)` to raw logits `(b, classes)`.

    With planes it gives these and the planes' logits `(b, supervised_planes, h / 4, w / 4)` while it is trained; and in
    evaluation the first alone.

    Args:
        in_channels: Channels of the input.
        classes: Number of classes.
        supervised_planes: How many it outlines besides, such as a bone and the erosions of it.
    """
    return _ResNet(in_channels, classes, supervised_planes)


class _ResNet(nn.Module):
    def __init__(self, in_channels: int, classes: int, supervised_planes: int) -> None:
        super().__init__()
        first = _CHANNELS[0]
        self.conv1 = nn.Conv2d(in_channels, first, 7, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(first)
        self.act = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        self.layer1 = nn.Sequential(_Block(first, first), _Block(first, first))
        self.layer2, self.layer3, self.layer4 = (_halved(a, b) for a, b in pairwise(_CHANNELS))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(_CHANNELS[-1] + _FIGURES * supervised_planes, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        nn.init.zeros_(self.fc.bias)
        self.pyramid = _Pyramid(_CHANNELS[1:], supervised_planes) if supervised_planes else None

    def forward(self, x: Float[Tensor, "b c h w"]) -> Tensor | tuple[Tensor, Tensor]:
        x = self.layer1(self.maxpool(self.act(self.bn1(self.conv1(x)))))
        second = self.layer2(x)
        third = self.layer3(second)
        last = self.layer4(third)
        features = self.avgpool(last).flatten(1)
        if self.pyramid is None:
            plain: Tensor = self.fc(features)
            return plain
        planes = self.pyramid([second, third, last])
        logits: Tensor = self.fc(torch.cat([features, _figures(planes)], dim=1))
        return (logits, planes) if self.training else logits


def _figures(planes: Float[Tensor, "b planes h w"]) -> Float[Tensor, "b figures"]:
    """How much each plane covers, how sure its surest hundredth is, and its surest place."""
    logits = planes.float().flatten(2)
    inside = logits.sigmoid()
    surest = inside.topk(max(inside.shape[2] // 100, 1), dim=2).values
    figures = [(inside.mean(2) + _FAINT).log(), (surest.mean(2) + _FAINT).log(), logits.amax(2) / 4]
    return torch.cat(figures, dim=1)


class _Pyramid(nn.Module):
    """Features of several stages together at the size of the finest, and what they outline."""

    def __init__(self, channels: Sequence[int], planes: int) -> None:
        super().__init__()
        self.lateral = nn.ModuleList([nn.Conv2d(count, _TOGETHER, 1) for count in channels])
        self.mixed = nn.Conv2d(_TOGETHER, _TOGETHER, 3, padding=1)
        self.planes = nn.Conv2d(_TOGETHER, planes, 1)

    def forward(self, stages: Sequence[Float[Tensor, "b c h w"]]) -> Float[Tensor, "b planes h w"]:
        *finer, x = (lateral(stage) for lateral, stage in zip(self.lateral, stages, strict=True))
        for stage in reversed(finer):
            x = stage + functional.interpolate(x, stage.shape[-2:], mode="nearest")
        logits: Tensor = self.planes(functional.relu(self.mixed(functional.relu(x))))
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
