"""What the network for bones sees in one square of a film, looked at once or at several placings of the square."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from jaxtyping import Float32, Shaped, UInt8
from torch import Tensor
from torch.nn import functional

from carpus.imaging.geometry import Box, mirror, resize
from carpus.imaging.intensity import between, min_max, to_8_bits
from carpus.imaging.masks import BoneMasks
from carpus.imaging.radiograph import Radiograph
from carpus.imaging.wrist_crop import WINDOW, WRIST_MM
from carpus.inference.model import Model
from carpus.inference.solid import whole_bones

CROP_MM = WRIST_MM
CROP_PX = 600
CROP_SPACING_MM = CROP_MM / CROP_PX
_MARGIN_PX = 75
_STEP_PX = 32
_SMOOTH_PX = 2.5
"""About a pixel of the network: finer frays of an outline are none of its knowledge."""

RIM_PX = 4
"""So near to a border an outline is cut off by it, because it is smooth."""

_MAY_BE = -4.0
"""Logit above which a bone may be at a pixel, for the confidence."""


@dataclass(frozen=True)
class Placing:
    """How the square is laid before the network sees it.

    Attributes:
        zoom: Above 1 shows less of the film, larger.
        degrees: Turned to the left.
        x: Shift to the right, as a part of the square's edge.
        y: Shift down.
    """

    zoom: float = 1.0
    degrees: float = 0.0
    x: float = 0.0
    y: float = 0.0


STRAIGHT = (Placing(),)
SEVERAL = (Placing(), Placing(zoom=1.08), Placing(zoom=0.93), Placing(degrees=7), Placing(degrees=-7))
"""On phantoms like those it learnt from their mean is no better than the first alone; on other films it is steadier."""


@dataclass(frozen=True, eq=False)
class Look:
    """What the network sees in one square of a film.

    Attributes:
        box: The square in pixels of the film.
        pixels: What is in it, 8 bits, in the film's orientation.
        masks: The fourteen bones on the same grid.
        confidence: How sure the network is on average, 0 to 1.
        thumb_left: Whether it was looked at as a hand with its thumb to the left of the image.
    """

    box: Box
    pixels: UInt8[np.ndarray, "600 600"]
    masks: BoneMasks
    confidence: float
    thumb_left: bool


def look_at(model: Model, film: Radiograph, box: Box, *, thumb_left: bool, places: tuple[Placing, ...]) -> Look:
    """The bones in a square of a film.

    Args:
        model: For bones.
        film: With the fingers up.
        box: The square, in pixels of the film; what lies beyond the film is black.
        thumb_left: Whether the thumb is to the left of the image; else the network sees the square mirrored.
        places: At least one; the logits are averaged over them.
    """
    wide = _with_margin(film, box)
    pixels = wide[_MARGIN_PX:-_MARGIN_PX, _MARGIN_PX:-_MARGIN_PX]
    low, high = np.percentile(pixels, WINDOW)
    wide = between(wide, low=float(low), high=float(high))
    pixels = np.ascontiguousarray(wide[_MARGIN_PX:-_MARGIN_PX, _MARGIN_PX:-_MARGIN_PX])
    logits = _logits(model, wide if thumb_left else mirror(wide), places)
    smooth = np.stack([cv2.GaussianBlur(channel, (0, 0), _SMOOTH_PX) for channel in logits])
    masks = whole_bones(BoneMasks.from_stack(smooth > 0))
    # How sure the network is, |2p - 1|, of its least sure bone wherever any bone may be.
    near = (logits > _MAY_BE).any(axis=0)
    confidence = float(np.abs(np.tanh(logits[:, near] / 2)).min(axis=0).mean()) if near.any() else 0.0
    return Look(box, pixels, masks if thumb_left else masks.mirrored(), confidence, thumb_left)


@torch.inference_mode()
def look_everywhere(model: Model, film: Radiograph, edge: float, *, thumb_left: bool) -> BoneMasks:
    """The bones on a whole film, on a coarser grid.

    Args:
        model: For bones.
        film: With the fingers up.
        edge: How many of the film's pixels become one edge of what the network was trained on.
        thumb_left: As in `look_at`.
    """
    shrink = model.info.image_size / edge
    height, width = (max(round(length * shrink), 1) for length in film.shape)
    pixels = to_8_bits(resize(film.pixels, height=height, width=width), percentiles=WINDOW)
    image = min_max(pixels if thumb_left else mirror(pixels))
    # Whole steps of the network's coarsest stage.
    padded = np.pad(image, ((0, -height % _STEP_PX), (0, -width % _STEP_PX)))
    logits = model.network(torch.from_numpy(padded)[None, None])[0, :, :height, :width]
    masks = whole_bones(BoneMasks.from_stack(logits.float().numpy() > 0))
    return masks if thumb_left else masks.mirrored()


def _with_margin(film: Radiograph, box: Box) -> Shaped[np.ndarray, "h w"]:
    """The square and an eighth of its edge around it, at the crop's scale."""
    around = box.width * _MARGIN_PX / CROP_PX
    wide = Box(box.x - around, box.y - around, box.width + 2 * around, box.height + 2 * around)
    edge = CROP_PX + 2 * _MARGIN_PX
    return resize(film.cropped(wide).pixels, height=edge, width=edge)


@torch.inference_mode()
def _logits(
    model: Model, wide: UInt8[np.ndarray, "h w"], places: tuple[Placing, ...]
) -> Float32[np.ndarray, "14 600 600"]:
    """The mean logits of several placings, on the crop's grid."""
    size = model.info.image_size
    source = torch.from_numpy(wide.astype(np.float32))[None, None]
    total, weight = torch.zeros(1), torch.zeros(1)
    for place in places:
        there, back = _ways(place)
        seen = _sampled(source, there * CROP_PX / (CROP_PX + 2 * _MARGIN_PX))[0, 0].numpy()
        logits = model.network(torch.from_numpy(min_max(resize(seen, height=size, width=size)))[None, None]).float()
        # The last channel counts where the placing shows anything.
        placed = _sampled(torch.cat([logits, torch.ones_like(logits[:, :1])], dim=1), back)[0]
        total, weight = total + placed[:-1], weight + placed[-1:]
    mean: Float32[np.ndarray, "14 600 600"] = (total / weight.clamp(min=1e-3)).numpy()
    return mean


def _ways(place: Placing) -> tuple[Float32[Tensor, "2 3"], Float32[Tensor, "2 3"]]:
    """From what the network sees to the crop and back, both from -1 to 1 along each axis."""
    angle = math.radians(place.degrees)
    turn = torch.tensor([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    shift = 2 * torch.tensor([[place.x], [place.y]])
    there, back = turn / place.zoom, turn.T * place.zoom
    return torch.cat([there, -there @ shift], dim=1), torch.cat([back, shift], dim=1)


def _sampled(images: Float32[Tensor, "1 c h w"], way: Float32[Tensor, "2 3"]) -> Float32[Tensor, "1 c 600 600"]:
    """The images at the places where a way leads the crop's pixels."""
    grid = functional.affine_grid(way[None], [1, images.shape[1], CROP_PX, CROP_PX], align_corners=False)
    return functional.grid_sample(images, grid, align_corners=False)
