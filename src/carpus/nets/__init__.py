"""Networks by name. They know nothing of wrists: channel and class counts are passed in.

Every entry builds a module that takes `(b, c, h, w)` and returns raw logits: `(b, classes, h, w)` from
`SEGMENTERS`, `(b, classes)` from `CLASSIFIERS`. Nothing is pretrained and nothing is downloaded. After carpus's own
come the networks that other installed packages add, see `carpus.nets.plugins`.

Example:
    >>> from carpus.nets import SEGMENTERS
    >>> network = SEGMENTERS["Unet"](in_channels=1, classes=14)
    >>> sum(weights.numel() for weights in network.parameters())
    7938510
"""

from collections.abc import Mapping

from carpus.nets.cls.convkan import convkan
from carpus.nets.cls.efficientformer import efficientformer
from carpus.nets.cls.levit import levit
from carpus.nets.cls.medmamba import medmamba
from carpus.nets.cls.mobilenet import mobilenet
from carpus.nets.cls.mobilevit import mobilevit
from carpus.nets.cls.resnet import resnet
from carpus.nets.plugins import Builder, plugged_in
from carpus.nets.seg.deeplabv3 import deeplabv3
from carpus.nets.seg.deeplabv3_plus import deeplabv3_plus
from carpus.nets.seg.fpn import fpn
from carpus.nets.seg.pspnet import pspnet
from carpus.nets.seg.segformer import segformer
from carpus.nets.seg.segresnet import segresnet
from carpus.nets.seg.swin_umamba import swin_umamba
from carpus.nets.seg.transunet import transunet
from carpus.nets.seg.ukan import ukan
from carpus.nets.seg.umamba_bot import umamba_bot
from carpus.nets.seg.umamba_enc import umamba_enc
from carpus.nets.seg.unet import unet
from carpus.nets.seg.unet_plus_plus import unet_plus_plus

_SEGMENTERS: dict[str, Builder] = {
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
_CLASSIFIERS: dict[str, Builder] = {
    "MobileViT": mobilevit,
    "ResNet": resnet,
    "MobileNet": mobilenet,
    "LeViT": levit,
    "EfficientFormer": efficientformer,
    "MedMamba": medmamba,
    "ConvKAN": convkan,
}
_OWN = {*_SEGMENTERS, *_CLASSIFIERS}

SEGMENTERS: Mapping[str, Builder] = {**_SEGMENTERS, **plugged_in("carpus.segmenters", taken=_OWN)}
CLASSIFIERS: Mapping[str, Builder] = {**_CLASSIFIERS, **plugged_in("carpus.classifiers", taken=_OWN)}
