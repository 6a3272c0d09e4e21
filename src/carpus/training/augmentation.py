"""Changes of a training image that a real wrist could show, in one warp for image and masks together."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32, Float64, Shaped, UInt16

from carpus.data.warp import TONES, tone, warped
from carpus.training.recipe import Augmentation


@dataclass(frozen=True)
class Change:
    """What is done to one image.

    Attributes:
        scale: Above 1 enlarges.
        angle: Radians.
        shift: As a fraction of the image, to the right and down.
        gamma: Exponent.
        contrast: Relative change of contrast.
        brightness: Added, as a fraction of the range.
        noise: Standard deviation, as a fraction of the range.
        noise_seed: 32 bits.
    """

    scale: float
    angle: float
    shift: tuple[float, float]
    gamma: float
    contrast: float
    brightness: float
    noise: float
    noise_seed: int

    def inverse(self, *, height: int, width: int, size: int) -> Float64[np.ndarray, "2 3"]:
        """From pixel centres `(x, y, 1)` of the s x s result to those of the image."""
        turn = np.array([[np.cos(self.angle), -np.sin(self.angle)], [np.sin(self.angle), np.cos(self.angle)]])
        # Measured from the result's middle in units of its size.
        linear = np.diag([width, height]) @ turn / self.scale / size
        middle = np.array([width, height]) * (0.5 + np.array(self.shift))
        offset = middle - linear @ np.full(2, size / 2) + linear @ np.full(2, 0.5) - 0.5
        return np.column_stack([linear, offset])

    def curve(self) -> Float32[np.ndarray, " k"]:
        """Gamma, contrast and brightness as one tone curve over 0 to 1."""
        grey = np.linspace(0, 1, TONES + 1, dtype=np.float32) ** np.float32(self.gamma)
        curve: Float32[np.ndarray, " k"] = (grey - 0.5) * np.float32(1 + self.contrast)
        return curve + np.float32(0.5 + self.brightness)


def draw_change(settings: Augmentation, generator: np.random.Generator) -> Change:
    """A change drawn from the generator, going as far as the settings allow."""
    scale = float(np.exp(generator.uniform(-1, 1) * np.log1p(settings.scale)))
    angle = float(np.deg2rad(generator.uniform(-1, 1) * settings.rotate_deg))
    right, down = generator.uniform(-1, 1, 2) * settings.shift
    gamma = float(np.exp(generator.uniform(-1, 1) * settings.gamma))
    contrast, brightness = generator.uniform(-1, 1, 2) * settings.contrast
    noise = float(generator.uniform(0, settings.noise))
    seed = int(generator.integers(2**32))
    return Change(scale, angle, (float(right), float(down)), gamma, float(contrast), float(brightness), noise, seed)


def blur_px(*, height: int, width: int, size: int) -> float:
    """Standard deviation that blurs an image to the result's pixel size, so that shrinking makes no moire."""
    return max(0.4 * max(height, width) / size, 0.1)


def augment(
    image: Shaped[np.ndarray, "h w"],
    plane: UInt16[np.ndarray, "h w"],
    generator: np.random.Generator,
    grey: Float32[np.ndarray, "s s"],
    labels: UInt16[np.ndarray, "s s"],
    *,
    settings: Augmentation,
) -> None:
    """Writes image and packed plane moved, turned and scaled alike to s x s; the image's grey values changed too.

    Args:
        image: Grey values, 8 or 16 bits.
        plane: Packed bone masks on the same grid.
        generator: All chance comes from it.
        grey: Takes the image, in 0 to 1.
        labels: Takes the plane, each pixel with the bones at its centre.
        settings: How far to go.
    """
    height, width = plane.shape
    size = len(grey)
    change = draw_change(settings, generator)
    blurred = cv2.GaussianBlur(image, (0, 0), blur_px(height=height, width=width, size=size))
    warped(blurred, plane, change.inverse(height=height, width=width, size=size), grey, labels)
    tone(grey, change.curve(), noise=change.noise, seed=change.noise_seed)
