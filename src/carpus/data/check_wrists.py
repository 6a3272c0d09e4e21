"""What is wrong with the images and masks of one wrist, and what of them is kept to compare it with the others."""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float32, Shaped

from carpus.anatomy import Bone, Side
from carpus.data.case import CaseId
from carpus.data.check_files import problem
from carpus.data.layout import Split
from carpus.data.likeness import perceptual_hash
from carpus.data.problem import Problem
from carpus.data.reader import open_mask_file, read_mask_file
from carpus.data.shape_audit import WristShape, wrist_shape
from carpus.errors import InputError
from carpus.imaging.files import read_grey
from carpus.imaging.masks import BoneMasks

_APART = 2.0
"""Mean difference in grey values from which on two images of one wrist are not the same."""
_RING_PX = 9


@dataclass(frozen=True)
class WristFiles:
    """The files of one wrist; None or empty where there are none."""

    case: CaseId
    image: Path | None
    located: Path | None
    masks: Mapping[Split, Path]


@dataclass(eq=False)
class WristFacts:
    """What was found in the files of one wrist.

    Attributes:
        problems: In the order of the files.
        size: Of the located image, height and width in pixels; None where it cannot be read.
        hash: Of the image, else of the located one, to find copies by.
        digest: Of the same pixels, equal for identical ones.
        shape: Of the bones, for the audit.
        contrast: How much brighter than their surroundings they are, in standard deviations of the image; NaN: unknown.
    """

    problems: list[Problem] = field(default_factory=list)
    size: tuple[int, int] | None = None
    hash: Float32[np.ndarray, "1024"] | None = None
    digest: bytes = b""
    shape: WristShape | None = None
    contrast: float = math.nan


def check_wrist(files: WristFiles, *, audit: bool) -> WristFacts:
    """Everything about one wrist that needs its pixels.

    Args:
        files: Of the wrist.
        audit: Whether what the audit needs is kept.
    """
    facts = WristFacts()
    image = _read_image(files.image, facts.problems) if files.image else None
    located = _read_image(files.located, facts.problems) if files.located else None
    if located is not None:
        facts.size = located.shape[0], located.shape[1]
    if image is not None and located is not None and files.located is not None and _differ(image, located):
        what = f"is another image than {files.image}"
        facts.problems.append(problem(files.located, "image-differs", what, "copy one of them again"))
    pixels = image if image is not None else located
    if pixels is not None:
        facts.hash = perceptual_hash(pixels)
        facts.digest = hashlib.blake2b(pixels.tobytes() + str(pixels.shape).encode(), digest_size=16).digest()
    for path in files.masks.values():
        masks = _read_masks(path, files, image, facts.problems)
        if masks is not None and audit:
            facts.shape = wrist_shape(masks, is_left=files.case.side is Side.LEFT)
            if image is not None and image.shape == masks.shape:
                facts.contrast = _contrast(image, masks)
    return facts


def check_region(path: Path) -> list[Problem]:
    """What is wrong with the image of one joint."""
    problems: list[Problem] = []
    _read_image(path, problems)
    return problems


def size_text(shape: tuple[int, int]) -> str:
    """Width and height as words."""
    return f"{shape[1]} x {shape[0]}"


def _read_image(path: Path, problems: list[Problem]) -> Shaped[np.ndarray, "h w"] | None:
    try:
        pixels = read_grey(path)
    except InputError as error:
        problems.append(Problem(str(path), "image-unreadable", str(error)))
        return None
    if pixels.min() == pixels.max():
        problems.append(problem(path, "image-constant", "has one grey value only", "copy it again"))
    elif pixels.dtype != np.uint8:
        what = f"has {8 * pixels.dtype.itemsize} bits a pixel, expected 8"
        problems.append(problem(path, "image-depth", what, "convert it", severity="warning"))
    return pixels


def _differ(one: Shaped[np.ndarray, "h w"], other: Shaped[np.ndarray, "h2 w2"]) -> bool:
    if one.shape != other.shape:
        return True
    if one.min() == one.max() or other.min() == other.max():
        return False  # said of that image already
    return float(cv2.absdiff(one.astype(float), other.astype(float)).mean()) > _APART


def _read_masks(
    path: Path, files: WristFiles, image: Shaped[np.ndarray, "h w"] | None, problems: list[Problem]
) -> BoneMasks | None:
    if files.image is None:
        problems.append(problem(path, "mask-without-image", "has no image", f"add {files.case}.bmp"))
    wrong = _header_problem(path)
    if wrong:
        problems.append(wrong)
        return None
    try:
        masks = read_mask_file(path)
    except InputError as error:
        problems.append(Problem(str(path), "mask-values", str(error)))
        return None
    if image is not None and masks.shape != image.shape:
        size = image.shape[0], image.shape[1]
        what = f"is {size_text(masks.shape)} pixels but its image is {size_text(size)}"
        problems.append(problem(path, "mask-size", what, "draw it on the image's grid"))
    present = int(np.bitwise_or.reduce(masks.plane, axis=None))
    if empty := [bone.value for bone in Bone if not present >> bone.channel & 1]:
        what = f"holds no pixel of {', '.join(empty)}"
        problems.append(problem(path, "mask-empty", what, "draw what is visible", severity="warning"))
    return masks


def _header_problem(path: Path) -> Problem | None:
    try:
        stack = open_mask_file(path)
    except InputError as error:
        return Problem(str(path), "mask-unreadable", str(error))
    if stack.ndim != 3 or stack.shape[0] != len(Bone):
        what = f"has shape {stack.shape}, expected (14, height, width)"
        return problem(path, "mask-channels", what, "draw it again")
    if stack.dtype.itemsize != 1:
        what = f"has values of type {stack.dtype}, expected one byte a pixel"
        return problem(path, "mask-dtype", what, "save it as uint8")
    return None


def _contrast(image: Shaped[np.ndarray, "h w"], masks: BoneMasks) -> float:
    """How much brighter the bones are than the ring around them, in standard deviations of the image."""
    bones = (masks.plane != 0).astype(np.uint8)
    ring = cv2.dilate(bones, np.ones((_RING_PX, _RING_PX), np.uint8)) > bones
    spread = float(image.std())
    if not bones.any() or not ring.any() or not spread:
        return math.nan
    return (float(image[bones > 0].mean()) - float(image[ring].mean())) / spread
