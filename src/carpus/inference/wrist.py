"""Where the wrist is on a film of a hand, from the outline of its soft tissue.

The film is cut at many grey levels, and each outline that this gives is asked whether it is a hand: a palm, the largest
disc that fits in, from which fingers and one forearm run off. They are met on circles around the palm, so it does not
matter how the hand lies. Every outline that is a hand has a vote on where the carpus is, and the median counts: a
film's window, its uneven lighting, its borders and its noise spoil some levels, but not all of them.

All of it is done at about 1 mm a pixel. Nothing here is trained: the constants are proportions of hands and feet, round
numbers that were set by eye on two films.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from jaxtyping import Bool, Complex128, Float32, Float64, Shaped

from carpus.errors import InputError
from carpus.imaging.geometry import Box, crop, resize, square
from carpus.imaging.radiograph import Radiograph
from carpus.imaging.wrist_crop import WRIST_MM

_PALM_RADIUS_MM = 43.0
"""Half of 86 mm: an adult's hand is 78 (women) to 88 mm (men) broad at the metacarpals, the palm a little more."""

_PALM_BREADTHS_MM = (60.0, 112.0)
"""Of adults; a wider range than theirs, because clothing, casts and noise move the outline."""

# In radii of the palm.
_CARPUS = 0.7  # from the palm's centre to the capitate, 30 mm: half a metacarpal and half the bone
_CIRCLES = np.linspace(1.5, 2.3, 9)  # cut the fingers beyond their webs, the thumb before its tip
_FINGER, _FOREARM, _TOO_BROAD = 0.15, 0.75, 2.0  # a finger is 20 mm broad, a forearm 55 mm
_LEAST_CIRCLES = 4
_SPAN_DEGREES = (80.0, 150.0)  # from thumb to little finger, near 115; toes span 60 to 75
_ALIKE, _APART = 0.5, 3.0  # votes for the same carpus, and for a second hand's

_THUMB_GAP = 1.2  # the angle between thumb and index finger to that between other fingers
_SURE = 0.5  # of the votes on the thumb, for less against: 3 of 4

_WORKING_SIZE = 200
_LEAST_SIZE = 32
_LEVELS = np.linspace(0.25, 0.92, 20)  # parts of the film that are darker: a hand covers 8 % to 75 %
_LEAST_VOTES = 3  # a hand gets 4 to 24 of about 60, anything else hardly one
_PALM_RADII = (0.06, 0.3)  # of the film's longer edge
_BLANK = 0.02  # of the film's grey values; what varies less along a row or column is a printed border

_CROP_EDGE_MM = 130.0
_CROP_EDGE_PX = 1000
_CROP_ASPECT = 1.4
_CROP_LEVELS = np.linspace(0.3, 0.6, 7)
_CROP_VOTES = 3
_CROP_CONTACT = 0.15  # of the film's upper and lower edge, met by metacarpals and forearm
_NEARLY = 0.1  # a film of almost 90 mm is read whole
_CROP_SIDES = 0.8  # of that contact at most at one of the sides, where the thumb or the web of the palm may run off

_TURNED_DEGREES = 60.0  # more than the 45 that `fingers_up` leaves, so that both agree on any hand
_HINT = "give a film of one hand from its back, fingers up"


class NoHandSeenError(InputError):
    """Nothing on a film has the outline of a hand."""


class PalmSizeError(NoHandSeenError):
    """The palm on a film is no adult's, or what was taken for it is none."""


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


def quarter_turns(film: Radiograph) -> int:
    """How many quarter turns to the left, 0 to 3, make the fingers point up; 0 if no hand is seen."""
    hands = [] if _is_wrist_alone(film) else _find_hands(film)
    return round(_lean_degrees(hands[0]) / 90) % 4 if hands else 0


def fingers_up(film: Radiograph) -> Radiograph:
    """The film turned by quarter turns so that the fingers point up, with a note; as it is if no hand is seen."""
    return turned(film, quarter_turns(film))


def turned(film: Radiograph, turns: int) -> Radiograph:
    """The film after 0 to 3 quarter turns to the left, with a note if it was turned."""
    if turns == 0:
        return film
    note = f"The film was turned by {min(turns, 4 - turns) * 90} degrees, so that the fingers point up."
    return replace(film, pixels=np.ascontiguousarray(np.rot90(film.pixels, turns)), notes=(*film.notes, note))


def find_wrist(film: Radiograph) -> Wrist:
    """The wrist on a radiograph of one hand with the fingers up, or of a wrist alone.

    The fingers need not be whole, and the forearm may be short. A film without fingers on it is taken for a wrist alone
    if it is small (at most 130 mm, or 1000 pixels of unknown size) and if tissue runs off at its top and bottom;
    whether there is a wrist on it is then for the bones to tell.

    Raises:
        NoHandSeenError: No hand is seen, or (`PalmSizeError`) one that is no adult's.
        InputError: Two hands are, or the fingers do not point up.
    """
    name = film.source or "the film"
    if _without_border(film.pixels) is None:
        raise InputError(f"{name} has one grey value only; {_HINT}")
    if _is_wrist_alone(film):
        return _whole(film)
    hands = _find_hands(film)
    if not hands:
        part = "wrist" if _is_small(film) else "hand"
        raise NoHandSeenError(f"{name} shows no {part} that can be recognised; {_HINT}")
    if len(hands) > 1:
        raise InputError(f"{name} shows two hands; read it with --two-hands, or cut it in two")
    hand = hands[0]
    lean = _lean_degrees(hand)
    if abs(lean) > _TURNED_DEGREES:
        to = "down" if abs(lean) > 135 else "to the right" if lean > 0 else "to the left"
        raise InputError(f"{name} shows fingers that point {to}; {_HINT}")
    notes = []
    spacing_mm = film.spacing_mm
    if spacing_mm is None:
        spacing_mm = _PALM_RADIUS_MM / hand.radius
        notes.append(f"The pixel size was estimated as {spacing_mm:.3f} mm from the breadth of the palm.")
    breadth_mm = 2 * hand.radius * spacing_mm
    if not _PALM_BREADTHS_MM[0] <= breadth_mm <= _PALM_BREADTHS_MM[1]:
        raise PalmSizeError(f"{name} shows a palm {breadth_mm:.0f} mm broad, expected an adult hand; {_HINT}")
    thumb_left = None if abs(hand.thumb) < _SURE else hand.thumb > 0
    box = square((hand.carpus.real, hand.carpus.imag), size=WRIST_MM / spacing_mm)
    return Wrist(box, thumb_left, is_crop=False, notes=tuple(notes))


@dataclass(frozen=True)
class _Hand:
    """What an outline tells. Places and directions are complex numbers, x + iy with y down.

    Attributes:
        carpus: Its middle in pixels.
        radius: Of the palm in pixels.
        fingers: Their direction, of length 1.
        thumb: 1 if it is on the left when the fingers point up, -1 on the right, 0 or between if that is unsure.
    """

    carpus: complex
    radius: float
    fingers: complex
    thumb: float


def _find_hands(film: Radiograph) -> list[_Hand]:
    """The hands on a film in its pixels: none, one, or two."""
    inner = _without_border(film.pixels)
    if inner is None:
        return []
    scale = _WORKING_SIZE / max(inner.height, inner.width)
    grey = _smooth(crop(film.pixels, inner), scale=scale)
    if min(grey.shape) < _LEAST_SIZE:
        return []
    votes = [vote for outline in _outlines(grey) if (vote := _hand(outline)) is not None]
    first = _most_alike(votes)
    if len(first) < _LEAST_VOTES:
        return []
    groups = [first]
    elsewhere = _most_alike([vote for vote in votes if abs(vote.carpus - first[0].carpus) > _APART * first[0].radius])
    if len(elsewhere) >= max(_LEAST_VOTES, len(first) / 2):
        groups.append(elsewhere)
    return [_together(group, corner=complex(inner.x, inner.y), scale=scale) for group in groups]


def _smooth(pixels: Shaped[np.ndarray, "h w"], *, scale: float) -> Float32[np.ndarray, "h2 w2"]:
    height, width = (max(round(length * scale), 1) for length in pixels.shape)
    small = resize(pixels, height=height, width=width).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(small, (0, 0), 1.0), np.float32)


def _outlines(grey: Float32[np.ndarray, "h w"]) -> Iterator[Bool[np.ndarray, "h w"]]:
    """What is brighter than each level, as filled pieces, the two largest of each."""
    for lit in (grey, grey - _air(grey, axis=1), grey - _air(grey, axis=0)):
        for level in np.quantile(lit, _LEVELS):
            yield from _pieces(lit > level, most=2)


def _air(grey: Float32[np.ndarray, "h w"], *, axis: int) -> Float32[np.ndarray, "..."]:
    """The grey of the air beside the hand in each row or column, where the lighting is uneven."""
    darkest = np.percentile(grey, 10, axis=axis, keepdims=True).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(darkest, (0, 0), 3.0), np.float32)


def _pieces(bright: Bool[np.ndarray, "h w"], *, most: int) -> Iterator[Bool[np.ndarray, "h w"]]:
    clean = cv2.morphologyEx(bright.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    outlines, _ = cv2.findContours(clean, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    for outline in sorted(outlines, key=cv2.contourArea, reverse=True)[:most]:
        yield np.asarray(cv2.drawContours(np.zeros_like(clean), [outline], -1, 1, cv2.FILLED), bool)


def _hand(outline: Bool[np.ndarray, "h w"]) -> _Hand | None:
    """The hand that an outline is, None if it is none."""
    longer = max(outline.shape)
    margin = longer // 3  # what the film's edge cuts off goes on beyond it
    tissue = np.pad(outline, margin, mode="edge")
    depth = cv2.distanceTransform(tissue.astype(np.uint8), cv2.DIST_L2, 5)[margin:-margin, margin:-margin]
    radius = float(depth.max())
    if not _PALM_RADII[0] * longer < radius < _PALM_RADII[1] * longer:
        return None
    y, x = np.unravel_index(int(depth.argmax()), depth.shape)
    palm = complex(x + margin, y + margin)
    forearms, fingers, spans, thumbs = [], [], [], []
    for circle in _CIRCLES:
        arcs = _arcs(tissue, palm, circle * radius)
        broad = [direction for direction, angle in arcs if angle * circle >= _FOREARM]
        narrow = [direction for direction, angle in arcs if _FINGER <= angle * circle < _FOREARM]
        if len(broad) == 1 and 3 <= len(narrow) <= 5 and all(angle * circle <= _TOO_BROAD for _, angle in arcs):
            angles = np.sort(np.angle(np.array(narrow) / -broad[0]))  # from left to right, fingers up
            forearms += broad
            fingers += narrow
            spans.append(float(np.degrees(angles[-1] - angles[0])))
            thumbs.append(_thumb(angles))
    if len(forearms) < _LEAST_CIRCLES or not _SPAN_DEGREES[0] <= max(spans) <= _SPAN_DEGREES[1]:
        return None
    forearm = _unit(sum(forearms))
    carpus = _midway(tissue, palm + _CARPUS * radius * forearm, across=1j * forearm) - complex(margin, margin)
    return _Hand(carpus, radius, _unit(_unit(sum(fingers)) - forearm), float(np.sign(sum(thumbs))))


def _arcs(tissue: Bool[np.ndarray, "h w"], centre: complex, radius: float) -> list[tuple[complex, float]]:
    """Where a circle runs through tissue: the direction of each arc's middle, and its angle."""
    directions = np.exp(np.radians(np.arange(360)) * 1j)
    inside = _at(tissue, centre + radius * directions)
    if inside.all():
        return []
    first = int(np.argmin(inside))  # begins outside, so that no arc is cut
    steps = np.diff(np.roll(inside, -first).astype(np.int8), append=0)
    begins, ends = np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)
    middles = np.exp(np.radians(first + (begins + ends + 1) / 2) * 1j)
    return list(zip(middles.tolist(), np.radians(ends - begins).tolist(), strict=True))


def _thumb(fingers: Float64[np.ndarray, "n"]) -> float:
    """1 if the thumb is on the left, fingers up, -1 on the right: of five fingers the one apart; 0 if none is."""
    if len(fingers) != 5:
        return 0.0
    gaps = np.diff(fingers)
    apart = int(np.argmax(gaps))
    if apart in (1, 2) or gaps[apart] < _THUMB_GAP * np.partition(gaps, -2)[-2]:
        return 0.0
    return 1.0 if apart == 0 else -1.0


def _midway(tissue: Bool[np.ndarray, "h w"], place: complex, *, across: complex) -> complex:
    """The middle of the tissue on a line through a place."""
    steps = np.arange(max(tissue.shape))
    one, other = (int(np.argmin(_at(tissue, place + sign * steps * across))) for sign in (1, -1))
    return place + (one - other) / 2 * across


def _at(tissue: Bool[np.ndarray, "h w"], places: Complex128[np.ndarray, "n"]) -> Bool[np.ndarray, "n"]:
    xs = np.clip(np.rint(places.real).astype(int), 0, tissue.shape[1] - 1)
    ys = np.clip(np.rint(places.imag).astype(int), 0, tissue.shape[0] - 1)
    return np.asarray(tissue[ys, xs])


def _most_alike(votes: Sequence[_Hand]) -> list[_Hand]:
    """The votes within half a palm's radius of the one that has most of them there."""
    near = [[other for other in votes if abs(other.carpus - vote.carpus) < _ALIKE * vote.radius] for vote in votes]
    return max(near, key=len, default=[])


def _together(votes: Sequence[_Hand], *, corner: complex, scale: float) -> _Hand:
    """The median of votes in working pixels, in pixels of the film."""
    carpus = complex(np.median([vote.carpus.real for vote in votes]), np.median([vote.carpus.imag for vote in votes]))
    thumbs = [vote.thumb for vote in votes if vote.thumb]
    return _Hand(
        carpus=corner + (carpus + 0.5 + 0.5j) / scale,
        radius=float(np.median([vote.radius for vote in votes])) / scale,
        fingers=_unit(sum(vote.fingers for vote in votes)),
        thumb=float(np.mean(thumbs)) if thumbs else 0.0,
    )


def _lean_degrees(hand: _Hand) -> float:
    """How far the fingers lean to the right of upright, -180 to 180."""
    return float(np.degrees(np.angle(hand.fingers / -1j)))


def _unit(direction: complex) -> complex:
    return direction / abs(direction) if direction else 1j


def _is_small(film: Radiograph) -> bool:
    longer, shorter = max(film.shape), min(film.shape)
    if film.spacing_mm is None:
        return longer <= min(_CROP_EDGE_PX, _CROP_ASPECT * shorter)
    return longer * film.spacing_mm <= _CROP_EDGE_MM


def _whole(film: Radiograph) -> Wrist:
    height, width = film.shape
    size = float(max(height, width))
    note = "The film shows the wrist alone; all of it was read."
    if film.spacing_mm is None:
        note = "The film was taken for a wrist alone, because it is small and tissue runs off at its top and bottom."
    elif abs(size * film.spacing_mm / WRIST_MM - 1) > _NEARLY:
        size = WRIST_MM / film.spacing_mm
        note = "The film shows the wrist alone; the 90 mm about its middle were read."
    return Wrist(square((width / 2, height / 2), size=size), None, is_crop=True, notes=(note,))


def _is_wrist_alone(film: Radiograph) -> bool:
    """Whether a film is small and tissue meets its upper and its lower edge, and less of a third one."""
    if not _is_small(film):
        return False
    grey = _smooth(film.pixels, scale=_WORKING_SIZE / max(film.shape))
    votes = 0
    for level in np.quantile(grey, _CROP_LEVELS):
        for tissue in _pieces(grey > level, most=1):
            ends, sides = min(tissue[0].mean(), tissue[-1].mean()), min(tissue[:, 0].mean(), tissue[:, -1].mean())
            votes += bool(ends >= _CROP_CONTACT and sides < _CROP_SIDES * ends)
    return votes >= _CROP_VOTES


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
