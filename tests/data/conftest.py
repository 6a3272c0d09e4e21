"""A tiny dataset in RAM-W600's layout: six patients, both hands, 64 x 64 pixels, written as the release is."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from carpus.anatomy import Joint, Side
from carpus.data import layout
from carpus.data.case import CaseId
from carpus.data.layout import Split
from carpus.data.writer import StudyRow, write_bones, write_boxes, write_metadata, write_regions, write_scores
from carpus.imaging.geometry import Box
from carpus.imaging.masks import BoneMasks
from carpus.imaging.radiograph import Radiograph

SIZE = 64
SPLITS = dict(zip(range(1, 7), [Split.TRAIN] * 3 + [Split.VAL] + [Split.TEST] * 2, strict=True))


def tiny_case_ids() -> list[CaseId]:
    return [CaseId(f"{patient:04}", "0001", side.value) for patient in SPLITS for side in (Side.LEFT, Side.RIGHT)]


def tiny_radiograph(case: CaseId) -> Radiograph:
    pixels = np.random.default_rng([int(case.patient), ord(case.side_letter)]).integers(0, 256, (SIZE, SIZE))
    return Radiograph(pixels.astype(np.uint8), layout.SPACING_MM, case.side, str(case))


def tiny_masks(case: CaseId) -> BoneMasks:
    """Fourteen rectangles of which neighbours overlap, not the same in any two cases."""
    stack = np.zeros((14, SIZE, SIZE), bool)
    shift = int(case.patient) + (case.side is Side.LEFT)
    for channel in range(14):
        stack[channel, 4 * channel : 4 * channel + 6, shift : shift + 20] = True
    return BoneMasks.from_stack(stack)


def tiny_boxes(case: CaseId) -> dict[Joint, Box]:
    return {joint: Box(4.0 * place + int(case.patient), 8.0, 20.0, 24.0) for place, joint in enumerate(Joint)}


def tiny_scores(case: CaseId) -> dict[Joint, int]:
    return {joint: (int(case.patient) + place) % 6 for place, joint in enumerate(Joint)}


def split_of(case: CaseId) -> Split:
    return SPLITS[int(case.patient)]


def write_tiny_dataset(root: Path) -> None:
    cases = tiny_case_ids()
    for case in cases:
        write_bones(root, case, tiny_radiograph(case), tiny_masks(case), split=split_of(case))
        write_regions(root, case, tiny_radiograph(case), tiny_boxes(case), split=split_of(case))
    write_boxes(root, {case: ((SIZE, SIZE), tiny_boxes(case)) for case in cases})
    write_scores(root, {case: tiny_scores(case) for case in cases})
    write_metadata(
        root,
        [StudyRow(f"{patient:04}", "0001", "FM"[patient % 2], 40 + patient, "HMCRD", 1) for patient in SPLITS],
    )


@pytest.fixture(scope="session")
def _original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("tiny") / "dataset"
    write_tiny_dataset(root)
    return root


@dataclass(frozen=True)
class Written:
    """What was written into the tiny dataset for one case."""

    radiograph: Radiograph
    masks: BoneMasks
    boxes: dict[Joint, Box]
    scores: dict[Joint, int]
    split: Split


@pytest.fixture
def written() -> dict[CaseId, Written]:
    """What was written into the tiny dataset, by case."""
    return {
        case: Written(tiny_radiograph(case), tiny_masks(case), tiny_boxes(case), tiny_scores(case), split_of(case))
        for case in tiny_case_ids()
    }


@pytest.fixture
def tiny(_original: Path, tmp_path: Path) -> Path:
    """A fresh copy of the tiny dataset, to be damaged at will."""
    return Path(shutil.copytree(_original, tmp_path / "dataset"))


def _rename(old: str, new: str) -> Callable[[Path], object]:
    return lambda root: (root / old).rename(root / new)


def _key_the_scores(root: Path) -> None:
    path = layout.score_file(root)
    path.write_text(json.dumps({entry["identifier"]: entry for entry in json.loads(path.read_text())}))


def _spell_trapezium(root: Path) -> None:
    path = layout.score_file(root)
    path.write_text(path.read_text().replace("Trapzium", "Trapezium"))
    path = layout.coco_file(root)
    path.write_text(path.read_text().replace("Trapzium", "Trapezium"))
    for region in list(root.rglob("Trapzium.bmp")):
        region.rename(region.with_name("Trapezium.bmp"))


def _change_masks(change: Callable[[np.ndarray], np.ndarray]) -> Callable[[Path], None]:
    def apply(root: Path) -> None:
        for path in root.rglob("*.npy"):
            np.save(path, change(np.load(path)))

    return apply


def _forget_the_people(root: Path) -> None:
    (root / layout.METADATA_FILE).unlink()


VARIANTS: dict[str, Callable[[Path], object]] = {
    "image": _rename("BoneSegmentation/images", "BoneSegmentation/image"),
    "mask": _rename("BoneSegmentation/masks", "BoneSegmentation/mask"),
    "location image": _rename("JointLocationDetection/images", "JointLocationDetection/image"),
    "location": _rename("JointLocationDetection", "BoneLocationDetection"),
    "reformatted": _rename(
        "SvdHBEScoreClassification/JointBE_SvdH_GT.json", "SvdHBEScoreClassification/JointBE_SvdH_GT_reformatted.json"
    ),
    "ori": _rename(
        "SvdHBEScoreClassification/JointBE_SvdH_GT.json", "SvdHBEScoreClassification/JointBE_SvdH_GT_Ori.json"
    ),
    "keyed": _key_the_scores,
    "trapezium": _spell_trapezium,
    "0/255": _change_masks(lambda stack: stack * np.uint8(255)),
    "bool": _change_masks(lambda stack: stack.astype(bool)),
    "version 1": _forget_the_people,
}
"""Every variant of the layout that was met, as a change of a dataset in the usual one."""


@pytest.fixture(params=list(VARIANTS.values()), ids=list(VARIANTS))
def variant(request: pytest.FixtureRequest) -> Callable[[Path], object]:
    """Turns a dataset into another variant of the layout, with the same content."""
    change: Callable[[Path], object] = request.param
    return change


@pytest.fixture
def all_variants() -> Callable[[Path], None]:
    """Turns a dataset into one that differs from the usual layout in all that can differ at once."""

    def change(root: Path) -> None:
        for name, each in VARIANTS.items():
            if name not in ("ori", "bool"):
                each(root)

    return change
