"""The lead letter on a film that says which side of the body it shows: R or L, at any angle, mirrored or not.

A bright blob of a letter's size and stroke is turned in steps, cut to its bounds and compared with every capital letter
and digit in several typefaces. It counts only if it looks like an R or an L, clearly more than like anything else.
Words (Dx, Sin, RT, LEFT) are not read.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Shaped
from PIL import Image, ImageDraw, ImageFont

from carpus.anatomy import Side

_LONG_EDGE = 1000
_HEIGHTS = (14, 70)
"""Height of a letter in pixels of a film whose longer edge is 1000: 4 to 20 mm on a 30 cm film."""
_FILL = (0.16, 0.75)
_EDGE = 28
_STEP_DEG = 6
_LEAST_LIKE = 0.78
_LEAST_AHEAD = 0.05
_BRIGHTER = 0.14
_MOST_BLOBS = 60
_RING = 8
_LEAST_CORE = 12
_UNEVEN = 0.25
"""Standard deviation of lead and of its ground, as a fraction of the contrast between them, at most."""
_OTHERS = "ABCDEFGHJKMNPSTUVWXYZ0123456789"
_FONTS = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_COMPLEX)
_WEIGHTS = (4, 9)
_LEAN = 0.22


@dataclass(frozen=True)
class SideMarker:
    """A letter found on a film.

    Attributes:
        side: What it says.
        is_mirrored: Whether it stands mirrored, as on a film that was turned over.
        likeness: Correlation with the letter's shape, up to 1.
        centre: `(x, y)` in pixels of the film.
    """

    side: Side
    is_mirrored: bool
    likeness: float
    centre: tuple[float, float]


def find_side_marker(pixels: Shaped[np.ndarray, "h w"]) -> SideMarker | None:
    """The letter that looks most like an R or an L; None if none clearly does.

    Args:
        pixels: Grey values, bone bright.
    """
    scale = min(_LONG_EDGE / max(pixels.shape), 1.0)
    size = (max(round(pixels.shape[1] * scale), 1), max(round(pixels.shape[0] * scale), 1))
    grey = cv2.resize(pixels.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    found: list[SideMarker] = []
    for blob, (x, y) in _blobs(grey):
        said = _letter(blob)
        if said is not None:
            side, is_mirrored, likeness = said
            found.append(SideMarker(side, is_mirrored, likeness, (x / scale, y / scale)))
    found.sort(key=lambda each: -each.likeness)
    if not found or any(each.side is not found[0].side for each in found[1:]):
        return None
    return found[0]


def _blobs(grey: Float32[np.ndarray, "h w"]) -> Iterator[tuple[Bool[np.ndarray, "bh bw"], tuple[float, float]]]:
    """Bright parts of a letter's size that touch nothing else, the brightest first, with their centres."""
    low, high = np.percentile(grey, (1, 99.9))
    even = np.clip((grey - low) / max(high - low, 1e-6), 0, 1)
    around = cv2.blur(even, (61, 61))
    for threshold in (_BRIGHTER, 2.5 * _BRIGHTER):
        bright = (even > around + threshold).astype(np.uint8)
        count, labels, stats, centres = cv2.connectedComponentsWithStats(bright, connectivity=8)
        fit = [
            number
            for number in range(1, count)
            if _HEIGHTS[0] <= max(stats[number, 2:4]) <= _HEIGHTS[1]
            and min(stats[number, 2:4]) >= _HEIGHTS[0] / 3
            and _FILL[0] <= stats[number, 4] / (stats[number, 2] * stats[number, 3]) <= _FILL[1]
        ]
        shine = {number: float(even[labels == number].mean()) for number in fit}
        for number in sorted(fit, key=lambda each: -shine[each])[:_MOST_BLOBS]:
            x, y, width, height = (int(value) for value in stats[number, :4])
            near = slice(max(y - _RING, 0), y + height + _RING), slice(max(x - _RING, 0), x + width + _RING)
            if _is_lead(even[near], labels[near] == number):
                centre = float(centres[number][0]), float(centres[number][1])
                yield labels[y : y + height, x : x + width] == number, centre


def _is_lead(even: Float32[np.ndarray, "h w"], blob: Bool[np.ndarray, "h w"]) -> bool:
    """Whether the blob is of one brightness on a ground of one brightness, as lead is and anatomy is not."""
    mask = blob.astype(np.uint8)
    core = cv2.erode(mask, np.ones((3, 3), np.uint8)) > 0
    ground = cv2.dilate(mask, np.ones((5, 5), np.uint8)) == 0
    if core.sum() < _LEAST_CORE or ground.sum() < _LEAST_CORE:
        return False
    contrast = float(even[core].mean() - even[ground].mean())
    return float(even[core].std()) < _UNEVEN * contrast and float(even[ground].std()) < _UNEVEN * contrast


def _letter(blob: Bool[np.ndarray, "h w"]) -> tuple[Side, bool, float] | None:
    templates, names = _templates()
    turned = np.stack([_normal(_rotated(blob, angle)).ravel() for angle in range(0, 360, _STEP_DEG)])
    best = (turned @ templates.T).max(axis=0)
    wanted = {
        name: max(best[place] for place, own in enumerate(names) if own == name) for name in ("R", "L", "R'", "L'")
    }
    others = max(best[place] for place, own in enumerate(names) if own not in wanted)
    name = max(wanted, key=lambda each: wanted[each])
    against = max(others, *(value for other, value in wanted.items() if other != name))
    if wanted[name] < _LEAST_LIKE or wanted[name] - against < _LEAST_AHEAD:
        return None
    return Side(name[0]), name.endswith("'"), wanted[name]


def _rotated(blob: Bool[np.ndarray, "h w"], angle: float) -> Bool[np.ndarray, "s s"]:
    height, width = blob.shape
    edge = int(np.hypot(height, width)) + 4
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), angle, 1.0)
    matrix[:, 2] += ((edge - width) / 2, (edge - height) / 2)
    return np.asarray(cv2.warpAffine(blob.astype(np.float32), matrix, (edge, edge)) > 0.5)


def _normal(mask: Bool[np.ndarray, "h w"]) -> Float32[np.ndarray, "e e"]:
    """The mask cut to its bounds, centred in a square with its proportions kept, with mean 0 and length 1."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    square = np.zeros((_EDGE, _EDGE), np.float32)
    if len(rows) and len(columns):
        cut = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(np.float32)
        factor = (_EDGE - 2) / max(cut.shape)
        size = (max(round(cut.shape[1] * factor), 1), max(round(cut.shape[0] * factor), 1))
        small = cv2.resize(cut, size, interpolation=cv2.INTER_AREA)
        top, left = (_EDGE - small.shape[0]) // 2, (_EDGE - small.shape[1]) // 2
        square[top : top + small.shape[0], left : left + small.shape[1]] = small
    square = np.asarray(cv2.GaussianBlur(square, (0, 0), 0.9), np.float32)
    square -= square.mean()
    length = float(np.linalg.norm(square))
    return square / np.float32(length) if length > 0 else square


@cache
def _templates() -> tuple[Float32[np.ndarray, "n e2"], tuple[str, ...]]:
    """Normal forms of the letters, and their names; R' and L' are the mirrored ones."""
    shapes, names = [], []
    for letter in ("R", "L", *_OTHERS):
        for drawn in _drawings(letter):
            for name, shape in ((letter, drawn), (f"{letter}'", drawn[:, ::-1])):
                shapes.append(_normal(shape).ravel())
                names.append(name)
    return np.stack(shapes), tuple(names)


def _drawings(letter: str) -> Iterator[Bool[np.ndarray, "h w"]]:
    """A letter in several typefaces, upright and italic."""
    drawn = []
    for font in _FONTS:
        for weight in _WEIGHTS:
            canvas = np.zeros((140, 140), np.uint8)
            cv2.putText(canvas, letter, (25, 110), font, 3.2, (255,), weight)
            drawn.append(canvas)
    image = Image.new("L", (140, 140))
    ImageDraw.Draw(image).text((30, 10), letter, fill=255, font=ImageFont.load_default(100))
    drawn.append(np.asarray(image))
    for canvas in drawn:
        yield canvas > 127
        yield np.asarray(cv2.warpAffine(canvas, np.array([[1, -_LEAN, 70 * _LEAN], [0, 1, 0.0]]), (140, 140)) > 127)
