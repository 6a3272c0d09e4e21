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

from carpus.nets.cls.convkan import convkan
from carpus.nets.cls.efficientformer import efficientformer
from carpus.nets.cls.levit import levit
from carpus.nets.cls.mobilenet import mobilenet
from carpus.nets.cls.mobilevit import mobilevit
from carpus.nets.cls.resnet import resnet
from carpus.nets.seg.deeplabv3 import deeplabv3
from carpus.nets.seg.deeplabv3_plus import deeplabv3_plus
from carpus.nets.seg.fpn import fpn
from carpus.nets.seg.pspnet import pspnet
from carpus.nets.seg.segformer import segformer
from carpus.nets.seg.segresnet import segresnet
from carpus.nets.seg.transunet import transunet
from carpus.nets.seg.ukan import ukan
from carpus.nets.seg.umamba_bot import umamba_bot
from carpus.nets.seg.umamba_enc import umamba_enc
from carpus.nets.cls.medmamba import medmamba
from carpus.nets.cls.resnet import resnet
from carpus.nets.seg.swin_umamba import swin_umamba
from carpus.nets.seg.unet import unet
from carpus.nets.seg.unet_plus_plus import unet_plus_plus

SEGMENTERS: Mapping[str, Callable[..., nn.Module]] = {
    "Unet": unet,
    "DeepLabV3": deeplabv3,
    "FPN": fpn,
    "PSPNet": pspnet,
    "DeepLabV3+": deeplabv3_plus,
    "SegResNet": segresnet,
    "Unet++": unet_plus_plus,
    "SegFormer": segformer,
    "TransUNet": transunet,
    "UKAN": ukan,
    "UMambaBot": umamba_bot,
    "UMambaEnc": umamba_enc,
    "SwinUMamba": swin_umamba,
}

CLASSIFIERS: Mapping[str, Callable[..., nn.Module]] = {
    "MobileViT": mobilevit,
    "ResNet": resnet,
    "MobileNet": mobilenet,
    "LeViT": levit,
    "EfficientFormer": efficientformer,
    "ConvKAN": convkan,
    "MedMamba": medmamba,
}
