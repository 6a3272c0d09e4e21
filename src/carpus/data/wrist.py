"""One wrist with its pixels in memory, read from RAM-W600's layout and written back: the coin that formats deal in."""

import filecmp
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from carpus.anatomy import Joint
from carpus.data import layout
from carpus.data.dataset import Case, Dataset
from carpus.data.facts import Facts
from carpus.data.reader import read_masks, read_roi
from carpus.data.writer import StudyRow, write_boxes, write_masks, write_metadata, write_scores
from carpus.errors import InputError
from carpus.imaging.files import read_grey, write_grey
from carpus.imaging.masks import BoneMasks


@dataclass(frozen=True, eq=False)
class Wrist:
    """One wrist at one visit, with everything that RAM-W600's layout holds of it.

    Attributes:
        facts: What is known of it besides pixels.
        pixels: `(h, w)` uint8, the wrist crop, left hands not flipped.
        masks: The bones on the grid of `pixels`; None if they were not drawn.
        regions: The joints' regions of the scoring task, `(h, w)` uint8 each.

    Raises:
        InputError: Not 8 bits, masks of another size, or masks or regions without a split.
    """

    facts: Facts
    pixels: UInt8[np.ndarray, "h w"]
    masks: BoneMasks | None = None
    regions: Mapping[Joint, UInt8[np.ndarray, "h w"]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        case = self.facts.id
        for image in (self.pixels, *self.regions.values()):
            if image.ndim != 2 or image.dtype != np.uint8:
                what = f"{image.shape} {image.dtype}"
                raise InputError(f"case {case} has an image {what}, expected grey of 8 bits; convert it first")
        if self.masks is not None and self.masks.shape != self.pixels.shape:
            sizes = f"masks of {self.masks.shape} but an image of {self.pixels.shape}"
            raise InputError(f"case {case} has {sizes} pixels; draw the masks on the image's grid")
        if (self.masks is None) != (self.facts.bone_split is None):
            raise InputError(f"case {case} has masks without bone_split, or the other way round; add what is missing")
        if self.regions and self.facts.erosion_split is None:
            raise InputError(f"case {case} has regions of joints but no erosion_split; add the split")


def facts_of(case: Case, *, synthetic: bool) -> Facts:
    """What a dataset knows of a case besides pixels."""
    return Facts(
        id=case.id,
        bone_split=case.bone_split,
        erosion_split=case.erosion_split,
        boxes=case.boxes,
        scores=case.scores,
        institution=case.institution,
        age=case.age,
        sex=case.sex,
        phase=case.phase,
        synthetic=synthetic,
    )


def read_wrist(dataset: Dataset, case: Case) -> Wrist:
    """A case of a dataset with its pixels.

    Raises:
        InputError: A file is missing or damaged, or the bones and the joint boxes have two different images.
    """
    pixels = read_grey(case.image)
    other = layout.location_images(dataset.root) / case.image.name
    same_bytes = not other.exists() or filecmp.cmp(case.image, other, shallow=False)
    if not same_bytes and not np.array_equal(read_grey(other), pixels):
        raise InputError(f"{other} and {case.image} differ, expected one image a wrist; keep one of them")
    return Wrist(
        facts=facts_of(case, synthetic=dataset.is_phantom),
        pixels=pixels,
        masks=None if case.masks is None else read_masks(case),
        regions={joint: read_roi(case, joint) for joint in case.rois},
    )


def write_wrists(root: Path, wrists: Iterable[Wrist]) -> list[Facts]:
    """Writes wrists in RAM-W600's layout, one at a time; what was written, without the pixels.

    Args:
        root: Folder to write into.
        wrists: In any order; none is held longer than it takes to write it.

    Raises:
        InputError: A wrist comes twice, or two of one study contradict each other.
    """
    written: list[Facts] = []
    sizes = {}
    for wrist in wrists:
        facts, case = wrist.facts, wrist.facts.id
        if case in sizes:
            raise InputError(f"case {case} comes twice; keep one of them")
        sizes[case] = wrist.pixels.shape
        if wrist.masks is not None and facts.bone_split is not None:
            write_masks(root, case, wrist.masks, split=facts.bone_split)
        if wrist.masks is not None or not facts.boxes:
            write_grey(layout.bone_images(root) / f"{case}.bmp", wrist.pixels)
        if facts.boxes:
            write_grey(layout.location_images(root) / f"{case}.bmp", wrist.pixels)
        if facts.erosion_split is not None:
            folder = layout.erosion_folder(root) / facts.erosion_split.value / str(case)
            folder.mkdir(parents=True)
            for joint, region in wrist.regions.items():
                write_grey(folder / f"{joint.value}.bmp", region)
        written.append(facts)
    if boxes := {facts.id: ((sizes[facts.id]), facts.boxes) for facts in written if facts.boxes}:
        write_boxes(root, boxes)
    if any(facts.scores or facts.erosion_split for facts in written):
        write_scores(root, {facts.id: facts.scores for facts in written if facts.scores})
    if studies := _studies(written):
        write_metadata(root, studies)
    return written


def _studies(written: Iterable[Facts]) -> list[StudyRow]:
    rows: dict[tuple[str, str], StudyRow] = {}
    for facts in written:
        known = (facts.sex, facts.age, facts.institution, facts.phase)
        if known == (None,) * len(known):
            continue
        key = facts.id.patient, facts.id.study
        row = StudyRow(*key, *known)
        if rows.setdefault(key, row) != row:
            raise InputError(f"case {facts.id} has another age, sex, institution or phase than its other hand; mend it")
    return [rows[key] for key in sorted(rows)]
