"""Networks by name. They know nothing of wrists: channel and class counts are passed in.

Every entry builds a module that takes `(b, c, h, w)` and returns raw logits: `(b, classes, h, w)` from
`SEGMENTERS`, `(b, classes)` from `CLASSIFIERS`. Nothing is pretrained, nothing is downloaded, and no network
is imported before it is built. After carpus's own come the networks that other installed packages add, see
`carpus.nets.plugins`.

Example:
    >>> from carpus.nets import SEGMENTERS
    >>> network = SEGMENTERS["Unet"](in_channels=1, classes=14)
    >>> sum(weights.numel() for weights in network.parameters())
    7938510
"""

from collections.abc import Mapping

from carpus.nets.plugins import Builder, imported_late, plugged_in

_SEGMENTERS: dict[str, Builder] = {
    "Unet": imported_late("carpus.nets.seg.unet:unet"),
    "DeepLabV3": imported_late("carpus.nets.seg.deeplabv3:deeplabv3"),
    "FPN": imported_late("carpus.nets.seg.fpn:fpn"),
    "PSPNet": imported_late("carpus.nets.seg.pspnet:pspnet"),
    "DeepLabV3+": imported_late("carpus.nets.seg.deeplabv3_plus:deeplabv3_plus"),
    "SegResNet": imported_late("carpus.nets.seg.segresnet:segresnet"),
    "Unet++": imported_late("carpus.nets.seg.unet_plus_plus:unet_plus_plus"),
    "SegFormer": imported_late("carpus.nets.seg.segformer:segformer"),
    "TransUNet": imported_late("carpus.nets.seg.transunet:transunet"),
    "UKAN": imported_late("carpus.nets.seg.ukan:ukan"),
    "UMambaBot": imported_late("carpus.nets.seg.umamba_bot:umamba_bot"),
    "UMambaEnc": imported_late("carpus.nets.seg.umamba_enc:umamba_enc"),
    "SwinUMamba": imported_late("carpus.nets.seg.swin_umamba:swin_umamba"),
}
_CLASSIFIERS: dict[str, Builder] = {
    "MobileViT": imported_late("carpus.nets.cls.mobilevit:mobilevit"),
    "ResNet": imported_late("carpus.nets.cls.resnet:resnet"),
    "MobileNet": imported_late("carpus.nets.cls.mobilenet:mobilenet"),
    "LeViT": imported_late("carpus.nets.cls.levit:levit"),
    "EfficientFormer": imported_late("carpus.nets.cls.efficientformer:efficientformer"),
    "MedMamba": imported_late("carpus.nets.cls.medmamba:medmamba"),
    "ConvKAN": imported_late("carpus.nets.cls.convkan:convkan"),
}
_OWN = {*_SEGMENTERS, *_CLASSIFIERS}

SEGMENTERS: Mapping[str, Builder] = {**_SEGMENTERS, **plugged_in("carpus.segmenters", taken=_OWN)}
CLASSIFIERS: Mapping[str, Builder] = {**_CLASSIFIERS, **plugged_in("carpus.classifiers", taken=_OWN)}
