"""Training samples as a PyTorch dataset, drawn on the fly, and their grey values made in batches on any device.

Every item is another wrist under another device: an epoch is only a number of items. Grey values can be made where the
network runs: `ProjectedDataset` gives attenuation, and `expose` turns a batch of it into images on the GPU.

References:
    Billot B et al. SynthSeg. Med Image Anal 2023;86:102789. https://doi.org/10.1016/j.media.2023.102789
"""

import math

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor
from torch.nn import functional
from torch.utils.data import Dataset

from carpus.anatomy import Side
from carpus.data.torch_datasets import Key
from carpus.imaging.geometry import mirror
from carpus.imaging.intensity import min_max
from carpus.imaging.masks import BoneMasks
from carpus.phantom.samples import draw_decoy, project_sample, sample

_COARSE = 8
_INVERTED = 0.08


class Phantoms:
    """What datasets of drawn wrists are told, and the chance of an item."""

    def __init__(
        self, length: int, *, image_size: int, mirror_left: bool, seed: int = 0, is_fixed: bool = False
    ) -> None:
        self.length = length
        self.image_size = image_size
        self.mirror_left = mirror_left
        self.seed = seed
        self.is_fixed = is_fixed

    def __len__(self) -> int:
        return self.length

    def chance(self, key: Key) -> np.random.Generator:
        """Where everything of an item is drawn from."""
        epoch, index = key
        return np.random.default_rng([self.seed, 0 if self.is_fixed else epoch, index])

    def turned(self, side: Side, *images: np.ndarray) -> tuple[np.ndarray, ...]:
        """The images as the network sees them: of a left hand mirrored, where it should be."""
        return tuple(map(mirror, images)) if self.mirror_left and side is Side.LEFT else images


class SampleDataset(Phantoms, Dataset[tuple[Tensor, Tensor]]):
    """Items `(image, plane)`, as of `BoneDataset`: float32 `(1, s, s)` in 0 to 1, and the packed masks, int16 `(s, s)`.

    Keys are `(epoch, index)`; the same key gives the same item in any worker.

    Args:
        length: Items an epoch.
        image_size: Edge s in pixels.
        mirror_left: Whether left hands are flipped to right.
        seed: Of everything.
        is_fixed: Whether every epoch has the same items, as a validation needs.
        decoys: Part of the items that show no wrist from its back, see `draw_decoy`; 0 to 1.
    """

    def __init__(
        self,
        length: int,
        *,
        image_size: int,
        mirror_left: bool,
        seed: int = 0,
        is_fixed: bool = False,
        decoys: float = 0.0,
    ) -> None:
        super().__init__(length, image_size=image_size, mirror_left=mirror_left, seed=seed, is_fixed=is_fixed)
        self.decoys = decoys

    def __getitem__(self, key: Key) -> tuple[Tensor, Tensor]:
        chance = self.chance(key)
        draw = draw_decoy if self.decoys and chance.random() < self.decoys else sample
        drawn = draw(chance, size_px=self.image_size)
        pixels, plane = self.turned(drawn.side, drawn.pixels, drawn.plane)
        return torch.from_numpy(min_max(pixels))[None], torch.from_numpy(plane.astype(np.int16))


class ProjectedDataset(Phantoms, Dataset[tuple[Tensor, Tensor, float]]):
    """Items `(attenuation, masks, spacing_mm)` for `expose`; otherwise as `SampleDataset`.

    Args:
        length: Items an epoch.
        image_size: Edge s in pixels.
        mirror_left: Whether left hands are flipped to right.
        seed: Of everything.
        is_fixed: Whether every epoch has the same items.
    """

    def __getitem__(self, key: Key) -> tuple[Tensor, Tensor, float]:
        drawn = project_sample(self.chance(key), size_px=self.image_size)
        values, plane = self.turned(drawn.side, drawn.attenuation, drawn.plane)
        masks = BoneMasks(plane).stack().astype(np.float32)
        return torch.from_numpy(np.ascontiguousarray(values))[None], torch.from_numpy(masks), drawn.spacing_mm


def expose(
    attenuation: Float32[Tensor, "b 1 h w"], spacing_mm: Float32[Tensor, " b"], generator: torch.Generator
) -> Float32[Tensor, "b 1 h w"]:
    """Images in 0 to 1 of a batch, each by another random device; on the device where the batch lies.

    It does what `carpus.phantom.samples.acquisition` does to one image, but for JPEG and collimation.

    Args:
        attenuation: From `ProjectedDataset`.
        spacing_mm: Edge of a pixel of each.
        generator: On the same device.
    """
    chance = _Chance(len(attenuation), attenuation.device, generator)
    spacing_mm = spacing_mm.to(attenuation)
    beam = torch.exp(-attenuation * chance.normal(0, 0.2).exp())
    scatter = 0.5 * chance.uniform(0, 1) ** 2
    beam = (1 - scatter) * beam + scatter * _blurred_widely(beam, chance.uniform(5, 20).flatten() / spacing_mm)
    beam = _blurred(beam, chance.uniform(math.log(0.04), math.log(0.32)).exp().flatten() / spacing_mm)
    quanta = chance.uniform(math.log(2000), math.log(60000)).exp() * (spacing_mm.view(-1, 1, 1, 1) / 0.15) ** 2
    noise = torch.randn(beam.shape, generator=generator, device=beam.device)
    signal = -(beam + (beam / quanta).sqrt() * noise).clamp(min=1e-4).log()

    radius_px = chance.uniform(math.log(0.2), math.log(1.6)).exp().flatten() / spacing_mm
    gain = chance.uniform(0.1, 1.2) * (chance.uniform(0, 1) < 0.55)
    signal = signal + gain * (signal - _blurred(signal, radius_px))
    share = chance.uniform(0.1, 0.75) * (chance.uniform(0, 1) < 0.4)
    signal = signal - share * _blurred_widely(signal, chance.uniform(3, 15).flatten() / spacing_mm)

    ordered = signal[:, :, ::5, ::5].flatten(1).sort(dim=1).values
    low = _at(ordered, chance.uniform(0.0, 0.12))
    high = _at(ordered, chance.uniform(0.975, 0.9995))
    span = (high - low).clamp(min=0.05)
    low, high = low - chance.uniform(-0.05, 0.25) * span, high + chance.uniform(-0.05, 0.35) * span
    grey = ((signal - low) / (high - low).clamp(min=0.05)).clamp(0, 1)

    grey = grey.clamp(min=1e-6) ** chance.normal(0.1, 0.4).exp()
    middle, steep = chance.uniform(0.25, 0.75), chance.uniform(2, 9)
    first, last = torch.sigmoid(-steep * middle), torch.sigmoid(steep * (1 - middle))
    bent = (torch.sigmoid(steep * (grey - middle)) - first) / (last - first)
    grey = torch.lerp(grey, bent, chance.uniform(0, 1) * (chance.uniform(0, 1) < 0.5))
    inverted = chance.uniform(0, 1) < _INVERTED
    grey = torch.where(inverted, 1 - grey, grey)
    least, most = grey.amin(dim=(1, 2, 3), keepdim=True), grey.amax(dim=(1, 2, 3), keepdim=True)
    image: Tensor = (grey - least) / (most - least).clamp(min=1e-6)
    return image


class _Chance:
    """Random numbers for a batch, one an image, as `(b, 1, 1, 1)`."""

    def __init__(self, count: int, device: torch.device, generator: torch.Generator) -> None:
        self.count = count
        self.device = device
        self.generator = generator

    def uniform(self, low: float, high: float) -> Tensor:
        drawn = torch.rand(self.count, 1, 1, 1, generator=self.generator, device=self.device)
        return low + (high - low) * drawn

    def normal(self, mean: float, deviation: float) -> Tensor:
        drawn = torch.randn(self.count, 1, 1, 1, generator=self.generator, device=self.device)
        return mean + deviation * drawn


def _at(ordered: Tensor, share: Tensor) -> Tensor:
    """The value that this share of an image lies below."""
    place = (share.flatten() * (ordered.shape[1] - 1)).long()
    return ordered.gather(1, place[:, None]).view(-1, 1, 1, 1)


def _blurred(images: Tensor, sigma_px: Tensor) -> Tensor:
    """Each image blurred by its own Gaussian."""
    sigma_px = sigma_px.clamp(min=0.05)
    radius = min(max(1, math.ceil(3 * float(sigma_px.max()))), min(images.shape[-2:]) - 1)
    offsets = torch.arange(-radius, radius + 1, device=images.device, dtype=images.dtype)
    kernels = torch.exp(-0.5 * (offsets / sigma_px[:, None]) ** 2)
    kernels = kernels / kernels.sum(dim=1, keepdim=True)
    stacked = functional.pad(images.transpose(0, 1), (radius,) * 4, mode="replicate")
    stacked = functional.conv2d(stacked, kernels[:, None, None, :], groups=len(images))
    stacked = functional.conv2d(stacked, kernels[:, None, :, None], groups=len(images))
    return stacked.transpose(0, 1)


def _blurred_widely(images: Tensor, sigma_px: Tensor) -> Tensor:
    """As `_blurred`, at an eighth of the resolution."""
    small = functional.avg_pool2d(images, _COARSE)
    small = _blurred(small, sigma_px / _COARSE)
    return functional.interpolate(small, images.shape[-2:], mode="bilinear", align_corners=False)
