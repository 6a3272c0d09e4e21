"""One visit drawn: the radiograph and the masks of exactly what was drawn."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32

from carpus.anatomy import Bone, Joint, Side
from carpus.imaging.intensity import to_8_bits
from carpus.imaging.masks import BoneMasks
from carpus.imaging.radiograph import Radiograph
from carpus.phantom.centres import ACQUISITIONS, Acquisition
from carpus.phantom.cohort import Visit
from carpus.phantom.disease import erosions, severity, with_osteophytes
from carpus.phantom.projection import (
    bone_attenuation,
    expose,
    merged,
    rasterise,
    soft_attenuation,
    spongy_texture,
)
from carpus.phantom.shapes import Anatomy, Pose, Shape, shape_wrist

FIELD_MM = 90.0
"""Edge of the square field of view: 600 pixels of 0.15 mm, as in RAM-W600."""

_ANATOMY, _HAND, _POSE, _DAMAGE, _LOOK = range(5)


@dataclass(frozen=True, eq=False)
class Phantom:
    """A synthetic wrist: the radiograph as a centre would deliver it, and its bones on the same grid."""

    radiograph: Radiograph
    masks: BoneMasks


def draw(visit: Visit, *, size_px: int = 600) -> Phantom:
    """The wrist of one visit; the same visit gives the same bytes, whatever was drawn before.

    Args:
        visit: From `plan_cohort`.
        size_px: Edge of the image; its field of view is always 90 mm.
    """
    spacing_mm = FIELD_MM / size_px
    shapes, skin = _shapes(visit)
    look = _generator(visit, _LOOK, visit.study, visit.side)
    texture = spongy_texture(size_px, spacing_mm=spacing_mm, generator=look)
    density = 1.0 if visit.sex == "M" else 0.93
    density *= 1 - 0.004 * max(visit.age - 50, 0)

    stack = np.zeros((len(Bone), size_px, size_px), bool)
    attenuation = soft_attenuation(rasterise(skin, spacing_mm=spacing_mm, size_px=size_px), spacing_mm=spacing_mm)
    for shape in shapes:
        body = rasterise(shape.contour, spacing_mm=spacing_mm, size_px=size_px)
        added = bone_attenuation(shape, body, texture, spacing_mm=spacing_mm, density=density)
        bites = _bites(visit, shape)
        if bites:
            lost = _with_islands(body, merged(bites, spacing_mm=spacing_mm, size_px=size_px))
            added *= _remaining(lost, spacing_mm)
            body &= ~lost
        stack[shape.part.bone.channel] |= body
        attenuation += added

    pixels = _deliver(attenuation, ACQUISITIONS[visit.centre], look)
    radiograph = Radiograph(pixels, spacing_mm, visit.side, f"phantom {visit.patient:04}_{visit.study:04}")
    phantom = Phantom(radiograph, BoneMasks.from_stack(stack))
    if visit.side is Side.LEFT:
        return Phantom(phantom.radiograph.mirrored(), phantom.masks.mirrored())
    return phantom


def _shapes(visit: Visit) -> tuple[list[Shape], np.ndarray]:
    person, hand = _generator(visit, _ANATOMY), _generator(visit, _HAND, 0, visit.side)
    size = (1.04 if visit.sex == "M" else 0.95) * person.normal(1, 0.03)
    anatomy = Anatomy(
        size=size * hand.normal(1, 0.006),
        breadth=person.normal(1, 0.02),
        seed=int(person.integers(2**32)),
    )
    damage = 0.0 if visit.scores is None else severity(dict(visit.scores))
    pose = _generator(visit, _POSE, visit.study, visit.side)
    shapes, skin = shape_wrist(
        anatomy,
        Pose(
            deviation=pose.normal(2, 5),
            thumb=pose.normal(0, 6),
            spread=pose.normal(0, 4),
            turn=pose.normal(0, 3),
            shift_mm=(pose.normal(0, 1.6), pose.normal(1.5, 2.0)),
            narrowing_mm=0.7 * damage,
        ),
    )
    grown = [
        with_osteophytes(shape, 1.1 * damage, _generator(visit, _DAMAGE, 100 + number, visit.side))
        for number, shape in enumerate(shapes)
    ]
    return grown, skin


def _bites(visit: Visit, shape: Shape) -> list[np.ndarray]:
    if visit.scores is None:
        return []
    for number, joint in enumerate(Joint):
        if joint.bone is shape.part.bone:
            return erosions(shape, visit.scores[joint], _generator(visit, _DAMAGE, number, visit.side))
    return []


def _with_islands(body: Bool[np.ndarray, "h w"], lost: Bool[np.ndarray, "h w"]) -> Bool[np.ndarray, "h w"]:
    """What bites take, with the islands that they cut off and that are resorbed: one piece of bone is left."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats((body & ~lost).astype(np.uint8), connectivity=4)
    if count <= 2:
        return lost
    largest = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    with_islands: Bool[np.ndarray, "h w"] = lost | ((labels != largest) & (labels > 0))
    return with_islands


def _remaining(lost: Bool[np.ndarray, "h w"], spacing_mm: float) -> Float32[np.ndarray, "h w"]:
    """What erosions leave of a bone's attenuation: nothing inside, a thin denser rim around."""
    gone = cv2.GaussianBlur(lost.astype(np.float32), (0, 0), 0.15 / spacing_mm)
    near = cv2.GaussianBlur(lost.astype(np.float32), (0, 0), 0.6 / spacing_mm)
    remaining: Float32[np.ndarray, "h w"] = (1 - gone) * (1 + 0.35 * near)
    return remaining


def _deliver(
    attenuation: Float32[np.ndarray, "h w"], acquisition: Acquisition, look: np.random.Generator
) -> np.ndarray:
    """Grey values as the release has them: exposed, digitised, windowed and reduced to 8 bits."""
    size = attenuation.shape[0]
    slope = look.normal(0, 0.03, 2)
    ramp = np.linspace(-1, 1, size, dtype=np.float32)
    gradient = slope[0] * ramp[None] + slope[1] * ramp[:, None]
    signal = expose(attenuation + gradient.astype(np.float32), acquisition, look)
    low, high = float(np.percentile(signal, 0.5)), float(np.percentile(signal, 99.9))
    curve = np.clip((signal - low) / max(high - low, 1e-6), 0, 1)
    curve **= acquisition.contrast * np.float32(np.exp(look.normal(0, 0.08)))
    levels = float((1 << acquisition.bits) - 1)
    return to_8_bits(np.rint(curve * levels))


def _generator(visit: Visit, purpose: int, number: int = 0, side: Side | None = None) -> np.random.Generator:
    """Chance for one purpose; what leaves out study or side is the same in all of them."""
    hand = 0 if side is None else 1 + list(Side).index(side)
    return np.random.default_rng([visit.seed, visit.patient, purpose, number, hand])
