"""DeepLabV3 with separable convolutions and a decoder that takes fine features in; the benchmark's `DeepLabV3+`.

Paper: Chen et al., ECCV 2018, https://doi.org/10.1007/978-3-030-01234-2_49, figure 2; in the form of
segmentation-models-pytorch's `DeepLabV3Plus` with its default encoder.

Departures from the paper: a ResNet-34 as encoder, rates 12, 24 and 36 at a sixteenth of the size, and one more
convolution behind the pyramid.
It has the 22,434,526 parameters of RAM-W600's Table 4.
"""

from functools import partial

from segmentation_models_pytorch import DeepLabV3Plus
from torch import nn

from carpus.nets.blocks.checked import Checked
from carpus.nets.blocks.sizes import check_divisible


def deeplabv3_plus(*, in_channels: int = 1, classes: int = 14) -> nn.Module:
    """A DeepLabV3+: `(b, in_channels, h, w)` to raw logits `(b, classes, h, w)`; h and w divisible by 16.

    Args:
        in_channels: Channels of the input.
        classes: Channels of the output.
    """
    network = DeepLabV3Plus(encoder_name="resnet34", encoder_weights=None, in_channels=in_channels, classes=classes)
    return Checked(network, partial(check_divisible, by=16, net="DeepLabV3+"))
