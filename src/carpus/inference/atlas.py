"""Whether outlined bones lie as those of an adult's wrist do, and where its joints must be if some do not.

The usual places, sizes and joints are medians of healthy phantoms, whose anatomy follows the literature; no film had a
part in them. Bones are moved, turned and scaled onto them by least absolute sums, so that a few bad outlines do not
move the rest. A bone is in place if its middle is within the bone's own radius of where it should be (that of a disc
of its area), and if its area is between half and twice the usual one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from jaxtyping import Bool, Complex128, Float64

from carpus.anatomy import Bone, Joint
from carpus.data.shape_audit import fit_places, wrist_shape
from carpus.imaging.geometry import Box, square
from carpus.imaging.joints import ROI_SIZES_MM, joint_boxes
from carpus.imaging.masks import BoneMasks
from carpus.phantom import plan_cohort
from carpus.phantom.wrist import FIELD_MM, project

CARPALS = (
    Bone.CAPITATE,
    Bone.HAMATE,
    Bone.LUNATE,
    Bone.PISIFORM_TRIQUETRUM,
    Bone.SCAPHOID,
    Bone.TRAPEZIUM,
    Bone.TRAPEZOID,
)
ADULT_SIZES = (0.8, 1.25)
"""Of the usual wrist: men's are some 8 % larger than women's, and either varies by some 6 %."""

_AREAS = (0.5, 2.0)
_PATIENTS, _SEED, _COARSE_PX = 24, 1, 150


@dataclass(frozen=True)
class Placement:
    """How the bones of one wrist lie on the usual wrist.

    Attributes:
        in_place: Bones that are where they should be.
        size: Of the wrist, 1 for the usual adult's.
        turn_degrees: From how a wrist usually lies, to the right with the fingers up.
        is_mirrored: Whether the bones lie much better as those of the other hand.
        joints: Middle of each joint's region by the fit alone, `(x, y)` in pixels of the masks.
    """

    in_place: tuple[Bone, ...]
    size: float
    turn_degrees: float
    is_mirrored: bool
    joints: Mapping[Joint, tuple[float, float]]

    @property
    def is_adult(self) -> bool:
        """Whether the wrist is as large as an adult's may be."""
        return ADULT_SIZES[0] <= self.size <= ADULT_SIZES[1]


def place_bones(masks: BoneMasks, *, spacing_mm: float, thumb_left: bool) -> Placement:
    """How bones lie, at least three of them.

    Args:
        masks: Of one wrist, fingers up.
        spacing_mm: Edge of a pixel.
        thumb_left: Whether the thumb is to the left of the image.
    """
    usual = _usual()
    shape = wrist_shape(masks, is_left=not thumb_left)
    centres = shape.centres * spacing_mm
    fits, off = fit_places(centres[None], usual.centres / usual.size_mm)
    _, mirrored = fit_places(-centres.conj()[None], usual.centres / usual.size_mm)
    scale = complex(fits[0, 0]) * usual.size_mm
    off_mm = off[0] * usual.size_mm
    areas = shape.areas * (spacing_mm * abs(scale)) ** 2 / usual.areas
    near: Bool[np.ndarray, "14"] = np.nan_to_num(off_mm, nan=np.inf) < np.sqrt(usual.areas / np.pi)
    near &= (areas > _AREAS[0]) & (areas < _AREAS[1])
    apart = usual.centres - scale * centres
    shift = complex(np.nanmedian(apart.real), np.nanmedian(apart.imag))
    joints = {}
    for joint, place in usual.joints.items():
        found = (place - shift) / scale / spacing_mm
        x = found.real if thumb_left else masks.shape[1] - found.real
        joints[joint] = (x, found.imag)
    return Placement(
        in_place=tuple(bone for bone in Bone if near[bone.channel]),
        size=1 / abs(scale),
        turn_degrees=-float(np.degrees(np.angle(scale))),
        is_mirrored=bool(np.nanmean(mirrored) < np.nanmean(off) / 2),
        joints=joints,
    )


def regions_of(
    masks: BoneMasks, placement: Placement, *, trusted: tuple[Bone, ...], spacing_mm: float
) -> tuple[dict[Joint, Box], tuple[Joint, ...]]:
    """The square region of each joint, and which of them the fit alone has placed.

    Args:
        masks: Of one wrist.
        placement: Of its bones.
        trusted: Bones whose own outline decides; the regions of others are where the fit has them.
        spacing_mm: Edge of a pixel.
    """
    height, width = masks.shape
    kept = BoneMasks.from_masks(((bone, masks.mask(bone)) for bone in trusted), height=height, width=width)
    boxes = joint_boxes(kept, spacing_mm=spacing_mm)
    fitted = tuple(joint for joint in Joint if joint not in boxes)
    for joint in fitted:
        around = square(placement.joints[joint], size=ROI_SIZES_MM[joint] / spacing_mm)
        boxes[joint] = around.inside(height=height, width=width)
    return {joint: boxes[joint] for joint in Joint}, fitted


@dataclass(frozen=True)
class _Usual:
    """The usual right wrist in mm, its bones' middles about 0."""

    centres: Complex128[np.ndarray, "14"]
    areas: Float64[np.ndarray, "14"]
    size_mm: float
    joints: Mapping[Joint, complex]


@cache
def _usual() -> _Usual:
    mm = FIELD_MM / _COARSE_PX
    healthy = {visit.patient: visit for visit in plan_cohort(patients=_PATIENTS, seed=_SEED) if visit.scores is None}
    centres, areas, joints = [], [], []
    for visit in healthy.values():
        masks = project(visit, size_px=_COARSE_PX).masks
        shape = wrist_shape(masks, is_left=False)
        middle = np.mean(shape.centres)
        centres.append((shape.centres - middle) * mm)
        areas.append(shape.areas * mm**2)
        boxes = joint_boxes(masks, spacing_mm=mm)
        joints.append([(complex(*boxes[joint].centre) - middle) * mm for joint in Joint])
    usual = _median(np.array(centres))
    return _Usual(
        usual,
        np.median(areas, axis=0),
        float(np.sqrt(np.mean(np.abs(usual) ** 2))),
        dict(zip(Joint, _median(np.array(joints)).tolist(), strict=True)),
    )


def _median(places: Complex128[np.ndarray, "n m"]) -> Complex128[np.ndarray, " m"]:
    return np.asarray(np.median(places.real, axis=0) + 1j * np.median(places.imag, axis=0))
