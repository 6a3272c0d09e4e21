import math

import numpy as np
import polars as pl
import pytest

from carpus.anatomy import Joint
from carpus.data.results import ResultRow, results_frame
from carpus.imaging import Box
from carpus.metrics import FoundBox, ReferenceBox, average_precision_boxes
from carpus.metrics.boxes import box_iou
from carpus.report.box_table import box_table

SIDE = 20.0


def rows_of(
    found: list[FoundBox], images: list[str], *, seed: int | None = 1, joints: tuple[Joint, ...] = tuple(Joint)
):
    reference = Box(100, 100, SIDE, SIDE)
    by_place = {(each.image, each.structure): each for each in found}
    rows = []
    for image in images:
        for joint in joints:
            answer = by_place.get((image, joint.abbreviation))
            values = {
                "box_iou": box_iou(reference, answer.box) if answer else 0.0,
                "confidence": answer.confidence if answer else math.nan,
            }
            rows += [
                ResultRow(
                    "joints", "Finder", seed, "own", "phantom", "test", image, image[:4], joint.abbreviation, k, v
                )
                for k, v in values.items()
            ]
    return rows


def answers(chance: np.random.Generator, images: list[str]) -> list[FoundBox]:
    return [
        FoundBox(image, joint.abbreviation, Box(100 + chance.uniform(-8, 8), 100, SIDE, SIDE), chance.random())
        for image in images
        for joint in Joint
        if chance.random() < 0.8
    ]


@pytest.fixture
def images() -> list[str]:
    return [f"{number:04d}_0001_R" for number in range(25)]


def test_the_table_has_the_precision_that_coco_has_for_the_same_boxes(images: list[str]) -> None:
    found = answers(np.random.default_rng(0), images)
    drawn = [ReferenceBox(image, joint.abbreviation, Box(100, 100, SIDE, SIDE)) for image in images for joint in Joint]
    expected = average_precision_boxes(drawn, found)
    table = box_table(results_frame(rows_of(found, images)), seed=0, replicates=200)
    assert [row.part for row in table.rows] == ["All", *(joint.label for joint in Joint)]
    whole = [cell.value for cell in table.rows[0].cells if cell]
    assert whole[:3] == pytest.approx([expected.ap, expected.ap50, expected.ap75], abs=1e-12)
    for row, joint in zip(table.rows[1:], Joint, strict=True):
        assert row.cells[0] is not None
        assert row.cells[0].value == pytest.approx(expected.by_structure[joint.abbreviation], abs=1e-12)
    assert whole[4:] == [len(drawn), len(drawn) - len(found)]
    mean = table.rows[0].cells[3]
    assert mean is not None
    assert mean.low < mean.value < mean.high
    assert table.rows[0].source == "PHANTOM"


def test_a_second_seed_is_averaged_and_not_ranked_with_the_first(images: list[str]) -> None:
    right = [FoundBox(image, joint.abbreviation, Box(100, 100, SIDE, SIDE), 0.1) for image in images for joint in Joint]
    both = [*rows_of(right, images, seed=1), *rows_of([], images, seed=2)]
    table = box_table(results_frame(both), seed=0, replicates=50)
    first = table.rows[0].cells[0]
    assert first is not None
    assert first.value == 0.5
    assert "2 seeds" in table.rows[0].details


def test_joints_without_a_reference_have_no_row(images: list[str]) -> None:
    results = results_frame(rows_of([], images, joints=(Joint.LUNATE,)))
    table = box_table(results, seed=0, replicates=50)
    assert [row.part for row in table.rows] == ["All", Joint.LUNATE.label]
    assert not box_table(results.filter(pl.col("task") == "bones"), seed=0).rows
