"""U-Mamba with a Mamba layer after every stage of its encoder, the benchmark's `UMambaEnc`.

Paper: Ma et al., U-Mamba, https://arxiv.org/abs/2401.04722, Figure 1 (Enc). Four residual stages, each followed by a
Mamba layer over its pixels, instance normalisation, leaky ReLU, transposed convolutions upwards.

Departures, all of them the benchmark's: the paper's framework fits the number of stages to the data and starts from
He's initialisation; here there are four stages, and layers start as PyTorch starts them. Deep supervision is off. Two
coarser output layers that would serve it are kept but frozen: their 2,716 parameters never run and are part of the
4,583,434 of RAM-W600's Table 4.

Quirks: no residual connection leads around a Mamba layer, so that the next stage and the decoder see only what it puts
out. Every Mamba layer reads pixels as tokens; later releases of U-Mamba alternate with channels as tokens, which this
one does not, and so its weights fit images of any size.
"""

from collections.abc import Sequence

from torch import nn

from carpus.nets.blocks.mamba import PixelMamba
from carpus.nets.blocks.residual_unet import ResidualUNet


def umamba_enc(*, in_channels: int = 1, classes: int = 14, filters: Sequence[int] = (32, 64, 128, 256)) -> nn.Module:
    """A U-Mamba Enc: `(b, in_channels, h, w)` to raw logits `(b, classes, h, w)`.

    Height and width must be divisible by 2 to the number of stages less one (8 by default), and not both be that.

    Args:
        in_channels: Channels of the input.
        classes: Channels of the output.
        filters: Channels of each stage, from the finest; their number is the number of stages.
    """
    return ResidualUNet(
        in_channels=in_channels,
        classes=classes,
        filters=filters,
        after_stage=[PixelMamba(channels) for channels in filters],
        name="UMambaEnc",
    )
