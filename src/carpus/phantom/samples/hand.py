"""One hand in one pose with its damage: outlines of all bones in millimetres, each in two halves of its thickness.

A bone has a palmar and a dorsal half with outlines of their own. A tilt of the hand shifts what lies in front of what
lies behind, so that rims double and neighbours overlap as in a real projection.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from jaxtyping import Float

from carpus.anatomy import Joint, Side
from carpus.phantom.samples.damage import Damage, draw_damage, worn
from carpus.phantom.samples.template import CARPUS, DENSE, HOOK, RAYS, SHELF, TUBERCLE, Part, dense, long_bones
from carpus.phantom.shapes import Contour

Halves = Float[np.ndarray, "parts 2 n 2"]

_ORDERS = np.array([2, 3, 4, 5, 6, 8, 10])
_RIPPLE_MM = np.array([0.42, 0.34, 0.26, 0.18, 0.12, 0.09, 0.06])
_HALF_RIPPLE_MM = 0.45 * _RIPPLE_MM
_CAPITATE_HEAD = np.array([0.5, 9.0])
_ROWS_CROSSED = {"forearm": 0, "proximal": 1, "distal": 2}
_FOLLOWS = {"forearm": 0.0, "proximal": 0.45}
_JOINT_MM = 1.5


@dataclass(frozen=True)
class Pose:
    """How the hand lies, angles in degrees.

    Attributes:
        deviation: Towards the ulna (positive) or radius.
        pronation: About the forearm's axis: what lies towards the palm moves to the ulna.
        flexion: About the transverse axis: what lies towards the palm moves to the fingers.
        thumb: Abduction beyond the template's.
        spread: Of the little finger.
        finger_bends: Of each finger against its metacarpal.
    """

    deviation: float
    pronation: float
    flexion: float
    thumb: float
    spread: float
    finger_bends: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Hand:
    """A right hand, thumb to the left, mm about the middle of the capitate.

    Attributes:
        parts: What each bone is.
        halves: `(parts, 2, n, 2)` outlines of the palmar and dorsal half.
        ends: `(parts, 2)` the middle of a long bone's end at the joint.
        axes: `(parts, 2)` unit vectors from there along the shaft.
        lines: Dense lines within: the radius's plate, the hamate's hook, the scaphoid's tubercle.
        sesamoids: Small bones at the heads of metacarpals.
        damage: What disease has done.
        age: Years.
        male: Whether a man's.
        pose: As it was drawn.
    """

    parts: tuple[Part, ...]
    halves: Halves
    ends: Float[np.ndarray, "parts 2"]
    axes: Float[np.ndarray, "parts 2"]
    lines: Mapping[str, Contour]
    sesamoids: tuple[Contour, ...]
    damage: Damage
    age: float
    male: bool
    pose: Pose

    @property
    def scores(self) -> Mapping[Joint, int]:
        """The SvdH erosion score of each joint."""
        return self.damage.scores


def draw_hand(generator: np.random.Generator) -> Hand:
    """Another person's hand in another pose."""
    male = bool(generator.random() < 0.4)
    age = float(np.clip(generator.normal(50, 19), 17, 92))
    damage = draw_damage(generator)
    pose = _draw_pose(generator)
    parts, plain, lines, ends, axes, owner = _template()
    count = len(parts)

    halves = np.repeat(plain[:, None], 2, axis=1)
    normals = np.repeat(_normals(plain)[:, None], 2, axis=1)
    halves = halves + normals * (_ripple(generator, count) * _evenness(parts)[:, None, None])[..., None]
    halves = worn(parts, halves, ends, axes, damage, generator)
    halves = _radius_and_ulna(parts, halves, generator)

    # All points of one bone move together: its halves, its end and a point on its axis, its lines.
    marks = [np.stack([ends, ends + 10 * axes], axis=1)[:, None], *_padded(lines, owner, count)]
    points = np.concatenate([halves.reshape(count, -1, 2), *(mark.reshape(count, -1, 2) for mark in marks)], axis=1)
    points = _individual(parts, points, generator)
    points = _posed(parts, points, pose, damage)
    points = _warped(points, generator)
    size = generator.normal(1, 0.04) * (1.03 if male else 0.935)
    breadth = generator.normal(1, 0.035)
    points = points * np.array([size * breadth, size / breadth])

    cut = 2 * DENSE
    halves, marks_mm, rest = points[:, :cut].reshape(count, 2, DENSE, 2), points[:, cut : cut + 2], points[:, cut + 2 :]
    halves = _tilted(parts, halves, pose)
    ends = marks_mm[:, 0]
    axes = marks_mm[:, 1] - ends
    axes = axes / np.linalg.norm(axes, axis=1, keepdims=True)
    placed = _lines(lines, owner, rest, parts, pose)
    return Hand(
        parts, halves, ends, axes, placed, _sesamoids(parts, ends, axes, size, generator), damage, age, male, pose
    )


def _draw_pose(generator: np.random.Generator) -> Pose:
    wide = 1.0 if generator.random() < 0.75 else 1.8
    return Pose(
        deviation=wide * generator.normal(1, 6),
        pronation=wide * generator.normal(0, 6),
        flexion=wide * generator.normal(0, 5),
        thumb=wide * generator.normal(2, 9),
        spread=wide * generator.normal(3, 7),
        finger_bends=tuple(generator.normal(0, 4, 5)),
    )


@cache
def _template() -> tuple[
    tuple[Part, ...], np.ndarray, Mapping[str, Contour], np.ndarray, np.ndarray, Mapping[str, int]
]:
    """Every bone of the neutral hand: parts, outlines, lines, ends, axes, and whose the lines are."""
    parts = [*CARPUS, *long_bones()]
    outlines, ends, axes = [], [], []
    for part in CARPUS:
        outlines.append(dense(part.outline))
        ends.append({"radius": (-2.0, 19.0), "ulna": (25.0, 21.5)}.get(part.name, outlines[-1].mean(axis=0)))
        axes.append((0.0, 1.0))
    bones = iter(long_bones())
    for ray in RAYS:
        origin, degrees = np.array(ray.base), ray.degrees
        for place, length in enumerate(ray.lengths_mm):
            turn = _rotation(degrees)
            outlines.append(dense(next(bones).outline) @ turn.T + origin)
            ends.append(tuple(origin))
            axes.append(tuple(turn @ np.array([0.0, -1.0])))
            origin = origin + turn @ np.array([0.0, -length - _JOINT_MM])
            degrees += ray.finger_degrees if place == 0 else 0.0
    names = [part.name for part in parts]
    lines = {"shelf": np.array(SHELF, float), "hook": dense(HOOK)[::4], "tubercle": dense(TUBERCLE)[::4]}
    owner = {"shelf": names.index("radius"), "hook": names.index("hamate"), "tubercle": names.index("scaphoid")}
    return tuple(parts), np.stack(outlines), lines, np.array(ends, float), np.array(axes, float), owner


def _normals(outlines: Float[np.ndarray, "parts n 2"]) -> Float[np.ndarray, "parts n 2"]:
    """Unit vectors that point out of each outline."""
    along = np.roll(outlines, -1, axis=1) - np.roll(outlines, 1, axis=1)
    normals = np.stack([along[..., 1], -along[..., 0]], axis=-1)
    following = np.roll(outlines, -1, axis=1)
    area = (outlines[..., 0] * following[..., 1] - following[..., 0] * outlines[..., 1]).sum(axis=1)
    unit: np.ndarray = np.sign(area)[:, None, None] * normals / np.linalg.norm(normals, axis=-1, keepdims=True)
    return unit


def _ripple(generator: np.random.Generator, count: int) -> Float[np.ndarray, "parts 2 n"]:
    """How far each outline lies from the template's along the normals, mm: a bone's own, and each half's own."""
    angle = np.linspace(0, 2 * np.pi, DENSE, endpoint=False)
    basis = np.concatenate([np.cos(_ORDERS[:, None] * angle), np.sin(_ORDERS[:, None] * angle)])
    own = (
        generator.standard_normal((count, 1, 2 * len(_ORDERS))) * np.tile(_RIPPLE_MM, 2) * generator.uniform(0.35, 1.0)
    )
    half = generator.standard_normal((count, 2, 2 * len(_ORDERS))) * np.tile(_HALF_RIPPLE_MM, 2)
    ripple: np.ndarray = (own + half * generator.uniform(0.3, 1.2)) @ basis
    return ripple


def _evenness(parts: tuple[Part, ...]) -> Float[np.ndarray, " parts"]:
    """How much of the ripple each bone has: less where it is small, less where it is straight."""
    return np.array([0.75 if part.length_mm else 0.65 if part.name == "pisiform" else 1.0 for part in parts])


def _radius_and_ulna(parts: tuple[Part, ...], halves: Halves, generator: np.random.Generator) -> Halves:
    """The radius's two lips and its inclination, the ulna's variance, and the length of both styloids."""
    names = [part.name for part in parts]
    radius, ulna = names.index("radius"), names.index("ulna")
    halves = halves.copy()
    y = halves[radius, ..., 1]
    near = np.clip((33 - y) / 10, 0, 1)
    near = near * near * (3 - 2 * near)
    lips = np.array([generator.normal(0.7, 0.6), -abs(generator.normal(1.0, 0.9))])
    incline = np.tan(np.deg2rad(generator.normal(0, 3.5)))
    halves[radius, ..., 1] += near * (lips[:, None] + incline * (halves[radius, ..., 0] + 2))
    halves[ulna, ..., 1] += generator.normal(0.3, 1.3)
    tip = np.clip((21.5 - halves[ulna, ..., 1]) / 4, 0, 1)
    halves[ulna, ..., 1] += tip * generator.normal(0, 1.2)
    tip = np.clip((17.0 - halves[radius, ..., 1]) / 5, 0, 1)
    halves[radius, ..., 1] += tip * generator.normal(0, 0.9)
    return halves


def _padded(lines: Mapping[str, Contour], owner: Mapping[str, int], count: int) -> list[np.ndarray]:
    """Each line as a row of points for every bone, of which only its owner's counts."""
    rows = []
    for points in lines.values():
        rows.append(np.repeat(points[None], count, axis=0))
    del owner
    return rows


def _lines(
    lines: Mapping[str, Contour], owner: Mapping[str, int], rest: np.ndarray, parts: tuple[Part, ...], pose: Pose
) -> dict[str, Contour]:
    placed, start = {}, 0
    lift = {"shelf": 0.0, "hook": 14.0, "tubercle": 7.0}
    for name, points in lines.items():
        own = rest[owner[name], start : start + len(points)]
        start += len(points)
        placed[name] = own + _shift(pose) * lift[name]
    return placed


def _individual(parts: tuple[Part, ...], points: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Each bone's own size, lean and place."""
    count = len(parts)
    long = np.array([part.length_mm > 0 for part in parts])
    middle = np.where(long[:, None], points[:, 2 * DENSE], points[:, : 2 * DENSE].mean(axis=1))[:, None]
    scale = (
        np.where(long, 1.0, 1.03)[:, None, None]
        + generator.standard_normal((count, 1, 2)) * np.where(long, 0.03, 0.045)[:, None, None]
    )
    degrees = generator.standard_normal(count) * np.where(long, 1.2, 4.0)
    forearm = np.array([part.row == "forearm" for part in parts])
    scale[forearm] = 1 + (scale[forearm] - 1) * [1.2, 0.3]
    place = generator.standard_normal((count, 1, 2)) * np.where(long, 0.4, 0.45)[:, None, None]
    names = [part.name for part in parts]
    place[names.index("pisiform")] += generator.normal(0, 1.8, 2)
    return _turned((points - middle) * scale, degrees) + middle + place


def _posed(parts: tuple[Part, ...], points: np.ndarray, pose: Pose, damage: Damage) -> np.ndarray:
    """Fingers spread, rows moved closer or out of joint, the hand deviated."""
    points = points.copy()
    names = [part.name for part in parts]
    spread = {
        "ray1": -pose.thumb,
        "ray2": -0.5 * pose.spread,
        "ray3": 0.0,
        "ray4": 0.4 * pose.spread,
        "ray5": pose.spread,
    }
    for number, ray in enumerate(RAYS):
        members = [index for index, part in enumerate(parts) if part.row == f"ray{number + 1}"]
        metacarpal, *phalanges = members
        # The fingers turn about the knuckles, then the whole ray about its base.
        knuckle = points[phalanges[0], 2 * DENSE]
        points[phalanges] = (
            _turned(points[phalanges] - knuckle, np.full(len(phalanges), pose.finger_bends[number])) + knuckle
        )
        base = np.array(ray.base)
        stiff = 0.6 if number in (1, 3) else 1.0
        points[members] = (
            _turned(points[members] - base, np.full(len(members), stiff * spread[f"ray{number + 1}"])) + base
        )
    follows = np.array([_FOLLOWS.get(part.row, 1.0) for part in parts])
    crossed = np.array([_ROWS_CROSSED.get(part.row, 3) for part in parts], float)
    points[..., 1] += (crossed * damage.narrowing_mm)[:, None]
    # Joints side by side narrow as well.
    middle = points[:, : 2 * DENSE, 0].mean(axis=1)
    carpal = crossed > 0
    points[carpal, :, 0] -= (np.clip(middle[carpal] / 8, -2, 2) * 0.5 * damage.narrowing_mm)[:, None]
    points[carpal] += np.array(damage.translation_mm)
    points[[names.index(name) for name in ("metacarpal1", "phalanx1.1", "phalanx1.2")]] += np.array(damage.thumb_mm)
    points[[names.index("scaphoid"), names.index("trapezium"), names.index("trapezoid")], :, 0] -= damage.gap_mm
    points = _turned(points - _CAPITATE_HEAD, follows * pose.deviation) + _CAPITATE_HEAD
    # The scaphoid stoops when the hand leans to the radius, and is seen shorter.
    scaphoid = names.index("scaphoid")
    centre = points[scaphoid, : 2 * DENSE].mean(axis=0)
    stoop = np.clip(1 + 0.012 * pose.deviation + 0.01 * pose.flexion, 0.78, 1.1)
    along = np.array([0.64, 0.77])
    offset = points[scaphoid] - centre
    points[scaphoid] = centre + offset + (stoop - 1) * (offset @ along)[:, None] * along
    return points


def _warped(points: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """A gentle warp of the whole hand, so that proportions differ but neighbours still fit."""
    count = 7
    waves_mm = np.exp(generator.uniform(np.log(22), np.log(110), count))
    angle, phase = generator.uniform(0, 2 * np.pi, (2, count))
    ways = np.stack([np.cos(angle), np.sin(angle)]) * (2 * np.pi / waves_mm)
    push = generator.standard_normal((count, 2)) * (0.012 * waves_mm)[:, None] * generator.uniform(0.5, 1.3)
    warped: np.ndarray = points + np.sin(points @ ways + phase) @ push
    return warped


def _tilted(parts: tuple[Part, ...], halves: Halves, pose: Pose) -> Halves:
    """The halves where a tilted hand projects them."""
    lift = (
        np.array([part.palmar_mm for part in parts])[:, None]
        + np.array([[0.25, -0.25]]) * np.array([part.depth_mm for part in parts])[:, None]
    )
    tilted: Halves = halves + lift[..., None, None] * _shift(pose)
    return tilted


def _shift(pose: Pose) -> Float[np.ndarray, " 2"]:
    """Where a point 1 mm towards the palm projects to."""
    return np.array([np.tan(np.deg2rad(pose.pronation)), -np.tan(np.deg2rad(pose.flexion))])


def _sesamoids(
    parts: tuple[Part, ...], ends: np.ndarray, axes: np.ndarray, size: float, generator: np.random.Generator
) -> tuple[Contour, ...]:
    """Two at the thumb, and at times one at another finger."""
    angle = np.linspace(0, 2 * np.pi, 32, endpoint=False)
    found = []
    for index, part in enumerate(parts):
        if not part.name.startswith("metacarpal"):
            continue
        thumb = part.name == "metacarpal1"
        for side in (-1, 1):
            chance = 0.85 if thumb else {"metacarpal2": 0.3, "metacarpal5": 0.4}.get(part.name, 0.03) / 2
            at = (
                generator.uniform(-4.5, 1.5),
                generator.uniform(2.0, 8.0),
                generator.uniform(1.6, 2.9, 2),
                generator.random(),
            )
            if at[3] > chance:
                continue
            across = np.array([-axes[index, 1], axes[index, 0]])
            centre = ends[index] + size * ((part.length_mm + at[0]) * axes[index] + side * at[1] * across)
            ring = np.column_stack([np.cos(angle) * at[2][0], np.sin(angle) * at[2][1]])
            found.append(centre + ring * (1.0 if thumb else 0.75))
    return tuple(found)


def _turned(points: np.ndarray, degrees: np.ndarray) -> np.ndarray:
    """Each bone's points turned about the origin by its own angle."""
    angle = np.deg2rad(degrees)[:, None]
    cos, sin = np.cos(angle), np.sin(angle)
    x, y = points[..., 0], points[..., 1]
    return np.stack([cos * x - sin * y, sin * x + cos * y], axis=-1)


def _rotation(degrees: float) -> Float[np.ndarray, "2 2"]:
    angle = np.deg2rad(degrees)
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


__all__ = ["Hand", "Pose", "Side", "draw_hand"]
