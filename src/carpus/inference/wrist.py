"""Where the wrist is on a film of a whole hand, from the silhouette of its bones.

The palm is the largest disc that fits into the silhouette once the gaps between the metacarpals are closed: half as
broad as the arch of the four metacarpals, near 30 mm in an adult. The middle of the carpus lies half a metacarpal
and half a capitate from its centre, near 46 mm, towards the forearm, and below the middle of the palm or beside it, as
the silhouette's waist tells: a hand often lies at an angle to its forearm. All of it is done at about 1 mm a pixel;
nothing here has learnt from films.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Shaped, UInt8

from carpus.errors import InputError
from carpus.imaging.geometry import Box, crop, resize, square
from carpus.imaging.intensity import to_8_bits
from carpus.imaging.radiograph import Radiograph

BOX_MM = 90.0
"""Edge of the wrist's square, as in RAM-W600."""

_PALM_RADIUS_MM = 30.0
_PALM_BREADTHS_MM = (42.0, 84.0)
_CARPUS_FROM_PALM = 1.55
_WAIST_FROM_PALM = (1.3, 2.3)
_FINGERTIPS = 2.8
"""Fingertips are at least this many palm radii beyond the palm's centre, in an adult near 4."""

_LEAST_RADIUS = 0.06
"""Of the palm, as a part of the film's longer edge."""

_BLANK = 0.02
"""Of the film's grey values: what varies less along a row or column is blank."""

_WORKING_SIZE = 320
_BROAD = 45
_GAP = 17
_CROP_EDGE_MM = 130.0
_CROP_EDGE_PX = 1000
_CROP_ASPECT = 1.4
_HINT = "give a film of one hand from its back, fingers up"


@dataclass(frozen=True)
class Wrist:
    """The wrist on a film.

    Attributes:
        box: Square of about 90 mm around the carpus, in pixels of the film; it may reach beyond the film.
        thumb_left: Whether the thumb is to the left of the image; None if that cannot be seen.
        is_crop: Whether the film shows the wrist alone.
        notes: What a reader should know, one sentence each.
    """

    box: Box
    thumb_left: bool | None
    is_crop: bool
    notes: tuple[str, ...] = ()


def find_wrist(film: Radiograph) -> Wrist:
    """The wrist on a radiograph of a hand with the fingers up, or of a wrist alone.

    A film of known scale that is at most 130 mm long is a wrist alone. One of unknown scale and at most 1000 pixels is
    taken for that if no whole hand is seen on it; whether a wrist is there at all is then for the bones to tell.

    Raises:
        InputError: No hand is seen, or the fingers do not point up.
    """
    name = film.source or "the film"
    height, width = film.shape
    inner = _without_border(film.pixels)
    if inner is None:
        raise InputError(f"{name} has one grey value only; {_HINT}")
    if film.spacing_mm is not None and max(height, width) * film.spacing_mm <= _CROP_EDGE_MM:
        return _whole(film, "The film shows the wrist alone; all of it was read.")
    scale = _WORKING_SIZE / max(inner.height, inner.width)
    small = resize(
        crop(film.pixels, inner),
        height=max(round(inner.height * scale), 1),
        width=max(round(inner.width * scale), 1),
    )
    try:
        hand = _find_hand(_silhouette(to_8_bits(small, percentiles=(0.5, 99.5))))
    except InputError as error:
        small_enough = max(height, width) <= min(_CROP_EDGE_PX, _CROP_ASPECT * min(height, width))
        if film.spacing_mm is None and small_enough:
            return _whole(film, "No whole hand was seen, so the film was taken for a wrist alone.")
        raise InputError(f"{name} {error}; {_HINT}") from None

    notes = []
    spacing_mm = film.spacing_mm
    if spacing_mm is None:
        spacing_mm = _PALM_RADIUS_MM / hand.radius * scale
        notes.append(f"The pixel size was estimated as {spacing_mm:.3f} mm from the breadth of the palm.")
    breadth_mm = 2 * hand.radius / scale * spacing_mm
    if not _PALM_BREADTHS_MM[0] <= breadth_mm <= _PALM_BREADTHS_MM[1]:
        raise InputError(f"{name} shows a palm {breadth_mm:.0f} mm broad, expected an adult hand; {_HINT}")
    x, y = inner.x + hand.carpus[0] / scale, inner.y + hand.carpus[1] / scale
    return Wrist(square((x, y), size=BOX_MM / spacing_mm), hand.thumb_left, is_crop=False, notes=tuple(notes))


@dataclass(frozen=True)
class _Hand:
    """What the silhouette tells, in working pixels."""

    radius: float
    carpus: tuple[float, float]
    thumb_left: bool | None


def _find_hand(tissue: Bool[np.ndarray, "h w"]) -> _Hand:
    borders = {"bottom": tissue[-2:], "top": tissue[:2], "left": tissue[:, :2].T, "right": tissue[:, -2:].T}
    contact = {border: int(part.any(axis=0).sum()) for border, part in borders.items()}
    forearm = max(contact, key=lambda border: contact[border])
    if contact[forearm] == 0:
        raise InputError("shows no hand with a forearm that leaves the film")
    if forearm != "bottom":
        raise InputError(f"shows a limb that leaves the film at the {forearm}")
    # The forearm goes on below the film; elsewhere the border is the silhouette's end.
    depth = cv2.distanceTransform(np.pad(tissue.astype(np.uint8), ((1, 0), (1, 1))), cv2.DIST_L2, 5)[1:, 1:-1]
    radius = float(depth.max())
    y, x = (int(value) for value in np.unravel_index(int(depth.argmax()), depth.shape))
    fingertip = int(np.flatnonzero(tissue.any(axis=1))[0])
    above = tissue[: max(int(y - 1.1 * radius), 1)].astype(np.int8)
    fingers = int((np.diff(above, axis=1, prepend=0) == 1).sum(axis=1).max())
    if fingers < 2 or y - fingertip < _FINGERTIPS * radius or radius < _LEAST_RADIUS * max(tissue.shape):
        raise InputError("shows no hand that can be recognised")
    across = float(np.flatnonzero(tissue[-2:].any(axis=0)).mean()) - x
    along = tissue.shape[0] - 1 - y
    steepness = along / float(np.hypot(across, along))
    carpus_y = y + _CARPUS_FROM_PALM * radius * steepness
    nearest, farthest = (int(y + part * radius * steepness) for part in _WAIST_FROM_PALM)
    carpus_x = _waist(tissue[nearest : farthest + 1], near=x + _CARPUS_FROM_PALM * radius * steepness * across / along)
    return _Hand(radius, (carpus_x + 0.5, carpus_y + 0.5), _thumb_left(tissue, x=x, y=y, radius=radius))


def _waist(tissue: Bool[np.ndarray, "h w"], *, near: float) -> float:
    """The middle of the narrowest of the rows, of each row the stretch nearest to `near`; `near` if all are empty."""
    narrowest, middle = np.inf, near
    for row in tissue:
        steps = np.diff(row.astype(np.int8), prepend=0, append=0)
        begins, ends = np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)
        if not begins.size:
            continue
        stretch = int(np.maximum(begins - near, near - ends).argmin())
        breadth = float(ends[stretch] - begins[stretch])
        if breadth < narrowest:
            narrowest, middle = breadth, float(begins[stretch] + ends[stretch] - 1) / 2
    return middle


def _without_border(pixels: Shaped[np.ndarray, "h w"]) -> Box | None:
    """The film without the blank rows and columns at its edges, as shutters and printing leave them."""
    least = _BLANK * (float(pixels.max()) - float(pixels.min()))
    rows, columns = (
        np.flatnonzero(pixels.max(axis=axis).astype(float) - pixels.min(axis=axis) > least) for axis in (1, 0)
    )
    if not rows.size or not columns.size:
        return None
    top, left = int(rows[0]), int(columns[0])
    return Box(left, top, int(columns[-1]) + 1 - left, int(rows[-1]) + 1 - top)


def _whole(film: Radiograph, note: str) -> Wrist:
    height, width = film.shape
    return Wrist(square((width / 2, height / 2), size=max(height, width)), None, is_crop=True, notes=(note,))


def _silhouette(grey: UInt8[np.ndarray, "h w"]) -> Bool[np.ndarray, "h w"]:
    """The largest thing made of parts that stand out from their surroundings, its gaps and holes filled.

    A top-hat keeps what is narrower than 35 mm (fingers, single bones) and takes away everything broader: the plate's
    uneven lighting, its edges, and the soft tissue of palm and forearm, whose bones then stand for them.
    """
    outstanding = cv2.morphologyEx(grey, cv2.MORPH_TOPHAT, _disc(_BROAD))
    _, bright = cv2.threshold(cv2.GaussianBlur(outstanding, (0, 0), 1.0), 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    margin = _GAP  # so that closing does not stop short of the film's border
    wide = np.pad(bright, margin, mode="edge")
    joined = cv2.morphologyEx(wide, cv2.MORPH_CLOSE, _disc(_GAP))[margin:-margin, margin:-margin]
    _, labels, stats, _ = cv2.connectedComponentsWithStats(joined)
    if len(stats) < 2:
        return np.zeros(grey.shape, bool)
    largest = (labels == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())).astype(np.uint8)
    outline, _ = cv2.findContours(largest, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return np.asarray(cv2.drawContours(np.zeros_like(largest), outline, -1, 1, cv2.FILLED), bool)


def _disc(diameter: int) -> UInt8[np.ndarray, "d d"]:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (diameter, diameter)), np.uint8)


def _thumb_left(tissue: Bool[np.ndarray, "h w"], *, x: int, y: int, radius: float) -> bool | None:
    """The side of the palm's disc on which more tissue stands out at the height of the thumb."""
    rows = tissue[max(int(y - 0.7 * radius), 0) : int(y + 0.5 * radius)]
    left = int(rows[:, : max(int(x - 1.05 * radius), 0)].sum())
    right = int(rows[:, int(x + 1.05 * radius) :].sum())
    if max(left, right) < 0.08 * radius**2 or min(left, right) > 0.6 * max(left, right):
        return None
    return left > right
