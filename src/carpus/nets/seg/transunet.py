"""TransUNet, a vision transformer between a residual network and a U-Net's decoder; the benchmark's `TransUNet`.

Paper: Chen et al., 2021, https://arxiv.org/abs/2102.04306, figure 1, as R50-ViT-B/16: a hybrid residual network, one
token for each pixel of its features, twelve transformer layers of 768 channels and 12 heads, and a cascaded upsampler
with three skips.

Departures from the paper, kept from its implementation:

- A convolution brings the tokens to 512 channels before the first upsampling, and upsampling is bilinear with aligned
  corners. The last upsampling has no skip.
- A grey image is repeated to three channels. Other numbers of channels enter the first convolution as they are.
- Dropout 0.1 acts on the embedded tokens and twice in each multilayer perceptron, never on the attention.

Three linear maps to queries, keys and values are one here, with the same start. Nothing is pretrained. Positions are
learned for one size of image and not interpolated, so images of another size are refused. At 512 pixels it has the
105,913,710 parameters of RAM-W600's Table 4.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from carpus.nets.blocks.fixed_size import check_built_for, check_image_size
from carpus.nets.blocks.hybrid_resnet import HybridResNet

_PATCH = 16
_CHANNELS = 768
_HEADS = 12
_DROPOUT = 0.1


def transunet(*, in_channels: int = 1, classes: int = 14, image_size: int = 512, layers: int = 12) -> nn.Module:
    """A TransUNet: `(b, in_channels, image_size, image_size)` to raw logits `(b, classes, image_size, image_size)`.

    Args:
        in_channels: Channels of the input; 1 is repeated to three.
        classes: Channels of the output.
        image_size: Edge of the images in pixels, divisible by 16.
        layers: Of the transformer.

    Raises:
        InputError: An image size that does not divide.
    """
    check_image_size(image_size, _PATCH, net="TransUNet")
    return _TransUNet(in_channels, classes, image_size, layers)


class _TransUNet(nn.Module):
    def __init__(self, in_channels: int, classes: int, image_size: int, layers: int) -> None:
        super().__init__()
        self.image_size = image_size
        self.repeats = 3 if in_channels == 1 else 1
        self.backbone = HybridResNet(in_channels * self.repeats)
        self.embed = nn.Conv2d(1024, _CHANNELS, kernel_size=1)
        self.positions = nn.Parameter(torch.zeros(1, (image_size // _PATCH) ** 2, _CHANNELS))
        self.dropout = nn.Dropout(_DROPOUT)
        self.layers = nn.Sequential(*(_TransformerLayer() for _ in range(layers)))
        self.norm = nn.LayerNorm(_CHANNELS, eps=1e-6)
        self.unembed = _convolution(_CHANNELS, 512)
        self.up8 = _UpBlock(512, 512, 256)
        self.up4 = _UpBlock(256, 256, 128)
        self.up2 = _UpBlock(128, 64, 64)
        self.up1 = _UpBlock(64, 0, 16)
        self.head = nn.Conv2d(16, classes, kernel_size=3, padding=1)

    def forward(self, x: Float[Tensor, "b c s s"]) -> Float[Tensor, "b classes s s"]:
        check_built_for(x, self.image_size, net="TransUNet")
        features, (eighth, quarter, half) = self.backbone(x.repeat(1, self.repeats, 1, 1))
        grid = self.embed(features)
        tokens = self.dropout(grid.flatten(start_dim=2).mT + self.positions)
        tokens = self.norm(self.layers(tokens))
        x = self.unembed(tokens.mT.reshape(grid.shape))
        x = self.up2(self.up4(self.up8(x, eighth), quarter), half)
        logits: Tensor = self.head(self.up1(x))
        return logits


class _TransformerLayer(nn.Module):
    """Attention and a multilayer perceptron, each behind a layer norm and with a residual."""

    def __init__(self) -> None:
        super().__init__()
        self.norm_attention = nn.LayerNorm(_CHANNELS, eps=1e-6)
        self.attention = _Attention()
        self.norm_perceptron = nn.LayerNorm(_CHANNELS, eps=1e-6)
        self.perceptron = _perceptron()

    def forward(self, tokens: Float[Tensor, "b n c"]) -> Float[Tensor, "b n c"]:
        tokens = tokens + self.attention(self.norm_attention(tokens))
        mixed: Tensor = tokens + self.perceptron(self.norm_perceptron(tokens))
        return mixed


class _Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.query_key_value = nn.Linear(_CHANNELS, 3 * _CHANNELS)
        self.out = nn.Linear(_CHANNELS, _CHANNELS)

    def forward(self, tokens: Float[Tensor, "b n c"]) -> Float[Tensor, "b n c"]:
        parts = self.query_key_value(tokens).unflatten(-1, (3, _HEADS, _CHANNELS // _HEADS))
        query, key, value = parts.transpose(1, 3).unbind(dim=2)
        heads = functional.scaled_dot_product_attention(query, key, value)
        mixed: Tensor = self.out(heads.transpose(1, 2).flatten(start_dim=2))
        return mixed


class _UpBlock(nn.Module):
    """Twice the size, joined with a skip where there is one, and two convolutions."""

    def __init__(self, inputs: int, skip: int, outputs: int) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(_convolution(inputs + skip, outputs), _convolution(outputs, outputs))

    def forward(self, x: Float[Tensor, "b c h w"], *skip: Float[Tensor, "b _ 2*h 2*w"]) -> Float[Tensor, "b _ 2*h 2*w"]:
        x = functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True)
        mixed: Tensor = self.convolutions(torch.cat([x, *skip], dim=1))
        return mixed


def _convolution(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel_size=3, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


def _perceptron() -> nn.Sequential:
    rise, fall = nn.Linear(_CHANNELS, 4 * _CHANNELS), nn.Linear(4 * _CHANNELS, _CHANNELS)
    for linear in (rise, fall):
        nn.init.xavier_uniform_(linear.weight)
        nn.init.normal_(linear.bias, std=1e-6)
    return nn.Sequential(rise, nn.GELU(), nn.Dropout(_DROPOUT), fall, nn.Dropout(_DROPOUT))
