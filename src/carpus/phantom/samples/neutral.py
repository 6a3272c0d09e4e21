"""The neutral hand: every bone of the template in its place, before anything makes it a person's."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from jaxtyping import Float

from carpus.phantom.samples.pose import rotation
from carpus.phantom.samples.template import CARPUS, HOOK, RAYS, SCAR, SHELF, TUBERCLE, Part, dense, long_bones
from carpus.phantom.shapes import Contour

_JOINT_MM = 1.5
_JOINTS = {"radius": (-2.0, 19.0), "ulna": (25.0, 21.5)}


@dataclass(frozen=True, eq=False)
class Neutral:
    """All bones of a hand and both of its forearm, mm.

    Attributes:
        parts: What each bone is.
        outlines: `(parts, n, 2)`.
        ends: `(parts, 2)` of a bone with a shaft the middle of its end at the joint, of others the middle.
        axes: `(parts, 2)` unit vectors from there along the shaft.
        lines: Dense lines within bones.
        owners: Number of the part that each line belongs to.
    """

    parts: tuple[Part, ...]
    outlines: Float[np.ndarray, "parts n 2"]
    ends: Float[np.ndarray, "parts 2"]
    axes: Float[np.ndarray, "parts 2"]
    lines: Mapping[str, Contour]
    owners: Mapping[str, int]


@cache
def neutral_hand() -> Neutral:
    """The template, put together once."""
    parts = [*CARPUS, *long_bones()]
    outlines = [dense(part.outline) for part in CARPUS]
    ends = [
        np.array(_JOINTS.get(part.name, outline.mean(axis=0))) for part, outline in zip(CARPUS, outlines, strict=True)
    ]
    axes = [np.array([0.0, 1.0]) for _ in CARPUS]
    bones = iter(long_bones())
    for ray in RAYS:
        origin, degrees = np.array(ray.base), ray.degrees
        for place, length in enumerate(ray.lengths_mm):
            turn = rotation(degrees)
            outlines.append(dense(next(bones).outline) @ turn.T + origin)
            ends.append(origin)
            axes.append(turn @ np.array([0.0, -1.0]))
            origin = origin + turn @ np.array([0.0, -length - _JOINT_MM])
            degrees += ray.finger_degrees if place == 0 else 0.0
    names = [part.name for part in parts]
    lines = {
        "shelf": np.array(SHELF, float),
        "scar": np.array(SCAR, float),
        "hook": dense(HOOK)[::4],
        "tubercle": dense(TUBERCLE)[::4],
    }
    radius = names.index("radius")
    owners = {"shelf": radius, "scar": radius, "hook": names.index("hamate"), "tubercle": names.index("scaphoid")}
    return Neutral(tuple(parts), np.stack(outlines), np.stack(ends), np.stack(axes), lines, owners)
