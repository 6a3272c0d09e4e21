"""From the template to one person's wrist in one pose: closed contours in millimetres."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.interpolate import CubicSpline

from carpus.anatomy import Bone
from carpus.phantom.outlines import HYPOTHENAR, PARTS, SOFT_TISSUE, THENAR, Part

Contour = Float[np.ndarray, "n 2"]

_POINTS_PER_CONTOUR = 240
_CAPITATE_HEAD = np.array([0.5, 10.0])
_KNUCKLE_TURN = {
    Bone.METACARPAL_2: ((-13.0, -10.0), -0.5),
    Bone.METACARPAL_4: ((11.0, -10.5), 0.5),
    Bone.METACARPAL_5: ((19.5, -7.0), 1.0),
}
"""What a metacarpal turns about when the fingers spread, and its share of the little finger's angle."""

_THUMB_BASE = np.array([-25.0, -5.0])
_FOLLOWS_HAND = {"forearm": 0.0, "proximal": 0.5}
"""A row's share of the hand's deviation; the distal row and the hand move as one."""

_FLESH_STILL_MM, _FLESH_MOVES_MM = 18.0, -10.0
_ROWS_CROSSED = {"forearm": 0, "proximal": 1, "distal": 2}


@dataclass(frozen=True)
class Anatomy:
    """What stays the same in one hand at every visit.

    Attributes:
        size: Relative to the template.
        breadth: Relative widening, with the height narrowed alike.
        seed: Of the individual shape of each bone, the same in both hands.
        hand_seed: Of what differs between a person's hands.
    """

    size: float
    breadth: float
    seed: int
    hand_seed: int


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
        seed: Of the small shifts of each bone that come with a slightly different projection.
    """

    deviation: float
    thumb: float
    spread: float
    turn: float
    shift_mm: tuple[float, float]
    narrowing_mm: float
    seed: int


@dataclass(frozen=True)
class Shape:
    """One bone's contour and what moves with it, in mm.

    Attributes:
        part: The template's bone.
        contour: Of the undamaged bone.
        lines: Courses of `part.lines`.
        bare: Where erosions begin; empty if the bone is not scored.
        end: The middle of a long bone's end at the wrist.
    """

    part: Part
    contour: Contour
    lines: tuple[Contour, ...]
    bare: Contour
    end: Float[np.ndarray, " 2"] | None


@dataclass(frozen=True)
class Wrist:
    """The contours of one wrist in its pose: the bones in the order of `PARTS`, skin and muscles."""

    bones: tuple[Shape, ...]
    skin: Contour
    muscles: tuple[Contour, ...]


def shape_wrist(anatomy: Anatomy, pose: Pose) -> Wrist:
    """One person's wrist, in millimetres about the middle of the image.

    Args:
        anatomy: Of the hand.
        pose: At the visit.
    """
    person, hand = np.random.default_rng(anatomy.seed), np.random.default_rng(anatomy.hand_seed)
    visit = np.random.default_rng(pose.seed)
    bend = person.normal(0, 1, 6)
    bones = []
    for part in PARTS:
        individual, ripple = _individual(part, person, hand)
        jitter = visit.normal(0, 0.25, 2)

        def move(points: Contour, part: Part = part, own: Callable[[Contour], Contour] = individual) -> Contour:
            # Both defaults and the jitter belong to this turn of the loop: each is used before the next one.
            return _placed(_moved(_bent(own(points), bend), part, pose) + jitter, anatomy, pose)  # noqa: B023

        contour = closed_spline(np.array(part.outline, float))
        contour = contour + outward(contour) * ripple[:, None]
        bones.append(
            Shape(
                part,
                move(contour),
                tuple(move(np.array(line.points, float)) for line in part.lines),
                move(np.array(part.bare, float).reshape(-1, 2)),
                None if part.end is None else move(np.array([part.end], float))[0],
            )
        )
    plumpness = np.array([person.normal(1.0, 0.03), 1.0])
    skin, *muscles = (
        _placed(_moved_flesh(_bent(closed_spline(np.array(points, float)), bend) * plumpness, pose), anatomy, pose)
        for points in (SOFT_TISSUE, THENAR, HYPOTHENAR)
    )
    return Wrist(tuple(bones), skin, tuple(muscles))


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


def _individual(
    part: Part, person: np.random.Generator, hand: np.random.Generator
) -> tuple[Callable[[Contour], Contour], Float[np.ndarray, " n"]]:
    """What makes this bone this person's: a map of its points, and a ripple along its contour's normals, mm."""
    carpal = part.end is None
    middle = np.array(part.outline).mean(axis=0) if part.end is None else np.array(part.end)
    scale = 1 + person.normal(0, 0.03, 2) * (1 if carpal else 0.5) + hand.normal(0, 0.007, 2)
    turn = _rotation(np.deg2rad(person.normal(0, 2.5 if carpal else 1.0) + hand.normal(0, 0.6)))
    place = person.normal(0, 0.35, 2) + hand.normal(0, 0.15, 2)
    angle = np.linspace(0, 2 * np.pi, _POINTS_PER_CONTOUR, endpoint=False)
    ripple = np.zeros(_POINTS_PER_CONTOUR)
    for order in (2, 3, 4, 5, 7, 9):
        ripple += person.normal(0, 0.34 / order) * np.cos(order * angle + person.uniform(0, 2 * np.pi))
        ripple += hand.normal(0, 0.08 / order) * np.cos(order * angle + hand.uniform(0, 2 * np.pi))
    return lambda points: (points - middle) * scale @ turn.T + middle + place, ripple


def _bent(points: Contour, bend: Float[np.ndarray, " 6"]) -> Contour:
    """A gentle warp of the whole wrist, so that proportions differ between people but neighbours still fit."""
    x, y = points.T / 45
    dx = 0.9 * bend[0] * np.sin(y) + 0.6 * bend[1] * np.cos(1.5 * y) + 0.5 * bend[2] * np.sin(2 * x)
    dy = 0.9 * bend[3] * np.sin(x) + 0.6 * bend[4] * np.cos(1.5 * x) + 0.5 * bend[5] * np.sin(2 * y)
    bent: Contour = points + np.column_stack([dx, dy])
    return bent


def _moved(points: Contour, part: Part, pose: Pose) -> Contour:
    """The points after wrist and fingers have moved and joint spaces have narrowed."""
    if part.row == "thumb":
        points = _turned(points, _THUMB_BASE, -pose.thumb)
    if part.bone in _KNUCKLE_TURN:
        pivot, share = _KNUCKLE_TURN[part.bone]
        points = _turned(points, np.array(pivot), share * pose.spread)
    points = points + np.array([0, _ROWS_CROSSED.get(part.row, 3) * pose.narrowing_mm])
    return _turned(points, _CAPITATE_HEAD, _FOLLOWS_HAND.get(part.row, 1.0) * pose.deviation)


def _moved_flesh(points: Contour, pose: Pose) -> Contour:
    """Skin or muscle after the wrist has moved: still at the forearm, with the bones at the hand."""
    share = np.clip((_FLESH_STILL_MM - points[:, 1:]) / (_FLESH_STILL_MM - _FLESH_MOVES_MM), 0, 1)
    ulnar = np.clip(points[:, :1] / 30, 0, 1) * share
    spread = _turned(points, np.array(_KNUCKLE_TURN[Bone.METACARPAL_5][0]), pose.spread)
    points = points + ulnar * (spread - points)
    moved: Contour = points + share * (_turned(points, _CAPITATE_HEAD, pose.deviation) - points)
    return moved


def _placed(points: Contour, anatomy: Anatomy, pose: Pose) -> Contour:
    grown = points * [anatomy.size * anatomy.breadth, anatomy.size / anatomy.breadth]
    placed: Contour = _turned(grown, np.zeros(2), pose.turn) + np.array(pose.shift_mm)
    return placed


def _turned(points: Contour, pivot: Float[np.ndarray, " 2"], degrees: float) -> Contour:
    turned: Contour = (points - pivot) @ _rotation(np.deg2rad(degrees)).T + pivot
    return turned


def _rotation(angle: float) -> Float[np.ndarray, "2 2"]:
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
