import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from carpus.anatomy import Bone
from carpus.imaging import BoneMasks, Box
from carpus.report.figures.close_up import worst_error, worst_overlap_error


def drawn(*parts: tuple[Bone, slice, slice], size: int = 120) -> BoneMasks:
    stack = np.zeros((14, size, size), bool)
    for bone, rows, columns in parts:
        stack[bone.channel, rows, columns] = True
    return BoneMasks.from_stack(stack)


def holds(box: Box | None, x: float, y: float) -> bool:
    return box is not None and box.x <= x <= box.x + box.width and box.y <= y <= box.y + box.height


LUNATE = (Bone.LUNATE, slice(20, 60), slice(20, 60))
SCAPHOID = (Bone.SCAPHOID, slice(50, 90), slice(50, 90))


def test_perfect_masks_have_no_error_to_look_at() -> None:
    reference = drawn(LUNATE, SCAPHOID)
    assert worst_error(reference, [reference]) is None
    assert worst_overlap_error(reference, [reference], outside=None) is None


def test_the_larger_of_two_errors_of_any_model_is_looked_at() -> None:
    reference = drawn(LUNATE)
    small = drawn(LUNATE, (Bone.HAMATE, slice(90, 97), slice(10, 17)))
    large = drawn(LUNATE, (Bone.HAMATE, slice(90, 110), slice(90, 110)))
    assert holds(worst_error(reference, [small, large]), 100, 100)
    assert holds(worst_error(reference, [small]), 13, 93)


def test_a_thick_error_comes_before_a_larger_thin_rim() -> None:
    reference = drawn((Bone.DISTAL_RADIUS, slice(10, 80), slice(10, 80)))
    rim_and_bump = drawn(
        (Bone.DISTAL_RADIUS, slice(8, 82), slice(8, 82)), (Bone.DISTAL_ULNA, slice(100, 110), slice(100, 110))
    )
    assert holds(worst_error(reference, [rim_and_bump]), 105, 105)
    only_rim = drawn((Bone.DISTAL_RADIUS, slice(8, 82), slice(8, 82)))
    assert worst_error(reference, [only_rim]) is not None


def test_a_bone_taken_for_another_is_an_error() -> None:
    swapped = drawn((Bone.HAMATE, *LUNATE[1:]))
    assert holds(worst_error(drawn(LUNATE), [swapped]), 40, 40)


def test_errors_of_an_overlap_are_found_apart_from_others_and_outside_what_is_shown() -> None:
    reference = drawn(LUNATE, SCAPHOID)
    shorter = drawn(LUNATE, (Bone.SCAPHOID, slice(60, 90), slice(60, 90)), (Bone.HAMATE, slice(0, 15), slice(90, 119)))
    assert holds(worst_overlap_error(reference, [shorter], outside=None), 55, 55)
    assert worst_overlap_error(reference, [shorter], outside=Box(45, 45, 30, 30)) is None


@settings(max_examples=60, deadline=None)
@example(0, 149, 40)
@example(99, 0, 40)
@given(st.integers(0, 99), st.integers(0, 149), st.integers(1, 40))
def test_a_close_up_is_a_square_inside_the_image_around_the_error(row: int, column: int, size: int) -> None:
    error = np.zeros((14, 100, 150), bool)
    error[Bone.CAPITATE.channel, row : row + size, column : column + size] = True
    box = worst_error(BoneMasks.empty(height=100, width=150), [BoneMasks.from_stack(error)])
    assert box is not None
    assert box.width == box.height
    assert 20 <= box.width <= 34
    assert 0 <= box.x <= 150 - box.width
    assert 0 <= box.y <= 100 - box.height
    rows, columns = np.nonzero(error[Bone.CAPITATE.channel])
    assert holds(box, columns.mean(), rows.mean())
