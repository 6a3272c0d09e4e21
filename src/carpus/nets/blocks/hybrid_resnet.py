"""A residual network with group norm and standardised weights, the stem of hybrid vision transformers.

Three stages of bottleneck blocks on a 7 x 7 stem: the first three quarters of a ResNet-50.

Kept from the implementation that TransUNet uses:

- Blocks normalise and activate after each convolution (version 1 of the residual network), though they go by the name
  of version 2.
- The projection on a shortcut is normalised channel by channel, with an epsilon of 1e-5; all other group norms have
  32 groups and 1e-6.
- The pooling behind the stem has no padding, so that the first stage is one pixel smaller than a quarter of the image.
  Its skip gets a row and a column of zeros at the bottom and on the right; what goes on does not.

References:
    Kolesnikov A et al. Big Transfer (BiT): general visual representation learning. https://arxiv.org/abs/1912.11370
    Qiao S et al. Micro-batch training with batch-channel normalization and weight standardization.
        https://arxiv.org/abs/1903.10520
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

_WEIGHT_EPS = 1e-5
_NORM_EPS = 1e-6


class HybridResNet(nn.Module):
    """Images to features of a sixteenth of the size, and three skips."""

    def __init__(self, in_channels: int, *, width: int = 64, depths: tuple[int, int, int] = (3, 4, 9)) -> None:
        """Builds the stages.

        Args:
            in_channels: Channels of the input.
            width: Channels of the stem, a multiple of 32; the features have 16 times as many.
            depths: Blocks of each stage.
        """
        super().__init__()
        self.stem = nn.Sequential(
            StandardisedConv2d(in_channels, width, kernel_size=7, stride=2, padding=3, bias=False),
            nn.GroupNorm(32, width, eps=_NORM_EPS),
            nn.ReLU(inplace=True),
        )
        self.pool = nn.MaxPool2d(kernel_size=3, stride=2)
        self.stage1 = _stage(width, 4 * width, blocks=depths[0], stride=1)
        self.stage2 = _stage(4 * width, 8 * width, blocks=depths[1], stride=2)
        self.stage3 = _stage(8 * width, 16 * width, blocks=depths[2], stride=2)

    def forward(
        self, x: Float[Tensor, "b c h w"]
    ) -> tuple[Float[Tensor, "b _ h/16 w/16"], tuple[Tensor, Tensor, Tensor]]:
        """The features, and the skips at an eighth, a quarter and a half of the size.

        Args:
            x: Height and width divisible by 16.
        """
        half = self.stem(x)
        quarter = self.stage1(self.pool(half))
        eighth = self.stage2(quarter)
        return self.stage3(eighth), (eighth, functional.pad(quarter, (0, 1, 0, 1)), half)


class StandardisedConv2d(nn.Conv2d):
    """A convolution whose kernels are brought to mean 0 and variance 1 before use."""

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b _ _ _"]:
        """The convolution of x."""
        variance, mean = torch.var_mean(self.weight, dim=(1, 2, 3), keepdim=True, correction=0)
        kernels = (self.weight - mean) * torch.rsqrt(variance + _WEIGHT_EPS)
        result: Tensor = self._conv_forward(x, kernels, self.bias)
        return result


class _Bottleneck(nn.Module):
    def __init__(self, inputs: int, outputs: int, *, stride: int) -> None:
        super().__init__()
        inner = outputs // 4
        self.branch = nn.Sequential(
            StandardisedConv2d(inputs, inner, kernel_size=1, bias=False),
            nn.GroupNorm(32, inner, eps=_NORM_EPS),
            nn.ReLU(inplace=True),
            StandardisedConv2d(inner, inner, kernel_size=3, stride=stride, padding=1, bias=False),
            nn.GroupNorm(32, inner, eps=_NORM_EPS),
            nn.ReLU(inplace=True),
            StandardisedConv2d(inner, outputs, kernel_size=1, bias=False),
            nn.GroupNorm(32, outputs, eps=_NORM_EPS),
        )
        self.shortcut: nn.Module = nn.Identity()
        if inputs != outputs:
            self.shortcut = nn.Sequential(
                StandardisedConv2d(inputs, outputs, kernel_size=1, stride=stride, bias=False),
                nn.GroupNorm(outputs, outputs),
            )

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b _ _ _"]:
        return functional.relu(self.branch(x) + self.shortcut(x))


def _stage(inputs: int, outputs: int, *, blocks: int, stride: int) -> nn.Sequential:
    rest = [_Bottleneck(outputs, outputs, stride=1) for _ in range(blocks - 1)]
    return nn.Sequential(_Bottleneck(inputs, outputs, stride=stride), *rest)
