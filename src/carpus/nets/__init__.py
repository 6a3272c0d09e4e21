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

from carpus.nets.cls.resnet import resnet
from carpus.nets.seg.umamba_bot import umamba_bot
from carpus.nets.seg.umamba_enc import umamba_enc
from carpus.nets.seg.unet import unet

SEGMENTERS: Mapping[str, Callable[..., nn.Module]] = {
    "Unet": unet,
    "UMambaBot": umamba_bot,
    "UMambaEnc": umamba_enc,
}

CLASSIFIERS: Mapping[str, Callable[..., nn.Module]] = {
    "ResNet": resnet,
}
