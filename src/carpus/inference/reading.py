"""One film to a wrist reading: wrist found, fourteen bones outlined, six joints judged.

The crop that the networks see is the one they were trained on: 90 mm square, 0.15 mm a pixel, a right hand with
the thumb to the left of the image. What is returned is in the film's own orientation.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64, UInt8

from carpus.anatomy import Joint, Side
from carpus.data.erosion_inputs import erosion_input, joint_region
from carpus.imaging.geometry import Box
from carpus.imaging.halves import Half
from carpus.imaging.joints import joint_boxes
from carpus.imaging.masks import BoneMasks
from carpus.imaging.radiograph import Radiograph
from carpus.inference.film import read_film
from carpus.inference.grading import grade
from carpus.inference.looks import CROP_PX, CROP_SPACING_MM
from carpus.inference.model import Model, load_model
from carpus.inference.outline import outline_wrist
from carpus.inference.reading_values import reading_values
from carpus.inference.trust import doubts, refuse_child, refuse_no_adult_wrist
from carpus.inference.weights import bundled_weights
from carpus.nets.apply import classify


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
        film: The radiograph that was read, with the fingers up.
        turns: By how many quarter turns to the left it was turned for that, 0 to 3.
        side: The side of the body: as the file says, else as the image shows.
        box: The wrist on the film, square, in pixels.
        crop: The wrist alone, 600 x 600 pixels, 8 bits, in the film's orientation; its pixel size is 0.15 mm unless the
            film was a crop itself, whose scale is then kept, or unknown.
        masks: The fourteen bones on the crop's grid.
        confidence: How sure the network is of its outlines on average, 0 to 1.
        joints: One entry a joint whose bone was found.
        doubts: Why the reading should not be trusted, one sentence each; empty if nothing speaks against it.
        warnings: What else a reader should know, one sentence each.
        models: The networks used, for bones and for erosion.
    """

    film: Radiograph
    turns: int
    side: Side
    box: Box
    crop: Radiograph
    masks: BoneMasks
    confidence: float
    joints: tuple[JointReading, ...]
    doubts: tuple[str, ...]
    warnings: tuple[str, ...]
    models: tuple[Model, ...]

    def as_dict(self) -> dict[str, Any]:
        """The reading as plain values for JSON, see `carpus.inference.reading_values`."""
        return reading_values(self)


def read(
    path: str | Path, *, half: Half | None = None, bones: Path | None = None, erosion: Path | None = None
) -> WristReading:
    """The reading of one file: a DICOM, PNG, BMP, JPEG or TIFF of a hand or a wrist.

    Args:
        path: The film.
        half: Of a film that shows both hands side by side, the half to read; by default the film is read as one.
        bones: Checkpoint of the bone network; by default the one that comes with carpus.
        erosion: Checkpoint of the erosion network; by default the one that comes with carpus.

    Raises:
        InputError: A file that cannot be read, or without a hand on it.
    """
    return read_radiograph(
        read_film(Path(path), half=half),
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
        InputError: A child's by its file, no hand on it, or one that is no adult's from its back.
    """
    refuse_child(film)
    outlined = outline_wrist(film, bones=bones)
    refuse_no_adult_wrist(outlined)
    film, box, pixels, masks = outlined.film, outlined.box, outlined.pixels, outlined.masks
    thumb_left = outlined.thumb_left
    against = list(doubts(outlined))
    seen_side = Side.RIGHT if thumb_left else Side.LEFT
    if film.side is not None and film.side is not seen_side:
        against.append(
            f"The file says {film.side.name.lower()} hand, but the thumb lies as in a {seen_side.name.lower()} "
            "hand seen from its back: it may be mirrored or mislabelled."
        )
    scale = box.width / CROP_PX
    crop_spacing_mm: float | None = CROP_SPACING_MM
    if outlined.is_crop:
        crop_spacing_mm = None if film.spacing_mm is None else film.spacing_mm * scale
    joints = []
    for joint, region in joint_boxes(masks, spacing_mm=CROP_SPACING_MM).items():
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
        turns=outlined.turns,
        side=film.side or seen_side,
        box=box,
        crop=Radiograph(pixels, crop_spacing_mm, film.side or seen_side, film.source),
        masks=masks,
        confidence=outlined.confidence,
        joints=tuple(joints),
        doubts=tuple(against),
        warnings=(*film.notes, *outlined.notes, *_of_models(bones, erosion)),
        models=(bones, erosion),
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


def _of_models(*models: Model) -> list[str]:
    if all(model.info.trained_on != "phantom" for model in models):
        return []
    return [
        "The networks learnt from synthetic wrists only and have seen no patient: "
        "the outlines may be poor, and how far the erosion probabilities hold for patients is unknown."
    ]
