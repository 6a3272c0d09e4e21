"""The wrist on a film and its fourteen bones, as the network for bones sees them.

The crop that the network sees is the one it was trained on: 90 mm square, 0.15 mm a pixel, a right hand with the thumb
to the left of the image. What is returned is in the film's own orientation.

The wrist is where the outline of the hand has it. Where no hand is made out, the network looks for bones all over the
film; what it finds counts if nearly all of them lie as in a wrist.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import UInt8

from carpus.anatomy import Bone, Side
from carpus.errors import InputError
from carpus.imaging.geometry import Box, square
from carpus.imaging.masks import BoneMasks
from carpus.imaging.radiograph import Radiograph
from carpus.inference.atlas import CARPALS, Placement, place_bones
from carpus.inference.looks import CROP_MM, CROP_PX, CROP_SPACING_MM, SEVERAL, STRAIGHT, Look, look_at, look_everywhere
from carpus.inference.model import Model
from carpus.inference.wrist import NoHandSeenError, PalmSizeError, Wrist, find_wrist, quarter_turns, turned

_FEWEST_BONES = 10
_LEAST_BONE_PX = 400
_FEWEST_FITTED = len(Bone) // 2
_FEWEST_CARPALS = 5
_FEWEST_SEARCHED = 12
_SEARCHED = (0.34, 0.45, 0.6, 0.8, 1.05)
"""Edges of the wrist's square where the film has no scale, as parts of its shorter edge."""
_ROUNDS = 2
_SAME_SIZE = 0.12


@dataclass(frozen=True, eq=False)
class OutlinedWrist:
    """The wrist on a film.

    Attributes:
        film: With the fingers up; turned if they were not.
        turns: By how many quarter turns to the left it was turned, 0 to 3.
        box: The wrist on the film, square, in pixels.
        pixels: The wrist alone, 8 bits, in the film's orientation.
        masks: The fourteen bones on the grid of `pixels`.
        confidence: How sure the network is of its outlines on average, 0 to 1.
        placement: How the bones lie, on the scale of 0.15 mm a pixel.
        thumb_left: Whether the thumb is to the left of the image.
        thumb_seen: Whether the outline of the hand told that; else the file's side did, or the network's own sureness.
        is_crop: Whether the film shows the wrist alone.
        notes: What a reader should know, one sentence each.
    """

    film: Radiograph
    turns: int
    box: Box
    pixels: UInt8[np.ndarray, "600 600"]
    masks: BoneMasks
    confidence: float
    placement: Placement
    thumb_left: bool
    thumb_seen: bool
    is_crop: bool
    notes: tuple[str, ...]


def outline_wrist(film: Radiograph, *, bones: Model) -> OutlinedWrist:
    """The wrist of a radiograph and its bones.

    Args:
        film: A hand or a wrist; a film on its side or head is turned first.
        bones: Segments the crop.

    Raises:
        InputError: No hand on it.
    """
    turns = quarter_turns(film)
    film = turned(film, turns)
    view, wrist = _found(bones, film)
    view = _View(film, look_at(bones, film, view.box, thumb_left=view.look.thumb_left, places=SEVERAL))
    if view.bones_found < _FEWEST_BONES:
        raise InputError(
            f"{film.source} shows no wrist that can be recognised ({view.bones_found} of {len(Bone)} bones found); "
            "give a film of one hand from its back, fingers up"
        )
    return OutlinedWrist(
        film=film,
        turns=turns,
        box=view.box,
        pixels=view.look.pixels,
        masks=view.look.masks,
        confidence=view.look.confidence,
        placement=view.placement,
        thumb_left=view.look.thumb_left,
        thumb_seen=wrist.thumb_left is not None,
        is_crop=wrist.is_crop,
        notes=wrist.notes,
    )


@dataclass(frozen=True, eq=False)
class _View:
    """A look at a square of the film, and how its bones lie."""

    film: Radiograph
    look: Look

    @property
    def box(self) -> Box:
        return self.look.box

    @cached_property
    def bones_found(self) -> int:
        return sum(int(self.look.masks.mask(bone).sum()) >= _LEAST_BONE_PX for bone in Bone)

    @cached_property
    def placement(self) -> Placement:
        return place_bones(self.look.masks, spacing_mm=CROP_SPACING_MM, thumb_left=self.look.thumb_left)

    @cached_property
    def carpus(self) -> Placement | None:
        """How the carpal bones alone lie, whose middles no border of the square moves; None if few are found."""
        masks = self.look.masks
        found = [(bone, masks.mask(bone)) for bone in CARPALS if masks.mask(bone).sum() >= _LEAST_BONE_PX]
        if len(found) < _FEWEST_CARPALS:
            return None
        height, width = masks.shape
        alone = BoneMasks.from_masks(found, height=height, width=width)
        return place_bones(alone, spacing_mm=CROP_SPACING_MM, thumb_left=self.look.thumb_left)

    def has_in_place(self, fewest: int) -> bool:
        """Whether so many bones are found and lie as they should; of hardly any it cannot be said how they lie."""
        return self.bones_found >= fewest and len(self.placement.in_place) >= fewest

    @property
    def is_usual(self) -> bool:
        """Whether enough bones lie as those of a wrist do."""
        return self.has_in_place(_FEWEST_BONES) and self.merit[0] >= _FEWEST_CARPALS

    @property
    def merit(self) -> tuple[int, float]:
        """Larger is better."""
        return len(self.carpus.in_place) if self.carpus else 0, self.look.confidence


def _found(bones: Model, film: Radiograph) -> tuple[_View, Wrist]:
    """The wrist by the outline of the hand; by its bones alone where there is none, or where it leads to no wrist.

    Raises:
        InputError: No hand is seen, by its outline or by its bones.
    """
    try:
        wrist = find_wrist(film)
    except NoHandSeenError as refusal:
        by_bones = _searched(bones, film)
        # A palm and bones that are both too small are a child's.
        if by_bones is None or (isinstance(refusal, PalmSizeError) and not by_bones.placement.is_adult):
            raise
    else:
        view = _seen(bones, film, wrist)
        by_bones = None if view.is_usual else _searched(bones, film)
        if by_bones is None:
            return view, wrist
    note = "No outline of a hand; the wrist was found by its bones."
    return by_bones, Wrist(by_bones.box, None, is_crop=False, notes=(note,))


def _seen(bones: Model, film: Radiograph, wrist: Wrist) -> _View:
    """The best view of a wrist whose place is known."""
    thumb_left = wrist.thumb_left
    if thumb_left is None and film.side is not None:
        thumb_left = film.side is Side.RIGHT
    choices = (True, False) if thumb_left is None else (thumb_left,)
    views = [_View(film, look_at(bones, film, wrist.box, thumb_left=choice, places=STRAIGHT)) for choice in choices]
    view = max(views, key=lambda view: view.look.confidence)
    box = _reframed(view, sized=wrist.is_crop)
    if wrist.is_crop and abs(box.width / view.box.width - 1) < _SAME_SIZE:
        return view  # a crop keeps its own grid
    again = _View(film, look_at(bones, film, box, thumb_left=view.look.thumb_left, places=STRAIGHT))
    # As it was in training, unless less is seen so.
    return again if again.merit[0] >= view.merit[0] else view


def _reframed(view: _View, *, sized: bool) -> Box:
    """The square moved so that the capitate is in its middle, where it was in training.

    Args:
        view: Of the square.
        sized: Whether, on a film without a scale, the carpal bones may also change its size.
    """
    capitate = np.argwhere(view.look.masks.mask(Bone.CAPITATE))
    size = view.box.width
    carpus = view.carpus
    if sized and view.film.spacing_mm is None and carpus and len(carpus.in_place) >= _FEWEST_CARPALS:
        size *= carpus.size
    if not len(capitate):
        return view.box
    y, x = np.median(capitate, axis=0)
    scale = view.box.width / CROP_PX
    return square((view.box.x + float(x) * scale, view.box.y + float(y) * scale), size=size)


def _searched(bones: Model, film: Radiograph) -> _View | None:
    """The view of the wrist that the network finds by itself; None if it finds none.

    The network reads the whole film at once, at the scale it was trained on; where the film has none, at several.
    """
    found: _View | None = None
    for edge in _edges(film):
        for thumb_left in (True, False) if film.side is None else (film.side is Side.RIGHT,):
            box = _where_bones_are(bones, film, edge, thumb_left=thumb_left)
            if box is None:
                continue
            for _ in range(_ROUNDS):
                view = _View(film, look_at(bones, film, box, thumb_left=thumb_left, places=STRAIGHT))
                found = view if found is None else max(found, view, key=lambda view: view.merit)
                box = _reframed(view, sized=True)
    return found if found and found.has_in_place(_FEWEST_SEARCHED) else None


def _edges(film: Radiograph) -> list[float]:
    """How many pixels of the film the wrist's square may be."""
    if film.spacing_mm is not None:
        return [CROP_MM / film.spacing_mm]
    return [part * min(film.shape) for part in _SEARCHED]


def _where_bones_are(bones: Model, film: Radiograph, edge: float, *, thumb_left: bool) -> Box | None:
    """The square around the bones that are seen if its edge is so many pixels; None if hardly any are."""
    masks = look_everywhere(bones, film, edge, thumb_left=thumb_left)
    scale = film.shape[1] / masks.shape[1]
    if sum(masks.mask(bone).any() for bone in Bone) < _FEWEST_FITTED:
        return None
    placement = place_bones(masks, spacing_mm=CROP_MM / edge * scale, thumb_left=thumb_left)
    places = [np.argwhere(masks.mask(bone)).mean(axis=0) for bone in placement.in_place if bone in CARPALS]
    if len(placement.in_place) < _FEWEST_FITTED or not places:
        return None
    y, x = np.mean(places, axis=0)
    size = edge * (placement.size if film.spacing_mm is None else 1)
    return square((float(x) * scale, float(y) * scale), size=size)
