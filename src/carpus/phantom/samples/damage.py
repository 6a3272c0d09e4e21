"""What rheumatoid arthritis and wear do to the bones of a training sample.

Erosions follow the SvdH definition: the score grows with the share of the joint's surface that is eroded, and from 3 on
an erosion reaches past the middle of the bone; 5 is more than half of the surface gone, and collapse.

References:
    van der Heijde D. How to read radiographs according to the Sharp/van der Heijde method. J Rheumatol
        2000;27(1):261-263.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from carpus.anatomy import Joint
from carpus.phantom.samples.template import Part

ERODED_SHARE: Mapping[int, tuple[float, float]] = {
    1: (0.04, 0.09), 2: (0.09, 0.17), 3: (0.17, 0.3), 4: (0.3, 0.45), 5: (0.5, 0.7),
}  # fmt: skip
"""By score: the share of the outline that erosions take."""

_DEPTH: Mapping[int, tuple[float, float]] = {
    1: (0.1, 0.25), 2: (0.15, 0.35), 3: (0.3, 0.6), 4: (0.35, 0.65), 5: (0.4, 0.7),
}  # fmt: skip
_ROUND = (0.35, 0.8)
_LEAST_WIDTH_MM = 1.8
_HEALTHY = 0.45
_JOINT_REACH_MM = 11.0


@dataclass(frozen=True)
class Damage:
    """How a hand is damaged.

    Attributes:
        severity: 0 (healthy) to 1.
        scores: SvdH erosion score of each joint.
        narrowing_mm: Joint space lost between two rows; from about 1.5 on the bones meet.
        ankylosis: Whether the carpal bones have grown together.
        translation_mm: Of the carpus against the forearm, x and y.
        thumb_mm: Of the first metacarpal against the trapezium.
        gap_mm: How much farther scaphoid and lunate are apart.
        outgrowth_mm: Height of the largest osteophyte.
    """

    severity: float
    scores: Mapping[Joint, int]
    narrowing_mm: float
    ankylosis: bool
    translation_mm: tuple[float, float]
    thumb_mm: tuple[float, float]
    gap_mm: float
    outgrowth_mm: float


def draw_damage(generator: np.random.Generator) -> Damage:
    """None in nearly half of the hands, mild in most others, severe in some."""
    severity = 0.0 if generator.random() < _HEALTHY else float(generator.beta(1.2, 2.0))
    ankylosis = bool(severity > 0.6 and generator.random() < 0.3)
    subluxed = generator.random() < 0.6 * severity
    worn_thumb = generator.random() < 0.12 + 0.4 * severity
    return Damage(
        severity=severity,
        scores={joint: int(min(generator.poisson(2.4 * severity), 5)) for joint in Joint},
        narrowing_mm=1.5 if ankylosis else float(np.clip(generator.normal(0.9 * severity - 0.05, 0.25), -0.4, 1.6)),
        ankylosis=ankylosis,
        translation_mm=(float(generator.normal(2.5, 2.0)), float(generator.normal(0.5, 1))) if subluxed else (0.0, 0.0),
        thumb_mm=(float(generator.normal(-2.5, 1.2)), float(generator.normal(1.0, 1.0))) if worn_thumb else (0.0, 0.0),
        gap_mm=float(abs(generator.normal(0, 2))) if generator.random() < 0.05 + 0.15 * severity else 0.0,
        outgrowth_mm=float(abs(generator.normal(0, 0.4 + 1.2 * severity))),
    )


def at_stage(damage: Damage, stage: float) -> Damage:
    """The damage on its way, from none at 0 to all of it at 1; what joint a bone lost lies where all of it will lie.

    Args:
        damage: In the end.
        stage: 0 to 1.
    """
    return Damage(
        severity=stage * damage.severity,
        scores={joint: round(stage * score) for joint, score in damage.scores.items()},
        narrowing_mm=stage * damage.narrowing_mm,
        ankylosis=damage.ankylosis and stage == 1,
        translation_mm=(stage * damage.translation_mm[0], stage * damage.translation_mm[1]),
        thumb_mm=(stage * damage.thumb_mm[0], stage * damage.thumb_mm[1]),
        gap_mm=stage * damage.gap_mm,
        outgrowth_mm=stage * damage.outgrowth_mm,
    )


def worn(
    parts: tuple[Part, ...],
    halves: Float[np.ndarray, "parts 2 n 2"],
    ends: Float[np.ndarray, "parts 2"],
    axes: Float[np.ndarray, "parts 2"],
    damage: Damage,
    generator: np.random.Generator,
) -> tuple[Float[np.ndarray, "parts 2 n 2"], Float[np.ndarray, "parts 2 n 2"]]:
    """The outlines with osteophytes, erosions and collapse; and as they would be without the erosions.

    Args:
        parts: The bones.
        halves: Outlines of both halves of each.
        ends: Of long bones, at the joint; the middle of others.
        axes: From there along the shaft.
        damage: What to do.
        generator: Of places and shapes.
    """
    if damage.severity == 0 and damage.outgrowth_mm < 0.3:
        return halves, halves
    halves, whole = halves.copy(), halves.copy()
    by_bone = {joint.bone: joint for joint in Joint}
    for index, part in enumerate(parts):
        if part.bone is None:
            continue
        long = part.length_mm > 0
        core = ends[index] + (7.0 * axes[index] if long else 0.0)
        outline = halves[index].mean(axis=0)
        reach = np.linalg.norm(outline - ends[index], axis=1)
        near = np.flatnonzero(reach < _JOINT_REACH_MM) if long else np.arange(len(outline))
        if damage.outgrowth_mm >= 0.3:
            _grow(halves[index], core, near, damage.outgrowth_mm, generator)
            whole[index] = halves[index]
        joint = by_bone.get(part.bone)
        score = damage.scores[joint] if joint else int(min(generator.poisson(0.8 * damage.severity), 2))
        if score:
            _erode(halves[index], core, near, score, generator)
        if score == 5 and not long:
            left = generator.uniform(0.65, 0.85)
            for outline in (halves, whole):
                outline[index, ..., 1] = core[1] + (outline[index, ..., 1] - core[1]) * left
    return halves, whole


def _grow(
    halves: np.ndarray, core: np.ndarray, near: np.ndarray, height_mm: float, generator: np.random.Generator
) -> None:
    """Small spurs on one or both halves."""
    for _ in range(generator.integers(0, 4)):
        middle = near[generator.integers(len(near))]
        place = np.arange(halves.shape[1])
        apart = np.abs((place - middle + len(place) // 2) % len(place) - len(place) // 2)
        bump = height_mm * generator.uniform(0.3, 1) * np.exp(-0.5 * (apart / generator.uniform(1.5, 4)) ** 2)
        for half in range(2) if generator.random() < 0.5 else [int(generator.integers(2))]:
            away = halves[half] - core
            halves[half] += bump[:, None] * away / np.linalg.norm(away, axis=1, keepdims=True)


def _erode(halves: np.ndarray, core: np.ndarray, near: np.ndarray, score: int, generator: np.random.Generator) -> None:
    """Bites out of the outline, all together of the score's share; a discrete one may take one half only."""
    share = generator.uniform(*ERODED_SHARE[score]) * len(near)
    bites = int(generator.integers(1, 2 + score // 2))
    parts = generator.dirichlet(np.full(bites, 3.0)) * share
    place = np.arange(halves.shape[1])
    outline = halves.mean(axis=0)
    step_mm = float(np.linalg.norm(outline - np.roll(outline, 1, axis=0), axis=1).mean())
    for width in np.maximum(parts, max(_LEAST_WIDTH_MM / step_mm, 3.0)):
        middle = near[generator.integers(len(near))]
        apart = (place - middle + len(place) // 2) % len(place) - len(place) // 2
        within = 2 * np.abs(apart) / width
        steep = generator.uniform(1.6, 3.2)
        # An erosion is about as deep as half a circle over its mouth.
        round_mm = width * step_mm * generator.uniform(*_ROUND)
        depth = max(generator.uniform(*_DEPTH[score]), round_mm / float(np.linalg.norm(outline[middle] - core)))
        dent = np.clip(1 - within**steep, 0, 1) ** 0.7 * min(depth, 0.8)
        dent *= 1 + 0.25 * np.sin(apart * generator.uniform(0.2, 0.7) + generator.uniform(0, 6))
        # What is a few points wide would be a tooth; eroded bone is scalloped.
        for _ in range(2):
            dent = 0.25 * np.roll(dent, 1) + 0.5 * dent + 0.25 * np.roll(dent, -1)
        dent = np.clip(dent, 0, 0.8)
        one = score == 1 and generator.random() < 0.3
        for half in [int(generator.integers(2))] if one else range(2):
            halves[half] += (dent * generator.uniform(0.8, 1.1))[:, None] * (core - halves[half])
