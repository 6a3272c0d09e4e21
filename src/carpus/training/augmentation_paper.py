"""The benchmark authors' augmentation, defects included, for the `paper` recipes.

- The image is shrunk first and changed afterwards, so that a change blurs it a second time.
- Half of the wrists are enlarged 2.0 to 2.1 times and cut to the middle. A scale of 1.0 to 1.1 was meant; what the
  library was told is 1.0 to 1.1 more. Bones at the rim are then seen in the other half only. Joint regions are spared.
- Then half of them are moved by up to 6.25 %, scaled by up to 10 % and turned by up to 10 degrees, and of half of them
  brightness and contrast change by up to 20 % each. Contrast is changed around black.
- Nothing is flipped.
"""

import cv2
import numpy as np
from jaxtyping import Float32, Shaped, UInt16

from carpus.imaging.geometry import resize, resize_labels
from carpus.imaging.intensity import min_max

_HALF = 0.5
_SHIFT = 0.0625
_SCALE = 0.1
_ROTATE_DEG = 10.0
_BRIGHTNESS = _CONTRAST = 0.2


def augment_as_paper(
    image: Shaped[np.ndarray, "h w"],
    plane: UInt16[np.ndarray, "h w"],
    generator: np.random.Generator,
    grey: Float32[np.ndarray, "s s"],
    labels: UInt16[np.ndarray, "s s"],
    *,
    zoom: bool,
) -> None:
    """Writes image and packed plane as the authors change them, s x s.

    Args:
        image: Grey values, 8 or 16 bits.
        plane: Packed bone masks on the same grid.
        generator: All chance comes from it.
        grey: Takes the image, in 0 to 1.
        labels: Takes the plane.
        zoom: Whether half of the images are enlarged to about twice their size.
    """
    size = len(grey)
    seen = min_max(resize(image, height=size, width=size))
    bones = resize_labels(plane, height=size, width=size)
    if zoom and generator.random() < _HALF:
        seen, bones = _warp(seen, bones, scale=generator.uniform(2.0, 2.1))
    if generator.random() < _HALF:
        dx, dy = generator.uniform(-_SHIFT, _SHIFT, 2) * size
        scale = 1 + generator.uniform(-_SCALE, _SCALE)
        turn_deg = generator.uniform(-_ROTATE_DEG, _ROTATE_DEG)
        seen, bones = _warp(seen, bones, scale=scale, turn_deg=turn_deg, shift=(dx, dy))
    if generator.random() < _HALF:
        contrast = 1 + generator.uniform(-_CONTRAST, _CONTRAST)
        brightness = generator.uniform(-_BRIGHTNESS, _BRIGHTNESS)
        seen = np.clip(seen * np.float32(contrast) + np.float32(brightness), 0, 1)
    grey[:] = seen
    labels[:] = bones


def _warp(
    grey: Float32[np.ndarray, "s s"],
    labels: UInt16[np.ndarray, "s s"],
    *,
    scale: float,
    turn_deg: float = 0.0,
    shift: tuple[float, float] = (0.0, 0.0),
) -> tuple[Float32[np.ndarray, "s s"], UInt16[np.ndarray, "s s"]]:
    size = len(grey)
    middle = (size - 1) / 2
    matrix = cv2.getRotationMatrix2D((middle, middle), turn_deg, scale)
    matrix[:, 2] += np.array(shift)
    border = cv2.BORDER_REFLECT_101
    return (
        cv2.warpAffine(grey, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=border),
        cv2.warpAffine(labels, matrix, (size, size), flags=cv2.INTER_NEAREST, borderMode=border),
    )
