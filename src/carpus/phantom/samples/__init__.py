"""Training samples: wrists and hands drawn on the fly, each with another anatomy, pose, disease and acquisition.

`carpus.phantom.draw` gives the patients of a cohort, whose images can be told from one another by centre and visit.
This gives what a network learns from: never the same anatomy and never the same physics twice, fast enough to need no
files. Both are phantoms and say nothing about patients.

Example:
    >>> import numpy as np
    >>> drawn = sample(np.random.default_rng(1))
    >>> drawn.pixels.shape, drawn.pixels.dtype, drawn.plane.dtype
    ((512, 512), dtype('uint8'), dtype('uint16'))
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, UInt8, UInt16

from carpus.anatomy import Joint, Side
from carpus.errors import InputError
from carpus.imaging.geometry import mirror
from carpus.phantom.samples.acquisition import deliver, detect, process, stored
from carpus.phantom.samples.clutter import draw_field, print_on, put_cast, put_metal
from carpus.phantom.samples.decoy import draw_decoy_hand
from carpus.phantom.samples.hand import Hand, draw_hand
from carpus.phantom.samples.pose import draw_pose
from carpus.phantom.samples.render import render
from carpus.phantom.samples.tissue import Frame, Tissue, draw_tissue

FIELDS_MM = (58.0, 138.0)
"""Least and greatest edge of a crop: 0.11 to 0.27 mm a pixel at 512 pixels."""

_FIELD_MM = 92.0
_LEAST_PX = 64
_MOST_SHIFT = 0.17
_MOST_DEGREES = 42.0


@dataclass(frozen=True, eq=False)
class Sample:
    """A synthetic radiograph and what is on it.

    Attributes:
        pixels: 8-bit grey values in the film's orientation; bone is dark in a few.
        plane: Packed plane of the fourteen bones on the same grid, bit `bone.channel` each; as in `BoneMasks`.
        eroded: Packed plane of where erosions took bone, bit `list(Joint).index(joint)` of the six scored joints each.
        spacing_mm: Edge of a pixel.
        side: Of the body; a left hand has its thumb to the right.
        scores: SvdH erosion score of each joint.
    """

    pixels: UInt8[np.ndarray, "h w"]
    plane: UInt16[np.ndarray, "h w"]
    eroded: UInt8[np.ndarray, "h w"]
    spacing_mm: float
    side: Side
    scores: Mapping[Joint, int]


@dataclass(frozen=True, eq=False)
class Projected:
    """A wrist as an ideal detector meets it, for whoever makes grey values of it elsewhere, as on a GPU.

    Attributes:
        attenuation: Sum along each beam, 0 in air, with what else lies in it.
        plane: As in `Sample`.
        eroded: As in `Sample`.
        spacing_mm: Edge of a pixel.
        side: As in `Sample`.
        scores: As in `Sample`.
    """

    attenuation: Float32[np.ndarray, "h w"]
    plane: UInt16[np.ndarray, "h w"]
    eroded: UInt8[np.ndarray, "h w"]
    spacing_mm: float
    side: Side
    scores: Mapping[Joint, int]


def sample(generator: np.random.Generator, *, size_px: int = 512, side: Side | None = None) -> Sample:
    """A crop around a wrist; the same generator gives the same bytes.

    Args:
        generator: Of everything.
        size_px: Edge of the square image; its field of view varies.
        side: Of the body; by default either.

    Raises:
        InputError: An image too small for bones to be seen.
    """
    return _shoot(project_sample(generator, size_px=size_px, side=side), generator)


def project_sample(generator: np.random.Generator, *, size_px: int = 512, side: Side | None = None) -> Projected:
    """A crop around a wrist without blur, noise or grey curve: what `sample` makes its grey values of.

    Args:
        generator: Of everything.
        size_px: Edge of the square image; its field of view varies.
        side: Of the body; by default either.

    Raises:
        InputError: An image too small for bones to be seen.
    """
    _check(size_px)
    hand = draw_hand(generator)
    frame = _frame(hand, generator, size_px)
    side = side or _either(generator)
    return _project(hand, draw_tissue(hand, generator), frame, generator, side)


def _check(size_px: int) -> None:
    if size_px < _LEAST_PX:
        raise InputError(f"a sample of {size_px} px is too small for bones; ask for {_LEAST_PX} px or more")


def _either(generator: np.random.Generator) -> Side:
    return Side.LEFT if generator.random() < 0.5 else Side.RIGHT


def _frame(hand: Hand, generator: np.random.Generator, size_px: int) -> Frame:
    """Around the wrist."""
    field_mm = float(np.clip(_FIELD_MM * np.exp(generator.normal(0, 0.2)), *FIELDS_MM))
    shift = np.clip(generator.normal(0, 0.06, 2), -_MOST_SHIFT, _MOST_SHIFT)
    middle = (0.5 + shift) * size_px
    degrees = _lean(hand, generator, 13)
    return Frame(size_px, size_px, field_mm / size_px, degrees, (float(middle[0]), float(middle[1])))


def draw_visits(
    generator: np.random.Generator, *, visits: int = 3, size_px: int = 512, side: Side | None = None
) -> list[Sample]:
    """Crops around one person's wrist at several visits, while the disease goes on; each laid and taken anew.

    No score falls from one visit to the next, and what is eroded grows from its first place.

    Args:
        generator: Of everything.
        visits: How many, at least 1.
        size_px: Edge of the square images; their field of view varies.
        side: Of the body; by default either.

    Raises:
        InputError: No visit, or an image too small for bones to be seen.
    """
    if visits < 1:
        raise InputError(f"{visits} visits were asked for, expected 1 or more")
    _check(size_px)
    side = side or _either(generator)
    person, flesh = generator.spawn(2)
    samples = []
    for stage in np.linspace(generator.uniform(0, 0.5), 1, visits):
        own = generator.spawn(1)[0]
        hand = draw_hand(copy.deepcopy(person), stage=float(stage), pose=draw_pose(own))
        tissue = draw_tissue(hand, copy.deepcopy(flesh))
        samples.append(_shoot(_project(hand, tissue, _frame(hand, own, size_px), own, side), own))
    return samples


def draw_decoy(generator: np.random.Generator, *, size_px: int = 512, side: Side | None = None) -> Sample:
    """A crop that shows no wrist from its back, so that there are no carpal bones to outline.

    The hand lies on its edge, as on oblique and lateral films, and all masks are empty; or its carpal bones are in a
    jumble, and only the long bones have masks. The same generator gives the same bytes.

    Args:
        generator: Of everything.
        size_px: Edge of the square image; its field of view varies.
        side: Of the body; by default either.

    Raises:
        InputError: An image too small for bones to be seen.
    """
    _check(size_px)
    hand = draw_decoy_hand(generator)
    frame = _frame(hand, generator, size_px)
    return _shoot(_project(hand, draw_tissue(hand, generator), frame, generator, side or _either(generator)), generator)


def draw_film(generator: np.random.Generator, *, spacing_mm: float = 0.2, side: Side | None = None) -> Sample:
    """A film of a whole hand with the fingers up; the same generator gives the same bytes.

    Args:
        generator: Of everything.
        spacing_mm: Edge of a pixel; the film is about 180 x 240 mm.
        side: Of the body; by default either.
    """
    hand = draw_hand(generator)
    height, width = (
        int(edge / spacing_mm) // 16 * 16 for edge in (generator.uniform(225, 270), generator.uniform(170, 215))
    )
    place = (width * generator.uniform(0.44, 0.56), height - generator.uniform(42, 75) / spacing_mm)
    degrees = _lean(hand, generator, 7)
    frame = Frame(height, width, spacing_mm, degrees, place)
    side = side or _either(generator)
    return _shoot(_project(hand, draw_tissue(hand, generator), frame, generator, side), generator)


def _lean(hand: Hand, generator: np.random.Generator, deviation: float) -> float:
    """The forearm's lean in degrees: a hand that deviates is often laid with straight fingers instead."""
    straight = -hand.pose.deviation * generator.uniform(0, 1)
    return float(np.clip(generator.normal(straight, deviation), -_MOST_DEGREES, _MOST_DEGREES))


def _project(hand: Hand, tissue: Tissue, frame: Frame, generator: np.random.Generator, side: Side) -> Projected:
    """The hand and what else is in the beam."""
    attenuation, plane, eroded = render(hand, tissue, frame, generator)
    if side is Side.LEFT:
        attenuation, plane, eroded = (np.ascontiguousarray(mirror(image)) for image in (attenuation, plane, eroded))
    put_metal(attenuation, generator, spacing_mm=frame.spacing_mm, side=side)
    put_cast(attenuation, generator)
    return Projected(attenuation, plane, eroded, frame.spacing_mm, side, hand.scores)


def _shoot(hand: Projected, generator: np.random.Generator) -> Sample:
    """A film of it: the chain from attenuation to a file's grey values."""
    spacing_mm, plane = hand.spacing_mm, hand.plane
    signal = process(detect(hand.attenuation, generator, spacing_mm=spacing_mm), generator, spacing_mm=spacing_mm)
    pixels = deliver(signal, generator)
    field = draw_field(plane.shape, generator)
    if field is not None:
        outside = int(generator.choice([0, 0, 255, int(generator.integers(0, 256))]))
        pixels[~field] = outside
        plane[~field], hand.eroded[~field] = 0, 0
    print_on(pixels, generator)
    return Sample(stored(pixels, generator), plane, hand.eroded, spacing_mm, hand.side, hand.scores)


__all__ = ["FIELDS_MM", "Projected", "Sample", "draw_decoy", "draw_film", "draw_visits", "project_sample", "sample"]
