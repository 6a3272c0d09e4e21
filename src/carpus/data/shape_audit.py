"""Masks that should be looked at again, because their bones are unlike those of the other wrists of the dataset.

Nothing is compared with an atlas from elsewhere: the usual place and size of each bone are the medians of the dataset
itself, right hands and mirrored left ones together, each wrist moved, turned and scaled onto the usual one. That fit
weighs a bone the less the farther off it is, so one bone out of place does not move the others. Everything found is a
reason to look again, not a proof.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Complex128, Float64

from carpus.anatomy import Bone, Joint
from carpus.imaging.masks import BoneMasks

FEWEST = 20
"""Wrists that are needed to know what is usual."""

_FAR = 6.0
"""Medians of the bone's own distances beyond which a bone is out of place; two in a thousand wrists at most."""
_RADII = 0.75
"""A bone out of place is also this many of its own radii off, a radius being that of a disc of its area."""
_TIMES = 2.0
"""A bone of unusual size is this many times larger or smaller than usual, beyond all but few wrists."""
_LOOSE, _LOOSE_PX = 0.002, 10
"""A part apart counts from this share of the bone and this many pixels on."""
_DENTED = 0.06
"""How much less of its convex hull than usual a bone scored as whole may fill."""
_DESTROYED = 4
_TURNED_DEGREES = 60
_ROUNDS = 8
_MAY_BE_TWO = (Bone.PISIFORM_TRIQUETRUM,)


@dataclass(frozen=True, eq=False)
class WristShape:
    """What is kept of the masks of one wrist, in px, right hands as they are and left ones mirrored.

    Attributes:
        centres: Middle of each bone as x + iy; NaN where it is not drawn.
        areas: In pixels.
        loose: Pixels of each bone outside of its largest part.
        parts: Number of parts of each bone.
        solidity: Part of its convex hull that the largest part of each bone fills, 0 to 1; NaN where it is not drawn.
    """

    centres: Complex128[np.ndarray, "14"]
    areas: Float64[np.ndarray, "14"]
    loose: Float64[np.ndarray, "14"]
    parts: tuple[int, ...]
    solidity: Float64[np.ndarray, "14"]


@dataclass(frozen=True)
class Finding:
    """Something about one wrist.

    Attributes:
        wrist: Its place in the sequence.
        kind: `hand-mirrored`, `hand-turned`, `bones-swapped`, `bone-misplaced`, `bone-size`, `bone-in-parts` or
            `score-shape`.
        what: The rest of a sentence that begins with the wrist's name.
    """

    wrist: int
    kind: str
    what: str


def wrist_shape(masks: BoneMasks, *, is_left: bool) -> WristShape:
    """The shapes of the bones of one wrist.

    Args:
        masks: In the image's own orientation.
        is_left: Whether it is a left hand, which is mirrored.
    """
    right = masks.mirrored() if is_left else masks
    centres, areas, loose, solidity = np.full(14, np.nan + 0j), np.zeros(14), np.zeros(14), np.full(14, np.nan)
    parts = [0] * 14
    for bone in Bone:
        mask = right.mask(bone)
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        if not rows.size:
            continue
        top, left = rows[0], columns[0]
        inside = mask[top : rows[-1] + 1, left : columns[-1] + 1].astype(np.uint8)
        count, labels, sizes, middles = cv2.connectedComponentsWithStats(inside, connectivity=8)
        own = sizes[1:, cv2.CC_STAT_AREA]
        largest = int(np.argmax(own)) + 1
        areas[bone.channel] = own.sum()
        loose[bone.channel] = own.sum() - own.max()
        parts[bone.channel] = count - 1
        middle = (own[:, None] * middles[1:]).sum(axis=0) / own.sum()
        centres[bone.channel] = complex(left + middle[0], top + middle[1])
        solidity[bone.channel] = _solidity(labels == largest)
    return WristShape(centres, areas, loose, tuple(parts), solidity)


def audit_shapes(shapes: Sequence[WristShape], scores: Sequence[Mapping[Joint, int] | None]) -> tuple[Finding, ...]:
    """Everything unusual, wrist by wrist. Parts apart are found in any wrist, the rest where there are `FEWEST`.

    Args:
        shapes: From `wrist_shape`.
        scores: SvdH scores of the same wrists; None for the unscored.
    """
    found = [finding for place, shape in enumerate(shapes) for finding in _in_parts(place, shape)]
    if len(shapes) >= FEWEST:
        found += _misplaced(shapes)
        found += _against_score(shapes, scores)
    return tuple(sorted(found, key=lambda finding: (finding.wrist, finding.kind)))


def fit_places(
    centres: Complex128[np.ndarray, "n 14"], usual: Complex128[np.ndarray, "14"]
) -> tuple[Complex128[np.ndarray, "n 1"], Float64[np.ndarray, "n 14"]]:
    """The turn and scale of each wrist onto the usual one, by least absolute sums, and how far off each bone is.

    Args:
        centres: Of the bones of wrists as x + iy, NaN where there is none.
        usual: Where they usually are; its unit is that of what comes back, and its size about 1.
    """
    weights = (~np.isnan(centres) & ~np.isnan(usual)).astype(float)
    here, there = np.nan_to_num(centres), np.nan_to_num(usual)[None]
    scales = np.ones((len(centres), 1), complex)
    off = np.full(centres.shape, np.nan)
    for _ in range(_ROUNDS):
        total = np.maximum(weights.sum(axis=1, keepdims=True), 1e-9)
        one = here - (weights * here).sum(axis=1, keepdims=True) / total
        other = there - (weights * there).sum(axis=1, keepdims=True) / total
        power = np.maximum((weights * np.abs(one) ** 2).sum(axis=1, keepdims=True), 1e-9)
        scales = (weights * one.conj() * other).sum(axis=1, keepdims=True) / power
        off = np.where(weights > 0, np.abs(scales * one - other), np.nan)
        weights = np.where(weights > 0, 1 / np.maximum(np.nan_to_num(off), 0.02), 0)
    return scales, off


def _solidity(part: Bool[np.ndarray, "h w"]) -> float:
    outlines, _ = cv2.findContours(part.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    outline = max(outlines, key=len)
    hull = cv2.contourArea(cv2.convexHull(outline))
    return float(cv2.contourArea(outline) / hull) if hull else 1.0


def _in_parts(place: int, shape: WristShape) -> Iterator[Finding]:
    for bone in Bone:
        loose, area, parts = shape.loose[bone.channel], shape.areas[bone.channel], shape.parts[bone.channel]
        if bone in _MAY_BE_TWO and parts == 2:
            continue
        if loose >= _LOOSE_PX and loose > _LOOSE * area:
            what = f"has {bone.label} in {parts} parts, {loose:.0f} of {area:.0f} pixels apart from the largest"
            yield Finding(place, "bone-in-parts", what)


def _misplaced(shapes: Sequence[WristShape]) -> Iterator[Finding]:
    centres = np.stack([shape.centres for shape in shapes])
    usual = _usual(centres)
    fits, off = fit_places(centres, usual)
    _, mirrored_off = fit_places(-centres.conj(), usual)
    radii = np.sqrt(np.stack([shape.areas for shape in shapes]) / np.pi) * np.abs(fits)
    with np.errstate(invalid="ignore"):
        radii[radii == 0] = np.nan
    typical = np.nanmedian(off, axis=0)
    limits = np.maximum(_FAR * typical, _RADII * np.nanmedian(radii, axis=0))
    usual_radii = np.nanmedian(radii, axis=0)
    spread = np.nanmedian(np.abs(np.log(radii / usual_radii)), axis=0)
    for place, shape in enumerate(shapes):
        if np.nanmean(mirrored_off[place]) < np.nanmean(off[place]) / 2:
            what = "has its bones as the other hand has them, so its side or its masks are wrong"
            yield Finding(place, "hand-mirrored", what)
            continue
        turn = float(np.degrees(np.angle(fits[place, 0])))
        if abs(turn) > _TURNED_DEGREES:
            yield Finding(
                place, "hand-turned", f"has its bones turned by {-turn:.0f} degrees from how they usually lie"
            )
            continue
        far = [bone for bone in Bone if off[place, bone.channel] > limits[bone.channel]]
        swapped = _swapped(place, far, centres, usual, limits)
        for one, other in swapped:
            yield Finding(place, "bones-swapped", f"has {one.label} and {other.label} each in the other's place")
        known = {bone for pair in swapped for bone in pair}
        for bone in far:
            if bone not in known:
                px = off[place, bone.channel] / abs(fits[place, 0])
                typical_px = typical[bone.channel] / abs(fits[place, 0])
                what = f"has {bone.label} {px:.0f} px from its usual place, where {typical_px:.0f} px is usual"
                yield Finding(place, "bone-misplaced", what)
        for bone in Bone:
            times = (radii[place, bone.channel] / usual_radii[bone.channel]) ** 2
            beyond = abs(np.log(times)) / 2 > _FAR * spread[bone.channel]
            if bone not in known and beyond and not 1 / _TIMES < times < _TIMES:
                what = f"has {bone.label} of {times:.2f} times its usual size, {shape.areas[bone.channel]:.0f} pixels"
                yield Finding(place, "bone-size", what)


def _usual(centres: Complex128[np.ndarray, "n 14"]) -> Complex128[np.ndarray, "14"]:
    """The median wrist: about 0, of size 1."""
    usual = _scaled(np.array([complex(np.nanmedian(c.real), np.nanmedian(c.imag)) for c in centres.T]))
    for _ in range(3):
        fits, _ = fit_places(centres, usual)
        placed = fits * centres + _shift(centres, fits, usual)
        usual = _scaled(np.array([complex(np.nanmedian(c.real), np.nanmedian(c.imag)) for c in placed.T]))
    return usual


def _scaled(places: Complex128[np.ndarray, "14"]) -> Complex128[np.ndarray, "14"]:
    moved = places - np.nanmean(places)
    return np.asarray(moved / np.sqrt(np.nanmean(np.abs(moved) ** 2)))


def _shift(
    centres: Complex128[np.ndarray, "n 14"], scales: Complex128[np.ndarray, "n 1"], usual: Complex128[np.ndarray, "14"]
) -> Complex128[np.ndarray, "n 1"]:
    apart = usual[None] - scales * centres
    return np.asarray(np.nanmedian(apart.real, axis=1) + 1j * np.nanmedian(apart.imag, axis=1))[:, None]


def _swapped(
    place: int,
    far: Sequence[Bone],
    centres: Complex128[np.ndarray, "n 14"],
    usual: Complex128[np.ndarray, "14"],
    limits: Float64[np.ndarray, "14"],
) -> list[tuple[Bone, Bone]]:
    """Pairs of bones that are in place once they change names."""
    found = []
    for first, one in enumerate(far):
        for other in far[first + 1 :]:
            exchanged = centres[place : place + 1].copy()
            pair, turned = [one.channel, other.channel], [other.channel, one.channel]
            exchanged[0, pair] = exchanged[0, turned]
            _, off = fit_places(exchanged, usual)
            if (off[0, pair] <= limits[pair]).all():
                found.append((one, other))
    return found


def _against_score(shapes: Sequence[WristShape], scores: Sequence[Mapping[Joint, int] | None]) -> Iterator[Finding]:
    for joint in Joint:
        channel = joint.bone.channel
        known = [
            (place, known_scores[joint], shape.solidity[channel])
            for place, (shape, known_scores) in enumerate(zip(shapes, scores, strict=True))
            if known_scores is not None and joint in known_scores and not np.isnan(shape.solidity[channel])
        ]
        whole = np.array([solidity for _, score, solidity in known if score == 0])
        if len(whole) < FEWEST:
            continue
        usual = float(np.median(whole))
        spread = float(np.median(np.abs(whole - usual)))
        for place, score, solidity in known:
            fills = f"fills {100 * solidity:.0f} % of its convex hull, where {100 * usual:.0f} % is usual"
            if score == 0 and solidity < usual - max(_DENTED, _FAR * spread):
                yield Finding(place, "score-shape", f"has {joint.label} scored 0, but its mask {fills}")
            if score >= _DESTROYED and solidity >= usual - spread:
                yield Finding(place, "score-shape", f"has {joint.label} scored {score}, but its mask {fills}")
