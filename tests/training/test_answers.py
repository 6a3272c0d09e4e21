import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from carpus.anatomy import Bone, Side
from carpus.data.dataset import Case
from carpus.data.layout import Split
from carpus.data.reader import read_dataset, read_masks
from carpus.errors import InputError
from carpus.imaging.files import write_plane
from carpus.metrics import score_bones
from carpus.training.answers import score_erosion_answers, score_masks
from carpus.training.baselines import score_baseline, score_mean_shape

BONES = {bone.abbreviation for bone in Bone}


def cases_of(phantoms: Path, split: Split) -> list[Case]:
    return [case for case in read_dataset(phantoms).cases if case.bone_split is split]


def test_the_rows_are_what_the_metrics_give_on_the_papers_grid(phantoms: Path, tmp_path: Path) -> None:
    for case in cases_of(phantoms, Split.VAL):
        write_plane(tmp_path / f"{case.id}.png", read_masks(case).resized(height=100, width=90))
    answers = score_masks(phantoms, tmp_path, model="Mine", split=Split.VAL)
    assert (answers.missing, answers.unknown, answers.no_baseline) == ((), (), "")
    case = cases_of(phantoms, Split.VAL)[0]
    masks = read_masks(case)
    small = masks.resized(height=100, width=90)
    grid = {"height": 512, "width": 512}
    assert masks.shape == (600, 600)
    # 0.15 mm a pixel of 600, so 90 mm in 512.
    expected = score_bones(masks.resized(**grid), small.resized(**grid), spacing_mm=90 / 512)
    rows = [row for row in answers.rows if row.model == "Mine" and row.image == str(case.id)]
    found = [(row.structure, row.metric, row.value) for row in rows]
    assert [each[:2] for each in found] == [each[:2] for each in expected]
    assert [each[2] for each in found] == pytest.approx([each[2] for each in expected], nan_ok=True)


def test_predictions_for_other_splits_are_left_out_without_a_word(phantoms: Path, tmp_path: Path) -> None:
    for split in (Split.VAL, Split.TEST):
        case = cases_of(phantoms, split)[0]
        write_plane(tmp_path / f"{case.id}.png", read_masks(case))
    answers = score_masks(phantoms, tmp_path, model="Mine", split=Split.VAL)
    assert answers.unknown == ()
    assert {row.image for row in answers.rows} == {str(case.id) for case in cases_of(phantoms, Split.VAL)}


def test_predictions_that_fit_nothing_are_refused(phantoms: Path, tmp_path: Path) -> None:
    case = cases_of(phantoms, Split.TRAIN)[0]
    write_plane(tmp_path / f"{case.id}.png", read_masks(case))
    with pytest.raises(InputError, match=f"predictions of none of the .* it has {case.id} and the reference"):
        score_masks(phantoms, tmp_path, model="Mine")


def test_a_bone_counts_as_eroded_by_its_own_joint_and_a_wrist_by_its_worst(phantoms: Path) -> None:
    dataset = read_dataset(phantoms)
    rows = score_mean_shape(dataset, Split.VAL)
    for case in cases_of(phantoms, Split.VAL):
        groups = {row.structure: row.group for row in rows if row.image == str(case.id)}
        scores = case.scores or {}
        for joint, score in scores.items():
            assert groups[joint.abbreviation] == ("BE" if score else "nonBE")
        worst = {True: "BE", False: "nonBE"}[any(scores.values())] if scores else ""
        assert groups["Cap"] == groups["Radius-Sca"] == worst


def test_the_mean_shape_overlaps_with_both_hands_and_knows_only_the_training_split(phantoms: Path) -> None:
    rows = score_mean_shape(read_dataset(phantoms), Split.VAL)
    for side in Side:
        dice = [
            row.value for row in rows if row.metric == "dsc" and row.structure in BONES and row.image[-1] == side.value
        ]
        assert 0.4 < np.mean(dice) < 0.95
    assert {row.model for row in rows} == {"MeanShape"}


@pytest.mark.parametrize("side", Side)
def test_of_one_training_mask_the_mean_shape_is_that_mask_on_whichever_hand(phantoms: Path, side: Side) -> None:
    dataset = read_dataset(phantoms)
    case = next(case for case in cases_of(phantoms, Split.TRAIN) if case.id.side is side)
    other = next(case for case in cases_of(phantoms, Split.VAL) if case.id.side is side)
    train, same = replace(case, bone_split=Split.TRAIN), replace(case, bone_split=Split.TEST)

    def dice(*cases: Case) -> set[float]:
        rows = score_mean_shape(replace(dataset, cases=(train, *cases)), Split.TEST)
        return {row.value for row in rows if row.metric == "dsc" and row.structure in BONES}

    assert dice(same) == {1.0}
    assert 1.0 not in dice(replace(other, bone_split=Split.TEST))


def test_a_task_without_a_baseline_has_no_rows_of_one(phantoms: Path) -> None:
    assert score_baseline("joints", read_dataset(phantoms), Split.TEST) == ([], "")


@pytest.mark.parametrize(("given", "in_table", "expected"), [(0.7, 0.3, 0.7), (None, 0.3, 0.3), (None, None, 0.5)])
def test_the_cut_is_the_given_one_else_the_tables_else_one_half(
    phantoms: Path, tmp_path: Path, given: float | None, in_table: float | None, expected: float
) -> None:
    case = next(case for case in read_dataset(phantoms).cases if case.erosion_split is Split.TEST and case.scores)
    head, row = "image,joint,probability", f"{case.id},Lunate,0.4"
    if in_table is not None:
        head, row = f"{head},cut", f"{row},{in_table}"
    (tmp_path / "a.csv").write_text(f"{head}\n{row}\n")
    answers = score_erosion_answers(phantoms, tmp_path, model="Mine", cut=given)
    assert answers.cut == expected
    mine = [row for row in answers.rows if row.model == "Mine"]
    assert {row.value for row in mine if row.metric == "cut"} == {expected}
    answered = [row for row in mine if row.metric == "probability" and not math.isnan(row.value)]
    assert [(row.image, row.structure, row.value) for row in answered] == [(str(case.id), "Lu", 0.4)]
    assert f"{case.id} Scaphoid" in answers.missing
