"""Rheumatoid damage: erosions by SvdH score, osteophytes and narrowing.

An erosion is a bite out of the bone's surface where synovium meets bare bone: the cortex is broken there and the
bone behind it gone. Its size follows the SvdH score: 1 a discrete bite, 2 and 3 larger ones that together take more
of the surface, 4 and 5 beyond the middle of the bone to collapse.

References:
    van der Heijde D. J Rheumatol 2000;27(1):261-263.
    Scott DL et al. Baillieres Clin Rheumatol 1997;11(3):435-468.
"""

from dataclasses import replace

import numpy as np

from carpus.anatomy import SVDH_SCORES, Joint
from carpus.phantom.shapes import Contour, Shape, closed_spline, outward

BITES: dict[int, tuple[int, float]] = {0: (0, 0.0), 1: (1, 1.5), 2: (2, 1.9), 3: (3, 2.3), 4: (4, 2.8), 5: (5, 3.4)}
"""By score: number of bites and their mean radius in mm."""

_END_MM = 9.0


def erosions(shape: Shape, score: int, generator: np.random.Generator) -> list[Contour]:
    """The contours of the bites that a score takes out of a bone, mm; none for score 0.

    A lesser score's bites are the first of a greater one's, so that damage grows in place from visit to visit.

    Args:
        shape: Of the scored bone.
        score: SvdH erosion score, 0 to 5.
        generator: Of the joint, the same at every visit.
    """
    contour, candidates = shape.contour, _near_joint(shape)
    inward = -outward(contour)
    places = _apart(contour, candidates, count=max(count for count, _ in BITES.values()), generator=generator)
    outlines = generator.normal(1, 0.16, (len(places), 9)).clip(0.6, 1.4)
    sizes = generator.uniform(0.85, 1.2, len(places))
    count, radius = BITES[score]
    bites = []
    for place, outline, size in list(zip(places, outlines, sizes, strict=True))[:count]:
        centre = contour[place] + inward[place] * 0.35 * radius * size
        angle = np.linspace(0, 2 * np.pi, len(outline), endpoint=False)
        rim = np.column_stack([np.cos(angle), np.sin(angle)]) * (outline * radius * size)[:, None]
        bites.append(closed_spline(centre + rim, count=40))
    return bites


def with_osteophytes(shape: Shape, height_mm: float, generator: np.random.Generator) -> Shape:
    """The bone with up to three small outgrowths near its joints, each `height_mm` high."""
    contour, candidates = shape.contour, _near_joint(shape)
    places = generator.choice(candidates, int(generator.integers(1, 4)))
    widths_mm = generator.uniform(0.8, 1.6, len(places))
    distance_mm = np.linalg.norm(contour[:, None] - contour[places][None], axis=2)
    bump = (height_mm * np.exp(-0.5 * (distance_mm / widths_mm) ** 2)).max(axis=1)
    return replace(shape, contour=contour + outward(contour) * bump[:, None])


def severity(scores: dict[Joint, int]) -> float:
    """How damaged a wrist is as a whole, 0 to 1: its erosion scores against twice the scale's middle."""
    return min(sum(scores.values()) / (2 * SVDH_SCORES[-1]), 1.0)


def _near_joint(shape: Shape) -> np.ndarray:
    """Where on the contour joints are: all around a carpal bone, at the end of a long one."""
    if shape.end is None:
        return np.arange(len(shape.contour))
    return np.flatnonzero(np.linalg.norm(shape.contour - shape.end, axis=1) < _END_MM)


def _apart(contour: Contour, candidates: np.ndarray, *, count: int, generator: np.random.Generator) -> list[int]:
    """Up to `count` places on the contour, each far from those before it."""
    places = [int(generator.choice(candidates))]
    while len(places) < count:
        nearest = np.linalg.norm(contour[candidates][:, None] - contour[places][None], axis=2).min(axis=1)
        weights = np.maximum(nearest - 1.5, 0) ** 2
        if weights.sum() == 0:
            break
        places.append(int(generator.choice(candidates, p=weights / weights.sum())))
    return places
