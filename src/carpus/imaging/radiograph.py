"""One radiograph as a value: pixels, their size on the detector, and what is known of whom they show and how."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Shaped

from carpus.anatomy import Side
from carpus.errors import InputError
from carpus.imaging.geometry import Box, crop, mirror


@dataclass(frozen=True)
class Part:
    """Where pixels come from that are a part of a film.

    Attributes:
        half: `left` or `right`, as one looks at the film.
        x: Their first column on the film.
        width_px: Of the film.
    """

    half: str
    x: int
    width_px: int


@dataclass(frozen=True, eq=False)
class Radiograph:
    """A radiograph as a person looks at it: bone is bright.

    Attributes:
        pixels: `(h, w)` uint8 or uint16, brighter means more attenuation.
        spacing_mm: Edge of a pixel in mm (on the detector, not corrected for magnification); None if unknown.
        side: The side of the body; None if unknown.
        source: Where it came from, for messages and reports: a file name or an identifier.
        notes: What a reader should know about how the pixels were obtained, one sentence each.
        age: The patient's, in whole years; None if unknown.
        view: How the hand was laid, as the film's file says, such as `PA`; empty if unknown.
        part: Which part of its film this is; None if it is all of it.

    Raises:
        InputError: Not a grey image of two dimensions, or an impossible pixel size.
    """

    pixels: Shaped[np.ndarray, "h w"]
    spacing_mm: float | None = None
    side: Side | None = None
    source: str = ""
    notes: tuple[str, ...] = ()
    age: int | None = None
    view: str = ""
    part: Part | None = None

    def __post_init__(self) -> None:
        if self.pixels.ndim != 2 or self.pixels.dtype not in (np.uint8, np.uint16) or not self.pixels.size:
            raise InputError(
                f"{self.source or 'radiograph'} has pixels {self.pixels.shape} {self.pixels.dtype}, "
                "expected a grey image (h, w) of 8 or 16 bits"
            )
        if self.spacing_mm is not None and not 0.01 <= self.spacing_mm <= 2:
            raise InputError(
                f"{self.source or 'radiograph'} has a pixel size of {self.spacing_mm} mm, "
                "expected 0.01 to 2 mm; correct it, or leave it out if it is unknown"
            )

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        height, width = self.pixels.shape
        return height, width

    def mirrored(self) -> "Radiograph":
        """The radiograph flipped left to right. The side of the body stays what it is."""
        return replace(self, pixels=mirror(self.pixels))

    def cropped(self, box: Box) -> "Radiograph":
        """The part inside `box`; outside the image it is black."""
        return replace(self, pixels=crop(self.pixels, box))
