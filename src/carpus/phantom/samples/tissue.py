"""Where a hand lies in the image, and what its tissue is made of."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from carpus.phantom.samples.hand import Hand


@dataclass(frozen=True)
class Frame:
    """Where the hand lies in the image.

    Attributes:
        height_px: Rows.
        width_px: Columns.
        spacing_mm: Edge of a pixel.
        degrees: Turn of the hand, clockwise in the image.
        middle_px: Column and row at which the middle of the capitate lies.
    """

    height_px: int
    width_px: int
    spacing_mm: float
    degrees: float
    middle_px: tuple[float, float]

    def pixels(self, points: Float[np.ndarray, "*n 2"]) -> Float[np.ndarray, "*n 2"]:
        """Columns and rows of points in mm."""
        angle = np.deg2rad(self.degrees)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) / self.spacing_mm
        placed: np.ndarray = points @ turn.T + np.array(self.middle_px)
        return placed


@dataclass(frozen=True)
class Tissue:
    """What the tissue of one hand is like, relative to a healthy young adult's unless a unit is given.

    Attributes:
        mineral: Of all bone.
        cortex: Thickness of the cortex.
        spongy_share: Attenuation of spongy bone as a share of cortical bone's.
        grain: Strength of the trabeculae.
        strands: Share of trabeculae that follow the bone's axis.
        coarseness: Width of the trabeculae.
        uneven: How much the rims vary along a bone.
        patchy: How much spongy bone varies within a bone.
        limb_mm: Half of the thickness of palm and forearm.
        fat_mm: Of fat under the skin.
        soft: Attenuation of soft tissue.
    """

    mineral: float
    cortex: float
    spongy_share: float
    grain: float
    strands: float
    coarseness: float
    uneven: float
    patchy: float
    limb_mm: float
    fat_mm: float
    soft: float


def draw_tissue(hand: Hand, generator: np.random.Generator) -> Tissue:
    """Tissue by age, sex and damage, and by chance beyond what people differ in."""
    mineral = (1.0 if hand.male else 0.92) * (1 - 0.005 * max(hand.age - 50, 0)) * (1 - 0.2 * hand.damage.severity)
    return Tissue(
        mineral=mineral * np.exp(generator.normal(0, 0.2)),
        cortex=np.exp(generator.normal(-0.1, 0.25)) * (1 - 0.004 * max(hand.age - 50, 0)),
        spongy_share=0.27 * np.exp(generator.normal(0, 0.25)),
        grain=generator.uniform(0.1, 0.38),
        strands=generator.uniform(0.35, 0.85),
        coarseness=np.exp(generator.normal(0.1, 0.25)),
        uneven=generator.uniform(0.1, 0.55),
        patchy=generator.uniform(0.04, 0.16),
        limb_mm=13.0 * np.exp(generator.normal(0, 0.2)),
        fat_mm=generator.uniform(0.8, 4.5),
        soft=np.exp(generator.normal(0, 0.15)),
    )
