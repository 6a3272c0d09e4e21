"""One film to a wrist reading: wrist found, fourteen bones outlined, six joints judged.

The crop that the networks see is the one they were trained on: 90 mm square, 0.15 mm a pixel, a right hand with
the thumb to the left of the image. What is returned is in the film's own orientation.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float64, UInt8

from carpus.anatomy import OVERLAP_PAIRS, Bone, Joint, Side, pair_name
from carpus.data.erosion_inputs import erosion_input, joint_region
from carpus.imaging.geometry import Box
from carpus.imaging.joints import joint_boxes
from carpus.imaging.masks import BoneMasks
from carpus.imaging.radiograph import Radiograph
from carpus.inference.film import read_film
from carpus.inference.grading import grade
from carpus.inference.model import Model, load_model
from carpus.inference.outline import CROP_MM, CROP_PX, outline_wrist
from carpus.inference.weights import bundled_weights
from carpus.nets.apply import classify

_CROP_SPACING_MM = CROP_MM / CROP_PX
RESEARCH_USE = "For research use only; not for diagnosis."


@dataclass(frozen=True)
class JointReading:
    """One scored joint.

    Attributes:
        joint: Which.
        box: Its region on the film in pixels.
        erosion_probability: 0 to 1.
        cut: The probability at or above which it is called eroded.
        score: SvdH score, 0 to 5; None from a network that gives none.
        prevalence: How often this joint is eroded where the probabilities hold; None where that is not known.
        score_probabilities: Of each score from 0 to 5; empty without a score.
        score_range: Between which scores it lies with a probability of at least 0.8; None without a score.
    """

    joint: Joint
    box: Box
    erosion_probability: float
    cut: float
    score: int | None = None
    prevalence: float | None = None
    score_probabilities: tuple[float, ...] = ()
    score_range: tuple[int, int] | None = None

    @property
    def eroded(self) -> bool:
        """Whether it is called eroded."""
        return self.erosion_probability >= self.cut


@dataclass(frozen=True, eq=False)
class WristReading:
    """What was read from one film.

    Attributes:
        film: The radiograph that was read.
        side: The side of the body: as the file says, else as the image shows.
        box: The wrist on the film, square, in pixels.
        crop: The wrist alone, 600 x 600 pixels, 8 bits, in the film's orientation; its pixel size is 0.15 mm unless the
            film was a crop itself, whose scale is then kept, or unknown.
        masks: The fourteen bones on the crop's grid.
        confidence: How sure the network is of its outlines on average, 0 to 1.
        joints: One entry a joint whose bone was found.
        warnings: Why the reading may be wrong, one sentence each.
        models: Names of the weights used.
    """

    film: Radiograph
    side: Side
    box: Box
    crop: Radiograph
    masks: BoneMasks
    confidence: float
    joints: tuple[JointReading, ...]
    warnings: tuple[str, ...]
    models: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """The reading as plain values for JSON: pixels of the film, square mm (None without a scale), probabilities."""
        spacing_mm = self.crop.spacing_mm

        def area(mask: Bool[np.ndarray, "h w"]) -> float | None:
            return None if spacing_mm is None else round(float(mask.sum()) * spacing_mm**2, 1)

        areas = {bone.abbreviation: area(self.masks.mask(bone)) for bone in Bone}
        overlaps = {pair_name(pair): area(self.masks.overlap(*pair)) for pair in OVERLAP_PAIRS}
        return {
            "notice": RESEARCH_USE,
            "file": self.film.source,
            "side": self.side.value,
            "spacing_mm": self.film.spacing_mm,
            "wrist_box_px": _corners(self.box),
            "confidence": round(self.confidence, 3),
            "bone_area_mm2": areas,
            "overlap_area_mm2": overlaps,
            "joints": [
                {
                    "joint": item.joint.abbreviation,
                    "box_px": _corners(item.box),
                    "erosion_probability": round(item.erosion_probability, 3),
                    "eroded": item.eroded,
                    **_grades(item),
                }
                for item in self.joints
            ],
            "warnings": list(self.warnings),
            "models": list(self.models),
        }


def read(path: str | Path, *, bones: Path | None = None, erosion: Path | None = None) -> WristReading:
    """The reading of one file: a DICOM, PNG, BMP, JPEG or TIFF of a hand or a wrist.

    Args:
        path: The film.
        bones: Checkpoint of the bone network; by default the one that comes with carpus.
        erosion: Checkpoint of the erosion network; by default the one that comes with carpus.

    Raises:
        InputError: A file that cannot be read, or without a hand on it.
    """
    return read_radiograph(
        read_film(Path(path)),
        bones=load_model(bones or bundled_weights("bones"), task="bones"),
        erosion=load_model(erosion or bundled_weights("erosion"), task="erosion"),
    )


def read_radiograph(film: Radiograph, *, bones: Model, erosion: Model) -> WristReading:
    """The reading of a radiograph.

    Args:
        film: A hand or a wrist; a film on its side or head is turned first.
        bones: Segments the crop.
        erosion: Judges the joints' regions.

    Raises:
        InputError: No hand on it.
    """
    outlined = outline_wrist(film, bones=bones)
    film, box, pixels, masks = outlined.film, outlined.box, outlined.pixels, outlined.masks
    thumb_left = outlined.thumb_left
    warnings = [*film.notes, *outlined.notes, *_doubts(masks, bones, erosion)]
    seen_side = Side.RIGHT if thumb_left else Side.LEFT
    if film.side is not None and film.side is not seen_side:
        warnings.append(
            f"The file says {film.side.name.lower()} hand, but the thumb lies as in a {seen_side.name.lower()} "
            "hand seen from its back: it may be mirrored or mislabelled."
        )
    scale = box.width / CROP_PX
    crop_spacing_mm: float | None = _CROP_SPACING_MM
    if outlined.is_crop:
        crop_spacing_mm = None if film.spacing_mm is None else film.spacing_mm * scale
    joints = []
    for joint, region in joint_boxes(masks, spacing_mm=_CROP_SPACING_MM).items():
        beyond = _erosion(erosion, pixels, region, joint, thumb_left=thumb_left)
        found = grade(beyond, joint, erosion.info)
        on_film = region.scaled(scale)
        on_film = replace(on_film, x=on_film.x + box.x, y=on_film.y + box.y)
        joints.append(
            JointReading(
                joint,
                on_film,
                found.probability,
                found.cut,
                score=found.score,
                prevalence=found.prevalence,
                score_probabilities=found.score_probabilities,
                score_range=found.score_range,
            )
        )
    return WristReading(
        film=film,
        side=film.side or seen_side,
        box=box,
        crop=Radiograph(pixels, crop_spacing_mm, film.side or seen_side, film.source),
        masks=masks,
        confidence=outlined.confidence,
        joints=tuple(joints),
        warnings=tuple(warnings),
        models=tuple(f"{item.info.net} ({item.info.recipe}, {item.info.trained_on})" for item in (bones, erosion)),
    )


def _erosion(
    model: Model, pixels: UInt8[np.ndarray, "h w"], box: Box, joint: Joint, *, thumb_left: bool
) -> Float64[np.ndarray, "1 k"]:
    """As `classify`; a film shows one wrist, so there is no other hand to see."""
    info = model.info
    channels = erosion_input(
        joint_region(pixels, box, image_size=info.image_size, flip=not thumb_left),
        None,
        joint,
        contralateral=info.contralateral,
        joint_input=info.joint_input,
    )
    return classify(model.network, channels[None], head=info.head)


def _doubts(masks: BoneMasks, *models: Model) -> list[str]:
    doubts = []
    missing = [bone.label.lower() for bone in Bone if not masks.mask(bone).any()]
    if missing:
        doubts.append(f"Not found: {', '.join(missing)}.")
    if any(model.info.trained_on == "phantom" for model in models):
        doubts.append(
            "The networks learnt from synthetic wrists only and have seen no patient: "
            "the outlines may be poor and the erosion probabilities mean little."
        )
    return doubts


def _grades(item: JointReading) -> dict[str, Any]:
    """What JSON says of a joint beyond its probability: prevalence and cut behind it, and the score."""
    values: dict[str, Any] = {"cut": round(item.cut, 3)}
    if item.prevalence is not None:
        values["erosion_prevalence"] = round(item.prevalence, 3)
    if item.score is not None and item.score_range is not None:
        values["svdh_score"] = item.score
        values["svdh_score_probabilities"] = [round(value, 3) for value in item.score_probabilities]
        values["svdh_score_range"] = list(item.score_range)
    return values


def _corners(box: Box) -> dict[str, float]:
    return {
        name: round(value, 1)
        for name, value in (("x", box.x), ("y", box.y), ("width", box.width), ("height", box.height))
    }
