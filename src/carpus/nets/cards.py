"""What each network is and where it comes from, in a few words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Card:
    """One network.

    Attributes:
        kind: What it gives: a mask a class, or one answer an image.
        paper: Authors, year, and where to find it.
        made_by: The library that builds it, or `carpus` where no well-kept library does.
        summary: How it works, in a sentence.
        fixed_size: Whether it is built for one image size, by the option `image_size`.
        scans: Whether it contains selective scans.
    """

    kind: Literal["segmentation", "classification"]
    paper: str
    made_by: str
    summary: str
    fixed_size: bool = False
    scans: bool = False

    @property
    def image_size(self) -> int:
        """Edge in pixels of the benchmark's input: 512 for masks, 224 for answers."""
        return 512 if self.kind == "segmentation" else 224


CARDS: Mapping[str, Card] = {
    "Unet": Card(
        "segmentation",
        "Ronneberger et al. 2015, https://doi.org/10.1007/978-3-319-24574-4_28",
        "monai",
        "An encoder and a decoder of residual convolutions, joined at every scale.",
    ),
    "DeepLabV3": Card(
        "segmentation",
        "Chen et al. 2017, https://arxiv.org/abs/1706.05587",
        "segmentation-models-pytorch",
        "A ResNet-34 whose last features are read by parallel convolutions of growing dilation.",
    ),
    "FPN": Card(
        "segmentation",
        "Lin et al. 2017, https://arxiv.org/abs/1612.03144",
        "segmentation-models-pytorch",
        "A ResNet-34 whose scales are added from coarse to fine and read together.",
    ),
    "PSPNet": Card(
        "segmentation",
        "Zhao et al. 2017, https://arxiv.org/abs/1612.01105",
        "segmentation-models-pytorch",
        "A ResNet-34 whose features are pooled over regions of several sizes.",
    ),
    "DeepLabV3+": Card(
        "segmentation",
        "Chen et al. 2018, https://arxiv.org/abs/1802.02611",
        "segmentation-models-pytorch",
        "DeepLabV3 with a small decoder that takes up fine features.",
    ),
    "SegResNet": Card(
        "segmentation",
        "Myronenko 2018, https://arxiv.org/abs/1810.11654",
        "monai",
        "A slim U of pre-activated residual blocks with a light decoder.",
    ),
    "Unet++": Card(
        "segmentation",
        "Zhou et al. 2018, https://arxiv.org/abs/1807.10165",
        "monai",
        "A U-Net with a dense grid of convolutions in place of its skips.",
    ),
    "SegFormer": Card(
        "segmentation",
        "Xie et al. 2021, https://arxiv.org/abs/2105.15203",
        "segmentation-models-pytorch",
        "Features of four scales read by one multilayer perceptron; here on a ResNet-34, as in the benchmark.",
    ),
    "TransUNet": Card(
        "segmentation",
        "Chen et al. 2021, https://arxiv.org/abs/2102.04306",
        "carpus",
        "A residual network, twelve transformer layers on its features, and a U-Net's decoder.",
        fixed_size=True,
    ),
    "UKAN": Card(
        "segmentation",
        "Li et al. 2024, https://arxiv.org/abs/2406.02918",
        "carpus",
        "A U-Net whose two deepest levels mix tokens by learned splines.",
    ),
    "UMambaBot": Card(
        "segmentation",
        "Ma et al. 2024, https://arxiv.org/abs/2401.04722",
        "carpus",
        "A residual U-Net with a selective scan at its bottleneck.",
        scans=True,
    ),
    "UMambaEnc": Card(
        "segmentation",
        "Ma et al. 2024, https://arxiv.org/abs/2401.04722",
        "carpus",
        "A residual U-Net with a selective scan in every second stage of its encoder.",
        scans=True,
    ),
    "SwinUMamba": Card(
        "segmentation",
        "Liu et al. 2024, https://arxiv.org/abs/2402.03302",
        "carpus",
        "An encoder of selective scans in four directions and a residual decoder.",
        scans=True,
    ),
    "MobileViT": Card(
        "classification",
        "Mehta and Rastegari 2021, https://arxiv.org/abs/2110.02178",
        "timm",
        "Inverted residual blocks with small transformers between them.",
    ),
    "ResNet": Card(
        "classification",
        "He et al. 2016, https://doi.org/10.1109/CVPR.2016.90",
        "monai",
        "Eight basic residual blocks of 16 to 128 channels.",
    ),
    "MobileNet": Card(
        "classification",
        "Sandler et al. 2018, https://arxiv.org/abs/1801.04381",
        "timm",
        "Inverted residual blocks of depthwise convolutions at half width (version 2).",
    ),
    "LeViT": Card(
        "classification",
        "Graham et al. 2021, https://arxiv.org/abs/2104.01136",
        "timm",
        "A convolutional stem and a shrinking pyramid of attention.",
        fixed_size=True,
    ),
    "EfficientFormer": Card(
        "classification",
        "Li et al. 2022, https://arxiv.org/abs/2212.08059",
        "timm",
        "Convolutions first, attention at the coarse scales (version 2, S0).",
        fixed_size=True,
    ),
    "MedMamba": Card(
        "classification",
        "Yue and Li 2024, https://arxiv.org/abs/2403.03849",
        "carpus",
        "Blocks that convolve half of the channels and scan the other half in four directions.",
        scans=True,
    ),
    "ConvKAN": Card(
        "classification",
        "Drokin 2024, https://arxiv.org/abs/2407.01092",
        "carpus",
        "Four convolutions whose weights are learned splines.",
    ),
}
"""Every network of the benchmark by its name in `SEGMENTERS` and `CLASSIFIERS`."""
