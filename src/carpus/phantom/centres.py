"""The four centres of RAM-W600 and how their images look.

Pixel size, bit depth and tube voltage are those of the paper's Table 6, which leaves some out (None). Blur, dose and
grey curve are chosen so that the centres differ as computed radiography systems do.
"""

from collections.abc import Mapping
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
        spacing_mm: Edge of a pixel; None if not published, and then the release's 0.15 mm is drawn.
        bits: Stored a pixel before the release reduced them to 8.
        tube_kv: Tube voltage; a harder beam tells bone less from soft tissue.
        blur_mm: Standard deviation of the detector's point spread.
        quanta: Mean number of quanta a square of 0.15 mm in air; fewer give more noise.
        soft_grey: Grey of the soft tissue beside the bones, 0 to 1.
        shoulder: How much the grey curve flattens towards dense bone, 0 for a straight line.
        edge_gain: Strength of the manufacturer's edge enhancement.
    """

    spacing_mm: float | None
    bits: int
    tube_kv: float | None
    blur_mm: float
    quanta: float
    soft_grey: float
    shoulder: float
    edge_gain: float


ACQUISITIONS: Mapping[Centre, Acquisition] = {
    Centre.HU: Acquisition(0.15, 16, None, 0.13, 9000, 0.27, 0.2, 0.40),
    Centre.HMCRD: Acquisition(0.15, 10, 50, 0.15, 7000, 0.24, 0.35, 0.60),
    Centre.SCGH: Acquisition(0.15, 10, 45, 0.17, 5000, 0.32, 0.0, 0.30),
    Centre.DHA: Acquisition(None, 16, None, 0.19, 4500, 0.33, 0.3, 0.10),
}
