"""One visit drawn: the radiograph and the masks of exactly what was drawn."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32

from carpus.anatomy import Bone, Joint, Side
from carpus.imaging.masks import BoneMasks
from carpus.imaging.radiograph import Radiograph
from carpus.phantom.centres import ACQUISITIONS
from carpus.phantom.cohort import Visit
from carpus.phantom.disease import MOST_NARROWING_MM, MOST_OUTGROWTH_MM, collapsed, erosions, severity, with_osteophytes
from carpus.phantom.exposure import collimate, deliver, expose, uneven
from carpus.phantom.projection import Canvas, Projection, bone_attenuation, canvas, rasterise, soft_attenuation
from carpus.phantom.shapes import Anatomy, Contour, Pose, Shape, Wrist, shape_wrist

FIELD_MM = 90.0
"""Edge of the square field of view: 600 pixels of 0.15 mm, as in RAM-W600."""

_ANATOMY, _HAND, _POSE, _DAMAGE, _LOOK, _GRAIN = range(6)
_WORST = 5
_SPUR_MM = 0.9


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
    projection = project(visit, size_px=size_px)
    acquisition, look = ACQUISITIONS[visit.centre], _generator(visit, _LOOK, visit.study, visit.side)
    field = collimate(size_px, look)
    signal = expose(projection.attenuation + uneven(size_px, look), acquisition, look, spacing_mm=spacing_mm)
    pixels = deliver(signal, field, acquisition, look)
    radiograph = Radiograph(pixels, spacing_mm, visit.side, f"phantom {visit.patient:04}_{visit.study:04}")
    masks = BoneMasks(projection.masks.plane * field)
    if visit.side is Side.LEFT:
        return Phantom(radiograph.mirrored(), masks.mirrored())
    return Phantom(radiograph, masks)


def project(visit: Visit, *, size_px: int = 600) -> Projection:
    """What an ideal detector meets, without blur, noise or collimation; the thumb is always to the left.

    Args:
        visit: From `plan_cohort`.
        size_px: Edge of the image; its field of view is always 90 mm.
    """
    wrist = _wrist(visit)
    grid = canvas(size_px, spacing_mm=FIELD_MM / size_px, generator=_generator(visit, _GRAIN, 0, visit.side))
    # Women and the old have less mineral in their bones; rheumatoid arthritis takes more of it near the joints.
    density = (1.0 if visit.sex == "M" else 0.93) * (1 - 0.004 * max(visit.age - 50, 0))
    density *= 1 - 0.12 * severity(visit.scores)

    stack = np.zeros((len(Bone), size_px, size_px), bool)
    attenuation = soft_attenuation(wrist, grid)
    for shape in wrist.bones:
        coverage = rasterise(shape.contour, grid)
        added = bone_attenuation(shape, coverage, grid, density=density)
        body = coverage >= 0.5
        if bites := _bites(visit, shape):
            lost = _lost(body, bites, grid)
            body &= ~lost
            added *= _remaining(lost, body, grid.spacing_mm)
        stack[shape.part.bone.channel] |= body
        attenuation += added
    return Projection(attenuation, BoneMasks.from_stack(stack))


def _wrist(visit: Visit) -> Wrist:
    person, hand = _generator(visit, _ANATOMY), _generator(visit, _HAND, 0, visit.side)
    size = (1.04 if visit.sex == "M" else 0.95) * person.normal(1, 0.03)
    anatomy = Anatomy(
        size=size * hand.normal(1, 0.006),
        breadth=person.normal(1, 0.02),
        seed=int(person.integers(2**32)),
        hand_seed=int(hand.integers(2**32)),
    )
    worn = severity(visit.scores)
    pose = _generator(visit, _POSE, visit.study, visit.side)
    wrist = shape_wrist(
        anatomy,
        Pose(
            deviation=pose.normal(2, 5),
            thumb=pose.normal(0, 6),
            spread=pose.normal(0, 4),
            turn=pose.normal(0, 3),
            shift_mm=(pose.normal(0, 1.6), pose.normal(1.5, 2.0)),
            narrowing_mm=MOST_NARROWING_MM * worn,
            seed=int(pose.integers(2**32)),
        ),
    )
    bones = [
        with_osteophytes(shape, MOST_OUTGROWTH_MM * worn, _generator(visit, _DAMAGE, 100 + number, visit.side))
        for number, shape in enumerate(wrist.bones)
    ]
    bones = [collapsed(shape) if _score(visit, shape) == _WORST else shape for shape in bones]
    return Wrist(tuple(bones), wrist.skin, wrist.muscles)


def _score(visit: Visit, shape: Shape) -> int:
    """The bone's SvdH score; 0 if it has none."""
    name = shape.part.bone.name
    if visit.scores is None or name not in Joint.__members__:
        return 0
    return visit.scores[Joint[name]]


def _bites(visit: Visit, shape: Shape) -> list[Contour]:
    score = _score(visit, shape)
    return erosions(shape, score, _generator(visit, _DAMAGE, shape.part.bone.channel, visit.side)) if score else []


def _lost(body: Bool[np.ndarray, "h w"], bites: list[Contour], grid: Canvas) -> Bool[np.ndarray, "h w"]:
    """What bites take, with the islands that they cut off and that are resorbed: one piece of bone is left."""
    lost = np.zeros_like(body)
    for bite in bites:
        lost |= rasterise(bite, grid) >= 0.5
    # Thin spurs between bites are resorbed too.
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_odd(_SPUR_MM / grid.spacing_mm),) * 2)
    near = cv2.dilate(lost.view(np.uint8), disc, iterations=2).view(bool)
    lost |= near & ~cv2.morphologyEx((body & ~lost).view(np.uint8), cv2.MORPH_OPEN, disc).view(bool)
    count, labels, stats, _ = cv2.connectedComponentsWithStats((body & ~lost).view(np.uint8), connectivity=4)
    if count > 2:
        largest = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
        lost |= (labels != largest) & (labels > 0)
    return lost


def _odd(number: float) -> int:
    """The nearest odd number, 1 or more."""
    return 2 * int(number / 2) + 1


def _remaining(
    lost: Bool[np.ndarray, "h w"], body: Bool[np.ndarray, "h w"], spacing_mm: float
) -> Float32[np.ndarray, "h w"]:
    """What erosions leave of a bone's attenuation: nothing inside, a thin denser rim around."""
    # Also nothing where a bite took all but the edge of a pixel.
    edge = cv2.dilate(body.view(np.uint8), np.ones((3, 3), np.uint8)).view(bool)
    gone = (lost | ~edge).astype(np.float32)
    near = cv2.GaussianBlur(lost.astype(np.float32), (0, 0), 0.5 / spacing_mm)
    remaining: Float32[np.ndarray, "h w"] = (1 - gone) * (1 + np.float32(0.3) * near)
    return remaining


def _generator(visit: Visit, purpose: int, number: int = 0, side: Side | None = None) -> np.random.Generator:
    """Chance for one purpose; what leaves out study or side is the same in all of them."""
    hand = 0 if side is None else 1 + list(Side).index(side)
    return np.random.default_rng([visit.seed, visit.patient, purpose, number, hand])
