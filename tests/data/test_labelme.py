import json
from pathlib import Path
from typing import Any

import pytest

from carpus.anatomy import Bone
from carpus.data.labelme import read_labelme
from carpus.errors import InputError

SQUARE = [[1, 1], [4, 1], [4, 3], [1, 3]]


def written(tmp_path: Path, *shapes: dict[str, Any], **more: Any) -> Path:
    path = tmp_path / "film.json"
    path.write_text(json.dumps({"imageHeight": 6, "imageWidth": 8, "shapes": shapes, **more}))
    return path


def test_polygons_become_bones_and_parts_of_one_are_joined(tmp_path: Path) -> None:
    moved = [[x + 3, y + 2] for x, y in SQUARE]
    path = written(tmp_path, {"label": "lunate", "points": SQUARE}, {"label": "Lunate", "points": moved})
    masks = read_labelme(path)
    assert masks.shape == (6, 8)
    assert masks.mask(Bone.LUNATE).sum() == 12
    assert masks.mask(Bone.LUNATE)[1:3, 1:4].all()


@pytest.mark.parametrize(
    ("shape", "says"),
    [
        ({"label": "femur", "points": SQUARE}, "cannot be used: bone 'femur' is unknown"),
        ({"label": "lunate", "points": SQUARE, "shape_type": "circle"}, "has a 'circle', expected polygons only"),
        ({"label": "lunate", "points": SQUARE[:2]}, "fewer than three corners"),
        ({"label": "lunate", "points": [[1, 1], [1e9, 1], [4, 3]]}, "runs far outside its image"),
        ({"label": "lunate"}, "is not in LabelMe's form"),
    ],
)
def test_what_cannot_be_a_bone_is_refused(tmp_path: Path, shape: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        read_labelme(written(tmp_path, shape))


def test_a_claimed_huge_image_is_refused_before_memory_is_taken(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="mask claims"):
        read_labelme(written(tmp_path, {"label": "lunate", "points": SQUARE}, imageHeight=10**6, imageWidth=10**6))
