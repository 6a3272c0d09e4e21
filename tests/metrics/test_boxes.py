import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as coco

from carpus.imaging import Box
from carpus.metrics.boxes import box_iou

edges = st.floats(0.01, 100)
boxes = st.builds(Box, st.floats(-50, 50), st.floats(-50, 50), edges, edges)


@given(boxes, boxes)
def test_it_is_what_pycocotools_computes(one: Box, other: Box) -> None:
    (expected,) = coco.iou(
        [[one.x, one.y, one.width, one.height]], [[other.x, other.y, other.width, other.height]], [0]
    )
    assert box_iou(one, other) == pytest.approx(expected[0], abs=1e-9)


@given(boxes, boxes)
def test_it_is_symmetric_and_between_0_and_1(one: Box, other: Box) -> None:
    assert box_iou(one, other) == pytest.approx(box_iou(other, one))
    assert 0 <= box_iou(one, other) <= 1 + 1e-9
    assert box_iou(one, one) == pytest.approx(1)


def test_boxes_that_only_touch_have_nothing_in_common() -> None:
    assert box_iou(Box(0, 0, 2, 2), Box(2, 0, 2, 2)) == 0
