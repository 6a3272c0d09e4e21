"""EfficientFormerV2, convolutions at fine scales and attention at the two coarsest; the benchmark's `EfficientFormer`.

Paper: Li et al., ICCV 2023, https://arxiv.org/abs/2212.08059, figure 2; timm's `efficientformerv2_s0`.

Departures from the paper: nothing is distilled; the two heads learn from the same labels and the logits are their mean,
in training too. The biases of attention are learned for one size of image, so images of another size are refused. At
224 pixels it has the 3,246,676 parameters of RAM-W600's Table 5.
"""

from functools import partial

from timm import create_model
from torch import nn

from carpus.nets.blocks.checked import Checked
from carpus.nets.blocks.fixed_size import check_built_for, check_image_size


def efficientformer(*, in_channels: int = 1, classes: int = 2, image_size: int = 224) -> nn.Module:
    """An EfficientFormer: `(b, in_channels, image_size, image_size)` to raw logits `(b, classes)`.

    Args:
        in_channels: Channels of the input.
        classes: Number of classes.
        image_size: Edge of the images in pixels, divisible by 32.

    Raises:
        InputError: An image size that does not divide.
    """
    check_image_size(image_size, 32, net="EfficientFormer")
    network = create_model(
        "efficientformerv2_s0", pretrained=False, in_chans=in_channels, num_classes=classes, img_size=image_size
    )
    return Checked(network, partial(check_built_for, image_size=image_size, net="EfficientFormer"))
