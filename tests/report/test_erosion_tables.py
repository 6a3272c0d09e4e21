import math
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sklearn

from carpus.errors import InputError
from carpus.report.cells import Cell, Table
from carpus.report.erosion_tables import erosion_runs, joint_confusion, joint_table, table_5


def made(results: pd.DataFrame, make: Callable[..., Table] = table_5) -> Table:
    return make(results, generator=np.random.default_rng(0), replicates=50)


def cells(table: Table, position: int = 0) -> dict[str, Cell]:
    names = [f"{column.group} {column.name}".strip() for column in table.columns]
    return {name: cell for name, cell in zip(names, table.rows[position].cells, strict=True) if cell}


def wide(results: pd.DataFrame) -> pd.DataFrame:
    rows = results[results["task"] == "erosion"]
    return rows.pivot_table(index=["image", "structure"], columns="metric", values="value").reset_index()


def test_all_joints_together_are_those_of_scikit_learn(results: pd.DataFrame) -> None:
    found, joints = cells(made(results)), wide(results)
    eroded, called = joints["score"] > 0, joints["probability"] >= joints["cut"]
    assert found["BACC"].value == pytest.approx(sklearn.balanced_accuracy_score(eroded, called))
    assert found["F1"].value == pytest.approx(sklearn.f1_score(eroded, called))
    assert found["PRE"].value == pytest.approx(sklearn.precision_score(eroded, called))
    assert found["AUROC all joints"].value == pytest.approx(sklearn.roc_auc_score(eroded, joints["probability"]))
    assert found["Joints all"].value == 72
    assert found["Joints eroded"].value == eroded.sum()


def test_each_joint_is_its_own_row(results: pd.DataFrame) -> None:
    table, joints = made(results, joint_table), wide(results)
    assert [row.part for row in table.rows][:2] == ["First metacarpal", "Trapezium"]
    own = joints[joints["structure"] == "Tr"]
    expected = sklearn.roc_auc_score(own["score"] > 0, own["probability"])
    assert cells(table, 1)["AUROC"].value == pytest.approx(expected)


def test_a_model_that_knows_only_the_joint_is_chance_within_it(results: pd.DataFrame) -> None:
    prior = results.copy()
    is_answer = prior["metric"] == "probability"
    prevalence = dict(zip(["MC1", "Tr", "Sca", "Lu", "Radius", "Ulna"], np.linspace(0, 1, 6), strict=True))
    prior.loc[is_answer, "value"] = prior[is_answer]["structure"].map(prevalence)
    found = cells(made(prior))
    assert found["AUROC within joint"].value == 0.5
    assert found["AUROC all joints"].value != 0.5


def test_a_probability_at_the_cut_is_called_eroded(results: pd.DataFrame) -> None:
    at_cut = results.copy()
    at_cut.loc[at_cut["metric"] == "probability", "value"] = 0.5
    found = cells(made(at_cut))
    assert found["SEN"].value == 1
    assert found["SPC"].value == 0
    assert found["AUROC all joints"].value == 0.5


def test_a_joint_without_a_probability_counts_as_called_wrong_and_ranked_worst(results: pd.DataFrame) -> None:
    joints = wide(results)
    eroded = joints["score"] > 0
    is_answer = results["metric"] == "probability"
    # Leave out the six joints on which the model is best.
    rank = joints["probability"].where(eroded, 1 - joints["probability"])
    best = set(joints.loc[rank.nlargest(6).index, ["image", "structure"]].itertuples(index=False, name=None))
    drop = np.array([pair in best for pair in zip(results["image"], results["structure"], strict=True)])
    found, before = cells(made(results[~(is_answer & drop)])), cells(made(results))

    assert found["Joints unread"].value == 6
    assert found["Joints all"].value == 72
    assert found["ACC"].value == pytest.approx(before["ACC"].value - 6 / 72)
    chosen = rank.index.isin(rank.nlargest(6).index)
    worst = joints["probability"].where(~chosen, np.where(eroded, -1.0, 2.0))
    assert found["AUROC all joints"].value == pytest.approx(sklearn.roc_auc_score(eroded, worst))


def test_an_answer_without_its_cut_is_refused(results: pd.DataFrame) -> None:
    with pytest.raises(InputError, match="no score or no cut"):
        erosion_runs(results.drop(results.index[results["metric"] == "cut"][:1]))


def test_rates_have_intervals_by_patient(results: pd.DataFrame) -> None:
    found = cells(table_5(results, generator=np.random.default_rng(0), replicates=400))
    for name in ("BACC", "F1", "ACC", "SEN", "SPC", "PRE", "AUROC all joints", "AUROC within joint"):
        assert found[name].low <= found[name].value <= found[name].high
        assert found[name].low < found[name].high


def test_a_model_that_always_says_no_has_no_precision(results: pd.DataFrame) -> None:
    never = results.copy()
    never.loc[never["metric"] == "probability", "value"] = 0.0
    found = cells(made(never))
    assert math.isnan(found["PRE"].value)
    assert math.isnan(found["PRE"].low)
    assert found["SPC"].value == 1


def test_the_paper_stands_beside_its_network(results: pd.DataFrame) -> None:
    table = made(results)
    assert [(row.model, row.source) for row in table.rows] == [("resnet", "PHANTOM"), ("ResNet", "paper")]
    assert cells(table, 1)["DOR"].value == 3.142
    assert "AUROC all joints" not in cells(table, 1)
    assert any("Not comparable" in note for note in table.notes)


def test_the_confusion_matrix_counts_every_joint(results: pd.DataFrame) -> None:
    _, joints = erosion_runs(results)[0]
    counts = joint_confusion(joints)
    assert counts.tp + counts.fp + counts.fn + counts.tn == 72
    assert counts.tp + counts.fn == (wide(results)["score"] > 0).sum()


def test_a_baseline_without_seed_and_recipe_is_a_run(results: pd.DataFrame) -> None:
    prior = results[results["task"] == "erosion"].assign(model="JointPrior", recipe="")
    prior["seed"] = pd.array([None] * len(prior), "Int64")
    both = pd.concat([results, prior])
    assert [row.model for row in made(both).rows] == ["JointPrior", "resnet", "ResNet"]
    assert made(both).rows[0].details == "test: 12 images, 6 patients"
