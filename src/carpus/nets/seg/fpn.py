"""A feature pyramid network, the sum of what four scales see; the benchmark's `FPN`.

Papers: Lin et al., CVPR 2017, https://doi.org/10.1109/CVPR.2017.106, figure 3, with the semantic branch of Kirillov et
al., CVPR 2019, https://doi.org/10.1109/CVPR.2019.00656, figure 3; in the form of segmentation-models-pytorch's `FPN`
with its default encoder.

Departures from the papers: a ResNet-34 as encoder, and dropout 0.2 of whole channels in front of the head.
It has the 23,150,798 parameters of RAM-W600's Table 4.
"""

from functools import partial

from segmentation_models_pytorch import FPN
from torch import nn

from carpus.nets.blocks.checked import Checked
from carpus.nets.blocks.sizes import check_divisible


def fpn(*, in_channels: int = 1, classes: int = 14) -> nn.Module:
    """An FPN: `(b, in_channels, h, w)` to raw logits `(b, classes, h, w)`; h and w divisible by 32.

    Args:
        in_channels: Channels of the input.
        classes: Channels of the output.
    """
    network = FPN(encoder_name="resnet34", encoder_weights=None, in_channels=in_channels, classes=classes)
    return Checked(network, partial(check_divisible, by=32, net="FPN"))
