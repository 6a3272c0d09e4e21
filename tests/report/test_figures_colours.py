"""Colours as they look to eyes that lack one kind of cone, by the model of Machado et al. 2009.

References:
    https://doi.org/10.1109/TVCG.2009.113, severity 1.0.
"""

from collections.abc import Iterable
from itertools import combinations, pairwise

import numpy as np
import pytest
from jaxtyping import Float
from matplotlib.colors import to_rgb

from carpus.anatomy import OVERLAP_PAIRS, Bone
from carpus.report.figures.style import COLOURS, ERODED, HEALTHY, SEVERITY
from carpus.report.overlay import BONE_COLOURS, PREDICTED_COLOUR, REFERENCE_COLOUR

SEEN_BY = {
    "everybody": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
}
TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
TOUCHING = [
    *OVERLAP_PAIRS,
    (Bone.DISTAL_RADIUS, Bone.DISTAL_ULNA),
    (Bone.CAPITATE, Bone.HAMATE),
    (Bone.CAPITATE, Bone.LUNATE),
    (Bone.CAPITATE, Bone.METACARPAL_2),
    (Bone.CAPITATE, Bone.METACARPAL_4),
    (Bone.HAMATE, Bone.LUNATE),
    (Bone.HAMATE, Bone.PISIFORM_TRIQUETRUM),
    (Bone.HAMATE, Bone.METACARPAL_3),
    (Bone.LUNATE, Bone.PISIFORM_TRIQUETRUM),
    (Bone.DISTAL_ULNA, Bone.LUNATE),
    (Bone.DISTAL_ULNA, Bone.PISIFORM_TRIQUETRUM),
    (Bone.SCAPHOID, Bone.TRAPEZOID),
    (Bone.TRAPEZOID, Bone.METACARPAL_3),
    (Bone.METACARPAL_1, Bone.METACARPAL_2),
    (Bone.METACARPAL_3, Bone.METACARPAL_4),
    (Bone.METACARPAL_4, Bone.METACARPAL_5),
]


def lab(colour: Iterable[float], eyes: str) -> Float[np.ndarray, " 3"]:
    """The colour in CIELAB, red, green and blue being 0 to 1."""
    rgb = np.array(tuple(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    xyz = TO_XYZ @ np.clip(SEEN_BY[eyes] @ linear, 0, 1) / (0.95047, 1, 1.08883)
    x, y, z = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz * (29 / 6) ** 2 / 3 + 4 / 29)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def difference(one: Iterable[float], other: Iterable[float], eyes: str) -> float:
    return float(np.linalg.norm(lab(one, eyes) - lab(other, eyes)))


def scaled(colour: tuple[int, int, int]) -> tuple[float, ...]:
    return tuple(value / 255 for value in colour)


def test_white_has_full_lightness_and_no_hue() -> None:
    assert lab((1, 1, 1), "everybody") == pytest.approx([100, 0, 0], abs=0.02)
    assert lab((1, 0, 0), "everybody") == pytest.approx([53.24, 80.09, 67.20], abs=0.05)


@pytest.mark.parametrize("eyes", SEEN_BY)
def test_bones_that_touch_differ_to_all_eyes(eyes: str) -> None:
    for one, other in TOUCHING:
        assert difference(scaled(BONE_COLOURS[one]), scaled(BONE_COLOURS[other]), eyes) > 25, (one, other)


@pytest.mark.parametrize("eyes", SEEN_BY)
def test_any_two_bones_differ_to_all_eyes(eyes: str) -> None:
    for one, other in combinations(BONE_COLOURS.values(), 2):
        assert difference(scaled(one), scaled(other), eyes) > 15


@pytest.mark.parametrize("eyes", SEEN_BY)
def test_any_two_models_differ_to_all_eyes(eyes: str) -> None:
    for one, other in combinations(COLOURS, 2):
        assert difference(to_rgb(one), to_rgb(other), eyes) > 20


@pytest.mark.parametrize("eyes", SEEN_BY)
def test_opposites_are_far_apart_to_all_eyes(eyes: str) -> None:
    assert difference(to_rgb(ERODED), to_rgb(HEALTHY), eyes) > 60
    assert difference(scaled(REFERENCE_COLOUR), scaled(PREDICTED_COLOUR), eyes) > 60


@pytest.mark.parametrize("eyes", SEEN_BY)
def test_a_higher_score_is_darker_to_all_eyes(eyes: str) -> None:
    for milder, worse in pairwise(SEVERITY):
        assert lab(to_rgb(milder), eyes)[0] > lab(to_rgb(worse), eyes)[0] + 1
