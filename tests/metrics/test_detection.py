import contextlib
import io
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from carpus.errors import InputError
from carpus.imaging import Box
from carpus.metrics import BoxPrecision, FoundBox, ReferenceBox, average_precision_boxes

# Small whole numbers make equal overlaps, equal confidences and IoU that equal a cut likely.
IMAGES, STRUCTURES = st.sampled_from("abcd"), st.sampled_from(["Lu", "Sca"])
NEAR = st.builds(Box, st.integers(0, 3), st.integers(0, 3), st.integers(4, 8), st.integers(4, 8))
LOOSE = st.builds(Box, *(st.floats(0, 10),) * 2, *(st.floats(1, 20),) * 2)
BOXES = st.one_of(NEAR, LOOSE)
CONFIDENCES = st.one_of(st.sampled_from([0.25, 0.5, 0.75]), st.floats(0, 1))
DRAWN = st.lists(st.builds(ReferenceBox, IMAGES, STRUCTURES, BOXES), max_size=25)
FOUND = st.lists(st.builds(FoundBox, IMAGES, STRUCTURES, BOXES, CONFIDENCES), max_size=40)


def coco_stats(reference: list[ReferenceBox], predicted: list[FoundBox]) -> list[float]:
    """AP, AP50 and AP75 of pycocotools; -1 where it has none."""
    images = {name: at + 1 for at, name in enumerate("abcd")}
    kinds = {"Lu": 1, "Sca": 2}

    def entry(one: ReferenceBox | FoundBox, number: int) -> dict[str, object]:
        box = one.box
        return {
            "id": number + 1,
            "image_id": images[one.image],
            "category_id": kinds[one.structure],
            "bbox": [box.x, box.y, box.width, box.height],
            "area": box.area,
            "iscrowd": 0,
        }

    truth = COCO()
    truth.dataset = {
        "images": [{"id": at} for at in images.values()],
        "annotations": [entry(one, number) for number, one in enumerate(reference)],
        "categories": [{"id": at} for at in kinds.values()],
        "info": {},
    }
    with contextlib.redirect_stdout(io.StringIO()):
        truth.createIndex()
        answers = truth.loadRes([entry(one, at) | {"score": one.confidence} for at, one in enumerate(predicted)])
        run = COCOeval(truth, answers, "bbox")
        run.evaluate()
        run.accumulate()
        run.summarize()
    return [float(value) for value in run.stats[:3]]


def stats(found: BoxPrecision) -> list[float]:
    return [found.ap, found.ap50, found.ap75]


@given(DRAWN.filter(len), FOUND.filter(len))
@settings(max_examples=80, deadline=None)
def test_it_is_what_pycocotools_computes(reference: list[ReferenceBox], predicted: list[FoundBox]) -> None:
    found = average_precision_boxes(reference, predicted)
    assert stats(found) == pytest.approx(coco_stats(reference, predicted), abs=1e-6)


def test_of_more_than_a_hundred_answers_in_an_image_the_surest_hundred_count() -> None:
    drawn = [ReferenceBox("a", "Lu", Box(0, 0, 5, 5)), ReferenceBox("a", "Lu", Box(50, 0, 5, 5))]
    wrong = [FoundBox("a", "Lu", Box(90, 90, 5, 5), 0.9 - at / 1000) for at in range(99)]
    right = [FoundBox("a", "Lu", Box(0, 0, 5, 5), 0.5), FoundBox("a", "Lu", Box(50, 0, 5, 5), 0.4)]
    found = average_precision_boxes(drawn, wrong + right)
    assert stats(found) == pytest.approx(coco_stats(drawn, wrong + right), abs=1e-6)
    assert 0 < found.ap50 < 0.02


def test_a_hand_counted_case() -> None:
    # The surest answer lies elsewhere, the second is right: every sensitivity is reached at a precision of 1/2.
    drawn = [ReferenceBox("a", "Lu", Box(0, 0, 10, 10))]
    answers = [FoundBox("a", "Lu", Box(50, 50, 10, 10), 0.9), FoundBox("a", "Lu", Box(0, 0, 10, 10), 0.6)]
    found = average_precision_boxes(drawn, answers)
    assert stats(found) == pytest.approx([0.5, 0.5, 0.5])
    assert found.by_cut == pytest.approx([0.5] * 10)


def test_perfect_answers_have_1_and_a_second_answer_for_a_joint_no_more() -> None:
    drawn = [ReferenceBox(image, "Lu", Box(0, 0, 10, 10)) for image in "ab"]
    answers = [FoundBox(one.image, one.structure, one.box, 0.9) for one in drawn]
    assert stats(average_precision_boxes(drawn, answers)) == [1, 1, 1]
    double = [*answers, FoundBox("a", "Lu", Box(0, 0, 10, 10), 0.95)]
    assert average_precision_boxes(drawn, double).ap < 1


def test_a_structure_without_a_reference_is_undefined_and_one_never_found_has_0() -> None:
    drawn = [ReferenceBox("a", "Lu", Box(0, 0, 9, 9)), ReferenceBox("a", "Tr", Box(0, 0, 9, 9))]
    answers = [FoundBox("a", "Lu", Box(0, 0, 9, 9), 0.9), FoundBox("a", "Sca", Box(0, 0, 9, 9), 0.9)]
    found = average_precision_boxes(drawn, answers)
    assert math.isnan(found.by_structure["Sca"])
    assert found.by_structure["Tr"] == 0
    assert found.ap == found.by_structure["Lu"] / 2 == 0.5
    assert average_precision_boxes(drawn, []).ap == 0


def test_without_any_reference_it_is_undefined() -> None:
    for answers in ([], [FoundBox("a", "Sca", Box(0, 0, 9, 9), 0.9)]):
        assert all(math.isnan(value) for value in stats(average_precision_boxes([], answers)))


@pytest.mark.parametrize("confidence", [math.nan, math.inf])
def test_a_confidence_that_is_none_is_refused(confidence: float) -> None:
    with pytest.raises(InputError, match="confidence of Sca in a is"):
        average_precision_boxes([], [FoundBox("a", "Sca", Box(0, 0, 9, 9), confidence)])
