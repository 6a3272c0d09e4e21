"""Boxes, crops, flips and resizing, in pixels of the image at hand.

Pixel `(x, y)` covers `[x, x + 1) x [y, y + 1)`, x to the right and y down. Canonical orientation is that of
a right hand seen from its back with the fingers up: the thumb to the left of the image.
"""

from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np

from carpus.errors import InputError

Image = TypeVar("Image", bound=np.ndarray)


@dataclass(frozen=True)
class Box:
    """An upright rectangle in pixels: left and top edge, width and height (COCO's `xywh`)."""

    x: float
    y: float
    width: float
    height: float

    def __post_init__(self) -> None:
        if not (self.width > 0 and self.height > 0):
            raise InputError(f"box {self} is empty; width and height must be above 0")

    @property
    def area(self) -> float:
        """Width x height in square pixels."""
        return self.width * self.height

    @property
    def centre(self) -> tuple[float, float]:
        """The centre `(x, y)`."""
        return self.x + self.width / 2, self.y + self.height / 2

    def mirrored(self, image_width: int) -> "Box":
        """The same box after the image is flipped left to right."""
        return Box(image_width - self.x - self.width, self.y, self.width, self.height)

    def scaled(self, factor: float) -> "Box":
        """The same box after the image is resized by `factor` in both directions."""
        return Box(self.x * factor, self.y * factor, self.width * factor, self.height * factor)

    def inside(self, *, height: int, width: int) -> "Box":
        """The box of the same size moved into an image, cut only where it is larger than the image."""
        box_width, box_height = min(self.width, width), min(self.height, height)
        return Box(
            min(max(self.x, 0), width - box_width),
            min(max(self.y, 0), height - box_height),
            box_width,
            box_height,
        )


def square(centre: tuple[float, float], *, size: float) -> Box:
    """The square of edge `size` around `centre` `(x, y)`."""
    return Box(centre[0] - size / 2, centre[1] - size / 2, size, size)


def crop(image: Image, box: Box) -> Image:
    """The pixels inside `box`, rounded to whole pixels; what lies outside the image is 0.

    Args:
        image: `(h, w)` or `(h, w, c)`.
        box: In the image's pixels.

    Example:
        >>> crop(np.arange(9).reshape(3, 3), Box(1, 1, 3, 2))
        array([[4, 5, 0],
               [7, 8, 0]])
    """
    left, top = round(box.x), round(box.y)
    width, height = max(round(box.width), 1), max(round(box.height), 1)
    out = np.zeros((height, width, *image.shape[2:]), image.dtype)
    y0, y1 = max(top, 0), min(top + height, image.shape[0])
    x0, x1 = max(left, 0), min(left + width, image.shape[1])
    if y1 > y0 and x1 > x0:
        out[y0 - top : y1 - top, x0 - left : x1 - left] = image[y0:y1, x0:x1]
    return out  # type: ignore[return-value]


def mirror(image: Image) -> Image:
    """The image flipped left to right, as a contiguous copy."""
    return np.ascontiguousarray(image[:, ::-1])  # type: ignore[return-value]


def resize(image: Image, *, height: int, width: int) -> Image:
    """The grey values at another size: area averages when shrinking, bilinear when growing."""
    shrinking = height * width < image.shape[0] * image.shape[1]
    how = cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR
    return cv2.resize(image, (width, height), interpolation=how)  # type: ignore[return-value]


def resize_labels(plane: Image, *, height: int, width: int) -> Image:
    """A plane of labels or packed bits at another size: each pixel takes the value at its centre."""
    rows = np.minimum(((np.arange(height) + 0.5) * plane.shape[0] / height).astype(np.intp), plane.shape[0] - 1)
    columns = np.minimum(((np.arange(width) + 0.5) * plane.shape[1] / width).astype(np.intp), plane.shape[1] - 1)
    nearest: Image = plane[rows[:, None], columns[None, :]]
    return nearest
