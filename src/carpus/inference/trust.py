"""When a reading should not be trusted: no adult's wrist from its back, cut off, metal, fused bones, unsure outlines.

What is refused and what is only doubted is decided by what the file says, by how the bones lie, by the picture around
them, and by the network's own sureness. The limits were set on phantoms; how often they are right and wrong on phantoms
stands in the weights' README.
"""

from collections.abc import Iterator

import cv2
import numpy as np
from jaxtyping import Bool

from carpus.anatomy import ADULT, YOUNGEST, Bone
from carpus.errors import InputError
from carpus.imaging.masks import BoneMasks
from carpus.imaging.radiograph import Radiograph
from carpus.inference.atlas import CARPALS
from carpus.inference.looks import CROP_PX, CROP_SPACING_MM, RIM_PX
from carpus.inference.outline import OutlinedWrist

_FEWEST_IN_PLACE, _FEWEST_CARPALS = 10, 5
_TURNED_DEGREES = 30.0
_WIDE, _MIDDLE = 1.1, (0.36, 0.64)
_FROM_THE_BACK = ("PA", "AP")
"""A palm upwards shows the same outlines; that it is mirrored is told by the thumb."""
_LEAST_CONFIDENCE = 0.87
"""Of a network that may be trusted; nearly all drawn wrists are outlined with more."""

_CUT_OFF = 0.02
"""Part of a bone's outline on the film's border from which it is cut off."""

_FUSED_MM = 0.06
_NEAREST = 6
_SPACES = (
    (Bone.CAPITATE, Bone.LUNATE),
    (Bone.CAPITATE, Bone.SCAPHOID),
    (Bone.CAPITATE, Bone.HAMATE),
    (Bone.HAMATE, Bone.PISIFORM_TRIQUETRUM),
    (Bone.LUNATE, Bone.SCAPHOID),
    (Bone.SCAPHOID, Bone.TRAPEZIUM),
    (Bone.DISTAL_RADIUS, Bone.LUNATE),
    (Bone.DISTAL_RADIUS, Bone.SCAPHOID),
)

_METAL_SHARE, _METAL_MM2 = 0.8, 5.0
_METAL_LEVEL = 0.7
_AROUND_PX = 31


def is_unsure(wrist: OutlinedWrist) -> bool:
    """Whether the network is less sure of its outlines than of nearly all drawn wrists."""
    return wrist.confidence < _LEAST_CONFIDENCE


def refuse_child(film: Radiograph) -> None:
    """Makes sure that the file does not say a child's age.

    Raises:
        InputError: The patient is younger than `YOUNGEST`.
    """
    if film.age is not None and film.age < YOUNGEST:
        name = film.source or "the film"
        raise InputError(f"{name} is of a child aged {film.age}, whose bones are not finished; give a film of an adult")


def refuse_no_adult_wrist(wrist: OutlinedWrist) -> None:
    """Makes sure that what was outlined lies as the bones of an adult's wrist do.

    Raises:
        InputError: Five or more of the fourteen do not, or three or more of the seven of the carpus; or one of the
            carpus does not and the network is unsure.
    """
    in_place = wrist.placement.in_place
    carpals = len(set(in_place) & set(CARPALS))
    fewest_carpals = len(CARPALS) if is_unsure(wrist) else _FEWEST_CARPALS
    if len(in_place) < _FEWEST_IN_PLACE or carpals < fewest_carpals:
        unsure = f", and the network is unsure of its outlines ({wrist.confidence:.2f})" if is_unsure(wrist) else ""
        raise InputError(
            f"{wrist.film.source or 'the film'} shows no adult's wrist from its back: {len(in_place)} of {len(Bone)} "
            f"bones lie as they should, {carpals} of {len(CARPALS)} of the carpus{unsure}; give a film of one adult "
            "hand from its back, fingers up"
        )


def doubts(wrist: OutlinedWrist) -> tuple[str, ...]:
    """Why the outlines should not be trusted, one sentence each; empty if nothing speaks against them."""
    return tuple(_doubts(wrist))


def _doubts(wrist: OutlinedWrist) -> Iterator[str]:
    placement, masks, film = wrist.placement, wrist.masks, wrist.film
    if film.age is not None and film.age < ADULT:
        yield f"The file says {film.age} years: growth plates may be open, and the networks know adults only."
    if film.view and film.view not in _FROM_THE_BACK:
        yield f"The file says that the view is {film.view}; the networks know hands from their back (PA)."
    astray = [
        bone.label.lower()
        for bone in Bone
        # Where the film ends in a long bone, what is seen of it has its middle elsewhere.
        if bone not in placement.in_place and (bone in CARPALS or not _is_cut(masks.mask(bone), wrist))
    ]
    if astray:
        yield f"Not outlined as in a usual wrist: {', '.join(astray)}."
    if _may_be_one_of_two(wrist):
        yield "The wrist lies in one half of a wide film, which may show both hands: read it with --two-hands."
    if film.spacing_mm is not None and not placement.is_adult:
        yield f"The wrist is {placement.size:.2f} times as large as an adult's: a child's, or the pixel size is wrong."
    if abs(placement.turn_degrees) > _TURNED_DEGREES:
        yield f"The wrist leans by {placement.turn_degrees:.0f} degrees."
    cut = [bone.label.lower() for bone in CARPALS if _is_cut(masks.mask(bone), wrist)]
    if cut:
        yield f"Cut off by the film's border: {', '.join(cut)}."
    if _is_metal_near(wrist):
        yield "Something much denser than bone lies near the wrist, such as metal."
    gap_mm = joint_space_mm(masks)
    if gap_mm is not None and gap_mm < _FUSED_MM:
        yield "Hardly any space is left between the carpal bones: they may be fused, and their outlines a guess."
    if is_unsure(wrist):
        yield f"The network is unsure of its outlines ({wrist.confidence:.2f}, usual is {_LEAST_CONFIDENCE} or more)."


def _may_be_one_of_two(wrist: OutlinedWrist) -> bool:
    height, width = wrist.film.shape
    middle = (wrist.box.x + wrist.box.width / 2) / width
    return not wrist.is_crop and width > _WIDE * height and not _MIDDLE[0] < middle < _MIDDLE[1]


def joint_space_mm(masks: BoneMasks) -> float | None:
    """The mean width of eight spaces between bones of the wrist, mm on the usual scale; None without two such bones.

    The width of a space is the mean distance of the nearest sixth of one bone's edge from the other bone.
    """
    gaps = [gap for pair in _SPACES if (gap := _gap_px(*map(masks.mask, pair))) is not None]
    return float(np.mean(gaps)) * CROP_SPACING_MM if gaps else None


def _gap_px(one: Bool[np.ndarray, "h w"], other: Bool[np.ndarray, "h w"]) -> float | None:
    if not one.any() or not other.any():
        return None
    away = cv2.distanceTransform((~one).astype(np.uint8), cv2.DIST_L2, 5)
    inner = cv2.erode(other.astype(np.uint8), np.ones((3, 3), np.uint8))
    distances = np.sort(away[other & (inner == 0)])
    return float(distances[: max(len(distances) // _NEAREST, 1)].mean())


def _is_cut(bone: Bool[np.ndarray, "h w"], wrist: OutlinedWrist) -> bool:
    """Whether the film's border runs along a bone."""
    scale = wrist.box.width / CROP_PX
    height, width = wrist.film.shape
    ys, xs = ((np.arange(CROP_PX) + 0.5) * scale + start for start in (wrist.box.y, wrist.box.x))
    margin = RIM_PX * scale
    inside = ((ys > margin) & (ys < height - margin))[:, None] & ((xs > margin) & (xs < width - margin))
    inner = cv2.erode(bone.astype(np.uint8), np.ones((3, 3), np.uint8))
    edge = bone & (inner == 0)
    return bool((edge & ~inside).sum() > _CUT_OFF * edge.sum())


def _is_metal_near(wrist: OutlinedWrist) -> bool:
    """Whether what is brightest in and near the bones is one compact piece: the densest bone lies here and there."""
    bones = (wrist.masks.plane > 0).astype(np.uint8)
    near = cv2.dilate(bones, np.ones((_AROUND_PX, _AROUND_PX), np.uint8)) > 0
    if not bones.any():
        return False
    usual, most = np.percentile(wrist.pixels[bones > 0], 90), float(wrist.pixels[near].max())
    bright = ((wrist.pixels > usual + _METAL_LEVEL * (most - usual)) & near).astype(np.uint8)
    _, _, pieces, _ = cv2.connectedComponentsWithStats(bright)
    largest = max((int(piece[cv2.CC_STAT_AREA]) for piece in pieces[1:]), default=0)
    return largest * CROP_SPACING_MM**2 >= _METAL_MM2 and largest >= _METAL_SHARE * bright.sum()
