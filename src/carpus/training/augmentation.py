"""Changes of a training image that a real wrist could show, in one warp for image and masks together."""

import cv2
import numpy as np
from jaxtyping import Float32, UInt8, UInt16

from carpus.imaging.intensity import min_max
from carpus.training.recipe import Augmentation


def augment(
    image: UInt8[np.ndarray, "h w"],
    plane: UInt16[np.ndarray, "h w"],
    generator: np.random.Generator,
    *,
    settings: Augmentation,
    size: int,
) -> tuple[Float32[np.ndarray, "s s"], UInt16[np.ndarray, "s s"]]:
    """Image and packed plane moved, turned and scaled alike to s x s; the image's grey values changed too.

    Args:
        image: Grey values.
        plane: Packed bone masks on the same grid.
        generator: All chance comes from it.
        settings: How far to go.
        size: Edge s of the result in pixels.

    Returns:
        Grey values in 0 to 1, and the plane, each pixel with the bones at its centre.
    """
    height, width = plane.shape
    scale = np.exp(generator.uniform(-1, 1) * np.log1p(settings.scale))
    angle = np.deg2rad(generator.uniform(-1, 1) * settings.rotate_deg)
    shift = generator.uniform(-1, 1, 2) * settings.shift
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    # From the result's pixel centres, measured from its middle in units of its size, to the image's.
    linear = np.diag([width, height]) @ turn / scale / size
    middle = np.array([width, height]) * (0.5 + shift)
    offset = middle - linear @ np.full(2, size / 2) + linear @ np.full(2, 0.5) - 0.5
    matrix = np.column_stack([linear, offset])

    flags = cv2.WARP_INVERSE_MAP
    # Blurred to the result's pixel size first, as an area average would, so that shrinking makes no moire.
    blurred = cv2.GaussianBlur(image, (0, 0), max(0.4 * max(height, width) / size, 0.1))
    grey = min_max(cv2.warpAffine(blurred, matrix, (size, size), flags=flags | cv2.INTER_LINEAR))
    labels = cv2.warpAffine(plane, matrix, (size, size), flags=flags | cv2.INTER_NEAREST)

    grey **= np.float32(np.exp(generator.uniform(-1, 1) * settings.gamma))
    contrast, brightness = generator.uniform(-1, 1, 2) * settings.contrast
    grey = (grey - 0.5) * np.float32(1 + contrast) + np.float32(0.5 + brightness)
    grey += np.float32(generator.uniform(0, settings.noise)) * generator.standard_normal(grey.shape, np.float32)
    return np.clip(grey, 0, 1), labels
