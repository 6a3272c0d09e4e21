"""The loops of the bone metrics, compiled by Numba: areas, outlines and exact distances between outlines.

Only the pixels in the box of a structure are looked at a second time, 64 of them packed into one word. Words of one
column follow one another, so that each instruction works on the words of several rows:

- an outline is what is set and has a neighbour that is not, by shifts of words;
- distances below 4 px, nearly all of them, are found by moving one outline by every offset in the order of its length
  and taking away what it meets of the other;
- a pixel farther away searches the rows of the other outline, nearest row first;
- where that would take longer than measuring every column of the box, that is done, and each pixel left takes the
  least sum of two squares along its row.

All loops lie in one file because the compiled code on disk is renewed when this file changes, not when another one
does; after a change of `compiling` delete it (`__pycache__/*.nb?`).
"""
# ruff: noqa: ARG001 - Numba takes types from arguments.

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numba.extending import overload

from carpus.metrics.compiling import (
    BITS,
    compiled,
    leading_zeros,
    pack_bytes,
    pack_pixels,
    part,
    popcount,
    trailing_zeros,
)

# Rows looked at together when the boxes are searched.
BLOCK = 8
# Words of an outline that are compared together.
CHUNK = 64
# Offsets (a, b) with a <= b, all those of less than 4 px, by length; each stands for its mirror images as well.
NEAR = ((0, 0), (0, 1), (1, 1), (0, 2), (1, 2), (2, 2), (0, 3), (1, 3), (2, 3))
MARGIN = 3
# How many times less a pixel of the transform takes than a word of a search.
CHEAPER = 32
NOWHERE = np.int64(1) << 62
ONE = np.uint64(1)


@compiled
def compare(reference, predicted, structures, tolerance_px):  # type: ignore[no-untyped-def]
    """Values, areas and distances of each structure.

    Args:
        reference: `(h, w)` uint16, bit i = mask i, or `(n, h, w)` uint8 of 0 and 1; 64 or more pixels wide.
        predicted: The same.
        structures: `(m, 2)`: a structure is where two masks cover each other; a mask with itself is the mask.
        tolerance_px: Of the normalised surface Dice.

    Returns:
        values: `(m, 5)`: dsc, nsd, voe, msd, ravd.
        areas: `(m, 3)`: of the reference, of the prediction, of what they have in common.
        distances: Of all structures in a row, from the reference and from the prediction.
        ends: `(m, 2)`: where in `distances` the two of a structure end.
    """
    count = len(structures)
    values, areas, ends = np.empty((count, 5)), np.zeros((count, 3), np.int64), np.zeros((count, 2), np.int64)
    distances = np.empty(1 << 14)
    boxes = _boxes(reference, predicted)
    used = 0
    for i in range(count):
        first, second = structures[i]
        begin = used
        top, bottom = max(boxes[first, 0], boxes[second, 0]), min(boxes[first, 1], boxes[second, 1])
        left, right = max(boxes[first, 2], boxes[second, 2]), min(boxes[first, 3], boxes[second, 3])
        ends[i] = used
        if top < bottom and left < right:
            rows, columns = bottom - top, (right - left + BITS - 1) // BITS
            stride = rows + MARGIN
            space = np.empty((8, (columns + 2) * stride + 2 * MARGIN), np.uint64)
            masks, edges, spare = space[:2], space[2:4], space[4:]
            masks[:] = 0
            _pack(reference, first, second, top, left, rows, columns, stride, masks[0])
            _pack(predicted, first, second, top, left, rows, columns, stride, masks[1])
            areas[i] = _count(masks[0], masks[0]), _count(masks[1], masks[1]), _count(masks[0], masks[1])
            _outline(masks[0], stride, edges[0])
            _outline(masks[1], stride, edges[1])
            sizes = _count(edges[0], edges[0]), _count(edges[1], edges[1])
            if used + sizes[0] + sizes[1] > len(distances):
                more = np.empty(2 * (used + sizes[0] + sizes[1]))
                more[:used] = distances[:used]
                distances = more
            for side in range(2):
                into = distances[used : used + sizes[side]]
                used += sizes[side]
                if sizes[1 - side]:
                    _nearest(edges[side], edges[1 - side], rows, columns, stride, spare, into)
                else:
                    into[:] = np.inf
                ends[i, side] = used
        values[i] = _values(areas[i], distances[begin:used], tolerance_px)
    return values, areas, distances[:used].copy(), ends


@part
def _values(areas, distances, tolerance_px):  # type: ignore[no-untyped-def]
    """dsc, nsd, voe, msd, ravd; 0 / 0 is NaN."""
    reference, predicted, common = areas
    within, total = 0, 0.0
    # Two loops, as only then each of them works on several distances at a time.
    for i in range(len(distances)):
        total += distances[i]
    for i in range(len(distances)):
        within += int(distances[i] <= tolerance_px)
    return (
        _ratio(2 * common, reference + predicted),
        _ratio(within, len(distances)),
        1 - _ratio(common, reference + predicted - common),
        _ratio(total, len(distances)),
        _ratio(abs(predicted - reference), reference),
    )


@part
def _ratio(numerator, denominator):  # type: ignore[no-untyped-def]
    return numerator / denominator if denominator else np.nan


def _boxes(reference: Any, predicted: Any) -> Any:
    """Of each mask the top, bottom, left and right that hold it in both images, `(n, 4)`; empty is `top >= bottom`."""
    raise NotImplementedError


def _word(masks: Any, first: Any, second: Any, y: Any, x: Any) -> Any:
    """The 64 pixels from `x` on where two masks cover each other, the first one in the lowest bit."""
    raise NotImplementedError


@overload(_boxes)
def _(reference: Any, predicted: Any) -> Callable[[Any, Any], Any]:
    def of_stacks(reference: Any, predicted: Any) -> Any:
        count, height, width = reference.shape
        boxes = np.empty((count, 4), np.int64)
        for i in range(count):
            columns = np.zeros(width, np.uint8)
            boxes[i, 0], boxes[i, 1] = height, 0
            _survey(reference[i], boxes[i : i + 1], columns)
            _survey(predicted[i], boxes[i : i + 1], columns)
            boxes[i, 2:] = _extent(columns, np.uint8(1))
        return boxes

    def of_planes(reference: Any, predicted: Any) -> Any:
        height, width = reference.shape
        boxes = np.empty((16, 4), np.int64)
        boxes[:, 0], boxes[:, 1] = height, 0
        columns = np.zeros(width, np.uint16)
        _survey(reference, boxes, columns)
        _survey(predicted, boxes, columns)
        for i in range(16):
            boxes[i, 2:] = _extent(columns, np.uint16(1 << i))
        return boxes

    return of_stacks if reference.ndim == 3 else of_planes


@overload(_word)
def _(masks: Any, first: Any, second: Any, y: Any, x: Any) -> Callable[[Any, Any, Any, Any, Any], Any]:
    # A read that would pass the end of the row starts earlier; the box ends before any bit that is missed thereby.
    def of_stack(masks: Any, first: Any, second: Any, y: Any, x: Any) -> Any:
        _, height, width = masks.shape
        start = min(x, width - BITS)
        word = pack_bytes(masks, (first * height + y) * width + start)
        if second != first:
            word &= pack_bytes(masks, (second * height + y) * width + start)
        return word >> np.uint64(x - start)

    def of_plane(masks: Any, first: Any, second: Any, y: Any, x: Any) -> Any:
        width = masks.shape[1]
        start = min(x, width - BITS)
        both = np.uint16(1 << first | 1 << second)
        return pack_pixels(masks, y * width + start, both) >> np.uint64(x - start)

    return of_stack if masks.ndim == 3 else of_plane


@part
def _survey(plane, boxes, columns):  # type: ignore[no-untyped-def]
    """Widens the rows of each bit's box, and adds the bits of each column."""
    height, width = plane.shape
    flat = plane.reshape(-1)
    for y in range(0, height, BLOCK):
        end = min(y + BLOCK, height)
        present = _merged(flat[y * width : end * width])
        if present:
            for row in range(y, end):
                for x in range(width):
                    columns[x] |= plane[row, x]
            for i in range(len(boxes)):
                if present >> i & 1:
                    boxes[i, 0], boxes[i, 1] = min(boxes[i, 0], y), max(boxes[i, 1], end)


@part
def _merged(pixels):  # type: ignore[no-untyped-def]
    """All bits that any of the pixels has."""
    merged = pixels.dtype.type(0)
    for i in range(len(pixels)):
        merged = pixels.dtype.type(merged | pixels[i])
    return merged


@part
def _extent(columns, bit):  # type: ignore[no-untyped-def]
    """The first column with the bit and the one after the last."""
    left, right = 0, len(columns)
    while left < right and not columns[left] & bit:
        left += 1
    while right > left and not columns[right - 1] & bit:
        right -= 1
    return left, right


@part
def _pack(image, first, second, top, left, rows, columns, stride, words):  # type: ignore[no-untyped-def]
    """Fills the words of a box; a margin of zeros stays around them."""
    start = stride + MARGIN
    for k in range(columns):
        for y in range(rows):
            words[start + k * stride + y] = _word(image, first, second, top + y, left + BITS * k)


@part
def _outline(mask, stride, edges):  # type: ignore[no-untyped-def]
    """Fills in the pixels of a mask of which not all four neighbours are set."""
    size = len(mask) - 2 * stride
    own, above, below, into = mask[stride:], mask[stride - 1 :], mask[stride + 1 :], edges[stride:]
    before, after = mask, mask[2 * stride :]
    edges[:stride] = edges[stride + size :] = 0
    for i in range(size):
        inner = (own[i] << ONE | before[i] >> np.uint64(63)) & (own[i] >> ONE | after[i] << np.uint64(63))
        into[i] = own[i] & ~(inner & above[i] & below[i])


@part
def _nearest(start, target, rows, columns, stride, spare, distances):  # type: ignore[no-untyped-def]
    """Fills in the distance of each pixel of one outline to the other, which is not empty."""
    rest = spare[0]
    rest[:] = start
    found, widest = 0, 0
    for begin in range(MARGIN, len(rest) - MARGIN, CHUNK):
        end = min(begin + CHUNK, len(rest) - MARGIN)
        left = _count(rest[begin:end], rest[begin:end])
        for a, b in NEAR:
            if not left:
                break
            if b > widest:
                widest = b
                _widen(target, stride, np.uint64(b), spare[b])
            met = _take(rest, spare[a] if a else target, spare[b] if b else target, a, b, begin, end)
            distances[found : found + met] = math.sqrt(a * a + b * b)
            found += met
            left -= met
    if found == len(distances):
        return
    steps = rows * columns * BITS // CHEAPER
    for k in range(columns):
        for y in range(rows):
            at = MARGIN + (k + 1) * stride + y
            while rest[at]:
                if steps < 0:
                    _transform(rest, target, rows, columns, stride, distances[found:])
                    return
                bit = trailing_zeros(rest[at])
                rest[at] &= rest[at] - ONE
                squared, taken = _search(target, rows, columns, stride, k, y, bit)
                steps -= taken
                distances[found] = math.sqrt(squared)
                found += 1


@part
def _widen(edges, stride, by, wide):  # type: ignore[no-untyped-def]
    """Fills in the outline moved to the left and to the right."""
    size = len(edges) - 2 * stride
    own, before, after, into = edges[stride:], edges, edges[2 * stride :], wide[stride:]
    back = np.uint64(BITS) - by
    for i in range(size):
        into[i] = own[i] << by | before[i] >> back | own[i] >> by | after[i] << back


@part
def _take(rest, wide_a, wide_b, a, b, begin, end):  # type: ignore[no-untyped-def]
    """Takes away the pixels that have the other outline at the offset (a, b) or its mirror images; how many."""
    met = np.uint64(0)
    # Numba would check signed indices, one by one.
    up, down = np.uint64(a), np.uint64(b)
    for i in range(np.uint64(begin), np.uint64(end)):
        hits = rest[i] & (wide_a[i - down] | wide_a[i + down] | wide_b[i - up] | wide_b[i + up])
        rest[i] ^= hits
        met += popcount(hits)
    return np.int64(met)


@part
def _search(edges, rows, columns, stride, k, y, bit):  # type: ignore[no-untyped-def]
    """The squared distance of one pixel to the outline, and the number of words looked at."""
    best, steps = NOWHERE, 0
    for dy in range(rows):
        if dy * dy >= best:
            break
        for row in (y - dy, y + dy):
            if row < 0 or row >= rows:
                continue
            at = MARGIN + (k + 1) * stride + row
            # Words to the right from the pixel on, then words to the left.
            word, dx = edges[at] >> np.uint64(bit), 0
            other = k
            while not word:
                other += 1
                dx = (other - k) * BITS - bit
                if other == columns or dx * dx + dy * dy >= best:
                    break
                word = edges[at + (other - k) * stride]
            if word:
                dx += trailing_zeros(word)
                best = min(best, dx * dx + dy * dy)
            steps += 1 + other - k
            word, dx = edges[at] << np.uint64(BITS - 1 - bit), 0
            other = k
            while not word:
                other -= 1
                dx = bit + 1 + (k - other - 1) * BITS
                if other < 0 or dx * dx + dy * dy >= best:
                    break
                word = edges[at - (k - other) * stride]
            if word:
                dx += leading_zeros(word)
                best = min(best, dx * dx + dy * dy)
            steps += 1 + k - other
    return best, steps


@part
def _transform(rest, edges, rows, columns, stride, distances):  # type: ignore[no-untyped-def]
    """Fills in the distances of the pixels left, from how far each pixel of the box is within its column."""
    width = columns * BITS
    heights = _heights(edges, rows, columns, stride)
    # The squares of ... 2, 1, 0, 1, 2 ..., of which each pixel reads a part.
    squares = np.arange(-width, width) ** 2
    row = np.empty(width, np.int64)
    found = 0
    for y in range(rows):
        filled = False
        for k in range(columns):
            at = MARGIN + (k + 1) * stride + y
            while rest[at]:
                if not filled:
                    filled = True
                    for x in range(width):
                        row[x] = np.int64(heights[y, x]) * np.int64(heights[y, x])
                x = k * BITS + trailing_zeros(rest[at])
                rest[at] &= rest[at] - ONE
                distances[found] = math.sqrt(_least(row, squares[width - x :]))
                found += 1


@part
def _least(one, other):  # type: ignore[no-untyped-def]
    """The least sum of two values of one place."""
    least = NOWHERE
    for i in range(len(one)):
        least = min(least, one[i] + other[i])
    return least


@part
def _heights(edges, rows, columns, stride):  # type: ignore[no-untyped-def]
    """How far each pixel of the box is from the outline within its column."""
    heights = np.empty((rows, columns * BITS), np.int32)
    run = np.empty(BITS, np.int32)
    bits = np.arange(BITS).astype(np.uint64)
    for k in range(columns):
        for downwards in (True, False):
            run[:] = 1 << 30
            for i in range(rows):
                y = i if downwards else rows - 1 - i
                word = edges[MARGIN + (k + 1) * stride + y]
                own = heights[y, k * BITS : (k + 1) * BITS]
                for x in range(BITS):
                    off = np.int32(ONE - (word >> bits[x] & ONE))
                    run[x] = (run[x] + np.int32(1)) * off
                    own[x] = run[x] if downwards or run[x] < own[x] else own[x]
    return heights


@part
def _count(one, other):  # type: ignore[no-untyped-def]
    """How many bits two masks have in common."""
    total = np.uint64(0)
    for i in range(len(one)):
        total += popcount(one[i] & other[i])
    return np.int64(total)
