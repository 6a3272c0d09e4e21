"""PSPNet, features joined with their means over regions of four sizes; the benchmark's `PSPNet`.

Paper: Zhao et al., CVPR 2017, https://doi.org/10.1109/CVPR.2017.660, figure 3; in the form of
segmentation-models-pytorch's `PSPNet` with its default encoder.

Departures from the paper: a ResNet-34 as encoder, used down to an eighth of the size only, and no auxiliary loss. The
last two stages of the encoder are built but not used; their 19,936,768 parameters are frozen.
It has the 21,491,630 parameters of RAM-W600's Table 4.
"""

from functools import partial

from segmentation_models_pytorch import PSPNet
from torch import nn

from carpus.nets.blocks.checked import Checked
from carpus.nets.blocks.sizes import check_divisible


def pspnet(*, in_channels: int = 1, classes: int = 14) -> nn.Module:
    """A PSPNet: `(b, in_channels, h, w)` to raw logits `(b, classes, h, w)`; h and w divisible by 8.

    Args:
        in_channels: Channels of the input.
        classes: Channels of the output.
    """
    network = PSPNet(encoder_name="resnet34", encoder_weights=None, in_channels=in_channels, classes=classes)
    for unused in (network.encoder.layer3, network.encoder.layer4):
        unused.requires_grad_(requires_grad=False)
    return Checked(network, partial(check_divisible, by=8, net="PSPNet"))
