"""SegFormer's decoder, which brings all scales together by linear layers; the benchmark's `SegFormer`.

Paper: Xie et al., NeurIPS 2021, https://arxiv.org/abs/2105.15203, figure 2; in the form of
segmentation-models-pytorch's `Segformer` with its default encoder.

Departures from the paper: a ResNet-34 as encoder, so that there is no attention in it, and five scales, from half the
size down, in place of four.
It has the 21,873,614 parameters of RAM-W600's Table 4.
"""

from functools import partial

from segmentation_models_pytorch import Segformer
from torch import nn

from carpus.nets.blocks.checked import Checked
from carpus.nets.blocks.sizes import check_divisible


def segformer(*, in_channels: int = 1, classes: int = 14) -> nn.Module:
    """A SegFormer: `(b, in_channels, h, w)` to raw logits `(b, classes, h, w)`; h and w divisible by 32.

    Args:
        in_channels: Channels of the input.
        classes: Channels of the output.
    """
    network = Segformer(encoder_name="resnet34", encoder_weights=None, in_channels=in_channels, classes=classes)
    return Checked(network, partial(check_divisible, by=32, net="SegFormer"))
