"""Rheumatoid damage: erosions by SvdH score, osteophytes and narrowing.

An erosion is a bite out of the bone's surface where synovium meets bare bone, beside the cartilage: the cortex is
broken there and the bone behind it gone. The SvdH score of a site grows with the surface that is lost: 1 a discrete
erosion, 2 and 3 larger ones, 5 complete collapse of the bone.

References:
    van der Heijde D. How to read radiographs according to the Sharp/van der Heijde method.
        J Rheumatol 2000;27(1):261-263.
    Sommer OJ et al. Rheumatoid arthritis: a practical guide to state-of-the-art imaging. Radiographics
        2005;25(2):381-398 (marginal erosions at bare areas).
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from carpus.anatomy import SVDH_SCORES, Joint
from carpus.phantom.shapes import Contour, Shape, closed_spline, outward

BITES: Mapping[int, tuple[int, float]] = {0: (0, 0.0), 1: (1, 1.4), 2: (2, 1.8), 3: (3, 2.2), 4: (4, 2.4), 5: (5, 2.5)}
"""By score: number of bites and their mean radius in mm; the widest is about 2.5 radii long."""

COLLAPSE = 0.78
"""Height that a carpal bone of score 5 keeps."""

MOST_NARROWING_MM = 0.7
"""Joint space lost between two rows of the worst wrist; the template's is about 1.5 mm."""

MOST_OUTGROWTH_MM = 1.2
"""Height of an osteophyte in the worst wrist."""

_SCATTER_MM = 1.0


def erosions(shape: Shape, score: int, generator: np.random.Generator) -> list[Contour]:
    """The contours of the bites that a score takes out of a bone, mm; none for score 0.

    A lesser score's bites are the first of a greater one's, so that damage grows in place from visit to visit.

    Args:
        shape: Of the scored bone.
        score: SvdH erosion score, 0 to 5.
        generator: Of the joint, the same at every visit.
    """
    count, radius_mm = BITES[score]
    places = _places(shape, count=max(count for count, _ in BITES.values()), generator=generator)
    bites: list[Contour] = []
    for place in places:
        rim = _rim(generator)
        if len(bites) < count:
            inward = -outward(shape.contour)[place]
            along = np.array([-inward[1], inward[0]])
            centre = shape.contour[place] + inward * (0.25 * radius_mm)
            bites.append(closed_spline(centre + radius_mm * (rim[:, :1] * along + rim[:, 1:] * inward), count=60))
    return bites


def with_osteophytes(shape: Shape, height_mm: float, generator: np.random.Generator) -> Shape:
    """The bone with up to three small outgrowths near its joints.

    Args:
        shape: The bone.
        height_mm: Of the highest.
        generator: Of the bone, the same at every visit.
    """
    contour = shape.contour
    candidates = _near_joint(shape)
    places = generator.choice(candidates, int(generator.integers(1, 4)))
    widths_mm = generator.uniform(0.7, 1.4, len(places))
    heights_mm = height_mm * np.array([1.0, 0.7, 0.5])[: len(places)]
    distance_mm = np.linalg.norm(contour[:, None] - contour[places][None], axis=2)
    bump = (heights_mm * np.exp(-0.5 * (distance_mm / widths_mm) ** 2)).max(axis=1)
    return replace(shape, contour=contour + outward(contour) * bump[:, None])


def collapsed(shape: Shape) -> Shape:
    """A carpal bone that has sunk to `COLLAPSE` of its height; a long bone as it was."""
    if shape.end is not None:
        return shape
    middle = shape.contour.mean(axis=0)
    sink = np.array([1.0, COLLAPSE])
    contour, bare, *lines = ((points - middle) * sink + middle for points in (shape.contour, shape.bare, *shape.lines))
    return replace(shape, contour=contour, bare=bare, lines=tuple(lines))


def severity(scores: Mapping[Joint, int] | None) -> float:
    """How damaged a wrist is as a whole, 0 to 1: its erosion scores against twice the worst score of one joint."""
    return 0.0 if scores is None else min(sum(scores.values()) / (2 * SVDH_SCORES[-1]), 1.0)


def _near_joint(shape: Shape) -> np.ndarray:
    """Where on the contour joints are: all around a carpal bone, at the end of a long one."""
    if shape.end is None:
        return np.arange(len(shape.contour))
    distance_mm = np.linalg.norm(shape.contour - shape.end, axis=1)
    return np.flatnonzero(distance_mm < distance_mm.min() + 7.0)


def _places(shape: Shape, *, count: int, generator: np.random.Generator) -> list[int]:
    """`count` places on the contour near bare bone, in the order in which they erode."""
    order = generator.permutation(len(shape.bare))
    places = []
    for number in range(count):
        near = shape.bare[order[number % len(order)]] + generator.normal(0, _SCATTER_MM, 2)
        places.append(int(np.linalg.norm(shape.contour - near, axis=1).argmin()))
    return places


def _rim(generator: np.random.Generator) -> Contour:
    """A bite's irregular outline of mean radius 1, longer along the surface (first column) than into the bone."""
    angle = np.linspace(0, 2 * np.pi, 11, endpoint=False) + generator.normal(0, 0.12, 11)
    radius = generator.normal(1, 0.16, 11).clip(0.65, 1.4) * generator.uniform(0.85, 1.2)
    return np.column_stack([1.15 * radius * np.cos(angle), 0.95 * radius * np.sin(angle)])
