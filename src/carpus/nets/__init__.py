"""Networks by name. They know nothing of wrists: channel and class counts are passed in.

Every entry builds a module that takes `(b, c, h, w)` and returns raw logits: `(b, classes, h, w)` from
`SEGMENTERS`, `(b, classes)` from `CLASSIFIERS`. Nothing is pretrained and nothing is downloaded.

Example:
    >>> from carpus.nets import SEGMENTERS
    >>> network = SEGMENTERS["Unet"](in_channels=1, classes=14)
    >>> sum(weights.numel() for weights in network.parameters())
    7938510
"""

from collections.abc import Callable, Mapping

from torch import nn

from carpus.nets.cls.medmamba import medmamba
from carpus.nets.cls.resnet import resnet
from carpus.nets.seg.swin_umamba import swin_umamba
from carpus.nets.seg.unet import unet

SEGMENTERS: Mapping[str, Callable[..., nn.Module]] = {
    "Unet": unet,
    "SwinUMamba": swin_umamba,
}

CLASSIFIERS: Mapping[str, Callable[..., nn.Module]] = {
    "ResNet": resnet,
    "MedMamba": medmamba,
}
