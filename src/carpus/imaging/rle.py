"""Masks in COCO's forms: runs of pixels (RLE, compressed or not) and polygons.

Runs go down the columns, first outside, then inside, and so on. The compressed form writes each run as its difference
from the last but one, in characters of five bits. It is read here without trust: sizes and runs are checked before
memory is taken.

References:
    Lin et al. Microsoft COCO: common objects in context. 2014. https://doi.org/10.1007/978-3-319-10602-1_48
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Int64
from pycocotools import mask as coco

from carpus.errors import InputError
from carpus.imaging.files import MAX_PIXELS

_FIRST, _LAST = ord("0"), ord("0") + 63
_BITS, _MORE, _NEGATIVE = 5, 0x20, 0x10
_LONGEST_NUMBER = 7
"""Characters of the largest number of 32 bits."""


def encode_rle(mask: Bool[np.ndarray, "h w"]) -> dict[str, Any]:
    """The mask as COCO's compressed runs: `{"size": [height, width], "counts": text}`.

    Example:
        >>> encode_rle(np.array([[False, True], [False, True]]))
        {'size': [2, 2], 'counts': '22'}
    """
    runs = coco.encode(np.asfortranarray(mask, np.uint8))
    return {"size": [int(edge) for edge in runs["size"]], "counts": runs["counts"].decode("ascii")}


def decode_rle(rle: Mapping[str, Any]) -> Bool[np.ndarray, "h w"]:
    """The mask from COCO's runs: `counts` as text, or as a list of lengths.

    Raises:
        InputError: Not such a mapping, larger than `MAX_PIXELS`, or runs that do not add up to the size.

    Example:
        >>> decode_rle({"size": [2, 2], "counts": [2, 2]})
        array([[False,  True],
               [False,  True]])
    """
    height, width = mask_size(rle.get("size"))
    counts = rle.get("counts")
    if isinstance(counts, (str, bytes)):
        runs = _decompressed(counts.encode("utf-8") if isinstance(counts, str) else counts)
    elif isinstance(counts, list) and all(type(count) is int and 0 <= count <= MAX_PIXELS for count in counts):
        runs = np.array(counts, np.int64)
    else:
        raise InputError("RLE has counts that are neither text nor a list of whole numbers; encode the mask again")
    if (runs < 0).any() or (runs > MAX_PIXELS).any() or runs.sum() != height * width:
        raise InputError(f"RLE has runs that do not add up to its size {height} x {width}; encode the mask again")
    inside = np.arange(len(runs)) % 2 == 1
    return np.repeat(inside, runs).reshape(width, height).T


def mask_size(size: Any) -> tuple[int, int]:
    """Height and width in pixels, checked.

    Raises:
        InputError: Not two whole numbers above 0, or more pixels than `MAX_PIXELS`.
    """
    if (
        not isinstance(size, (list, tuple))
        or len(size) != 2
        or not all(type(edge) is int and edge > 0 for edge in size)
    ):
        raise InputError(f"mask has the size {size!r:.40}, expected [height, width] in pixels; encode it again")
    height, width = size
    if height * width > MAX_PIXELS:
        raise InputError(f"mask claims {width} x {height} pixels, expected at most {MAX_PIXELS}; encode it again")
    return height, width


def fill_polygons(polygons: Sequence[Sequence[float]], *, height: int, width: int) -> Bool[np.ndarray, "h w"]:
    """The mask inside any of the polygons, each `[x1, y1, x2, y2, ...]` in pixels, filled as COCO does.

    Raises:
        InputError: Fewer than three corners, corners that are not numbers or far outside, or larger than `MAX_PIXELS`.

    Example:
        >>> fill_polygons([[1, 0, 3, 0, 3, 2, 1, 2]], height=2, width=4).astype(int)
        array([[0, 1, 1, 0],
               [0, 1, 1, 0]])
    """
    height, width = mask_size([height, width])
    for polygon in polygons:
        _check_polygon(polygon, height=height, width=width)
    if not polygons:
        return np.zeros((height, width), bool)
    runs = coco.merge(coco.frPyObjects([[float(value) for value in polygon] for polygon in polygons], height, width))
    return decode_rle(runs)


def _decompressed(text: bytes) -> Int64[np.ndarray, " n"]:
    characters = np.frombuffer(text, np.uint8).astype(np.int64)
    if not characters.size:
        return characters
    codes = characters - _FIRST
    last = (codes & _MORE) == 0
    ends = np.flatnonzero(last)
    starts = np.concatenate([[0], ends[:-1] + 1])
    outside = (characters < _FIRST).any() or (characters > _LAST).any()
    if outside or not last[-1] or (ends - starts).max() >= _LONGEST_NUMBER:
        raise InputError("RLE has counts that are not COCO's compressed form; encode the mask again")
    place = np.arange(codes.size) - np.repeat(starts, ends - starts + 1)
    numbers = np.add.reduceat((codes & (_MORE - 1)) << (_BITS * place), starts)
    numbers -= np.where(codes[ends] & _NEGATIVE, np.left_shift(1, _BITS * (ends - starts + 1)), 0)
    # From the fourth on, a number is the difference from the last but one.
    for chain in (numbers[1::2], numbers[2::2]):
        np.cumsum(chain, out=chain)
    return numbers


def _check_polygon(polygon: Sequence[float], *, height: int, width: int) -> None:
    if not isinstance(polygon, (list, tuple)) or len(polygon) < 6 or len(polygon) % 2:
        raise InputError("polygon has fewer than three corners or half a corner, expected [x1, y1, x2, y2, ...]")
    if not all(isinstance(value, (int, float)) and math.isfinite(value) for value in polygon):
        raise InputError("polygon has a corner that is not a number; export it again")
    corners = np.array(polygon, float).reshape(-1, 2)
    beyond = np.abs(corners - [width / 2, height / 2]).max(axis=0) > [width, height]
    # COCO's way of filling takes memory by the length of the outline.
    length = np.abs(corners - np.roll(corners, 1, axis=0)).max(axis=1).sum()
    if beyond.any() or length > 4 * (height + 1) * (width + 1):
        raise InputError(f"polygon runs far outside its image of {width} x {height} pixels; export it again")
