"""A wrist cut from its film at a fixed pixel size: grey values and masks on one grid.

Where the film has that pixel size already, pixels are copied, not resampled.
"""

import numpy as np
from jaxtyping import Float64, Shaped

from carpus.imaging.geometry import Box, crop
from carpus.imaging.masks import BoneMasks

WRIST_MM = 90.0
"""Edge of the square that networks see of a wrist."""

WINDOW = (0.5, 99.8)
"""Percentiles of its grey values that become black and white."""

_EQUAL = 1e-3


def crop_box(centre: tuple[float, float], *, film_mm: float, crop_mm: float, size_px: int) -> Box:
    """The square of a film that becomes a crop, in pixels of the film; whole ones where none has to be resampled.

    Args:
        centre: `(x, y)` on the film.
        film_mm: Edge of the film's pixels.
        crop_mm: Edge of the crop's pixels.
        size_px: Edge of the crop.

    Example:
        >>> crop_box((400.3, 500.0), film_mm=0.15, crop_mm=0.15, size_px=600)
        Box(x=100.0, y=200.0, width=600.0, height=600.0)
    """
    edge = size_px * crop_mm / film_mm
    if abs(edge / size_px - 1) < _EQUAL:
        left, top = (float(round(middle - size_px / 2)) for middle in centre)
        return Box(left, top, float(size_px), float(size_px))
    return Box(centre[0] - edge / 2, centre[1] - edge / 2, edge, edge)


def cut(pixels: Shaped[np.ndarray, "h w"], box: Box, *, size_px: int) -> Shaped[np.ndarray, "n n"]:
    """The grey values inside a box, 8 or 16 bits as they were; black outside of the film.

    Values between pixels are interpolated along straight lines; shrinking averages over what falls into a pixel, so
    that no noise is made up.

    Args:
        pixels: Of the film.
        box: From `crop_box`.
        size_px: Edge of the crop.
    """
    if box.width == size_px:
        return crop(pixels, box)
    step = box.width / size_px
    rows = _weights(box.y, step, size_px=size_px, length=pixels.shape[0])
    columns = _weights(box.x, step, size_px=size_px, length=pixels.shape[1])
    # Only the part of the film that has any weight is touched.
    down, across = (np.flatnonzero(weights.any(axis=0)) for weights in (rows, columns))
    if not down.size or not across.size:
        return np.zeros((size_px, size_px), pixels.dtype)
    y, x = slice(down[0], down[-1] + 1), slice(across[0], across[-1] + 1)
    values = rows[:, y] @ pixels[y, x].astype(np.float64) @ columns[:, x].T
    return np.asarray(np.rint(values).astype(pixels.dtype))


def cut_masks(masks: BoneMasks, box: Box, *, size_px: int) -> BoneMasks:
    """The bones inside a box: each pixel takes those of the film at its centre; nothing lies outside of the film."""
    if box.width == size_px:
        return masks.cropped(box)
    places = (np.arange(size_px) + 0.5) * box.width / size_px
    columns, rows = (np.floor(start + places).astype(int) for start in (box.x, box.y))
    height, width = masks.shape
    inside = ((rows >= 0) & (rows < height))[:, None] & ((columns >= 0) & (columns < width))[None]
    plane = masks.plane[np.clip(rows, 0, height - 1)[:, None], np.clip(columns, 0, width - 1)[None]]
    return BoneMasks(np.where(inside, plane, 0).astype(np.uint16))


def _weights(start: float, step: float, *, size_px: int, length: int) -> Float64[np.ndarray, "n m"]:
    """How much each pixel of the film counts for each of the crop along one axis; rows sum to 1, or to 0 outside."""
    # The middle of pixel i of the film is at i + 0.5, and so on the crop.
    places = start + (np.arange(size_px) + 0.5) * step - 0.5
    weights = np.maximum(1 - np.abs(places[:, None] - np.arange(length)) / max(step, 1.0), 0)
    inside = (places > -0.5) & (places < length - 0.5)
    total = weights.sum(axis=1, keepdims=True)
    normalised: Float64[np.ndarray, "n m"] = np.where(inside[:, None], weights / np.maximum(total, 1e-12), 0)
    return normalised


def share_outside(box: Box, *, height: int, width: int) -> float:
    """The part of a box that lies outside of the film, 0 to 1."""
    across = min(box.x + box.width, width) - max(box.x, 0)
    down = min(box.y + box.height, height) - max(box.y, 0)
    return 1 - max(across, 0) * max(down, 0) / box.area
