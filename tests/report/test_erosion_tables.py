import math
from collections.abc import Callable

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn import metrics as sklearn

from carpus.errors import InputError
from carpus.report.cells import Cell, Table
from carpus.report.erosion_tables import erosion_runs, further_table, joint_confusion, joint_table, table_5


def made(results: pl.DataFrame, make: Callable[..., Table] = table_5) -> Table:
    return make(results, seed=0, replicates=50)


def cells(table: Table, position: int = 0) -> dict[str, Cell]:
    names = [f"{column.group} {column.name}".strip() for column in table.columns]
    return {name: cell for name, cell in zip(names, table.rows[position].cells, strict=True) if cell}


def wide(results: pl.DataFrame) -> pd.DataFrame:
    rows = pd.DataFrame(results.filter(pl.col("task") == "erosion").to_dict(as_series=False))
    return rows.pivot_table(index=["image", "structure"], columns="metric", values="value").reset_index()


def answering(results: pl.DataFrame, probability: pl.Expr) -> pl.DataFrame:
    is_answer = pl.col("metric") == "probability"
    return results.with_columns(value=pl.when(is_answer).then(probability).otherwise("value"))


def test_all_joints_together_are_those_of_scikit_learn(results: pl.DataFrame) -> None:
    found, joints = cells(made(results)), wide(results)
    eroded, called = joints["score"] > 0, joints["probability"] >= joints["cut"]
    assert found["BACC"].value == pytest.approx(sklearn.balanced_accuracy_score(eroded, called))
    assert found["F1"].value == pytest.approx(sklearn.f1_score(eroded, called))
    assert found["PRE"].value == pytest.approx(sklearn.precision_score(eroded, called))
    assert found["AUROC all joints"].value == pytest.approx(sklearn.roc_auc_score(eroded, joints["probability"]))
    assert found["Joints all"].value == 72
    assert found["Joints eroded"].value == eroded.sum()


def test_each_joint_is_its_own_row(results: pl.DataFrame) -> None:
    table, joints = made(results, joint_table), wide(results)
    assert [row.part for row in table.rows][:2] == ["First metacarpal", "Trapezium"]
    own = joints[joints["structure"] == "Tr"]
    expected = sklearn.roc_auc_score(own["score"] > 0, own["probability"])
    assert cells(table, 1)["AUROC"].value == pytest.approx(expected)


def test_a_model_that_knows_only_the_joint_is_chance_within_it(results: pl.DataFrame) -> None:
    prevalence = dict(zip(["MC1", "Tr", "Sca", "Lu", "Radius", "Ulna"], np.linspace(0, 1, 6).tolist(), strict=True))
    known = pl.col("structure").cast(pl.String).replace_strict(prevalence, default=None)
    found = cells(made(answering(results, known)))
    assert found["AUROC within joint"].value == 0.5
    assert found["AUROC all joints"].value != 0.5


def test_a_probability_at_the_cut_is_called_eroded(results: pl.DataFrame) -> None:
    found = cells(made(answering(results, pl.lit(0.5))))
    assert found["SEN"].value == 1
    assert found["SPC"].value == 0
    assert found["AUROC all joints"].value == 0.5


def test_a_joint_without_a_probability_counts_as_called_wrong_and_ranked_worst(results: pl.DataFrame) -> None:
    joints = wide(results)
    eroded = joints["score"] > 0
    is_answer = results["metric"].to_numpy() == "probability"
    # Leave out the six joints on which the model is best.
    rank = joints["probability"].where(eroded, 1 - joints["probability"])
    best = set(joints.loc[rank.nlargest(6).index, ["image", "structure"]].itertuples(index=False, name=None))
    drop = np.array([pair in best for pair in zip(results["image"], results["structure"], strict=True)])
    found, before = cells(made(results.filter(~(is_answer & drop)))), cells(made(results))

    assert found["Joints unread"].value == 6
    assert found["Joints all"].value == 72
    assert found["ACC"].value == pytest.approx(before["ACC"].value - 6 / 72)
    chosen = rank.index.isin(rank.nlargest(6).index)
    worst = joints["probability"].where(~chosen, np.where(eroded, -1.0, 2.0))
    assert found["AUROC all joints"].value == pytest.approx(sklearn.roc_auc_score(eroded, worst))


def test_an_answer_without_its_cut_is_refused(results: pl.DataFrame) -> None:
    is_cut = pl.col("metric") == "cut"
    with pytest.raises(InputError, match="no score or no cut"):
        erosion_runs(results.filter(~(is_cut & (is_cut.cum_sum() == 1))))


def test_rates_have_intervals_by_patient(results: pl.DataFrame) -> None:
    found = cells(table_5(results, seed=0, replicates=400))
    for name in ("BACC", "F1", "ACC", "SEN", "SPC", "PRE", "AUROC all joints", "AUROC within joint"):
        assert found[name].low <= found[name].value <= found[name].high
        assert found[name].low < found[name].high


def test_a_model_that_always_says_no_has_no_precision(results: pl.DataFrame) -> None:
    found = cells(made(answering(results, pl.lit(0.0))))
    assert math.isnan(found["PRE"].value)
    assert math.isnan(found["PRE"].low)
    assert found["SPC"].value == 1


def test_the_paper_stands_beside_its_network(results: pl.DataFrame) -> None:
    table = made(results)
    assert [(row.model, row.source) for row in table.rows] == [("resnet", "PHANTOM"), ("ResNet", "paper")]
    assert cells(table, 1)["DOR"].value == 3.142
    assert "AUROC all joints" not in cells(table, 1)
    assert any("Not comparable" in note for note in table.notes)


def test_the_confusion_matrix_counts_every_joint(results: pl.DataFrame) -> None:
    _, joints = erosion_runs(results)[0]
    counts = joint_confusion(joints)
    assert counts.tp + counts.fp + counts.fn + counts.tn == 72
    assert counts.tp + counts.fn == (wide(results)["score"] > 0).sum()


def test_a_baseline_without_seed_and_recipe_is_a_run(results: pl.DataFrame) -> None:
    prior = results.filter(pl.col("task") == "erosion").with_columns(
        model=pl.lit("JointPrior").cast(pl.Categorical),
        recipe=pl.lit("").cast(pl.Categorical),
        seed=pl.lit(None, pl.Int32),
    )
    both = pl.concat([results, prior])
    assert [row.model for row in made(both).rows] == ["JointPrior", "resnet", "ResNet"]
    assert made(both).rows[0].details == "test: 12 images, 6 patients"


def test_answers_of_one_seed_are_not_ranked_among_those_of_another(results: pl.DataFrame) -> None:
    # The second seed has the same order at another scale; pooled, the ranking would be muddled.
    scaled = answering(results, pl.col("value") / 10).with_columns(seed=pl.lit(9, pl.Int32))
    both, one = (cells(made(each)) for each in (pl.concat([results, scaled]), results))
    assert both["AUROC all joints"].value == pytest.approx(one["AUROC all joints"].value)
    assert both["Joints all"].value == 144


def test_further_metrics_are_those_of_scikit_learn(results: pl.DataFrame) -> None:
    answers = results.filter(pl.col("metric") == "score").with_columns(
        metric=pl.lit("predicted_score").cast(pl.Categorical), value=pl.col("value").clip(0, 1)
    )
    found, joints = cells(further_table(pl.concat([results, answers]))), wide(results)
    eroded, called = joints["score"] > 0, joints["probability"] >= joints["cut"]
    assert found["MCC"].value == pytest.approx(sklearn.matthews_corrcoef(eroded, called))
    assert found["AP"].value == pytest.approx(sklearn.average_precision_score(eroded, joints["probability"]))
    assert found["Brier"].value == pytest.approx(sklearn.brier_score_loss(eroded, joints["probability"]))
    scores = joints["score"].astype(int)
    kappa = sklearn.cohen_kappa_score(scores, scores.clip(0, 1), weights="quadratic", labels=range(6))
    assert found["Kappa"].value == pytest.approx(kappa)
    assert found["Within 1"].value == 1
    assert math.isnan(cells(further_table(results))["Kappa"].value)
