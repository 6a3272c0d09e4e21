"""From the template to one person's wrist in one pose: closed contours in millimetres."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.interpolate import CubicSpline

from carpus.phantom.outlines import PARTS, SOFT_TISSUE, Part

Contour = Float[np.ndarray, "n 2"]

_POINTS_PER_CONTOUR = 240
_CAPITATE_HEAD = np.array([0.5, 11.0])
_THUMB_BASE = np.array([-25.0, -5.0])
_LITTLE_BASE = np.array([21.0, -8.0])


@dataclass(frozen=True)
class Anatomy:
    """What stays the same in one hand at every visit.

    Attributes:
        size: Relative to the template.
        breadth: Relative widening, with the height narrowed alike.
        seed: Of the individual shape of each bone.
    """

    size: float
    breadth: float
    seed: int


@dataclass(frozen=True)
class Pose:
    """How the hand lies, angles in degrees.

    Attributes:
        deviation: Of the hand towards the ulna (positive) or radius.
        thumb: Abduction of the thumb beyond the template's.
        spread: Of the little finger.
        turn: Of the whole forearm and hand in the image.
        shift_mm: Of the whole in the image, x and y.
        narrowing_mm: Lost joint space between each two rows.
    """

    deviation: float
    thumb: float
    spread: float
    turn: float
    shift_mm: tuple[float, float]
    narrowing_mm: float


@dataclass(frozen=True)
class Shape:
    """One bone's contour and what moves with it, in mm."""

    part: Part
    contour: Contour
    ridges: tuple[Contour, ...]
    end: Float[np.ndarray, " 2"] | None


def shape_wrist(anatomy: Anatomy, pose: Pose) -> tuple[list[Shape], Contour]:
    """The bones' contours in the order of `PARTS`, and the contour of the skin."""
    generator = np.random.default_rng(anatomy.seed)
    bend = generator.normal(0, 1, 6)
    shapes = []
    for part in PARTS:
        contour, *rest = (
            _placed(_moved(_bent(points, bend), part, pose), anatomy, pose) for points in _individual(part, generator)
        )
        end = rest.pop() if part.end is not None else None
        shapes.append(Shape(part, contour, tuple(rest), None if end is None else end[0]))
    skin = _bent(closed_spline(np.array(SOFT_TISSUE, float)), bend)
    thick = generator.normal(1.0, 0.03)
    return shapes, _placed(skin * [thick, 1], anatomy, pose)


def closed_spline(points: Contour, *, count: int = _POINTS_PER_CONTOUR) -> Contour:
    """A smooth closed contour through the points, `count` points long, mm."""
    loop = np.vstack([points, points[:1]])
    # Centripetal spacing keeps the curve from overshooting between near and far neighbours.
    knots = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(loop, axis=0), axis=1) ** 0.5)])
    curve: Contour = CubicSpline(knots, loop, bc_type="periodic")(np.linspace(0, knots[-1], count, endpoint=False))
    return curve


def outward(contour: Contour) -> Contour:
    """Unit vectors that point out of the contour, one a point."""
    following = np.roll(contour, -1, axis=0)
    along = following - np.roll(contour, 1, axis=0)
    normals = np.column_stack([along[:, 1], -along[:, 0]])
    twice_area = float((contour[:, 0] * following[:, 1] - following[:, 0] * contour[:, 1]).sum())
    unit: Contour = np.sign(twice_area) * normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
    return unit


def _individual(part: Part, generator: np.random.Generator) -> list[Contour]:
    """Contour, ridges and end of one bone with its own size, tilt, place and outline."""
    outline = np.array(part.outline, float)
    carpal = part.end is None
    middle = outline.mean(axis=0) if carpal else np.array(part.end)
    scale = 1 + generator.normal(0, 0.03, 2) * (1 if carpal else 0.6)
    tilt = np.deg2rad(generator.normal(0, 2.5 if carpal else 1.0))
    place = generator.normal(0, 0.4, 2)
    contour = closed_spline(outline)
    angle = np.linspace(0, 2 * np.pi, len(contour), endpoint=False)
    ripple = sum(
        generator.normal(0, 0.18 / order) * np.cos(order * angle + generator.uniform(0, 2 * np.pi))
        for order in (2, 3, 4, 5, 7)
    )
    contour = contour + outward(contour) * np.asarray(ripple)[:, None]
    sets = [contour, *(np.array(ridge, float) for ridge in part.ridges)]
    if part.end is not None:
        sets.append(np.array([part.end], float))
    turn = _rotation(tilt)
    return [(points - middle) * scale @ turn.T + middle + place for points in sets]


def _bent(points: Contour, bend: Float[np.ndarray, " 6"]) -> Contour:
    """A gentle warp of the whole wrist, so that proportions differ between people but neighbours still fit."""
    x, y = points.T / 45
    dx = 0.9 * bend[0] * np.sin(y) + 0.6 * bend[1] * np.cos(1.5 * y) + 0.5 * bend[2] * np.sin(2 * x)
    dy = 0.9 * bend[3] * np.sin(x) + 0.6 * bend[4] * np.cos(1.5 * x) + 0.5 * bend[5] * np.sin(2 * y)
    bent: Contour = points + np.column_stack([dx, dy])
    return bent


def _moved(points: Contour, part: Part, pose: Pose) -> Contour:
    """The points after wrist and fingers have moved and joint spaces have narrowed."""
    share = {"forearm": 0.0, "proximal": 0.45}.get(part.row, 1.0)
    if part.row == "thumb":
        points = _turned(points, _THUMB_BASE, -pose.thumb)
    if part.bone.name == "METACARPAL_5":
        points = _turned(points, _LITTLE_BASE, pose.spread)
    rows_crossed = {"forearm": 0, "proximal": 1, "distal": 2}.get(part.row, 3)
    points = points + np.array([0, rows_crossed * pose.narrowing_mm])
    return _turned(points, _CAPITATE_HEAD, share * pose.deviation)


def _placed(points: Contour, anatomy: Anatomy, pose: Pose) -> Contour:
    grown = points * [anatomy.size * anatomy.breadth, anatomy.size / anatomy.breadth]
    placed: Contour = _turned(grown, np.zeros(2), pose.turn) + np.array(pose.shift_mm)
    return placed


def _turned(points: Contour, pivot: Float[np.ndarray, " 2"], degrees: float) -> Contour:
    turned: Contour = (points - pivot) @ _rotation(np.deg2rad(degrees)).T + pivot
    return turned


def _rotation(angle: float) -> Float[np.ndarray, "2 2"]:
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
