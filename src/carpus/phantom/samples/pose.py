"""How a hand lies, and what that moves: fingers, rows, and what lies in front of what by a tilt."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from carpus.phantom.samples.damage import Damage
from carpus.phantom.samples.template import DENSE, RAYS, Halves, Part

_CAPITATE_HEAD = np.array([0.5, 9.0])
_ROWS_CROSSED = {"forearm": 0, "proximal": 1, "distal": 2}
_FOLLOWS = {"forearm": 0.0, "proximal": 0.45}


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


def draw_pose(generator: np.random.Generator) -> Pose:
    """Mostly a hand laid down well, at times one that is not."""
    wide = 1.0 if generator.random() < 0.75 else 1.8
    return Pose(
        deviation=float(np.clip(wide * generator.normal(3, 8), -25, 32)),
        pronation=wide * generator.normal(0, 6),
        flexion=wide * generator.normal(0, 5),
        thumb=wide * generator.normal(2, 9),
        spread=max(wide * generator.normal(3, 6), -5.0),
        finger_bends=tuple(generator.normal(0, 3, 5)),
    )


def posed(parts: tuple[Part, ...], points: np.ndarray, pose: Pose, damage: Damage) -> np.ndarray:
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
        _, *phalanges = members
        # The fingers turn about the knuckles, then the whole ray about its base.
        knuckle = points[phalanges[0], 2 * DENSE]
        points[phalanges] = (
            turned(points[phalanges] - knuckle, np.full(len(phalanges), pose.finger_bends[number])) + knuckle
        )
        base = np.array(ray.base)
        stiff = 0.6 if number in (1, 3) else 1.0
        points[members] = (
            turned(points[members] - base, np.full(len(members), stiff * spread[f"ray{number + 1}"])) + base
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
    points = turned(points - _CAPITATE_HEAD, follows * pose.deviation) + _CAPITATE_HEAD
    # The scaphoid stoops when the hand leans to the radius, and is seen shorter.
    scaphoid = names.index("scaphoid")
    centre = points[scaphoid, : 2 * DENSE].mean(axis=0)
    stoop = np.clip(1 + 0.012 * pose.deviation + 0.01 * pose.flexion, 0.78, 1.1)
    along = np.array([0.64, 0.77])
    offset = points[scaphoid] - centre
    points[scaphoid] = centre + offset + (stoop - 1) * (offset @ along)[:, None] * along
    return points


def tilted(parts: tuple[Part, ...], halves: Halves, pose: Pose) -> Halves:
    """The halves where a tilted hand projects them."""
    lift = (
        np.array([part.palmar_mm for part in parts])[:, None]
        + np.array([[0.25, -0.25]]) * np.array([part.depth_mm for part in parts])[:, None]
    )
    tilted: Halves = halves + lift[..., None, None] * shift(pose)
    return tilted


def shift(pose: Pose) -> Float[np.ndarray, " 2"]:
    """Where a point 1 mm towards the palm projects to."""
    return np.array([np.tan(np.deg2rad(pose.pronation)), -np.tan(np.deg2rad(pose.flexion))])


def turned(points: np.ndarray, degrees: np.ndarray) -> np.ndarray:
    """Each bone's points turned about the origin by its own angle."""
    angle = np.deg2rad(degrees)[:, None]
    cos, sin = np.cos(angle), np.sin(angle)
    x, y = points[..., 0], points[..., 1]
    return np.stack([cos * x - sin * y, sin * x + cos * y], axis=-1)


def rotation(degrees: float) -> Float[np.ndarray, "2 2"]:
    """The matrix that turns columns by an angle, clockwise in the image."""
    angle = np.deg2rad(degrees)
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
