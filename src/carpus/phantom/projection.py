"""X-ray projection: contours in millimetres to attenuation and masks, without blur or noise.

What a beam meets on its way adds up (Beer-Lambert), so bones that overlap are brighter together than alone. Each
bone is a rounded body of spongy bone in a shell of dense cortex: its thickness along the beam grows from the contour
inwards, and near the contour the beam runs along the shell, which is why bones have bright edges. A shaft is a tube
of thick cortex with marrow in it.

References:
    Hubbell JH, Seltzer SM. Tables of X-ray mass attenuation coefficients. NISTIR 5632, 1995 (ICRU-44 tissues).
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32

from carpus.imaging.masks import BoneMasks
from carpus.phantom.shapes import Contour, Shape, Wrist

SOFT_PER_MM = 0.036
"""Attenuation of soft tissue per mm at 33 keV, about the mean energy of a beam of 45 to 50 kV."""

CORTEX_PER_MM = 0.165
"""Attenuation of cortical bone per mm beyond that of the soft tissue in its place."""

SPONGY_PER_MM = 0.30 * CORTEX_PER_MM
"""Spongy bone of the carpus, about a third of it mineral."""

METAPHYSIS_PER_MM = 0.22 * CORTEX_PER_MM
"""Spongy bone at the ends of long bones, looser than that of the carpus."""

_MARROW_PER_MM = 0.02 * CORTEX_PER_MM
_SHAFT_SHELL_MM = 1.6
_SHAFT_BEGINS_MM = (8.0, 30.0)
_STAIRS_MM = 0.1
_RIM_DEPTH_MM = 0.35
_RIM_WIDTH_MM = 0.28
_RIM_BONE_MM = 1.5
_LIMB_MM = 15.0
_LIMB_ROUNDING_MM = 17.0
_MUSCLE_MM = 3.0
_HALF = 0.5
_FINER = 4
_SUBPIXEL_BITS = 4


@dataclass(frozen=True, eq=False)
class Projection:
    """A wrist as an ideal detector meets it.

    Attributes:
        attenuation: Sum along each beam, 0 in air.
        masks: The bones of which it is the sum.
    """

    attenuation: Float32[np.ndarray, "h w"]
    masks: BoneMasks


@dataclass(frozen=True, eq=False)
class Canvas:
    """A square grid whose middle is the origin, and the noise that becomes trabeculae on it.

    Attributes:
        size_px: Edge of the grid.
        spacing_mm: Edge of a pixel.
        network: `(h, w)` Trabeculae without direction, relative, mean 0: carpal bones.
        strands: `(h, w)` Trabeculae that run from top to bottom: long bones.
    """

    size_px: int
    spacing_mm: float
    network: Float32[np.ndarray, "h w"]
    strands: Float32[np.ndarray, "h w"]


def canvas(size_px: int, *, spacing_mm: float, generator: np.random.Generator) -> Canvas:
    """An empty canvas with the trabeculae of one hand."""
    noise = generator.standard_normal((size_px, size_px), np.float32)
    network = _band(noise, across_mm=0.11, along_mm=0.11, coarse_mm=0.34, spacing_mm=spacing_mm)
    strands = _band(noise, across_mm=0.12, along_mm=0.9, coarse_mm=0.36, spacing_mm=spacing_mm)
    # Patches of denser and looser bone, a few millimetres wide.
    patches = _unit(_blur(noise, 1.8 / spacing_mm))
    carpal = 0.21 * network + 0.10 * patches
    return Canvas(size_px, spacing_mm, carpal, 0.13 * strands + 0.11 * network + 0.09 * patches)


def rasterise(contour: Contour, canvas: Canvas) -> Float32[np.ndarray, "h w"]:
    """The share of each pixel inside a closed contour, 0 to 1; a mask is where it is a half or more."""
    coverage = np.zeros((canvas.size_px, canvas.size_px), np.float32)
    pixels = contour / canvas.spacing_mm + canvas.size_px / 2
    left, top = np.clip(np.floor(pixels.min(axis=0)).astype(int) - 1, 0, canvas.size_px)
    right, bottom = np.clip(np.ceil(pixels.max(axis=0)).astype(int) + 1, 0, canvas.size_px)
    if left < right and top < bottom:
        # OpenCV fills every pixel the contour touches; on a finer grid that is an eighth of a pixel too much.
        fine = np.zeros(((bottom - top) * _FINER, (right - left) * _FINER), np.uint8)
        points = (pixels - [left, top]) * _FINER - 0.5
        cv2.fillPoly(fine, [np.rint(points * (1 << _SUBPIXEL_BITS)).astype(np.int32)], 255, shift=_SUBPIXEL_BITS)
        share = cv2.resize(fine, (right - left, bottom - top), interpolation=cv2.INTER_AREA)
        coverage[top:bottom, left:right] = share * np.float32(1 / 255)
    return coverage


def bone_attenuation(
    shape: Shape, body: Float32[np.ndarray, "h w"], canvas: Canvas, *, density: float = 1.0
) -> Float32[np.ndarray, "h w"]:
    """What one undamaged bone adds to the attenuation, 0 outside `body`.

    Args:
        shape: The bone.
        body: Its share of each pixel, from `rasterise`.
        canvas: The grid.
        density: Mineral relative to a healthy young adult.
    """
    result = np.zeros(body.shape, np.float32)
    window = _window(body > 0)
    inside = body[window]
    if not inside.size:
        return result
    part = shape.part
    depth = _depth(inside >= _HALF, part.rounding_mm, canvas.spacing_mm)
    # Where the beam grazes the shell it meets a chord of cortex: the thin bright outline of every bone.
    rim = np.float32(_RIM_BONE_MM * CORTEX_PER_MM) * cv2.exp(
        -np.square((depth - np.float32(_RIM_DEPTH_MM)) / np.float32(_RIM_WIDTH_MM))
    )
    body_mm = _rounded(depth, part.depth_mm, part.rounding_mm)
    shell = np.float32(2 * part.shell_mm * CORTEX_PER_MM) * np.minimum(depth, 1)
    if shape.end is None:
        total = rim + shell + body_mm * np.float32(SPONGY_PER_MM) * (1 + canvas.network[window])
    else:
        shaft = _along_shaft(shape.end, window, canvas)
        grain = 1 + _turned_strands(shape, window, canvas)
        spongy = METAPHYSIS_PER_MM + shaft * np.float32(_MARROW_PER_MM - METAPHYSIS_PER_MM)
        tube = _tube(depth, part.rounding_mm)
        total = (rim + shell) * (1 - shaft) + body_mm * spongy * grain + shaft * tube * (0.9 + 0.1 * grain)
    total += _lines(shape, window, canvas) * np.float32(CORTEX_PER_MM)
    result[window] = np.maximum(total, 0) * inside * np.float32(density)
    return result


def soft_attenuation(wrist: Wrist, canvas: Canvas) -> Float32[np.ndarray, "h w"]:
    """What skin, fat and muscle add to the attenuation."""
    limb = _depth(rasterise(wrist.skin, canvas) >= _HALF, _LIMB_ROUNDING_MM, canvas.spacing_mm)
    thickness_mm = cv2.sqrt(_rounded(limb, 1.0, _LIMB_ROUNDING_MM) / 2) * np.float32(2 * _LIMB_MM)
    for muscle in wrist.muscles:
        bulk = np.float32(_MUSCLE_MM) * rasterise(muscle, canvas)
        thickness_mm += np.where(thickness_mm > 0, _blur(bulk, 2.5 / canvas.spacing_mm), 0)
    return thickness_mm * np.float32(SOFT_PER_MM)


def _band(
    noise: Float32[np.ndarray, "h w"], *, across_mm: float, along_mm: float, coarse_mm: float, spacing_mm: float
) -> Float32[np.ndarray, "h w"]:
    """The part of white noise between two scales, deviation 1; bright strands are thinner than the dark between."""
    fine = cv2.GaussianBlur(noise, (0, 0), sigmaX=across_mm / spacing_mm, sigmaY=along_mm / spacing_mm)
    down_mm = max(along_mm, coarse_mm)
    coarse = cv2.GaussianBlur(noise, (0, 0), sigmaX=coarse_mm / spacing_mm, sigmaY=down_mm / spacing_mm)
    band = _unit(fine - coarse)
    skewed: Float32[np.ndarray, "h w"] = band + np.float32(0.25) * (band * band - 1)
    return skewed


def _unit(field: Float32[np.ndarray, "h w"]) -> Float32[np.ndarray, "h w"]:
    unit: Float32[np.ndarray, "h w"] = (field - field.mean()) / np.float32(max(float(field.std()), 1e-6))
    return unit


def _blur(field: Float32[np.ndarray, "h w"], sigma_px: float) -> Float32[np.ndarray, "h w"]:
    """A Gaussian blur; a broad one is computed on a coarser grid, which is as good and much faster."""
    step = int(sigma_px // 3)
    if step < 2 or min(field.shape) < 8 * step:
        blurred: Float32[np.ndarray, "h w"] = cv2.GaussianBlur(field, (0, 0), sigma_px)
        return blurred
    small = cv2.resize(field, None, fx=1 / step, fy=1 / step, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma_px / step)
    large: Float32[np.ndarray, "h w"] = cv2.resize(small, field.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return large


def _depth(inside: Bool[np.ndarray, "h w"], far_mm: float, spacing_mm: float) -> Float32[np.ndarray, "h w"]:
    """Distance from the contour in mm, right up to `far_mm`; what touches the image's border goes on beyond it."""
    margin = int(far_mm / spacing_mm) + 1
    beyond = np.pad(inside.view(np.uint8), margin, mode="edge")
    depth = cv2.distanceTransform(beyond, cv2.DIST_L2, cv2.DIST_MASK_5)[margin:-margin, margin:-margin]
    # Smoothed, so that the stairs of an oblique edge do not show in the bone's bright outline.
    smooth: Float32[np.ndarray, "h w"] = cv2.GaussianBlur(depth, (0, 0), _STAIRS_MM / spacing_mm)
    return smooth * np.float32(spacing_mm)


def _rounded(depth: Float32[np.ndarray, "h w"], most_mm: float, rounding_mm: float) -> Float32[np.ndarray, "h w"]:
    """Thickness of a rounded body at a distance from its contour, mm; it rises softly, as rims of bones are thin."""
    inward = np.minimum(depth * np.float32(1 / rounding_mm), 1)
    thickness: Float32[np.ndarray, "h w"] = np.float32(2 * most_mm) * (inward * (2 - inward))
    return thickness


def _tube(depth: Float32[np.ndarray, "h w"], radius_mm: float) -> Float32[np.ndarray, "h w"]:
    """Attenuation of the wall of a round shaft at a distance from its contour."""
    outer = np.minimum(depth, radius_mm)
    inner = np.clip(depth - np.float32(_SHAFT_SHELL_MM), 0, radius_mm - _SHAFT_SHELL_MM)
    across = cv2.sqrt(outer * (2 * radius_mm - outer))
    canal = cv2.sqrt(inner * (2 * (radius_mm - _SHAFT_SHELL_MM) - inner))
    wall: Float32[np.ndarray, "h w"] = np.float32(2 * CORTEX_PER_MM) * (across - canal)
    return wall


def _along_shaft(
    end: Float32[np.ndarray, " 2"], window: tuple[slice, slice], canvas: Canvas
) -> Float32[np.ndarray, "h w"]:
    """0 at the bone's end, 1 in its shaft."""
    y, x = (
        (np.arange(part.start, part.stop, dtype=np.float32) + 0.5 - canvas.size_px / 2) * np.float32(canvas.spacing_mm)
        for part in window
    )
    distance = np.hypot((x - np.float32(end[0]))[None], (y - np.float32(end[1]))[:, None])
    near, far = _SHAFT_BEGINS_MM
    ramp = np.clip((distance - near) / (far - near), 0, 1)
    smooth: Float32[np.ndarray, "h w"] = ramp * ramp * (3 - 2 * ramp)
    return smooth


def _turned_strands(shape: Shape, window: tuple[slice, slice], canvas: Canvas) -> Float32[np.ndarray, "h w"]:
    """The window's trabeculae, running along the bone."""
    x, y = shape.contour.mean(axis=0) - shape.end
    degrees = float(np.degrees(np.arctan2(x, abs(y)))) * (1 if y > 0 else -1)
    middle = (canvas.size_px / 2, canvas.size_px / 2)
    turn = cv2.getRotationMatrix2D(middle, degrees, 1.0)
    turn[:, 2] -= [window[1].start, window[0].start]
    height, width = (part.stop - part.start for part in window)
    turned: Float32[np.ndarray, "h w"] = cv2.warpAffine(
        canvas.strands, turn, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
    )
    return turned


def _lines(shape: Shape, window: tuple[slice, slice], canvas: Canvas) -> Float32[np.ndarray, "h w"]:
    """The dense lines of a bone as mm of cortical bone."""
    height, width = (part.stop - part.start for part in window)
    corner = np.array([window[1].start, window[0].start]) << _SUBPIXEL_BITS
    total = np.zeros((height, width), np.float32)
    for line, course in zip(shape.part.lines, shape.lines, strict=True):
        drawn = np.zeros((height, width), np.uint8)
        width_px = max(round(line.width_mm / canvas.spacing_mm), 1)
        cv2.polylines(drawn, [_pixels(course, canvas) - corner], False, 1, width_px, cv2.LINE_8, _SUBPIXEL_BITS)
        soft = cv2.GaussianBlur(drawn.astype(np.float32), (0, 0), (0.2 + 0.35 * line.width_mm) / canvas.spacing_mm)
        total += np.float32(line.bone_mm) * soft
    return total


def _pixels(points: Contour, canvas: Canvas) -> np.ndarray:
    pixels = points / canvas.spacing_mm + canvas.size_px / 2 - 0.5
    return np.rint(pixels * (1 << _SUBPIXEL_BITS)).astype(np.int32)


def _window(mask: Bool[np.ndarray, "h w"]) -> tuple[slice, slice]:
    """The rows and columns a mask covers and one beyond; empty if it covers none."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return slice(0, 0), slice(0, 0)
    height, width = mask.shape
    return (
        slice(max(int(rows[0]) - 1, 0), min(int(rows[-1]) + 2, height)),
        slice(max(int(columns[0]) - 1, 0), min(int(columns[-1]) + 2, width)),
    )
