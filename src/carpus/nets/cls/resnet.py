"""A small residual network, the benchmark's `ResNet`.

Paper: He et al., CVPR 2016, https://doi.org/10.1109/CVPR.2016.90; MONAI's `ResNet` with basic blocks
2, 2, 2, 2 of 16, 32, 64 and 128 channels, first stride 1, projection shortcuts (type B).

Departures: none. It has the 701,010 parameters of RAM-W600's Table 5.
"""

from monai.networks.nets import ResNet
from torch import nn


def resnet(*, in_channels: int = 1, classes: int = 2) -> nn.Module:
    """A residual network: `(b, in_channels, h, w)` to raw logits `(b, classes)`.

    Args:
        in_channels: Channels of the input.
        classes: Number of classes.
    """
    network: nn.Module = ResNet(
        block="basic",
        layers=[2, 2, 2, 2],
        block_inplanes=[16, 32, 64, 128],
        spatial_dims=2,
        n_input_channels=in_channels,
        conv1_t_stride=1,
        shortcut_type="B",
        num_classes=classes,
        bias_downsample=True,
    )
    return network
