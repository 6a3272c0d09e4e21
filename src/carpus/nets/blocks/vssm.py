"""What networks of 2-D selective scans share: patches, the scan as a branch, rates of stochastic depth, initialisation.

Images lie channels last: `(b, h, w, c)`. All LayerNorms have PyTorch's epsilon of 1e-5.

References:
    Liu Y, et al. VMamba: visual state space model. https://arxiv.org/abs/2401.10166
"""

from collections.abc import Sequence

from jaxtyping import Float
from monai.networks.layers import DropPath
from torch import Tensor, nn

from carpus.nets.blocks.ss2d import SelectiveScan2d


class PatchEmbedding(nn.Module):
    """Square patches as normalised channels: `(b, in_channels, h, w)` to `(b, h / patch, w / patch, channels)`.

    Args:
        in_channels: Of the input.
        channels: Of the output.
        patch: Edge of a patch in pixels; what is left at the right and at the bottom is cut off.
    """

    def __init__(self, in_channels: int, channels: int, *, patch: int) -> None:
        super().__init__()
        self.project = nn.Conv2d(in_channels, channels, patch, stride=patch)
        self.norm = nn.LayerNorm(channels)

    def forward(self, x: Float[Tensor, "b in_channels h w"]) -> Float[Tensor, "b h2 w2 channels"]:
        """The patches."""
        patches: Tensor = self.norm(self.project(x).permute(0, 2, 3, 1))
        return patches


class PatchMerging(nn.Module):
    """Each 2 x 2 pixels as one of twice the channels: `(b, h, w, channels)` to `(b, h / 2, w / 2, 2 channels)`.

    A last odd row or column is cut off. The four pixels are joined down the columns first.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(4 * channels)
        self.reduce = nn.Linear(4 * channels, 2 * channels, bias=False)

    def forward(self, x: Float[Tensor, "b h w channels"]) -> Float[Tensor, "b h2 w2 c2"]:
        """The merged pixels."""
        b, height, width, channels = x.shape
        h, w = height // 2, width // 2
        squares = x[:, : 2 * h, : 2 * w].reshape(b, h, 2, w, 2, channels).permute(0, 1, 3, 4, 2, 5)
        merged: Tensor = self.reduce(self.norm(squares.reshape(b, h, w, 4 * channels)))
        return merged


class ScanBranch(nn.Module):
    """LayerNorm, 2-D selective scan, stochastic depth; the residual is the caller's.

    Args:
        channels: Of the input and the output.
        drop: Probability that training leaves the branch out for an image, 0 to 1.
    """

    def __init__(self, channels: int, *, drop: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)
        self.scan = SelectiveScan2d(channels)
        self.drop = DropPath(drop)

    def forward(self, x: Float[Tensor, "b h w channels"]) -> Float[Tensor, "b h w channels"]:
        """What the branch adds."""
        added: Tensor = self.drop(self.scan(self.norm(x)))
        return added


def drop_rates(depths: Sequence[int], *, last: float) -> list[list[float]]:
    """Rates of stochastic depth for the blocks of each stage, growing evenly from 0 in the first block to `last`."""
    blocks = sum(depths)
    rates = iter(last * block / max(blocks - 1, 1) for block in range(blocks))
    return [[next(rates) for _ in range(depth)] for depth in depths]


def initialise_linear(module: nn.Module) -> None:
    """Sets a linear layer's weights to N(0, 0.02), its bias to 0; leaves other layers. For `Module.apply`."""
    if isinstance(module, nn.Linear):
        nn.init.trunc_normal_(module.weight, std=0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
