"""LeViT, a vision transformer behind four convolutions that shrinks as it goes; the benchmark's `LeViT`.

Paper: Graham et al., ICCV 2021, https://arxiv.org/abs/2104.01136, figure 4; timm's `levit_128s`.

Departures from the paper: nothing is distilled; the two heads learn from the same labels and the logits are their mean,
in training too. The biases of attention are learned for one size of image, so images of another size are refused. At
224 pixels it has the 7,008,310 parameters of RAM-W600's Table 5.
"""

from functools import partial

from timm import create_model
from torch import nn

from carpus.nets.blocks.checked import Checked
from carpus.nets.blocks.fixed_size import check_built_for, check_image_size


def levit(*, in_channels: int = 1, classes: int = 2, image_size: int = 224) -> nn.Module:
    """A LeViT: `(b, in_channels, image_size, image_size)` to raw logits `(b, classes)`.

    Args:
        in_channels: Channels of the input.
        classes: Number of classes.
        image_size: Edge of the images in pixels, divisible by 16.

    Raises:
        InputError: An image size that does not divide.
    """
    check_image_size(image_size, 16, net="LeViT")
    network = create_model(
        "levit_128s", pretrained=False, in_chans=in_channels, num_classes=classes, img_size=image_size
    )
    return Checked(network, partial(check_built_for, image_size=image_size, net="LeViT"))
