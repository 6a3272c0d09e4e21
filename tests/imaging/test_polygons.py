import cv2
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from carpus.anatomy import Bone
from carpus.imaging.polygons import Polygon, mask_polygons
from carpus.phantom import draw, plan_cohort


def area(piece: Polygon) -> float:
    rings = [cv2.contourArea(ring.astype(np.float32)) for ring in (piece.outline, *piece.holes)]
    return float(rings[0] - sum(rings[1:]))


@given(
    x=st.integers(0, 20), y=st.integers(0, 20), width=st.integers(3, 30), height=st.integers(3, 30), hole=st.booleans()
)
def test_a_rectangle_keeps_its_edges_and_but_for_its_corners_its_area(
    x: int, y: int, width: int, height: int, hole: bool
) -> None:
    mask = np.zeros((50, 50), bool)
    mask[y : y + height, x : x + width] = True
    with_hole = hole and width > 8 and height > 8
    if with_hole:
        mask[y + 3 : y + 6, x + 3 : x + 6] = False
    [piece] = mask_polygons(mask)
    assert piece.outline.min(axis=0).tolist() == [x, y]
    assert piece.outline.max(axis=0).tolist() == [x + width, y + height]
    assert len(piece.holes) == with_hole
    assert abs(area(piece) - mask.sum()) <= 1.5


def test_bones_keep_their_area() -> None:
    masks = draw(plan_cohort(patients=8, seed=3)[0]).masks
    for bone in Bone:
        mask = masks.mask(bone)
        assert abs(sum(map(area, mask_polygons(mask))) / mask.sum() - 1) < 0.0005, bone


def test_pieces_come_apart_the_largest_first_and_nothing_gives_nothing() -> None:
    mask = np.zeros((20, 20), bool)
    assert mask_polygons(mask) == []
    mask[1:4, 1:4] = mask[4:12, 4:16] = True
    small, large = 9, 96
    found = [round(area(piece)) for piece in mask_polygons(mask)]
    assert len(found) == 2
    assert abs(found[0] - large) <= 1
    assert abs(found[1] - small) <= 1
