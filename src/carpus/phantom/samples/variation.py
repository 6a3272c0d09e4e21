"""How hands differ: the shape of each bone, its size and place, and the proportions of the whole."""

import numpy as np
from jaxtyping import Float

from carpus.phantom.samples.pose import turned
from carpus.phantom.samples.template import DENSE, Halves, Part

_ORDERS = np.array([2, 3, 4, 5, 6, 8, 10])
_RIPPLE_MM = np.array([0.42, 0.34, 0.26, 0.18, 0.12, 0.09, 0.06])
_HALF_RIPPLE_MM = 0.45 * _RIPPLE_MM
_EVENNESS = {"phalanx": 0.4, "metacarpal": 0.65, "pisiform": 0.65, "radius": 0.75, "ulna": 0.75}


def rippled(
    parts: tuple[Part, ...], outlines: Float[np.ndarray, "parts n 2"], generator: np.random.Generator
) -> Halves:
    """The outlines of both halves of each bone, uneven in another way in each person."""
    ripple_mm = _ripple(generator, len(parts)) * _evenness(parts)[:, None, None]
    halves: Halves = outlines[:, None] + _normals(outlines)[:, None] * ripple_mm[..., None]
    return halves


def with_variants(parts: tuple[Part, ...], halves: Halves, generator: np.random.Generator) -> Halves:
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


def individual(parts: tuple[Part, ...], points: np.ndarray, generator: np.random.Generator) -> np.ndarray:
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
    # The ulna turns about its own head and stands off as the radius rolls around it.
    degrees[names.index("ulna")] *= 3
    place[names.index("ulna")] += generator.normal((0.4, 0.0), (1.0, 0.3))
    place[names.index("pisiform")] += generator.normal(0, 1.8, 2)
    # How much of the trapezoid the trapezium hides depends on how the hand is laid down.
    place[names.index("trapezium")] += generator.normal((0.0, 0.0), (1.6, 0.5))
    return turned((points - middle) * scale, degrees) + middle + place


def warped(points: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """A gentle warp of the whole hand, so that proportions differ but neighbours still fit."""
    count = 7
    waves_mm = np.exp(generator.uniform(np.log(38), np.log(130), count))
    angle, phase = generator.uniform(0, 2 * np.pi, (2, count))
    ways = np.stack([np.cos(angle), np.sin(angle)]) * (2 * np.pi / waves_mm)
    push = generator.standard_normal((count, 2)) * (0.011 * waves_mm)[:, None] * generator.uniform(0.5, 1.3)
    warped: np.ndarray = points + np.sin(points @ ways + phase) @ push
    return warped


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
    return np.array([_EVENNESS.get(part.name.rstrip("12345."), 1.0) for part in parts])
