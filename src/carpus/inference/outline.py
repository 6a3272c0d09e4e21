"""The wrist on a film and its fourteen bones, as the network for bones sees them.

The crop that the network sees is the one it was trained on: 90 mm square, 0.15 mm a pixel, a right hand with the thumb
to the left of the image. What is returned is in the film's own orientation.
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import UInt8

from carpus.anatomy import Bone, Side
from carpus.errors import InputError
from carpus.imaging.geometry import Box, mirror, resize
from carpus.imaging.intensity import min_max, to_8_bits
from carpus.imaging.masks import BoneMasks
from carpus.imaging.radiograph import Radiograph
from carpus.imaging.wrist_crop import WINDOW, WRIST_MM
from carpus.inference.model import Model
from carpus.inference.solid import whole_bones
from carpus.inference.wrist import find_wrist, fingers_up
from carpus.nets.apply import segment

CROP_MM = WRIST_MM
CROP_PX = 600
_FEWEST_BONES = 10
_LEAST_BONE_PX = 400


@dataclass(frozen=True, eq=False)
class OutlinedWrist:
    """The wrist on a film.

    Attributes:
        film: With the fingers up; turned if they were not.
        box: The wrist on the film, square, in pixels.
        pixels: The wrist alone, 8 bits, in the film's orientation.
        masks: The fourteen bones on the grid of `pixels`.
        confidence: How sure the network is of its outlines on average, 0 to 1.
        thumb_left: Whether the thumb is to the left of the image.
        thumb_seen: Whether the outline of the hand told that; else the file's side did, or the network's own sureness.
        is_crop: Whether the film shows the wrist alone.
        notes: What a reader should know, one sentence each.
    """

    film: Radiograph
    box: Box
    pixels: UInt8[np.ndarray, "600 600"]
    masks: BoneMasks
    confidence: float
    thumb_left: bool
    thumb_seen: bool
    is_crop: bool
    notes: tuple[str, ...]


def outline_wrist(film: Radiograph, *, bones: Model) -> OutlinedWrist:
    """The wrist of a radiograph and its bones.

    Args:
        film: A hand or a wrist; a film on its side or head is turned first.
        bones: Segments the crop.

    Raises:
        InputError: No hand on it.
    """
    film = fingers_up(film)
    wrist = find_wrist(film)
    thumb_left = wrist.thumb_left
    if thumb_left is None and film.side is not None:
        thumb_left = film.side is Side.RIGHT
    choices = (True, False) if thumb_left is None else (thumb_left,)
    view = max((_look(bones, film, wrist.box, thumb_left=choice) for choice in choices), key=_confidence)
    if not wrist.is_crop:
        again = _look(bones, film, _recentred(view), thumb_left=view.thumb_left)
        view = max(view, again, key=_confidence)
    found = sum(int(view.masks.mask(bone).sum()) >= _LEAST_BONE_PX for bone in Bone)
    if found < _FEWEST_BONES:
        raise InputError(
            f"{film.source} shows no wrist that can be recognised ({found} of {len(Bone)} bones found); "
            "give a film of one hand from its back, fingers up"
        )
    return OutlinedWrist(
        film=film,
        box=view.box,
        pixels=view.pixels,
        masks=view.masks,
        confidence=view.confidence,
        thumb_left=view.thumb_left,
        thumb_seen=wrist.thumb_left is not None,
        is_crop=wrist.is_crop,
        notes=wrist.notes,
    )


@dataclass(frozen=True, eq=False)
class _View:
    """What the network sees in one square of the film."""

    box: Box
    pixels: UInt8[np.ndarray, "600 600"]
    masks: BoneMasks
    confidence: float
    thumb_left: bool


def _confidence(view: _View) -> float:
    return view.confidence


def _look(model: Model, film: Radiograph, box: Box, *, thumb_left: bool) -> _View:
    pixels = film.cropped(box).pixels
    pixels = to_8_bits(resize(pixels, height=CROP_PX, width=CROP_PX), percentiles=WINDOW)
    size = model.info.image_size
    seen = resize(pixels if thumb_left else mirror(pixels), height=size, width=size)
    logits = segment(model.network, min_max(seen), height=CROP_PX, width=CROP_PX)
    masks = whole_bones(BoneMasks.from_stack(logits > 0))
    # How sure the network is, |2p - 1|, of its least sure bone wherever any bone may be.
    near = (logits > -4).any(axis=0)
    confidence = float(np.abs(np.tanh(logits[:, near] / 2)).min(axis=0).mean()) if near.any() else 0.0
    return _View(box, pixels, masks if thumb_left else masks.mirrored(), confidence, thumb_left)


def _recentred(view: _View) -> Box:
    """The square moved so that the capitate is in its middle, where it was in training; unmoved without one."""
    place = np.argwhere(view.masks.mask(Bone.CAPITATE))
    if not len(place):
        return view.box
    y, x = np.median(place, axis=0) - CROP_PX / 2
    scale = view.box.width / CROP_PX
    return replace(view.box, x=view.box.x + float(x) * scale, y=view.box.y + float(y) * scale)
