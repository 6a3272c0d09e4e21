"""The four centres of RAM-W600 and how their images look.

Pixel size and bit depth are those of the paper's Table 6 (for the Digital Hand Atlas, DHA, the pixel size is not
given; 0.15 mm is used). Blur, dose and look are chosen so that the centres differ as computed radiography systems do.
"""

from dataclasses import dataclass
from enum import Enum


class Centre(Enum):
    """Where a radiograph was taken. The value is the name in the metadata table."""

    HU = "HU"
    HMCRD = "HMCRD"
    SCGH = "SCGH"
    DHA = "DHA"


@dataclass(frozen=True)
class Acquisition:
    """How a centre turns attenuation into grey values.

    Attributes:
        spacing_mm: Edge of a pixel.
        bits: Stored a pixel before the release reduced them to 8.
        blur_mm: Standard deviation of the detector's point spread.
        quanta: Mean number of quanta a pixel in air; fewer give more noise.
        contrast: Exponent of the grey curve; above 1 darkens soft tissue.
        edge_gain: Strength of the manufacturer's edge enhancement.
    """

    spacing_mm: float
    bits: int
    blur_mm: float
    quanta: float
    contrast: float
    edge_gain: float


ACQUISITIONS: dict[Centre, Acquisition] = {
    Centre.HU: Acquisition(0.15, 16, 0.14, 9000, 1.15, 0.5),
    Centre.HMCRD: Acquisition(0.15, 10, 0.16, 6000, 1.30, 0.8),
    Centre.SCGH: Acquisition(0.15, 10, 0.18, 5000, 1.00, 0.3),
    Centre.DHA: Acquisition(0.15, 16, 0.22, 3500, 0.90, 0.0),
}
