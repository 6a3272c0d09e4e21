import math
from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from carpus.anatomy import Bone, Joint
from carpus.metrics import Confusion
from carpus.report import figures
from carpus.report.figure_data import (
    joint_confusions,
    score_counts,
    scored_probabilities,
    values_of_bones,
    values_of_patients,
)


def test_every_bone_has_one_value_an_image(results: pl.DataFrame) -> None:
    (values,) = values_of_bones(results, metric="dsc").values()
    assert [len(values[bone]) for bone in Bone] == [12] * 14
    rows = results.filter(pl.col("structure") == "Lu", pl.col("metric") == "dsc")
    assert sorted(values[Bone.LUNATE]) == sorted(rows["value"])


def test_a_patients_values_are_the_means_over_the_bones_of_each_image(results: pl.DataFrame) -> None:
    (patients,) = values_of_patients(results, metric="dsc").values()
    assert [len(one.values) for one in patients] == [2] * 6
    bones = results.filter(pl.col("structure").is_in([bone.abbreviation for bone in Bone]), pl.col("metric") == "dsc")
    assert np.mean([one.values for one in patients]) == pytest.approx(bones["value"].mean())
    assert {one.group for one in patients} == {"BE", "nonBE"}


def test_an_image_without_a_finite_value_is_undefined(results: pl.DataFrame) -> None:
    is_one = pl.col("image") == "0000_0001_L"
    nothing = results.with_columns(value=pl.when(is_one).then(math.inf).otherwise("value"))
    (patients,) = values_of_patients(nothing, metric="msd").values()
    assert np.isnan(patients[0].values).sum() == 1


def test_reference_scores_count_a_joint_once_whoever_read_it(results: pl.DataFrame) -> None:
    twice = pl.concat([results, results.with_columns(model=pl.lit("other").cast(pl.Categorical))])
    counts = score_counts(twice)
    assert counts == score_counts(results)
    assert {sum(own) for own in counts.values()} == {12}
    assert list(counts) == list(Joint)


def test_probabilities_come_with_their_scores_and_cuts(results: pl.DataFrame) -> None:
    (answers,) = scored_probabilities(results)
    assert answers.model == "resnet"
    assert answers.cuts == (0.5,)
    assert len(answers.scores) == len(answers.probability) == 72


def test_the_counts_of_all_joints_are_the_sum_of_each(results: pl.DataFrame) -> None:
    (own,) = joint_confusions(results).values()
    each = [own[joint.abbreviation] for joint in Joint]
    total = Confusion(*(sum(getattr(one, name) for one in each) for name in ("tp", "fp", "fn", "tn")))
    assert own["All"] == total


def test_runs_of_one_model_have_names_of_their_own(make_results: Callable[..., pl.DataFrame]) -> None:
    twice = pl.concat([make_results(), make_results().with_columns(recipe=pl.lit("paper").cast(pl.Categorical))])
    assert set(values_of_bones(twice, metric="dsc")) == {"unet (carpus, seed 3, test)", "unet (paper, seed 3, test)"}


def test_all_of_it_can_be_drawn(results: pl.DataFrame) -> None:
    figures.svg(figures.patient_ranges(values_of_patients(results, metric="dsc"), metric="dsc"))
    figures.svg(figures.confusion_by_joint(joint_confusions(results)))
