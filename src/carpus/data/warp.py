"""One wrist to a network's input: image and packed bone plane resized or warped together, in compiled loops.

The image is sampled bilinearly. The plane takes the bones at the nearest pixel: a vote of four neighbours per bone
costs several times as much and moves an edge by less than half a pixel, and where bones overlap nearest keeps the
pairs that were drawn.

The loops look up several neighbours of a pixel at once: those are first packed into one word, so that every pixel of
the result costs one access that no compiler can vectorise, and the arithmetic around it is vectorised.
"""

from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float32, Float64, Shaped, UInt16, UInt32

from carpus.anatomy import Bone
from carpus.imaging.geometry import resize, resize_labels
from carpus.imaging.intensity import min_max
from carpus.metrics.compiling import compiled, part

TONES = 1024
"""Steps of a tone curve; between them it is linear."""
NOISE_SD = 147.8
"""Standard deviation of the sum of four random bytes."""
_TAPS = 4
_LARGEST_SHRINK = 3.0
_BLOCK = 4096
_BONES = len(Bone)
_u32, _u64, _f32, _i32 = np.uint32, np.uint64, np.float32, np.int32


def resized(
    image: Shaped[np.ndarray, "h w"],
    plane: UInt16[np.ndarray, "h w"],
    grey: Float32[np.ndarray, "s s"],
    labels: UInt16[np.ndarray, "s s"],
) -> None:
    """Writes the whole image, scaled to 0 to 1 by its own minimum and maximum, and the plane, both at s x s.

    Area averages when shrinking, bilinear when growing, as `imaging.geometry.resize`, but not rounded to whole grey
    values.

    Args:
        image: Grey values, 8 or 16 bits.
        plane: Packed bone masks on the same grid.
        grey: Takes the image.
        labels: Takes the plane.
    """
    height, width = image.shape
    size = len(grey)
    ratios = (height / size, width / size)
    shrinks = all(1 <= ratio <= _LARGEST_SHRINK for ratio in ratios)
    if not shrinks and not all(ratio < 1 for ratio in ratios):
        grey[:] = min_max(resize(image, height=size, width=size))
        labels[:] = resize_labels(plane, height=size, width=size)
        return
    rows, row_weights, near_rows = _taps(height, size)
    columns, column_weights, near_columns = _taps(width, size)
    fine = _f32(256 if image.dtype == np.uint8 else 1)
    _resize(
        _plain(image), _plain(plane), rows, row_weights, near_rows, columns, column_weights, near_columns, fine, grey,
        labels,
    )  # fmt: skip
    low, high = grey.min(), grey.max()
    _stretch(grey.reshape(-1), low, high - low if high > low else _f32(1))


def warped(
    image: Shaped[np.ndarray, "h w"],
    plane: UInt16[np.ndarray, "h w"],
    inverse: Float64[np.ndarray, "2 3"],
    grey: Float32[np.ndarray, "s s"],
    labels: UInt16[np.ndarray, "s s"],
) -> None:
    """Writes the grey values as they are, and the plane, both moved alike to s x s; 0 where the image has nothing.

    Args:
        image: Grey values, 8 or 16 bits.
        plane: Packed bone masks on the same grid.
        inverse: From the result's pixel `(x, y, 1)` to the image's, both measured from pixel centres.
        grey: Takes the image.
        labels: Takes the plane.
    """
    narrow = image.dtype == np.uint8
    height, width = image.shape
    padded = cv2.copyMakeBorder(image, 1, 2, 1, 2, cv2.BORDER_CONSTANT, value=0)
    bones = cv2.copyMakeBorder(plane, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    cells = np.empty((height + 2) * (width + 2), np.uint32 if narrow else np.uint64)
    bits = cells.dtype.type(8 if narrow else 16)
    mask = cells.dtype.type(255 if narrow else 65535)
    _warp(padded, bones.reshape(-1), np.asarray(inverse, np.float64), bits, mask, cells, grey, labels)


def tone(grey: Float32[np.ndarray, "s s"], curve: Float32[np.ndarray, " k"], *, noise: float, seed: int) -> None:
    """Sends the image through a tone curve, adds noise, and cuts it to 0 to 1, in place.

    Args:
        grey: Any range; its minimum meets the curve's beginning and its maximum the end.
        curve: `TONES + 1` values, evenly spaced.
        noise: Standard deviation of the noise.
        seed: Of the noise, 32 bits.
    """
    low, high = grey.min(), grey.max()
    scale = _f32(TONES) / (high - low) if high > low else _f32(0)
    pieces = np.column_stack([curve, np.diff(curve, append=curve[-1:])])
    _tone(grey, pieces.view(np.uint64)[:, 0].copy(), low, scale, _f32(noise / NOISE_SD), _u32(seed))


def unpack(planes: Shaped[np.ndarray, "b s s"], out: Shaped[np.ndarray, "b bones s s"]) -> None:
    """Writes bit i of each plane into channel i of `out`, of any type, as 0 and 1."""
    for plane, masks in zip(planes.view(np.uint16), out, strict=True):
        flat = masks.reshape(len(masks), -1)
        _unpack(plane.reshape(-1), flat.view(np.uint8) if flat.dtype == np.bool_ else flat)


def _plain(array: np.ndarray) -> np.ndarray:
    """The array as the compiled loops expect it: rows one after the other, no subclass."""
    return np.ascontiguousarray(array).view(np.ndarray)


@lru_cache(maxsize=512)
def _taps(
    length: int, size: int
) -> tuple[UInt32[np.ndarray, " s"], Float32[np.ndarray, "4 s"], UInt32[np.ndarray, " s"]]:
    """For each pixel of the result: its first pixel, the weights of four from there, and the nearest pixel."""
    ratio = length / size
    middle = (np.arange(size) + 0.5) * ratio
    if ratio >= 1:
        start, stop = np.arange(size) * ratio, np.arange(1, size + 1) * ratio
        first = np.floor(start + 1e-6).astype(np.int64)
        each = first + np.arange(_TAPS)[:, None]
        weights = np.clip(np.minimum(stop, each + 1) - np.maximum(start, each), 0, None)
    else:
        place = np.clip(middle - 0.5, 0, length - 1)
        first = np.minimum(place.astype(np.int64), max(length - 2, 0))
        weights = np.zeros((_TAPS, size))
        weights[1] = place - first
        weights[0] = 1 - weights[1]
    weights /= weights.sum(axis=0)
    nearest = np.minimum(middle.astype(np.int64), length - 1)
    return first.astype(np.uint32), weights.astype(np.float32), nearest.astype(np.uint32)


@part
def _stack_rows(image: Any, row: Any, weights: Any, y: Any, fine: Any, line: Any) -> None:
    """A row of the result at the image's width, in steps of 1 / fine."""
    last = image.shape[0] - 1
    first, second = image[row], image[min(row + 1, last)]
    third, fourth = image[min(row + 2, last)], image[min(row + 3, last)]
    a, b, c, d = weights[0, y], weights[1, y], weights[2, y], weights[3, y]
    for x in range(image.shape[1]):
        value = _f32(first[x]) * a + _f32(second[x]) * b + _f32(third[x]) * c + _f32(fourth[x]) * d
        line[x] = _u32(_i32(value * fine + _f32(0.5)))


@part
def _pack_neighbours(line: Any, words: Any) -> None:
    for x in range(len(words)):
        near = _u64(line[x]) | (_u64(line[x + 1]) << _u64(16))
        words[x] = near | (_u64(line[x + 2]) << _u64(32)) | (_u64(line[x + 3]) << _u64(48))


@part
def _look_up(words: Any, places: Any, found: Any) -> None:
    for x in range(len(places)):
        found[x] = words[places[x]]


@part
def _weigh(found: Any, weights: Any, per_step: Any, out: Any) -> None:
    low = _u64(65535)
    for x in range(len(out)):
        word = found[x]
        value = _f32(_i32(word & low)) * weights[0, x]
        value += _f32(_i32((word >> _u64(16)) & low)) * weights[1, x]
        value += _f32(_i32((word >> _u64(32)) & low)) * weights[2, x]
        value += _f32(_i32(word >> _u64(48))) * weights[3, x]
        out[x] = value * per_step


@compiled
def _resize(
    image: Any, plane: Any, rows: Any, row_weights: Any, near_rows: Any, columns: Any, column_weights: Any,
    near_columns: Any, fine: Any, grey: Any, labels: Any,
) -> None:  # fmt: skip
    width = image.shape[1]
    line = np.zeros(width + _TAPS, np.uint32)
    words = np.empty(width, np.uint64)
    found = np.empty(len(columns), np.uint64)
    for y in range(len(rows)):
        _stack_rows(image, int(rows[y]), row_weights, y, fine, line)
        _pack_neighbours(line, words)
        _look_up(words, columns, found)
        _weigh(found, column_weights, _f32(1) / fine, grey[y])
        _look_up(plane[int(near_rows[y])], near_columns, labels[y])


@part
def _pack_cells(padded: Any, bits: Any, cells: Any) -> None:
    """The pixel and its neighbours to the right, below, and both, in one word each."""
    height, width = padded.shape[0] - 1, padded.shape[1] - 1
    for y in range(height):
        upper, lower, row = padded[y], padded[y + 1], cells[y * width : (y + 1) * width]
        for x in range(width):
            word = (upper[x] | (upper[x + 1] << bits)) | (lower[x] << (bits + bits))
            row[x] = word | (lower[x + 1] << (bits + bits + bits))


@part
def _walk(
    at: Any, step: Any, limits: Any, stride: Any, steps: Any, cell: Any, near: Any, right: Any, down: Any
) -> None:
    """Where the pixels of a row come from: index of the cell and of the nearest pixel, and the place in the cell."""
    for x in range(len(steps)):
        px, py = at[0] + step[0] * steps[x], at[1] + step[1] * steps[x]
        px = max(_f32(0), px)
        py = max(_f32(0), py)
        px = min(limits[0], px)
        py = min(limits[1], py)
        ix, iy = _i32(px), _i32(py)
        right[x] = px - _f32(ix)
        down[x] = py - _f32(iy)
        cell[x] = _u32(iy * stride + ix)
        near[x] = _u32(_i32(py + _f32(0.5)) * stride + _i32(px + _f32(0.5)))


@part
def _between(found: Any, right: Any, down: Any, bits: Any, mask: Any, out: Any) -> None:
    for x in range(len(out)):
        word = found[x]
        a, b = _f32(_i32(word & mask)), _f32(_i32((word >> bits) & mask))
        c, d = _f32(_i32((word >> (bits + bits)) & mask)), _f32(_i32((word >> (bits + bits + bits)) & mask))
        upper, lower = a + (b - a) * right[x], c + (d - c) * right[x]
        out[x] = upper + (lower - upper) * down[x]


@compiled
def _warp(padded: Any, bones: Any, inverse: Any, bits: Any, mask: Any, cells: Any, grey: Any, labels: Any) -> None:
    _pack_cells(padded, bits, cells)
    size, stride = len(grey), _i32(padded.shape[1] - 1)
    limits = (_f32(padded.shape[1] - 2), _f32(padded.shape[0] - 2))
    step = (_f32(inverse[0, 0]), _f32(inverse[1, 0]))
    steps = np.arange(size).astype(np.float32)
    cell, near = np.empty(size, np.uint32), np.empty(size, np.uint32)
    right, down = np.empty(size, np.float32), np.empty(size, np.float32)
    found = np.empty(size, cells.dtype)
    for y in range(size):
        at = (_f32(inverse[0, 1] * y + inverse[0, 2] + 1), _f32(inverse[1, 1] * y + inverse[1, 2] + 1))
        _walk(at, step, limits, stride, steps, cell, near, right, down)
        _look_up(cells, cell, found)
        _look_up(bones, near, labels[y])
        _between(found, right, down, bits, mask, grey[y])


@part
def _noise(first: Any, seed: Any, sd: Any, out: Any) -> None:
    """Noise for a row of pixels from their number in the image: a hash of 32 bits, its four bytes added.

    Wellons C. Prospecting for hash functions. https://nullprogram.com/blog/2018/07/31/
    """
    for x in range(len(out)):
        z = _u32(_u32(_u32(first + x) * _u32(0x9E3779B9)) + seed)
        z = _u32(_u32(z ^ (z >> _u32(16))) * _u32(0x7FEB352D))
        z = _u32(_u32(z ^ (z >> _u32(15))) * _u32(0x846CA68B))
        z = _u32(z ^ (z >> _u32(16)))
        total = (z & _u32(255)) + ((z >> _u32(8)) & _u32(255)) + ((z >> _u32(16)) & _u32(255)) + (z >> _u32(24))
        out[x] = _f32(_i32(total) - _i32(510)) * sd


@part
def _on_curve(grey: Any, low: Any, scale: Any, places: Any, rest: Any) -> None:
    for x in range(len(grey)):
        value = (grey[x] - low) * scale
        place = _i32(value)
        places[x] = _u32(place)
        rest[x] = value - _f32(place)


@part
def _toned_row(pieces: Any, rest: Any, noise: Any, out: Any) -> None:
    for x in range(len(out)):
        value = pieces[2 * x] + pieces[2 * x + 1] * rest[x] + noise[x]
        out[x] = min(_f32(1), max(_f32(0), value))


@compiled
def _tone(grey: Any, pieces: Any, low: Any, scale: Any, sd: Any, seed: Any) -> None:
    """Through the pieces of a curve, each start and rise as two 32-bit numbers in one word."""
    size = grey.shape[1]
    places, rest, noise = np.empty(size, np.uint32), np.empty(size, np.float32), np.zeros(size, np.float32)
    found = np.empty(size, np.uint64)
    for y in range(len(grey)):
        _on_curve(grey[y], low, scale, places, rest)
        _look_up(pieces, places, found)
        if sd > 0:
            _noise(y * size, seed, sd, noise)
        _toned_row(found.view(np.float32), rest, noise, grey[y])


@compiled
def _stretch(grey: Any, low: Any, span: Any) -> None:
    for x in range(len(grey)):
        grey[x] = (grey[x] - low) / span


@compiled
def _unpack(plane: Any, out: Any) -> None:
    for start in range(0, len(plane), _BLOCK):
        pixels = plane[start : start + _BLOCK]
        for channel in range(_BONES):
            masks = out[channel, start : start + _BLOCK]
            for x in range(len(pixels)):
                masks[x] = (pixels[x] >> np.uint16(channel)) & np.uint16(1)
