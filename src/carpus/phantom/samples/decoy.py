"""Hands that show no wrist from its back, so that a network learns what to leave alone.

A bone that is not to be outlined belongs to none of the fourteen here.
"""

from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float

from carpus.phantom.samples.hand import Hand, draw_hand
from carpus.phantom.samples.pose import draw_pose, rotation
from carpus.phantom.samples.template import Halves

_TURNED = 0.5
_TURN_DEGREES = (40.0, 80.0)
_FOREARM_MM = 40.0


def draw_decoy_hand(generator: np.random.Generator) -> Hand:
    """A hand that lies on its edge, without a bone to outline; or one whose carpal bones are in a jumble.

    A jumble leaves the long bones what they are: metacarpals and, at times far from them, a forearm.

    Args:
        generator: Of everything.
    """
    if generator.random() < _TURNED:
        return _on_its_edge(generator)
    return _jumbled(draw_hand(generator), generator)


def _on_its_edge(generator: np.random.Generator) -> Hand:
    """Turned about the forearm's axis as for an oblique or lateral film; bones are about as thick as they are broad."""
    degrees = generator.choice([-1, 1]) * generator.uniform(*_TURN_DEGREES)
    hand = draw_hand(generator, pose=replace(draw_pose(generator), pronation=float(degrees)))
    middles = _middles(hand)
    closer = (np.cos(np.deg2rad(degrees)) - 1) * middles * [1.0, 0.0]
    return _moved(hand, middles, np.tile(np.eye(2), (len(middles), 1, 1)), closer, named=np.zeros(len(middles), bool))


def _jumbled(hand: Hand, generator: np.random.Generator) -> Hand:
    """The carpal bones in each other's places, each turned and of another size; the forearm at times far away."""
    middles = _middles(hand)
    carpal = np.array([not part.length_mm for part in hand.parts])
    matrices, shifts = np.tile(np.eye(2), (len(middles), 1, 1)), np.zeros_like(middles)
    for index in np.flatnonzero(carpal):
        matrices[index] = rotation(generator.uniform(0, 360)) * np.exp(generator.normal(0.1, 0.25))
    shifts[carpal] = generator.permutation(middles[carpal]) - middles[carpal]
    forearm = np.array([part.row == "forearm" for part in hand.parts])
    shifts[forearm] += [0.0, generator.uniform(0, _FOREARM_MM)]
    return _moved(hand, middles, matrices, shifts, named=~carpal)


def _middles(hand: Hand) -> Float[np.ndarray, "parts 2"]:
    """Of each bone; of one with a shaft the middle of its end at the joint."""
    long = np.array([part.length_mm > 0 for part in hand.parts])
    middles: np.ndarray = np.where(long[:, None], hand.ends, hand.whole.mean(axis=(1, 2)))
    return middles


def _moved(
    hand: Hand,
    middles: Float[np.ndarray, "parts 2"],
    matrices: Float[np.ndarray, "parts 2 2"],
    shifts: Float[np.ndarray, "parts 2"],
    *,
    named: Bool[np.ndarray, " parts"],
) -> Hand:
    """Each bone turned about its middle and shifted, without the lines within bones and the sesamoids.

    Bones that are not `named` are none of the fourteen any more.
    """

    def placed(halves: Halves) -> Halves:
        centre = middles[:, None, None]
        turned: Halves = np.einsum("pij,phnj->phni", matrices, halves - centre) + centre + shifts[:, None, None]
        return turned

    ends = np.einsum("pij,pj->pi", matrices, hand.ends - middles) + middles + shifts
    parts = tuple(part if stays else replace(part, bone=None) for part, stays in zip(hand.parts, named, strict=True))
    moved = {"halves": placed(hand.halves), "whole": placed(hand.whole), "ends": ends}
    return replace(hand, parts=parts, lines={}, sesamoids=(), **moved)
