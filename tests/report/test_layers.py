import re

import cv2
import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from jaxtyping import Bool

from carpus.anatomy import Bone
from carpus.imaging import BoneMasks
from carpus.report.layers import bone_shapes, layer_name, outline_path

RECTANGLES = st.tuples(st.integers(0, 20), st.integers(0, 20), st.integers(1, 20), st.integers(1, 20))


def filled(path: str, shape: tuple[int, ...]) -> Bool[np.ndarray, "h w"]:
    """What a browser fills, by the rule evenodd, and the line that it draws around."""
    parts = [
        np.array([int(number) for number in part.split()]).reshape(-1, 1, 2) for part in re.findall(r"M([^Z]+)Z", path)
    ]
    assert "".join(f"M{' '.join(map(str, part.ravel()))}Z" for part in parts) == path
    picture = np.zeros(shape, np.uint8)
    cv2.fillPoly(picture, parts, 1)
    return picture.astype(bool)


def test_a_ring_keeps_its_hole() -> None:
    ring = np.zeros((40, 40), bool)
    ring[5:35, 5:35] = True
    ring[15:25, 15:25] = False
    path = outline_path(ring)
    assert path.count("M") == 2
    assert not filled(path, ring.shape)[20, 20]
    assert filled(path, ring.shape)[10, 20]


@given(arrays(np.bool_, (30, 30), elements=st.booleans()))
def test_every_pixel_of_a_mask_lies_within_its_shape(mask: Bool[np.ndarray, "h w"]) -> None:
    grown = cv2.dilate(filled(outline_path(mask), mask.shape).astype(np.uint8), np.ones((3, 3), np.uint8))
    assert not (mask & ~grown.astype(bool)).any()


@given(RECTANGLES, RECTANGLES)
def test_overlapping_bones_are_drawn_whole(one: tuple[int, ...], other: tuple[int, ...]) -> None:
    stack = np.zeros((14, 48, 48), bool)
    for channel, (x, y, width, height) in enumerate((one, other)):
        stack[channel, y : y + height, x : x + width] = True
    shapes = bone_shapes(BoneMasks.from_stack(stack))
    assert [shape.bone for shape in shapes] == list(Bone)[:2]
    for channel, shape in enumerate(shapes):
        assert (filled(shape.path, (48, 48)) == stack[channel]).all()
        assert stack[channel, round(shape.y), round(shape.x)]


def test_every_bone_has_a_name_of_its_own_that_a_style_sheet_can_use() -> None:
    names = [layer_name(bone) for bone in Bone]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z0-9-]+", name) for name in names)


def test_no_bones_are_no_shapes() -> None:
    assert bone_shapes(BoneMasks.empty(height=9, width=9)) == ()
