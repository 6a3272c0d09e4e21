"""The template hand of the training samples: outlines of all its bones in millimetres, drawn by hand.

A posteroanterior view of a right hand with the fingers up: x grows towards the ulna, y towards the forearm, and the
origin is the middle of the capitate. Carpus and forearm are given in place; metacarpals and phalanges in their own
frame, whose origin is the middle of their base and whose y axis runs back along the bone. The proportions are those
of textbooks of anatomy; no radiograph was traced.
"""

# ruff: noqa: E501 - rows of points

from dataclasses import dataclass
from functools import cache

import numpy as np
from jaxtyping import Float

from carpus.anatomy import Bone
from carpus.phantom.shapes import Contour, closed_spline

Points = tuple[tuple[float, float], ...]

Halves = Float[np.ndarray, "parts 2 n 2"]

DENSE = 128
"""Points of a contour as it is rendered."""


@dataclass(frozen=True)
class Part:
    """One bone of the template.

    Attributes:
        name: Unique among the parts.
        bone: Whose mask it belongs to; None for what surrounds the fourteen bones.
        outline: Control points of its contour, mm.
        depth_mm: Thickness along the beam where it is thickest.
        rounding_mm: How far from the contour that thickness is reached; for a shaft half its breadth.
        palmar_mm: How far its middle lies in front of the hand's plane, towards the palm; what a tilt moves it by.
        row: `forearm`, `proximal`, `distal`, `ray1` to `ray5`: what moves together.
        length_mm: Of a bone with a shaft; 0 for others.
        shell_mm: Thickness of the cortex beside the joint.
    """

    name: str
    bone: Bone | None
    outline: Points
    depth_mm: float
    rounding_mm: float
    palmar_mm: float
    row: str
    length_mm: float = 0.0
    shell_mm: float = 0.5


@dataclass(frozen=True)
class Ray:
    """A metacarpal's and its finger's place in the template.

    Attributes:
        base: The middle of the metacarpal's base, mm.
        degrees: The metacarpal's lean, positive towards the ulna.
        finger_degrees: How much more the finger leans.
        lengths_mm: Of metacarpal and phalanges.
        breadths_mm: Of the heads of metacarpal and phalanges; their bases are a little broader.
    """

    base: tuple[float, float]
    degrees: float
    finger_degrees: float
    lengths_mm: tuple[float, ...]
    breadths_mm: tuple[float, ...]


RAYS: tuple[Ray, ...] = (
    Ray((-25.4, -6.0), -46, 6, (45.0, 31.0, 22.0), (14.5, 11.5, 8.0)),
    Ray((-12.9, -10.4), -7, -1, (66.0, 40.0, 23.5, 16.5), (14.5, 11.0, 9.5, 7.0)),
    Ray((-0.2, -12.4), -1, 0, (64.0, 44.0, 28.0, 17.5), (15.0, 11.5, 10.0, 7.5)),
    Ray((11.2, -12.6), 7, 2, (56.5, 41.0, 26.5, 17.5), (13.0, 10.5, 9.2, 7.2)),
    Ray((19.7, -8.8), 16, 6, (52.0, 32.5, 19.0, 15.5), (12.5, 9.5, 8.2, 6.5)),
)

CARPUS: tuple[Part, ...] = (
    Part(
        "radius", Bone.DISTAL_RADIUS,
        (
            (-17.2, 12.9), (-13.8, 15.2), (-10.0, 17.4), (-5.0, 19.9), (0.0, 21.5), (5.0, 22.4), (10.0, 22.9), (13.4, 23.2), (15.0, 24.4), (14.9, 26.8),
            (15.4, 29.2), (14.5, 32.4), (12.9, 37), (11.8, 44), (11.2, 60), (11.2, 90), (11.4, 125), (-4.6, 125), (-5.4, 90), (-6.2, 60),
            (-8.0, 49), (-10.8, 41.5), (-14.0, 34.5), (-16.9, 28.2), (-18.9, 22.5), (-19.4, 17.6), (-18.9, 14.0),
        ),
        16.0, 8.5, 0.0, "forearm", 60.0, 0.7,
    ),
    Part(
        "ulna", Bone.DISTAL_ULNA,
        (
            (17.2, 25.0), (17.9, 23.0), (19.8, 22.0), (22.6, 22.0), (25.4, 22.3), (27.4, 21.6), (28.4, 19.2), (29.4, 16.8), (30.9, 16.3), (32.0, 18.0),
            (32.5, 20.8), (33.0, 23.8), (33.0, 27.0), (32.0, 31.0), (30.6, 35.5), (29.6, 41), (29.0, 48), (28.6, 60), (28.2, 90), (27.4, 125),
            (17.6, 125), (18.8, 90), (19.4, 60), (19.5, 48), (19.3, 40), (18.6, 34.4), (17.4, 30.4), (16.9, 27.4),
        ),
        13.5, 6.5, -2.0, "forearm", 60.0, 0.6,
    ),
    Part(
        "scaphoid", Bone.SCAPHOID,
        (
            (-16.9, 4.4), (-15.2, 1.4), (-12.4, -0.3), (-9.2, -0.6), (-6.8, 0.3), (-5.6, 2.6), (-5.2, 5.6), (-4.3, 8.8), (-2.6, 11.6), (-1.0, 13.8),
            (-0.5, 16.4), (-0.9, 19.0), (-2.8, 20.4), (-6.0, 19.6), (-9.4, 17.2), (-12.0, 14.2), (-13.4, 12.0), (-15.6, 10.8), (-17.4, 8.9), (-17.7, 6.5),
        ),
        11.5, 5.0, 2.0, "proximal",
    ),
    Part(
        "lunate", Bone.LUNATE,
        (
            (-0.8, 14.2), (0.4, 12.2), (3.0, 12.4), (6.2, 12.2), (9.0, 11.3), (11.2, 10.9), (13.4, 12.2), (15.2, 15.0), (16.0, 17.6), (15.2, 19.8),
            (12.4, 21.5), (8.6, 22.2), (4.8, 22.1), (1.4, 21.2), (-0.2, 19.4), (-1.0, 17.0),
        ),
        13.5, 5.0, 0.5, "proximal",
    ),
    Part(
        "triquetrum", Bone.PISIFORM_TRIQUETRUM,
        (
            (16.6, 1.4), (15.3, 4.8), (14.2, 8.2), (13.7, 10.6), (14.6, 12.8), (16.8, 15.0), (19.4, 16.1), (21.6, 15.2), (23.4, 12.2), (25.0, 8.4),
            (26.0, 4.2), (25.6, 0.8), (24.0, -1.2), (21.4, -1.8), (18.8, -0.8),
        ),
        11.0, 5.0, -2.0, "proximal",
    ),
    Part(
        "pisiform", Bone.PISIFORM_TRIQUETRUM,
        (
            (18.3, 8.2), (18.7, 4.6), (20.6, 1.6), (23.3, 0.6), (26.1, 1.8), (28.0, 4.8), (28.4, 8.2), (27.3, 11.6), (24.9, 13.6), (21.9, 13.6),
            (19.6, 11.8),
        ),
        7.5, 4.4, 11.0, "proximal",
    ),
    Part(
        "trapezium", Bone.TRAPEZIUM,
        (
            (-25.4, 1.2), (-25.6, -1.4), (-24.2, -3.6), (-22.6, -6.0), (-21.6, -8.8), (-20.8, -11.2), (-18.8, -12.4), (-16.4, -11.4), (-14.3, -9.0), (-12.5, -6.0),
            (-11.3, -3.2), (-11.5, -0.8), (-13.0, 0.9), (-15.4, 2.4), (-18.6, 4.0), (-21.2, 5.6), (-23.4, 5.4), (-24.6, 3.6),
        ),
        11.0, 5.0, 5.0, "distal",
    ),
    Part(
        "trapezoid", Bone.TRAPEZOID,
        (
            (-16.8, -4.0), (-16.3, -7.4), (-14.6, -9.9), (-12.2, -11.4), (-9.8, -11.2), (-8.0, -9.2), (-7.1, -6.2), (-6.8, -3.0), (-7.2, -0.8), (-9.2, 0.4),
            (-12.2, 0.6), (-14.8, -0.1), (-16.4, -1.8),
        ),
        12.0, 4.8, 0.0, "distal",
    ),
    Part(
        "capitate", Bone.CAPITATE,
        (
            (-6.9, -10.2), (-4.6, -11.4), (-1.2, -11.0), (2.6, -11.5), (5.4, -10.8), (6.3, -8.8), (5.9, -5.0), (5.8, -0.8), (6.1, 3.4), (5.8, 6.8),
            (4.4, 9.8), (2.0, 11.5), (-0.8, 11.6), (-3.3, 10.4), (-5.0, 7.9), (-5.9, 4.6), (-6.4, 1.0), (-7.0, -2.0), (-7.4, -5.0), (-7.3, -8.0),
        ),
        14.5, 5.6, 0.0, "distal",
    ),
    Part(
        "hamate", Bone.HAMATE,
        (
            (6.9, -10.4), (9.5, -11.3), (12.6, -12.0), (15.6, -11.4), (18.8, -9.6), (21.3, -6.6), (21.2, -4.4), (19.0, -2.5), (16.8, 0.2), (14.9, 3.8),
            (13.0, 7.4), (11.0, 10.2), (9.2, 10.9), (7.9, 9.6), (7.4, 6.0), (6.9, 1.5), (6.6, -3.5), (6.5, -7.8),
        ),
        12.5, 5.2, 1.0, "distal",
    ),
)  # fmt: skip
"""Forearm and carpus."""

HOOK: Points = (
    (10.2, -5.4), (10.8, -8.0), (12.8, -9.2), (15.0, -8.6), (16.2, -6.4), (15.6, -4.0), (13.8, -2.4), (11.6, -3.0),
)  # fmt: skip
"""The hamate's hook, seen end on."""

SHELF: Points = ((-15.6, 18.4), (-11.4, 20.4), (-7.0, 22.6), (-2.0, 24.2), (3.0, 25.0), (8.0, 25.2), (12.8, 25.2))
"""The radius's articular plate, whose far rim lies a little beyond it."""

SCAR: Points = ((-16.0, 27.6), (-10.0, 29.2), (-3.0, 28.8), (5.0, 29.6), (13.2, 28.8))
"""Where the radius's growth plate was: seen in many, for life."""

TUBERCLE: Points = (
    (-15.6, 6.8), (-14.6, 3.8), (-11.8, 2.2), (-9.0, 3.2), (-8.0, 6.2), (-9.6, 9.2), (-12.6, 9.8),
)  # fmt: skip
"""The scaphoid's tubercle, seen through its body: a ring that is plain when the bone stoops."""

_BASES: dict[int, Points] = {
    1: ((-8.0, -4.4), (-7.6, -1.4), (-5.2, 0.6), (-2.2, 0.5), (0.6, -0.5), (3.4, -0.5), (6.0, 1.2), (7.7, 1.4), (8.2, -1.4), (7.4, -5.4)),
    2: ((-8.5, -4.4), (-8.2, -1.2), (-6.6, 0.6), (-4.6, 0.2), (-2.6, -1.6), (-0.4, -2.2), (1.8, -0.8), (4.0, 1.6), (6.4, 2.4), (8.0, 0.4), (7.9, -3.6)),
    3: ((-6.8, -5.0), (-7.0, -1.6), (-6.0, 1.4), (-4.4, 1.6), (-1.6, 0.4), (2.4, -0.2), (5.4, -0.2), (6.9, -2.2), (6.8, -6.0)),
    4: ((-5.8, -5.4), (-6.0, -2.2), (-4.8, -0.2), (-2.0, 0.6), (1.8, 0.4), (4.6, -0.4), (5.8, -2.6), (5.5, -6.0)),
    5: ((-6.4, -5.4), (-6.6, -2.6), (-5.0, -0.2), (-2.2, 1.0), (1.2, 1.6), (4.2, 1.0), (6.6, -1.0), (7.2, -3.6), (6.2, -7.2)),
}  # fmt: skip
_WAISTS = {1: 0.66, 2: 0.58, 3: 0.58, 4: 0.52, 5: 0.60}
_METACARPALS = (Bone.METACARPAL_1, Bone.METACARPAL_2, Bone.METACARPAL_3, Bone.METACARPAL_4, Bone.METACARPAL_5)


def _head(length: float, half: float) -> Points:
    """From the ulnar to the radial side around a rounded head."""
    return (
        (0.98 * half, -length + 1.05 * half), (1.04 * half, -length + 0.72 * half), (0.82 * half, -length + 0.28 * half), (0.42 * half, -length + 0.04 * half),
        (-0.42 * half, -length + 0.04 * half), (-0.82 * half, -length + 0.28 * half), (-1.04 * half, -length + 0.72 * half), (-0.98 * half, -length + 1.05 * half),
    )  # fmt: skip


def _pulley(length: float, half: float) -> Points:
    """From the ulnar to the radial side around the two condyles of a phalanx."""
    return (
        (0.92 * half, -length + 1.1 * half), (1.02 * half, -length + 0.6 * half), (0.86 * half, -length + 0.12 * half), (0.46 * half, -length),
        (0.0, -length + 0.16 * half), (-0.46 * half, -length), (-0.86 * half, -length + 0.12 * half), (-1.02 * half, -length + 0.6 * half), (-0.92 * half, -length + 1.1 * half),
    )  # fmt: skip


def _tuft(length: float, half: float) -> Points:
    """From the ulnar to the radial side around a finger's tip."""
    return (
        (0.72 * half, -length + 1.6 * half), (1.0 * half, -length + 0.9 * half), (0.7 * half, -length + 0.2 * half), (0.0, -length),
        (-0.7 * half, -length + 0.2 * half), (-1.0 * half, -length + 0.9 * half), (-0.72 * half, -length + 1.6 * half),
    )  # fmt: skip


def _with_shaft(base: Points, end: Points, length: float, waist: float) -> Points:
    """A long bone's outline: base from the radial to the ulnar side, shaft, end, shaft."""
    (left, _), (right, _) = base[0], base[-1]
    top = -end[0][1]
    up = tuple(
        (right + (waist - right) * share, -(10.0 * length / 60 + (top - 16.0 * length / 60) * along))
        for share, along in ((0.62, 0.12), (0.95, 0.36), (1.0, 0.58), (0.86, 0.86))
    )
    down = tuple(
        (left + (-waist - left) * share, -(10.0 * length / 60 + (top - 16.0 * length / 60) * along))
        for share, along in ((0.86, 0.86), (1.0, 0.58), (0.95, 0.36), (0.62, 0.12))
    )
    return (*base, *up, *end, *down)


def _phalanx_base(half: float) -> Points:
    return (
        (-1.08 * half, -0.9 * half), (-1.16 * half, -0.45 * half), (-0.9 * half, -0.02 * half), (-0.4 * half, -0.16 * half), (0.0, -0.22 * half),
        (0.4 * half, -0.16 * half), (0.9 * half, -0.02 * half), (1.16 * half, -0.45 * half), (1.08 * half, -0.9 * half),
    )  # fmt: skip


@cache
def long_bones() -> tuple[Part, ...]:
    """Metacarpals and phalanges in their own frames, ray by ray from the base."""
    parts = []
    for number, ray in enumerate(RAYS, start=1):
        for place, (length, breadth) in enumerate(zip(ray.lengths_mm, ray.breadths_mm, strict=True)):
            half = breadth / 2
            if place == 0:
                waist = _WAISTS[number] * half
                outline = _with_shaft(_BASES[number], _head(length, half), length, waist)
                bone, name = _METACARPALS[number - 1], f"metacarpal{number}"
            else:
                last = place == len(ray.lengths_mm) - 1
                end = _tuft(length, half * 0.85) if last else _pulley(length, half)
                waist = (0.55 if last else 0.68) * half
                outline = _with_shaft(_phalanx_base(1.08 * half), end, length, waist)
                bone, name = None, f"phalanx{number}.{place}"
            thick = 1.75 * half if place == 0 else 1.55 * half
            lift = 6.0 if number == 1 else (0.0, 0.0, 0.0, 1.0)[number - 2]
            parts.append(Part(name, bone, outline, thick, waist, lift, f"ray{number}", length, 0.45))
    return tuple(parts)


@cache
def dense(outline: Points) -> Contour:
    """The contour of an outline, `DENSE` points evenly spaced, counterclockwise as seen in the image."""
    fine = closed_spline(np.array(outline, float), count=6 * DENSE)
    loop = np.vstack([fine, fine[:1]])
    along = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(loop, axis=0), axis=1))])
    places = np.linspace(0, along[-1], DENSE, endpoint=False)
    contour: Contour = np.column_stack([np.interp(places, along, loop[:, axis]) for axis in (0, 1)])
    contour.flags.writeable = False
    return contour
