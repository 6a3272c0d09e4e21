"""X-ray projection: contours to attenuation, attenuation to grey values.

What a beam meets on its way adds up (Beer-Lambert), so bones that overlap are brighter together than alone. Each
bone is a rounded body with a shell of dense cortex: its thickness along the beam grows from the contour inwards,
and near the contour the beam runs along the shell, which is why bones have bright edges.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import Bool, Float32

from carpus.phantom.centres import Acquisition
from carpus.phantom.shapes import Contour, Shape

CORTEX_PER_MM = 0.110
"""Attenuation of cortical bone beyond that of soft tissue, per mm, at about 45 kV."""

SPONGY_PER_MM = 0.034
MARROW_PER_MM = 0.006
SOFT_PER_MM = 0.026
_SHELL_MM = 0.55
_SHAFT_SHELL_MM = 2.1
_SHAFT_BEGINS_MM = (10.0, 30.0)
_SKIN_ROUNDING_MM = 18.0
_SUBPIXEL_BITS = 4


def rasterise(contour: Contour, *, spacing_mm: float, size_px: int) -> Bool[np.ndarray, "h w"]:
    """The pixels whose centre lies inside a closed contour; the image's middle is the origin."""
    mask = np.zeros((size_px, size_px), np.uint8)
    cv2.fillPoly(mask, [_pixels(contour, spacing_mm, size_px)], 1, shift=_SUBPIXEL_BITS)
    return mask.astype(bool)


def bone_attenuation(
    shape: Shape,
    body: Bool[np.ndarray, "h w"],
    texture: Float32[np.ndarray, "h w"],
    *,
    spacing_mm: float,
    density: float = 1.0,
) -> Float32[np.ndarray, "h w"]:
    """What one bone adds to the attenuation, 0 outside `body`.

    Args:
        shape: The bone.
        body: Its undamaged mask.
        texture: Relative variation of the spongy bone, mean 0.
        spacing_mm: Edge of a pixel.
        density: Mineral relative to a healthy adult.
    """
    result = np.zeros(body.shape, np.float32)
    window = _window(body)
    inside = body[window]
    if not inside.size:
        return result
    part = shape.part
    depth = _depth(inside, part.rounding_mm, spacing_mm)
    shell = np.full(depth.shape, _SHELL_MM, np.float32)
    spongy = np.full(depth.shape, SPONGY_PER_MM, np.float32)
    if shape.end is not None:
        shaft = _along_shaft(shape, window, body.shape[0], spacing_mm)
        shell += shaft * (_SHAFT_SHELL_MM - _SHELL_MM)
        spongy += shaft * (MARROW_PER_MM - SPONGY_PER_MM)
    outer = _thickness(depth, part.depth_mm, part.rounding_mm)
    inner = _thickness(np.maximum(depth - shell, 0), part.depth_mm, part.rounding_mm) * (
        1 - 0.5 * shell / part.depth_mm
    )
    inner = np.minimum(inner, outer)
    total = (outer - inner) * CORTEX_PER_MM + inner * spongy * (1 + texture[window])
    total += _ridges(shape, window, body.shape[0], spacing_mm) * (9 * SPONGY_PER_MM)
    result[window] = np.where(inside, total * density, 0)
    return result


def soft_attenuation(skin: Bool[np.ndarray, "h w"], *, spacing_mm: float) -> Float32[np.ndarray, "h w"]:
    """What skin, fat and muscle add to the attenuation."""
    return _thickness(_depth(skin, _SKIN_ROUNDING_MM, spacing_mm), 17.0, _SKIN_ROUNDING_MM) * np.float32(SOFT_PER_MM)


def expose(
    attenuation: Float32[np.ndarray, "h w"],
    acquisition: Acquisition,
    generator: np.random.Generator,
) -> Float32[np.ndarray, "h w"]:
    """The logarithmic signal of a detector: blurred, with quantum noise; brighter is more attenuation.

    Args:
        attenuation: Sum along each beam.
        acquisition: The centre's detector.
        generator: Of the noise.
    """
    quanta = acquisition.quanta * np.exp(-attenuation)
    quanta = cv2.GaussianBlur(quanta, (0, 0), acquisition.blur_mm / acquisition.spacing_mm)
    # Many quanta a pixel: the Poisson distribution is as good as normal, and that is much faster to draw.
    quanta += np.sqrt(quanta) * generator.standard_normal(quanta.shape, np.float32)
    signal: Float32[np.ndarray, "h w"] = -np.log(np.maximum(quanta, 1) / np.float32(acquisition.quanta))
    if acquisition.edge_gain:
        signal += acquisition.edge_gain * (signal - cv2.GaussianBlur(signal, (0, 0), 0.5 / acquisition.spacing_mm))
    return signal


def spongy_texture(size_px: int, *, spacing_mm: float, generator: np.random.Generator) -> Float32[np.ndarray, "h w"]:
    """Trabeculae: relative variation of spongy bone, mean 0, finer than 1 mm and longer along the forearm."""
    noise = generator.standard_normal((size_px, size_px), np.float32)
    fine = cv2.GaussianBlur(noise, (0, 0), sigmaX=0.11 / spacing_mm, sigmaY=0.26 / spacing_mm)
    coarse = cv2.GaussianBlur(noise, (0, 0), 0.6 / spacing_mm)
    band = fine - coarse
    texture: Float32[np.ndarray, "h w"] = 0.25 * band / max(float(band.std()), 1e-6)
    return texture


def _depth(inside: Bool[np.ndarray, "h w"], far_mm: float, spacing_mm: float) -> Float32[np.ndarray, "h w"]:
    """Distance from the contour in mm, right up to `far_mm`; what touches the image's border goes on beyond it."""
    margin = int(far_mm / spacing_mm) + 1
    beyond = np.pad(inside.astype(np.uint8), margin, mode="edge")
    depth: Float32[np.ndarray, "h w"] = cv2.distanceTransform(beyond, cv2.DIST_L2, cv2.DIST_MASK_5)
    return depth[margin:-margin, margin:-margin] * np.float32(spacing_mm)


def _thickness(depth: Float32[np.ndarray, "h w"], most_mm: float, rounding_mm: float) -> Float32[np.ndarray, "h w"]:
    """Twice the half-thickness of a rounded body at a distance from its contour, mm."""
    inward = np.minimum(depth / rounding_mm, 1)
    # Flatter towards the contour than a circle: rims and edges of bones are thin.
    thickness: Float32[np.ndarray, "h w"] = (2 * most_mm) * np.maximum(inward * (2 - inward), 0) ** 0.7
    return thickness


def _along_shaft(
    shape: Shape, window: tuple[slice, slice], size_px: int, spacing_mm: float
) -> Float32[np.ndarray, "h w"]:
    """0 at the bone's end, 1 in its shaft."""
    if shape.end is None:
        raise ValueError(f"{shape.part.bone} has no shaft")
    y, x = (np.arange(*part.indices(size_px), dtype=np.float32) for part in window)
    x = (x + 0.5 - size_px / 2) * np.float32(spacing_mm) - np.float32(shape.end[0])
    y = (y + 0.5 - size_px / 2) * np.float32(spacing_mm) - np.float32(shape.end[1])
    distance = np.hypot(x[None], y[:, None])
    near, far = _SHAFT_BEGINS_MM
    ramp: Float32[np.ndarray, "h w"] = np.clip((distance - near) / (far - near), 0, 1)
    return ramp


def _ridges(shape: Shape, window: tuple[slice, slice], size_px: int, spacing_mm: float) -> Float32[np.ndarray, "h w"]:
    """Dense lines, 1 along their middle."""
    canvas = np.zeros((size_px, size_px), np.uint8)
    if shape.ridges:
        lines = [_pixels(ridge, spacing_mm, size_px) for ridge in shape.ridges]
        width = max(round(0.7 / spacing_mm), 1)
        cv2.polylines(canvas, lines, isClosed=False, color=255, thickness=width, shift=_SUBPIXEL_BITS)
    part = canvas[window].astype(np.float32) / 255
    return cv2.GaussianBlur(part, (0, 0), 0.35 / spacing_mm)


def _pixels(points: Contour, spacing_mm: float, size_px: int) -> np.ndarray:
    pixels = points / spacing_mm + size_px / 2 - 0.5
    return np.rint(pixels * (1 << _SUBPIXEL_BITS)).astype(np.int32)


def _window(mask: Bool[np.ndarray, "h w"]) -> tuple[slice, slice]:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return slice(0, 0), slice(0, 0)
    return slice(max(int(rows[0]) - 1, 0), int(rows[-1]) + 2), slice(max(int(columns[0]) - 1, 0), int(columns[-1]) + 2)


def merged(contours: Sequence[Contour], *, spacing_mm: float, size_px: int) -> Bool[np.ndarray, "h w"]:
    """The pixels inside any of the contours."""
    mask = np.zeros((size_px, size_px), bool)
    for contour in contours:
        mask |= rasterise(contour, spacing_mm=spacing_mm, size_px=size_px)
    return mask
