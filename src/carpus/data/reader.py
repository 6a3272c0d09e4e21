"""RAM-W600 as cases: everything known of one wrist at one visit, paired by identifier, files read on demand."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from jaxtyping import UInt8

from carpus.anatomy import Bone, Joint, parse_joint
from carpus.data import layout
from carpus.data.annotations import Person, read_boxes, read_metadata, read_scores
from carpus.data.case import CaseId
from carpus.data.layout import Split
from carpus.data.problem import Problem
from carpus.errors import InputError
from carpus.imaging.files import MAX_PIXELS, read_grey
from carpus.imaging.geometry import Box
from carpus.imaging.masks import BoneMasks
from carpus.imaging.radiograph import Radiograph

_Values = TypeVar("_Values")


@dataclass(frozen=True)
class Case:
    """One wrist at one visit.

    Attributes:
        id: Patient, study and side.
        image: The wrist crop.
        masks: The bones' masks; None if they were not drawn.
        bone_split: Split of the segmentation task; None without masks.
        erosion_split: Split of the scoring task; None without regions.
        rois: The joints' regions as files.
        boxes: The joints' regions in pixels of the crop.
        scores: SvdH erosion scores, 0 to 5; None if unscored.
        institution: Centre, such as `HMCRD`; None if unknown, as are the following.
        age: Years.
        sex: `F` or `M`.
        phase: Number of the visit, from 1.
    """

    id: CaseId
    image: Path
    masks: Path | None
    bone_split: Split | None
    erosion_split: Split | None
    rois: Mapping[Joint, Path]
    boxes: Mapping[Joint, Box]
    scores: Mapping[Joint, int] | None
    institution: str | None
    age: int | None
    sex: str | None
    phase: int | None


@dataclass(frozen=True)
class Dataset:
    """All cases of a dataset, ordered by identifier, and whether they are synthetic."""

    root: Path
    cases: tuple[Case, ...]
    is_phantom: bool


def read_dataset(root: Path) -> Dataset:
    """The index of a dataset in RAM-W600's layout; no image is read.

    Raises:
        InputError: Not such a dataset, or one whose annotations are broken; `carpus data check` lists all.
    """
    check_is_dataset(root)
    images = {
        **_by_case(layout.location_images(root), "*.bmp"),
        **_by_case(layout.bone_images(root), "*.bmp"),
    }
    masks = {
        case: (path, split)
        for split in Split
        for case, path in _by_case(layout.bone_masks(root) / split.value, "*.npy").items()
    }
    regions = {
        case: (path, split)
        for split in Split
        for case, path in _by_case(layout.erosion_folder(root) / split.value, "*").items()
    }
    scores = _checked(*read_scores(layout.score_file(root))) if layout.erosion_folder(root).exists() else {}
    boxes = _checked(*read_boxes(layout.coco_file(root))) if layout.location_folder(root).exists() else {}
    table = root / layout.METADATA_FILE
    people = _checked(*read_metadata(table)) if table.exists() else {}

    cases = []
    for case in sorted(images):
        person = people.get((case.patient, case.study), Person())
        mask, bone_split = masks.get(case, (None, None))
        folder, erosion_split = regions.get(case, (None, None))
        cases.append(
            Case(
                id=case,
                image=images[case],
                masks=mask,
                bone_split=bone_split,
                erosion_split=erosion_split,
                rois={parse_joint(path.stem): path for path in sorted(folder.glob("*.bmp"))} if folder else {},
                boxes=boxes[case].boxes if case in boxes else {},
                scores=scores.get(case),
                institution=person.institution,
                age=person.age,
                sex=person.sex,
                phase=person.phase,
            )
        )
    return Dataset(root, tuple(cases), is_phantom=is_phantom(root))


def read_radiograph(case: Case) -> Radiograph:
    """The wrist crop of a case as it is on disk, left hands not flipped.

    Raises:
        InputError: Missing or damaged.
    """
    spacing = None if case.institution in layout.UNKNOWN_SPACING else layout.SPACING_MM
    return Radiograph(read_grey(case.image), spacing, case.id.side, str(case.id))


def read_masks(case: Case) -> BoneMasks:
    """The bone masks of a case, in the image's own orientation.

    Raises:
        InputError: There are none, or the file is damaged or not 14 binary masks.
    """
    if case.masks is None:
        raise InputError(f"case {case.id} has no masks; choose cases with masks")
    return read_mask_file(case.masks)


def read_roi(case: Case, joint: Joint) -> UInt8[np.ndarray, "h w"]:
    """The region of one joint, in the image's own orientation.

    Raises:
        InputError: Missing or damaged.
    """
    if joint not in case.rois:
        raise InputError(f"case {case.id} has no region of {joint.value}; see `carpus data check`")
    return read_grey(case.rois[joint])


def read_mask_file(path: Path) -> BoneMasks:
    """The bone masks of one `.npy` file: `(14, h, w)`, one byte a pixel; never unpickled.

    Raises:
        InputError: Missing, damaged, pickled, too large, or not 14 binary masks.
    """
    try:
        stack = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        raise InputError(f"{path} does not exist; check the path") from None
    except (ValueError, OSError, EOFError) as error:
        reason = str(error).partition(".")[0]
        raise InputError(f"{path} is damaged or not a plain array ({reason}); copy it again") from None
    if not isinstance(stack, np.ndarray) or stack.size > len(Bone) * MAX_PIXELS:
        raise InputError(f"{path} is not one array of a sensible size, expected (14, height, width)")
    try:
        return BoneMasks.from_stack(np.asarray(stack))
    except InputError as error:
        raise InputError(f"{path}: {error}; draw it again") from None


def check_is_dataset(root: Path) -> None:
    """Makes sure that a folder looks like RAM-W600.

    Raises:
        InputError: Missing, not a folder, empty, or without any of the three tasks.
    """
    if not root.is_dir():
        what = "is a file" if root.exists() else "does not exist"
        raise InputError(f"{root} {what}, expected a folder in RAM-W600's layout; check the path")
    if not any(root.iterdir()):
        raise InputError(f"{root} is empty, expected a dataset; make one with `carpus data phantom {root}`")
    tasks = (layout.BONES, *layout.LOCATIONS, layout.EROSION)
    if not any((root / task).is_dir() for task in tasks):
        raise InputError(f"{root} holds none of {', '.join(tasks)}; give the folder that does")


def is_phantom(root: Path) -> bool:
    """Whether the dataset says of itself that it is synthetic."""
    path = root / layout.PHANTOM_FILE
    return path.is_file() and "synthetic" in json.loads(path.read_text("utf-8"))


def _by_case(folder: Path, pattern: str) -> dict[CaseId, Path]:
    return {CaseId.parse(path.stem): path for path in sorted(folder.glob(pattern)) if path.name[0] != "."}


def _checked(values: _Values, problems: list[Problem]) -> _Values:
    errors = [problem for problem in problems if problem.severity == "error"]
    if errors:
        more = f" (and {len(errors) - 1} more, see `carpus data check`)" if len(errors) > 1 else ""
        raise InputError(errors[0].message + more)
    return values
