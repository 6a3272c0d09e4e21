"""DeepLabV3, convolutions dilated at several rates over features of an eighth of the size; the benchmark's `DeepLabV3`.

Paper: Chen et al., 2017, https://arxiv.org/abs/1706.05587, figure 5; in the form of segmentation-models-pytorch's
`DeepLabV3` with its default encoder.

Departures from the paper: a ResNet-34 as encoder, and one more convolution behind the pyramid.
It has the 26,004,174 parameters of RAM-W600's Table 4.
"""

from functools import partial

from segmentation_models_pytorch import DeepLabV3
from torch import nn

from carpus.nets.blocks.checked import Checked
from carpus.nets.blocks.sizes import check_divisible


def deeplabv3(*, in_channels: int = 1, classes: int = 14) -> nn.Module:
    """A DeepLabV3: `(b, in_channels, h, w)` to raw logits `(b, classes, h, w)`; h and w divisible by 8.

    Args:
        in_channels: Channels of the input.
        classes: Channels of the output.
    """
    network = DeepLabV3(encoder_name="resnet34", encoder_weights=None, in_channels=in_channels, classes=classes)
    return Checked(network, partial(check_divisible, by=8, net="DeepLabV3"))
