"""From attenuation to the grey values that a centre delivers: dose, blur, noise, grey curve, collimation, 8 bits."""

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8

from carpus.imaging.intensity import to_8_bits
from carpus.phantom.centres import Acquisition

REFERENCE_KV = 47.5
_QUANTA_PIXEL_MM = 0.15
_COLLIMATED_SHARE = 0.2
_MOST_COLLIMATED = 0.06
_SOFT_ATTENUATION = 0.95
"""Of the soft tissue between the metacarpals, where the grey curve is anchored."""


def expose(
    attenuation: Float32[np.ndarray, "h w"],
    acquisition: Acquisition,
    generator: np.random.Generator,
    *,
    spacing_mm: float,
) -> Float32[np.ndarray, "h w"]:
    """The logarithmic signal of a detector, about 0 in air; brighter is more attenuation.

    Args:
        attenuation: Sum along each beam.
        acquisition: The centre's detector.
        generator: Of the noise.
        spacing_mm: Edge of a pixel.
    """
    softness = np.float32((REFERENCE_KV / (acquisition.tube_kv or REFERENCE_KV)) ** 0.8)
    air = np.float32(acquisition.quanta * (spacing_mm / _QUANTA_PIXEL_MM) ** 2)
    quanta = air * cv2.exp(-attenuation * softness)
    quanta = cv2.GaussianBlur(quanta, (0, 0), acquisition.blur_mm / spacing_mm).astype(np.float32)
    # Many quanta a pixel: the Poisson distribution is as good as normal, and that is much faster to draw.
    quanta += cv2.sqrt(quanta) * generator.standard_normal(quanta.shape, np.float32)
    signal: Float32[np.ndarray, "h w"] = -cv2.log(np.maximum(quanta, 1) / air)
    if acquisition.edge_gain:
        signal += np.float32(acquisition.edge_gain) * (signal - cv2.GaussianBlur(signal, (0, 0), 0.45 / spacing_mm))
    return signal


def deliver(
    signal: Float32[np.ndarray, "h w"],
    field: Bool[np.ndarray, "h w"],
    acquisition: Acquisition,
    generator: np.random.Generator,
) -> UInt8[np.ndarray, "h w"]:
    """Grey values as the release has them: windowed, digitised, masked outside the field, reduced to 8 bits.

    Args:
        signal: From `expose`.
        field: What the collimator leaves.
        acquisition: The centre's grey curve.
        generator: Of how this image differs from the centre's usual ones.
    """
    top = float(np.percentile(signal[::3, ::3], 99.7)) * generator.uniform(0.97, 1.1)
    soft_grey = acquisition.soft_grey * np.exp(generator.normal(0, 0.1))
    # Straight up to soft tissue, then a curve that rises less and less: toe and shoulder of a film.
    soft = _SOFT_ATTENUATION
    above = np.clip((signal - soft) / np.float32(max(top - soft, 1e-3)), 0, 1)
    bend = np.float32(acquisition.shoulder * np.exp(generator.normal(0, 0.15)))
    above = above * (1 + bend) / (1 + bend * above)
    below = cv2.pow(np.clip(signal / np.float32(soft), 0, 1), float(np.exp(generator.normal(0.15, 0.1))))
    base = generator.uniform(0.01, 0.07)
    curve = base + (soft_grey - base) * below + (1 - soft_grey) * above
    levels = (1 << acquisition.bits) - 1
    stored = np.rint(np.clip(curve, 0, 1) * np.float32(levels)) * field
    return to_8_bits(stored.astype(np.uint16))


def uneven(size_px: int, generator: np.random.Generator) -> Float32[np.ndarray, "h w"]:
    """What the tube's heel effect and a tilted detector add to the attenuation: a gentle slope."""
    slope = generator.normal(0, 0.04, 2).astype(np.float32)
    ramp = np.linspace(-1, 1, size_px, dtype=np.float32)
    plane: Float32[np.ndarray, "h w"] = slope[0] * ramp[None] + slope[1] * ramp[:, None]
    return plane


def collimate(size_px: int, generator: np.random.Generator) -> Bool[np.ndarray, "h w"]:
    """The exposed field: mostly everything; sometimes a blade cuts off a strip at one side, not quite parallel."""
    field = np.ones((size_px, size_px), bool)
    cut, width = generator.random() < _COLLIMATED_SHARE, generator.uniform(0.01, _MOST_COLLIMATED) * size_px
    tilt, left = np.tan(np.deg2rad(generator.normal(0, 1.5))), generator.random() < 0.5
    if cut:
        edge = width + tilt * (np.arange(size_px) - size_px / 2)
        field = np.arange(size_px)[None] >= edge[:, None]
    return field if left else field[:, ::-1]
