"""U-Net with residual blocks, the benchmark's `Unet`.

Paper: Ronneberger et al., MICCAI 2015, https://doi.org/10.1007/978-3-319-24574-4_28; in the form of MONAI's
`DynUNet` (Isensee et al., Nat Methods 2021, https://doi.org/10.1038/s41592-020-01008-z): five stages of
3 x 3 convolutions with residual blocks and batch normalisation.

Departures: none. With the default filters it has the 7,938,510 parameters of RAM-W600's Table 4.
"""

from collections.abc import Sequence
from functools import partial

from monai.networks.nets import DynUNet
from torch import nn

from carpus.nets.blocks.checked import Checked
from carpus.nets.blocks.sizes import check_divisible


def unet(*, in_channels: int = 1, classes: int = 14, filters: Sequence[int] = (32, 64, 128, 256, 512)) -> nn.Module:
    """A U-Net: `(b, in_channels, h, w)` to raw logits `(b, classes, h, w)`.

    Height and width must be divisible by 2 to the number of stages less one (16 by default).

    Args:
        in_channels: Channels of the input.
        classes: Channels of the output.
        filters: Channels of each stage, from the finest; their number is the number of stages.
    """
    stages = len(filters)
    network = DynUNet(
        spatial_dims=2,
        in_channels=in_channels,
        out_channels=classes,
        kernel_size=[3] * stages,
        strides=[1] + [2] * (stages - 1),
        upsample_kernel_size=[2] * (stages - 1),
        filters=list(filters),
        norm_name="batch",
        res_block=True,
    )
    return Checked(network, partial(check_divisible, by=2 ** (stages - 1), net="Unet"))
