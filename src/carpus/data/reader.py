"""RAM-W600 as cases: everything known of one wrist at one visit, paired by identifier, files read on demand."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
from jaxtyping import Shaped, UInt8

from carpus.anatomy import Bone, Joint, parse_joint
from carpus.data import layout
from carpus.data.annotations import read_boxes, read_scores
from carpus.data.case import CaseId
from carpus.data.dataset import Case, Dataset
from carpus.data.layout import Split
from carpus.data.metadata import Person, read_metadata
from carpus.data.problem import Problem, one_line
from carpus.errors import InputError
from carpus.imaging.files import MAX_PIXELS, read_grey
from carpus.imaging.masks import BoneMasks
from carpus.imaging.radiograph import Radiograph

_NPY_MAGIC = b"\x93NUMPY"
_Values = TypeVar("_Values")


def read_dataset(root: Path | str) -> Dataset:
    """The index of a dataset in RAM-W600's layout; no image is read.

    Raises:
        InputError: Not such a dataset, or one whose annotations are broken; `carpus data check` lists all.
    """
    root = Path(root)
    check_is_dataset(root)
    images = {
        **_by_case(layout.location_images(root), "*.bmp"),
        **_by_case(layout.bone_images(root), "*.bmp"),
    }
    masks = _by_split(layout.bone_masks(root), "*.npy")
    regions = _by_split(layout.erosion_folder(root), "*")
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
                rois=_by_joint(folder) if folder else {},
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
    return Radiograph(read_grey(case.image), case.spacing_mm, case.id.side, str(case.id))


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


def open_mask_file(path: Path) -> Shaped[np.ndarray, "..."]:
    """The array in a `.npy` file as it is, mapped into memory; never unpickled.

    Raises:
        InputError: Missing, damaged, pickled, or too large.
    """
    try:
        with path.open("rb") as file:
            if file.read(len(_NPY_MAGIC)) != _NPY_MAGIC:
                raise ValueError("no NumPy file")
        with np.errstate(over="ignore"):
            stack: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        raise InputError(f"{path} does not exist; check the path") from None
    except Exception as error:  # NumPy's header parser fails in many ways.
        raise InputError(f"{path} is damaged or not a plain array ({one_line(error)}); copy it again") from None
    if stack.size > len(Bone) * MAX_PIXELS:
        raise InputError(f"{path} has shape {stack.shape}, more than {MAX_PIXELS} pixels a bone; copy it again")
    return stack


def read_mask_file(path: Path) -> BoneMasks:
    """The bone masks of one `.npy` file: `(14, h, w)`, one byte a pixel; never unpickled.

    Raises:
        InputError: Missing, damaged, pickled, too large, or not 14 binary masks.
    """
    stack = open_mask_file(path)
    try:
        return BoneMasks.from_stack(np.asarray(stack))
    except InputError as error:
        raise InputError(f"{path} does not hold the masks of a wrist ({error}); draw it again") from None


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
    """Whether the dataset says of itself that it is synthetic.

    Raises:
        InputError: `Phantom.json` is there but does not say; a phantom must not pass for a patient.
    """
    path = root / layout.PHANTOM_FILE
    if not path.exists():
        return False
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        content = None
    answer = content.get("synthetic") if isinstance(content, dict) else None
    if not isinstance(answer, bool):
        raise InputError(f"{path} does not say whether the wrists are synthetic; restore it from its source")
    return answer


def _by_case(folder: Path, pattern: str) -> dict[CaseId, Path]:
    return {_named(path, CaseId.parse): path for path in sorted(folder.glob(pattern)) if path.name[0] != "."}


def _by_joint(folder: Path) -> dict[Joint, Path]:
    return {_named(path, parse_joint): path for path in sorted(folder.glob("*.bmp")) if path.name[0] != "."}


def _named(path: Path, parse: Callable[[str], _Values]) -> _Values:
    try:
        return parse(path.stem)
    except InputError as error:
        raise InputError(f"{path} is misnamed: {error}") from None


def _by_split(folder: Path, pattern: str) -> dict[CaseId, tuple[Path, Split]]:
    found: dict[CaseId, tuple[Path, Split]] = {}
    for split in Split:
        for case, path in _by_case(folder / split.value, pattern).items():
            if case in found:
                raise InputError(f"{path} is also in {found[case][1].value}, so the splits leak; keep one of them")
            found[case] = path, split
    return found


def _checked(values: _Values, problems: list[Problem]) -> _Values:
    errors = [problem for problem in problems if problem.severity == "error"]
    if errors:
        more = f" (and {len(errors) - 1} more, see `carpus data check`)" if len(errors) > 1 else ""
        raise InputError(errors[0].message + more)
    return values
