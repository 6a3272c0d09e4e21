"""Grey values to numbers a network takes, or to 8 bits for the eye."""

import numpy as np
from jaxtyping import Float32, Shaped, UInt8


def min_max(pixels: Shaped[np.ndarray, "h w"]) -> Float32[np.ndarray, "h w"]:
    """The pixels scaled linearly to 0 to 1 by their own minimum and maximum; a constant image gives 0.

    Example:
        >>> min_max(np.array([[2, 4]], np.uint8))
        array([[0., 1.]], dtype=float32)
    """
    low, high = float(pixels.min()), float(pixels.max())
    if high == low:
        return np.zeros(pixels.shape, np.float32)
    return (pixels.astype(np.float32) - low) / (high - low)


def to_8_bits(
    pixels: Shaped[np.ndarray, "h w"], *, percentiles: tuple[float, float] = (0.0, 100.0)
) -> UInt8[np.ndarray, "h w"]:
    """The pixels as 8 bits, black and white at the given percentiles; a constant image gives 0.

    Args:
        pixels: Any real grey values.
        percentiles: Of the pixel values, 0 to 100, low and high.
    """
    low, high = np.percentile(pixels, percentiles)
    return between(pixels, low=float(low), high=float(high))


def between(pixels: Shaped[np.ndarray, "h w"], *, low: float, high: float) -> UInt8[np.ndarray, "h w"]:
    """The pixels as 8 bits, black up to `low` and white from `high` on; all black if they are not in this order."""
    if high <= low:
        return np.zeros(pixels.shape, np.uint8)
    scaled = (pixels.astype(np.float32) - low) * (255 / (high - low))
    grey: UInt8[np.ndarray, "h w"] = np.clip(np.rint(scaled), 0, 255).astype(np.uint8)
    return grey
