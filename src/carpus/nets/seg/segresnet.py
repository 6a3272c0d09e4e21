"""A residual encoder and a lighter decoder, the benchmark's `SegResNet`.

Paper: Myronenko, BrainLes 2018, https://doi.org/10.1007/978-3-030-11726-9_28, figure 1; MONAI's `SegResNet` with 16
filters at first, blocks 1, 2, 2, 4 down and 1, 1, 1 up.

Departures from the paper: two dimensions, batch norm, leaky rectifiers, transposed convolutions for upsampling, no
dropout and no branch that reconstructs the image. It has the 1,598,222 parameters of RAM-W600's Table 4.
"""

from functools import partial

from monai.networks.nets import SegResNet
from torch import nn

from carpus.nets.blocks.checked import Checked
from carpus.nets.blocks.sizes import check_divisible


def segresnet(*, in_channels: int = 1, classes: int = 14) -> nn.Module:
    """A SegResNet: `(b, in_channels, h, w)` to raw logits `(b, classes, h, w)`; h and w divisible by 8.

    Args:
        in_channels: Channels of the input.
        classes: Channels of the output.
    """
    network = SegResNet(
        spatial_dims=2,
        in_channels=in_channels,
        out_channels=classes,
        init_filters=16,
        blocks_down=(1, 2, 2, 4),
        blocks_up=(1, 1, 1),
        act="LeakyReLU",
        norm="batch",
        upsample_mode="deconv",
    )
    return Checked(network, partial(check_divisible, by=8, net="SegResNet"))
