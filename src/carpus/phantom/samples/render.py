"""A hand into attenuation and masks: what an ideal detector meets.

What a beam meets on its way adds up (Beer-Lambert). Each half of a bone is a rounded body of spongy bone in a shell of
cortex; towards a shaft it becomes a tube of thick cortex around marrow. Trabeculae are taken from tiles of noise that
are turned along each bone's axis, so that they follow its stress lines.
"""

import cv2
import numpy as np
from jaxtyping import Float32, Float64, UInt8, UInt16

from carpus.anatomy import Joint
from carpus.phantom.samples.flesh import soft_tissue
from carpus.phantom.samples.grain import TILE, VALUES_PER_MM, tiles
from carpus.phantom.samples.hand import Hand
from carpus.phantom.samples.kernels import add_bone, add_line, fill
from carpus.phantom.samples.template import CARPUS, Part
from carpus.phantom.samples.tissue import Frame, Tissue
from carpus.phantom.shapes import Contour

CORTEX_PER_MM = 0.165
"""Attenuation of cortical bone a mm at about 33 keV, beyond that of the soft tissue in its place."""

_HEALTHY_SPONGY = 0.27
_FUSED_SHELL = 0.35
_BODY_SPREAD = (0.15, 0.35, 0.15)
"""How far bones of one hand differ in depth, rounding and spongy bone, as deviations of logarithms.

How bright a place is must not tell how many bones lie in it: a thick block with upright sides is as bright as two
rounded bones in front of one another.
"""
_WEDGE, _HALF_WEDGE = 0.35, 0.25
"""How much thicker than its middle a carpal bone is at its edge, as a deviation: both halves alike, and each by itself.

Where a bone gets thin its edge is faint, above all in front of another: there only its shape tells where it ends.
"""
_NO_WEDGE = (0.0, 0.0, 0.0, 0.0)
_RING = 0.06
_RING_FINGERS = {2: 0.1, 3: 0.2, 4: 0.6, 5: 0.1}
_NO_SHAFT = (0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 2.0)
_LINES = {"shelf": (1.8, 0.75), "scar": (0.5, 0.4), "hook": (2.4, 0.55), "tubercle": (1.1, 0.45)}
"""Dense lines: mm of cortical bone and half of the breadth in mm."""

_RINGS = {"hook", "tubercle"}
_JOINTS = {joint.bone: bit for bit, joint in enumerate(Joint)}
_EROSION_EDGE_MM = 0.4
_SCLEROTIC_SHARE = 0.3
_SCLEROTIC = 1.2

Wedge = tuple[float, float, float, float]
Made = tuple[tuple[float, ...], tuple[float, ...], tuple[float, ...], Wedge]
"""Profile, shaft, texture and wedge, as `add_bone` takes them."""

Window = tuple[tuple[int, int], tuple[int, int]]
"""Column and row of its corner, height and width, in pixels."""


def render(
    hand: Hand, tissue: Tissue, frame: Frame, generator: np.random.Generator
) -> tuple[Float32[np.ndarray, "h w"], UInt16[np.ndarray, "h w"], UInt8[np.ndarray, "h w"]]:
    """Attenuation, the packed plane of the fourteen bones, and that of where erosions took bone of the scored joints.

    Args:
        hand: The bones.
        tissue: What they and the flesh are made of.
        frame: Where they lie.
        generator: Of the trabeculae and the flesh.
    """
    total = soft_tissue(hand, tissue, frame, generator)
    plane, eroded = np.zeros(total.shape, np.uint16), np.zeros(total.shape, np.uint8)
    halves, whole, ends = frame.pixels(hand.halves), frame.pixels(hand.whole), frame.pixels(hand.ends)
    axes = (frame.pixels(hand.ends + hand.axes) - ends) * frame.spacing_mm
    chance = generator.random((len(hand.parts), 2, 6))
    bodies = np.exp(generator.standard_normal((len(hand.parts), 3)) * _BODY_SPREAD)
    slopes = _slopes(hand.parts, generator)
    least, most = halves.min(axis=(1, 2)), halves.max(axis=(1, 2))
    seen = ((most > 0) & (least < (frame.width_px, frame.height_px))).all(axis=1)
    for index, part in enumerate(hand.parts):
        if not seen[index]:
            continue
        bit = 0 if part.bone is None else 1 << part.bone.channel
        shaft = _shaft(part, ends[index], axes[index])
        # The grain of a carpal bone runs anyhow, the same in both halves.
        lean = 2 * np.pi * chance[index, 0, 5]
        axis = axes[index] if part.length_mm else np.array([np.cos(lean), np.sin(lean)])
        for before, left, luck, slope in zip(whole[index], halves[index], chance[index], slopes[index], strict=True):
            profile = _profile(part, tissue, luck, bodies[index], fused=hand.damage.ankylosis)
            made_of = (profile, shaft, _texture(axis, tissue, luck), _wedge(before, slope))
            if np.array_equal(before, left):
                _add(total, plane, bit, left, made_of, frame)
                continue
            own = np.zeros_like(total)
            _add(own, plane, 0, before, made_of, frame)
            taken = _carve(own, plane, bit, before, left, frame, sclerosis=chance[index, 1, 5])
            if part.bone in _JOINTS:
                eroded |= taken << _JOINTS[part.bone]
            total += own
    _add_sesamoids(total, hand, tissue, frame, generator)
    _add_lines(total, hand, tissue, frame, generator)
    if generator.random() < _RING:
        _add_ring(total, hand, frame, generator)
    return total, plane, eroded


def _carve(
    own: Float32[np.ndarray, "h w"],
    plane: UInt16[np.ndarray, "h w"],
    bit: int,
    before: Contour,
    left: Contour,
    frame: Frame,
    *,
    sclerosis: float,
) -> UInt8[np.ndarray, "h w"]:
    """Takes what erosions took out of half a bone's attenuation, and where that was.

    The cortex goes with it: what an erosion leaves is spongy bone without a rim, but for old ones, whose edge is dense.
    """
    taken = np.zeros(own.shape, np.uint8)
    window = _window(before, frame)
    if window is None:
        return taken
    (x, y), (height, width) = window
    there = slice(y, y + height), slice(x, x + width)
    inside, remains = _filled(before, window)[0], _filled(left, window)[0]
    plane[there] |= (remains * np.uint16(bit)).astype(np.uint16)
    taken[there] = inside & ~remains & 1
    edge = max(round(_EROSION_EDGE_MM / frame.spacing_mm), 1)
    # With the outer half of the rim's pixels, of which the outline has only a part.
    open_to = cv2.dilate(taken[there], np.ones((3, 3), np.uint8)) & ~remains
    gone = cv2.blur(open_to.astype(np.float32), (edge, edge))
    around = cv2.blur(gone, (3 * edge, 3 * edge)) * (1 - gone)
    dense = _SCLEROTIC * max(sclerosis - 1 + _SCLEROTIC_SHARE, 0) / _SCLEROTIC_SHARE
    own[there] *= (1 - gone) * (1 + dense * around)
    return taken


def _slopes(parts: tuple[Part, ...], generator: np.random.Generator) -> Float64[np.ndarray, "parts 2 2"]:
    """How much thicker each half of a carpal bone is at its right and lower end; other bones are even."""
    carpal = np.array([not part.length_mm for part in parts])
    alike, own = (generator.standard_normal((len(parts), halves, 2)) for halves in (1, 2))
    slopes: np.ndarray = (_WEDGE * alike + _HALF_WEDGE * own) * carpal[:, None, None]
    return slopes


def _wedge(points: Contour, slope: np.ndarray) -> Wedge:
    """The slope of half a bone, as `add_bone` takes it."""
    reach = (points.max(axis=0) - points.min(axis=0)) / 2
    x, y = points.mean(axis=0)
    across, down = slope / reach
    return (x, y, across, down)


def _shaft(part: Part, end: np.ndarray, axis: np.ndarray) -> tuple[float, ...]:
    """Where a bone turns into a tube, as `add_bone` takes it."""
    if not part.length_mm:
        return _NO_SHAFT
    length = part.length_mm
    begins, complete, ends, gone = (0.1 * length, 0.37 * length, 0.7 * length, 0.92 * length)
    if part.row == "forearm":
        begins, complete, ends, gone = 9.0, 36.0, 400.0, 500.0
    return (end[0], end[1], axis[0], axis[1], begins, complete, ends, gone)


def _profile(part: Part, tissue: Tissue, luck: np.ndarray, body: np.ndarray, *, fused: bool) -> tuple[float, ...]:
    """What half a bone is made of, as `add_bone` takes it; a half differs a little from the other."""
    shell, rounding = part.shell_mm * tissue.cortex * (0.6 + 0.8 * luck[0]), part.rounding_mm
    cortex, dense = CORTEX_PER_MM * tissue.mineral, 1.15
    if part.length_mm:
        rounding, dense = 5.0, 0.85
    elif fused:
        shell *= _FUSED_SHELL
    depth_mm, rounding = part.depth_mm * body[0], rounding * body[1] * (0.85 + 0.3 * luck[2])
    spongy = cortex * tissue.spongy_share * body[2] * (0.85 + 0.3 * luck[1]) * dense
    wall = (2.2 if part.row == "forearm" else 0.135 * part.depth_mm) * tissue.cortex
    return (
        0.5 * depth_mm, rounding, shell, cortex, spongy, 0.22 * spongy, part.rounding_mm, wall, tissue.uneven,
        tissue.patchy,
    )  # fmt: skip


def _texture(axis: np.ndarray, tissue: Tissue, luck: np.ndarray) -> tuple[float, ...]:
    """Grain, matrix to the tiles so that strands run along the axis, offset, share of strands."""
    x, y = axis * VALUES_PER_MM / tissue.coarseness
    return (tissue.grain, -y, x, x, y, luck[3] * TILE, luck[4] * TILE, tissue.strands)


def _add(
    total: np.ndarray,
    plane: np.ndarray,
    bit: int,
    points: Contour,
    made_of: Made,
    frame: Frame,
) -> None:
    """Half a bone, where it lies in the image."""
    window = _window(points, frame)
    if window is None:
        return
    inside, near = _filled(points, window)
    # OpenCV counts from pixel to pixel: blurred, its steps along a slanting edge are gone.
    deep = cv2.blur(cv2.distanceTransform(inside, cv2.DIST_L2, 5), (3, 3))
    add_bone(total, plane, np.uint16(bit), window[0], frame.spacing_mm, inside, near, deep, *made_of, tiles())


def _window(points: Contour, frame: Frame) -> Window | None:
    """Around an outline, inside the image; None where nothing of it is seen."""
    left, top = (max(int(least) - 2, 0) for least in points.min(axis=0))
    right, bottom = (int(most) + 3 for most in points.max(axis=0))
    height, width = min(bottom, frame.height_px) - top, min(right, frame.width_px) - left
    return None if height < 2 or width < 2 else ((left, top), (height, width))


def _filled(points: Contour, window: Window) -> tuple[UInt8[np.ndarray, "h w"], Float32[np.ndarray, "h w"]]:
    """What lies within an outline, and the distance to it, see `fill`."""
    inside, near = np.zeros(window[1], np.uint8), np.empty(window[1], np.float32)
    fill(points - window[0], inside, near)
    return inside, near


def _add_sesamoids(total: np.ndarray, hand: Hand, tissue: Tissue, frame: Frame, generator: np.random.Generator) -> None:
    """Small bones that belong to none of the fourteen."""
    cortex = CORTEX_PER_MM * tissue.mineral
    nowhere = np.zeros(total.shape, np.uint16)
    for ring in hand.sesamoids:
        profile = (4.0, 2.2, 0.4 * tissue.cortex, cortex, cortex * tissue.spongy_share, 0.0, 2.0, 1.0, 0.3, 0.1)
        texture = _texture(np.array([0.0, 1.0]), tissue, generator.random(6))
        _add(total, nowhere, 0, frame.pixels(ring), (profile, _NO_SHAFT, texture, _NO_WEDGE), frame)


def _add_lines(total: np.ndarray, hand: Hand, tissue: Tissue, frame: Frame, generator: np.random.Generator) -> None:
    """Dense lines within bones, lucent cysts and dense islands."""
    cortex = CORTEX_PER_MM * tissue.mineral
    for name, points in hand.lines.items():
        bone_mm, half_mm = _LINES[name]
        amount, half_mm = cortex * bone_mm * generator.uniform(0.0, 1.3), half_mm * generator.uniform(0.7, 1.3)
        course = _part_of_ring(points, generator) if name in _RINGS else points
        add_line(total, frame.pixels(course), False, frame.spacing_mm, half_mm, amount)
    spongy = cortex * tissue.spongy_share / _HEALTHY_SPONGY
    for _ in range(int(generator.poisson(0.4 + 2.5 * hand.damage.severity))):
        outline = hand.halves[int(generator.integers(len(CARPUS))), 0]
        middle = outline.mean(axis=0)
        start = middle + generator.uniform(0.1, 0.7) * (outline[int(generator.integers(len(outline)))] - middle)
        course = np.stack([start, start + generator.normal(0, 0.8, 2)])
        amount = spongy * generator.uniform(0.5, 2.0) * (1 if generator.random() < 0.15 else -1)
        add_line(total, frame.pixels(course), False, frame.spacing_mm, generator.uniform(0.5, 1.4), amount)


def _part_of_ring(points: Contour, generator: np.random.Generator) -> Contour:
    """What is seen of a ring in bone: seldom all of it, and never a round one."""
    seen = int(generator.uniform(0.5, 1.2) * len(points))
    rolled = np.roll(points, generator.integers(len(points)), axis=0)
    course = np.concatenate([rolled, rolled[:1]])[: seen + 1]
    shaped: Contour = course + (course - course.mean(axis=0)) * generator.uniform(-0.35, 0.25, 2)
    return shaped


def _add_ring(total: np.ndarray, hand: Hand, frame: Frame, generator: np.random.Generator) -> None:
    """A ring of metal around a finger."""
    finger = generator.choice(list(_RING_FINGERS), p=list(_RING_FINGERS.values()))
    index = next(number for number, part in enumerate(hand.parts) if part.name == f"phalanx{finger}.1")
    axis = hand.axes[index]
    middle = hand.ends[index] + 0.5 * hand.parts[index].length_mm * axis
    across = np.array([-axis[1], axis[0]]) * generator.uniform(8, 10)
    course = frame.pixels(np.stack([middle - across, middle + across]))
    add_line(total, course, False, frame.spacing_mm, generator.uniform(0.6, 2), generator.uniform(2, 8))
