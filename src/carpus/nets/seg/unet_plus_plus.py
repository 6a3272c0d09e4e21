"""U-Net++, a U-Net whose skips are small U-Nets themselves; the benchmark's `Unet++`.

Paper: Zhou et al., DLMIA 2018, https://doi.org/10.1007/978-3-030-00889-5_1, figure 1; MONAI's `BasicUNetPlusPlus` with
32, 32, 64, 128, 256 and 32 features, instance norm and leaky rectifiers.

Departures from the paper: the output of the longest path alone, no deep supervision. The heads of the three shorter
paths are built but not used; their 99 parameters for each class are frozen. It has the 2,411,896 parameters of
RAM-W600's Table 4.
"""

from jaxtyping import Float
from monai.networks.nets import BasicUNetPlusPlus
from torch import Tensor, nn

from carpus.nets.blocks.sizes import check_divisible


def unet_plus_plus(*, in_channels: int = 1, classes: int = 14) -> nn.Module:
    """A U-Net++: `(b, in_channels, h, w)` to raw logits `(b, classes, h, w)`; h and w divisible by 16.

    Args:
        in_channels: Channels of the input.
        classes: Channels of the output.
    """
    network = BasicUNetPlusPlus(
        spatial_dims=2,
        in_channels=in_channels,
        out_channels=classes,
        features=(32, 32, 64, 128, 256, 32),
    )
    for unused in (network.final_conv_0_1, network.final_conv_0_2, network.final_conv_0_3):
        unused.requires_grad_(requires_grad=False)
    return _FirstOutput(network)


class _FirstOutput(nn.Module):
    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b classes h w"]:
        check_divisible(x, 16, net="Unet++")
        logits: Tensor = self.network(x)[0]
        return logits
