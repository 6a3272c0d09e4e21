"""MobileNetV2 at half its width, inverted residual blocks with linear bottlenecks; the benchmark's `MobileNet`.

Paper: Sandler et al., CVPR 2018, https://doi.org/10.1109/CVPR.2018.00474, figure 4d and table 2; timm's
`mobilenetv2_050`.

Departures: none. It has the 689,954 parameters of RAM-W600's Table 5.
"""

from timm import create_model
from torch import nn


def mobilenet(*, in_channels: int = 1, classes: int = 2) -> nn.Module:
    """A MobileNet: `(b, in_channels, h, w)` to raw logits `(b, classes)`.

    Args:
        in_channels: Channels of the input.
        classes: Number of classes.
    """
    return create_model("mobilenetv2_050", pretrained=False, in_chans=in_channels, num_classes=classes)
