import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carpus.anatomy import Bone, Joint
from carpus.errors import InputError
from carpus.imaging import BoneMasks, Box, Radiograph
from carpus.imaging.geometry import crop, mirror, resize, square
from carpus.imaging.intensity import min_max, to_8_bits
from carpus.imaging.joints import joint_boxes

edges = st.floats(-20, 40)
sizes = st.floats(1, 60)


@given(edges, edges, sizes, sizes)
def test_a_box_moved_inside_lies_inside_and_keeps_its_size_if_it_can(x: float, y: float, w: float, h: float) -> None:
    box = Box(x, y, w, h).inside(height=30, width=40)
    assert box.x >= 0
    assert box.y >= 0
    assert box.x + box.width <= 40 + 1e-9
    assert box.y + box.height <= 30 + 1e-9
    assert (box.width, box.height) == (min(w, 40), min(h, 30))


def test_a_box_follows_its_pixels_when_the_image_is_flipped() -> None:
    image = np.arange(5 * 7).reshape(5, 7)
    box = Box(1, 2, 3, 2)
    assert np.array_equal(crop(mirror(image), box.mirrored(7)), mirror(crop(image, box)))


def test_an_empty_box_is_refused() -> None:
    with pytest.raises(InputError, match="is empty"):
        Box(0, 0, 0, 4)


def test_shrinking_keeps_the_mean_grey_value() -> None:
    image = np.random.default_rng(0).integers(0, 256, (60, 80)).astype(np.uint8)
    small = resize(image, height=15, width=20)
    assert small.shape == (15, 20)
    assert abs(float(small.mean()) - float(image.mean())) < 0.5


def test_a_constant_image_becomes_zero_and_not_nan() -> None:
    constant = np.full((3, 3), 7, np.uint8)
    assert not min_max(constant).any()
    assert not to_8_bits(constant).any()


def test_8_bits_span_black_to_white() -> None:
    grey = to_8_bits(np.array([[100, 612, 1124]], np.uint16))
    assert grey.tolist() == [[0, 128, 255]]


@pytest.mark.parametrize(
    ("pixels", "spacing_mm"),
    [
        (np.zeros((2, 2, 3), np.uint8), None),
        (np.zeros((2, 2), float), None),
        (np.zeros((2, 2), np.uint8), 0.0),
    ],
)
def test_what_is_no_radiograph_is_refused(pixels: np.ndarray, spacing_mm: float | None) -> None:
    with pytest.raises(InputError):
        Radiograph(pixels, spacing_mm)


def _one_bone_each() -> BoneMasks:
    stack = np.zeros((14, 300, 300), bool)
    stack[Bone.DISTAL_RADIUS.channel, 200:300, 90:160] = True
    stack[Bone.LUNATE.channel, 160:190, 120:160] = True
    stack[Bone.SCAPHOID.channel, 140:190, 70:120] = True
    return BoneMasks.from_stack(stack)


def test_joint_boxes_are_square_inside_the_image_and_on_their_bone() -> None:
    masks = _one_bone_each()
    boxes = joint_boxes(masks, spacing_mm=0.3)
    assert set(boxes) == {Joint.DISTAL_RADIUS, Joint.LUNATE, Joint.SCAPHOID}
    for box in boxes.values():
        assert box.width == box.height
        assert box == box.inside(height=300, width=300)
    assert boxes[Joint.LUNATE].centre == (140, 175)


def test_the_radius_is_boxed_at_the_end_that_faces_the_lunate() -> None:
    x, y = joint_boxes(_one_bone_each(), spacing_mm=0.3)[Joint.DISTAL_RADIUS].centre
    assert 200 <= y <= 230
    assert 110 <= x <= 150


def test_joint_boxes_mirror_with_the_masks() -> None:
    masks = _one_bone_each()
    mirrored = joint_boxes(masks.mirrored(), spacing_mm=0.3)
    assert mirrored == {joint: box.mirrored(300) for joint, box in joint_boxes(masks, spacing_mm=0.3).items()}


def test_a_square_stands_around_its_centre() -> None:
    assert square((10, 20), size=4) == Box(8, 18, 4, 4)
