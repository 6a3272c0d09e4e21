"""Tiles of noise that bones are made from: patches of density, and trabeculae as a network and as strands."""

from functools import cache

import numpy as np
from jaxtyping import Float32

TILE = 512
"""Edge of a tile in values."""

VALUES_PER_MM = 9.0
"""How fine a tile lies on a bone: trabeculae are then about 0.7 mm apart."""


@cache
def tiles() -> Float32[np.ndarray, "n n 3"]:
    """Tiles that repeat, the same in every process: a network of trabeculae, strands along y, patches."""
    noise = np.fft.rfft2(np.random.default_rng(20).standard_normal((TILE, TILE)))
    fy, fx = np.fft.fftfreq(TILE)[:, None] * TILE, np.fft.rfftfreq(TILE)[None] * TILE

    def band(low: float, high: float, stretch: float) -> np.ndarray:
        radius = np.hypot(fx, fy * stretch)
        field = np.fft.irfft2(noise * np.exp(-((radius / high) ** 2)) * (1 - np.exp(-((radius / low) ** 2))))
        scaled: np.ndarray = field / field.std()
        return scaled

    def ridges(field: np.ndarray) -> np.ndarray:
        lines = np.exp(-((field / 0.45) ** 2))
        lines = lines - lines.mean()
        drawn: np.ndarray = 0.7 * lines / lines.std() + 0.5 * field
        return drawn

    # 512 values span 57 mm: trabeculae about 0.7 mm apart are some 80 waves a tile.
    network = ridges(band(47, 95, 1.0)) + 0.5 * band(15, 45, 1.0)
    strands = ridges(band(47, 95, 3.5)) + 0.5 * band(15, 45, 3.0)
    made = np.stack([network / network.std(), strands / strands.std(), band(2, 11, 1.0)], axis=2).astype(np.float32)
    made.flags.writeable = False
    return made
