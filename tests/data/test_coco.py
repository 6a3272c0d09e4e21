import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from carpus.anatomy import Bone, Joint
from carpus.data.coco import read_coco_masks, read_detections, write_coco_masks
from carpus.errors import InputError
from carpus.imaging import BoneMasks, Box

CASE = "0035_0001_L"
SQUARE = [1, 1, 3, 1, 3, 3, 1, 3]
stacks = npst.arrays(bool, st.tuples(st.just(14), st.integers(1, 9), st.integers(1, 9)))


def written(path: Path, content: Any) -> Path:
    path.write_text(json.dumps(content))
    return path


def whole(entries: list[Any], **image: Any) -> dict[str, Any]:
    images = [{"id": 7, "file_name": f"{CASE}.bmp", "height": 4, "width": 5, **image}]
    categories = [{"id": 1, "name": "Lunate"}, {"id": 2, "name": "Trapezium"}]
    return {"images": images, "categories": categories, "annotations": entries}


@given(stacks)
@settings(max_examples=30)
def test_writing_and_reading_loses_nothing(tmp_path_factory, stack: np.ndarray) -> None:
    path = tmp_path_factory.mktemp("coco") / "masks.json"
    masks = {CASE: BoneMasks.from_stack(stack), "other": BoneMasks.empty(height=3, width=4)}
    write_coco_masks(path, masks)
    assert {name: read() for name, read in read_coco_masks(path).items()} == masks


def test_polygons_and_runs_of_overlapping_bones_are_drawn(tmp_path: Path) -> None:
    entries = [
        {"image_id": 7, "category_id": 1, "segmentation": [SQUARE]},
        {"image_id": 7, "category_id": 2, "segmentation": {"size": [4, 5], "counts": [0, 20]}},
    ]
    masks = read_coco_masks(written(tmp_path / "m.json", whole(entries)))[CASE]()
    assert masks.shape == (4, 5)
    assert masks.mask(Bone.TRAPEZIUM).all()
    assert int(masks.overlap(Bone.LUNATE, Bone.TRAPEZIUM).sum()) == 4


def test_parts_of_a_bone_are_together_but_of_scored_ones_only_the_best_counts(tmp_path: Path) -> None:
    def area(*scores: float | None) -> int:
        boxes = [[0, 0, 1, 0, 1, 1, 0, 1], [2, 0, 4, 0, 4, 1, 2, 1], [0, 2, 3, 2, 3, 3, 0, 3]]
        entries = [
            {"image_id": 7, "category_id": 1, "segmentation": [box], **({} if score is None else {"score": score})}
            for box, score in zip(boxes, scores, strict=True)
        ]
        return int(read_coco_masks(written(tmp_path / "m.json", whole(entries)))[CASE]().mask(Bone.LUNATE).sum())

    assert area(None, None, None) == 1 + 2 + 3
    assert area(0.2, 0.9, 0.8) == 2


@pytest.mark.parametrize(
    "names",
    [
        {"file_name": f"images/{CASE}.bmp", "category": "Lu"},
        {"image_id": CASE, "category_id": "Lunate"},
        {"image_id": "0035_0001_l.png", "name": "lunate"},
        {"file_name": f"C:\\films\\{CASE}.BMP", "category_id": "LUNATE"},
    ],
)
def test_a_bare_list_names_wrists_and_bones_in_text(tmp_path: Path, names: dict[str, str]) -> None:
    entry = {**names, "segmentation": {"size": [2, 3], "counts": [2, 4]}, "score": 0.7}
    masks = read_coco_masks(written(tmp_path / "m.json", [entry]))[CASE]()
    assert int(masks.mask(Bone.LUNATE).sum()) == 4


def test_an_image_without_a_bone_is_an_empty_prediction(tmp_path: Path) -> None:
    assert read_coco_masks(written(tmp_path / "m.json", whole([])))[CASE]() == BoneMasks.empty(height=4, width=5)


RLE = {"size": [4, 5], "counts": [20]}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[", "m.json is not JSON"),
        ({"images": []}, "not in COCO's form"),
        (7, "not in COCO's form"),
        ([3], "has as entry 1 3, expected a mapping"),
        ([{"category": "Lunate", "segmentation": RLE}], "unknown image None"),
        ([{"image_id": 3, "category": "Lunate", "segmentation": RLE}], "unknown image 3"),
        ([{"image_id": [3], "category": "Lunate", "segmentation": RLE}], "unknown image"),
        ([{"image_id": CASE, "category_id": 3, "segmentation": RLE}], "unknown category 3"),
        ([{"image_id": CASE, "category": "Lunatte", "segmentation": RLE}], "did you mean 'Lunate'"),
        ([{"image_id": CASE, "category": "Lunate", "bbox": [1, 2, 3, 4]}], "no segmentation"),
        ([{"image_id": CASE, "category": "Lunate", "segmentation": []}], "no segmentation"),
        ({**whole([]), "images": whole([])["images"] * 1 + [{"id": 8, "file_name": f"{CASE}.png"}]}, "twice"),
    ],
)
def test_what_is_no_prediction_is_refused_and_named(tmp_path: Path, content: Any, said: str) -> None:
    path = tmp_path / "m.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    with pytest.raises(InputError, match=said):
        read_coco_masks(path)


@pytest.mark.parametrize(
    ("segmentation", "image", "said"),
    [
        ({"size": [10**9, 10**9], "counts": [1]}, {"height": None}, "claims 1000000000 x 1000000000 pixels"),
        (RLE, {"height": 10**9, "width": 10**9}, "claims 1000000000 x 1000000000 pixels"),
        (RLE, {"height": "4"}, "expected .height, width."),
        (RLE, {"height": 6}, r"mask of Lunate is \(4, 5\) bool, expected \(6, 5\)"),
        ([SQUARE], {"height": None}, "polygons need the image's height and width"),
        ({"size": [4, 5], "counts": "zzz"}, {}, "not COCO's compressed form"),
    ],
)
def test_masks_that_cannot_be_drawn_are_refused_and_named(
    tmp_path: Path, segmentation: Any, image: dict[str, Any], said: str
) -> None:
    entry = {"image_id": 7, "category_id": 1, "segmentation": segmentation}
    read = read_coco_masks(written(tmp_path / "m.json", whole([entry], **image)))[CASE]
    with pytest.raises(InputError, match=f"m.json has masks of {CASE} that cannot be read: .*{said}"):
        read()


def test_the_surest_box_of_a_joint_is_found_in_a_bare_list_explained_by_the_reference(tmp_path: Path) -> None:
    reference = written(tmp_path / "reference.json", whole([]))
    entries = [
        {"image_id": 7, "category_id": 1, "bbox": [0, 0, 2, 2], "score": 0.2},
        {"image_id": 7, "category_id": 1, "bbox": [1, 1, 2, 2], "score": 0.8},
        {"file_name": f"{CASE}.bmp", "name": "Tr", "bbox": [3, 1, 2, 2]},
    ]
    found = read_detections(written(tmp_path / "boxes.json", entries), explained_by=reference)[CASE]
    assert (found[Joint.LUNATE].box, found[Joint.LUNATE].confidence) == (Box(1, 1, 2, 2), 0.8)
    assert (found[Joint.TRAPEZIUM].box, found[Joint.TRAPEZIUM].confidence) == (Box(3, 1, 2, 2), 1.0)
    with pytest.raises(InputError, match="unknown category 1"):
        read_detections(tmp_path / "boxes.json")


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"bbox": [0, 0, 2]}, "expected bbox"),
        ({"bbox": [0, 0, 2, 0]}, "expected bbox"),
        ({"bbox": [0, 0, 2, float("inf")]}, "expected bbox"),
        ({}, "expected bbox"),
        ({"bbox": [0, 0, 2, 2], "score": 1.5}, "score 1.5, expected a number from 0 to 1"),
        ({"bbox": [0, 0, 2, 2], "score": "high"}, "score 'high'"),
        ({"bbox": [0, 0, 2, 2], "name": "Capitate"}, "joint 'Capitate' is unknown"),
    ],
)
def test_a_box_that_is_none_is_refused_and_named(tmp_path: Path, entry: dict[str, Any], said: str) -> None:
    path = written(tmp_path / "boxes.json", [{"image_id": CASE, "name": "Lunate", **entry}])
    with pytest.raises(InputError, match=f"boxes.json has in entry 1.*{said}"):
        read_detections(path)
