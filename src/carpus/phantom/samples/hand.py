"""One hand in one pose with its damage: outlines of all bones in millimetres, each in two halves of its thickness.

A bone has a palmar and a dorsal half with outlines of their own. A tilt of the hand shifts what lies in front of what
lies behind, so that rims double and neighbours overlap as in a real projection.
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from carpus.anatomy import Joint
from carpus.phantom.samples.damage import Damage, at_stage, draw_damage, worn
from carpus.phantom.samples.neutral import neutral_hand
from carpus.phantom.samples.pose import Pose, draw_pose, posed, shift, tilted
from carpus.phantom.samples.template import DENSE, Halves, Part
from carpus.phantom.samples.variation import individual, rippled, warped, with_variants
from carpus.phantom.shapes import Contour

_LINES_LIFT_MM = {"shelf": 0.0, "scar": 0.0, "hook": 14.0, "tubercle": 7.0}
_JOINTS = {joint.bone: joint for joint in Joint}
_SESAMOIDS = {"metacarpal1": 0.85, "metacarpal2": 0.15, "metacarpal3": 0.01, "metacarpal4": 0.01, "metacarpal5": 0.2}


@dataclass(frozen=True, eq=False)
class Hand:
    """A right hand, thumb to the left, mm about the middle of the capitate.

    Attributes:
        parts: What each bone is.
        halves: `(parts, 2, n, 2)` outlines of the palmar and dorsal half.
        whole: `(parts, 2, n, 2)` the same before erosions took a part of them.
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
    whole: Halves
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


def draw_hand(generator: np.random.Generator, *, stage: float = 1.0, pose: Pose | None = None) -> Hand:
    """Another person's hand in another pose.

    The same generator gives the same person, whatever the stage and the pose: this is how visits are drawn.

    Args:
        generator: Of everything.
        stage: How far the disease has gone, from none at 0 to all that the generator gives the person at 1.
        pose: Of the hand; by default drawn too.
    """
    male = bool(generator.random() < 0.4)
    age = float(np.clip(generator.normal(50, 19), 17, 92))
    damage, drawn_pose, neutral = draw_damage(generator), draw_pose(generator), neutral_hand()
    pose = pose or drawn_pose
    parts, count = neutral.parts, len(neutral.parts)

    healthy = rippled(parts, neutral.outlines, generator)
    halves, whole = worn(parts, healthy, neutral.ends, neutral.axes, damage, generator)
    if stage < 1:
        damage, bites = at_stage(damage, stage), halves - whole
        # What no joint is scored by wears all the way.
        begun = [part.bone not in _JOINTS or damage.scores[_JOINTS[part.bone]] > 0 for part in parts]
        whole = healthy + stage * (whole - healthy)
        halves = whole + stage * np.array(begun)[:, None, None, None] * bites
    whole = with_variants(parts, whole, copy.deepcopy(generator))
    halves = with_variants(parts, halves, generator)

    # All points of one bone move together: its halves, its end and a point on its axis, every line that it may own, and
    # what erosions took.
    axis = np.stack([neutral.ends, neutral.ends + 10 * neutral.axes], axis=1)
    lines = np.concatenate(list(neutral.lines.values()))
    owned = np.broadcast_to(lines, (count, *lines.shape))
    points = np.concatenate([halves.reshape(count, -1, 2), axis, owned, whole.reshape(count, -1, 2)], axis=1)
    points = warped(posed(parts, individual(parts, points, generator), pose, damage), generator)
    size, breadth = generator.normal(1, 0.04) * (1.03 if male else 0.935), generator.normal(1, 0.035)
    points = points * np.array([size * breadth, size / breadth])

    cut = 2 * DENSE
    halves, whole = (
        tilted(parts, part.reshape(count, 2, DENSE, 2), pose) for part in (points[:, :cut], points[:, -cut:])
    )
    ends = points[:, cut]
    axes = points[:, cut + 1] - ends
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    placed, start = {}, cut + 2
    for name, course in neutral.lines.items():
        own = points[neutral.owners[name], start : start + len(course)]
        placed[name] = own + shift(pose) * _LINES_LIFT_MM[name]
        start += len(course)
    sesamoids = _sesamoids(parts, ends, axes, size, generator)
    return Hand(parts, halves, whole, ends, axes, placed, sesamoids, damage, age, male, pose)


def _sesamoids(
    parts: tuple[Part, ...], ends: np.ndarray, axes: np.ndarray, size: float, generator: np.random.Generator
) -> tuple[Contour, ...]:
    """Mostly two at the thumb, and at times one at another finger."""
    angle = np.linspace(0, 2 * np.pi, 32, endpoint=False)
    found = []
    for index, part in enumerate(parts):
        for side in (-1, 1) if part.name in _SESAMOIDS else ():
            there = generator.random() < _SESAMOIDS[part.name]
            along, aside, radii = generator.uniform(-4.5, 1.5), generator.uniform(2, 8), generator.uniform(1.6, 2.9, 2)
            if not there:
                continue
            across = np.array([-axes[index, 1], axes[index, 0]])
            centre = ends[index] + size * ((part.length_mm + along) * axes[index] + side * aside * across)
            ring = np.column_stack([np.cos(angle), np.sin(angle)]) * radii
            found.append(centre + ring * (1.0 if part.name == "metacarpal1" else 0.75))
    return tuple(found)
