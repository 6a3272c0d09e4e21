"""The changes of `augmentation` for a whole batch in PyTorch, where the batch lies: on a GPU, or a CPU.

The result is that of `augmentation.augment` on each image with the same change, to rounding: the same pixels are
looked up with the same weights, and the noise is the same function of the pixel's number.
"""

from collections.abc import Sequence

import cv2
import torch
from jaxtyping import Float32, Int16, Shaped
from torch import Tensor
from torch.nn import functional

from carpus.data.warp import NOISE_SD, TONES
from carpus.training.augmentation import Change, blur_px

_32_BITS = 0xFFFFFFFF


def augment_batch(
    images: Sequence[Shaped[Tensor, "h w"]],
    planes: Sequence[Int16[Tensor, "h w"]],
    changes: Sequence[Change],
    *,
    size: int,
) -> tuple[Float32[Tensor, "b 1 s s"], Int16[Tensor, "b s s"]]:
    """Images and packed planes changed and brought to s x s.

    Args:
        images: Grey values, 8 or 16 bits, each of its own size, all on one device.
        planes: Packed bone masks on the same grids.
        changes: One an image, from `augmentation.draw_change`.
        size: Edge s of the result in pixels.

    Returns:
        Grey values in 0 to 1, and the planes, each pixel with the bones at its centre.
    """
    device = images[0].device
    tall, wide = (max(image.shape[axis] for image in images) + 3 for axis in (0, 1))
    grey = torch.zeros((len(images), tall, wide), device=device)
    bones = torch.zeros((len(images), tall, wide), dtype=torch.int16, device=device)
    for row, (image, plane) in enumerate(zip(images, planes, strict=True)):
        height, width = image.shape
        grey[row, 1 : height + 1, 1 : width + 1] = _blurred(image, size)
        bones[row, 1 : height + 1, 1 : width + 1] = plane
    px, py = _places(images, changes, size)
    ix, iy = px.long(), py.long()
    right, down = px - ix, py - iy
    cell = iy * wide + ix
    values = grey.flatten(1)
    a, b, c, d = (_look_up(values, cell + step) for step in (0, 1, wide, wide + 1))
    upper, lower = a + (b - a) * right, c + (d - c) * right
    near = (py + 0.5).long() * wide + (px + 0.5).long()
    return _toned(upper + (lower - upper) * down, changes)[:, None], _look_up(bones.flatten(1), near)


def _look_up(values: Tensor, places: Tensor) -> Tensor:
    return values.gather(1, places.flatten(1)).view(places.shape)


def _blurred(image: Tensor, size: int) -> Tensor:
    """As OpenCV's Gaussian blur, which rounds to whole grey values."""
    height, width = image.shape
    sigma = blur_px(height=height, width=width, size=size)
    reach = 3 if image.dtype == torch.uint8 else 4
    length = round(sigma * reach * 2 + 1) | 1
    weights = torch.from_numpy(cv2.getGaussianKernel(length, sigma, cv2.CV_32F)).to(image.device)[:, 0]
    half = length // 2
    padded = functional.pad(image.float()[None, None], (half, half, half, half), mode="reflect")
    across = functional.conv2d(padded, weights[None, None, None, :])
    return functional.conv2d(across, weights[None, None, :, None])[0, 0].round()


def _places(images: Sequence[Tensor], changes: Sequence[Change], size: int) -> tuple[Tensor, Tensor]:
    """Where each pixel of the result lies in its image, whose first pixel is at (1, 1), held inside a margin of 0."""
    device = images[0].device
    steps = torch.arange(size, device=device, dtype=torch.float32)
    rows = torch.arange(size, device=device, dtype=torch.float64)
    x: list[Tensor] = []
    y: list[Tensor] = []
    for image, change in zip(images, changes, strict=True):
        height, width = image.shape
        inverse = change.inverse(height=height, width=width, size=size)
        for places, (step, along, start), last in zip((x, y), inverse.tolist(), (width, height), strict=True):
            begin = (along * rows + start + 1).float()
            places.append((begin[:, None] + torch.tensor(step, device=device) * steps).clamp(0, last + 1))
    return torch.stack(x), torch.stack(y)


def _toned(grey: Tensor, changes: Sequence[Change]) -> Tensor:
    device, size = grey.device, grey.shape[-1]
    low, high = grey.amin((1, 2), keepdim=True), grey.amax((1, 2), keepdim=True)
    value = torch.where(high > low, (grey - low) * (TONES / (high - low)), 0)
    place = value.long().clamp(max=TONES)
    curves = torch.stack([torch.from_numpy(change.curve()) for change in changes]).to(device)
    start, stop = _look_up(curves, place), _look_up(curves, (place + 1).clamp(max=TONES))
    seeds = torch.tensor([change.noise_seed for change in changes], device=device)
    noise = torch.tensor([change.noise / NOISE_SD for change in changes], device=device, dtype=torch.float32)
    pixels = torch.arange(size * size, device=device).view(size, size)
    value = start + (stop - start) * (value - place) + _noise(pixels, seeds) * noise[:, None, None]
    return value.clamp(0, 1)


def _noise(pixels: Tensor, seeds: Tensor) -> Tensor:
    """The hash of `warp`, in 64-bit integers cut to 32."""
    z = ((pixels * 0x9E3779B9) + seeds[:, None, None]) & _32_BITS
    z = ((z ^ (z >> 16)) * 0x7FEB352D) & _32_BITS
    z = ((z ^ (z >> 15)) * 0x846CA68B) & _32_BITS
    z ^= z >> 16
    return sum((z >> shift & 255 for shift in (0, 8, 16, 24)), start=torch.tensor(-510, device=z.device)).float()
