"""MobileViT, inverted residual blocks with small transformers between them; the benchmark's `MobileViT`.

Paper: Mehta and Rastegari, ICLR 2022, https://arxiv.org/abs/2110.02178, figure 1b; timm's `mobilevit_s`.

Departures: none. It has the 4,938,626 parameters of RAM-W600's Table 5.
"""

from timm import create_model
from torch import nn


def mobilevit(*, in_channels: int = 1, classes: int = 2) -> nn.Module:
    """A MobileViT: `(b, in_channels, h, w)` to raw logits `(b, classes)`.

    Args:
        in_channels: Channels of the input.
        classes: Number of classes.
    """
    return create_model("mobilevit_s", pretrained=False, in_chans=in_channels, num_classes=classes)
