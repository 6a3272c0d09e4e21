import xml.etree.ElementTree as ElementTree
from collections.abc import Callable

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from carpus.anatomy import Bone, Joint
from carpus.metrics import Confusion
from carpus.report import figures


def texts(svg: str) -> list[str]:
    root = ElementTree.fromstring(svg)  # noqa: S314 (written by the figure under test)
    return ["".join(node.itertext()).strip() for node in root.iter("{http://www.w3.org/2000/svg}text")]


def history(metric: str) -> pd.DataFrame:
    epoch = np.arange(1, 6)
    return pd.DataFrame({"epoch": epoch, "train_loss": 2 / epoch, "val_loss": 3 / epoch, metric: epoch / 9})


def test_training_curves_name_every_training_and_metric() -> None:
    found = texts(figures.training_curves({"unet": history("val_dsc"), "resnet": history("val_auroc")}))
    assert {"unet: loss", "resnet: validation metric", "DSC", "AUROC", "training", "validation"} <= set(found)


def test_a_training_without_validation_still_has_its_curve() -> None:
    found = texts(figures.training_curves({"unet": history("val_dsc")[["epoch", "train_loss"]]}))
    assert "training" in found
    assert "validation" not in found


def test_every_bone_has_a_line_for_every_run(results: pd.DataFrame) -> None:
    found = texts(figures.values_by_bone(results))
    assert {bone.abbreviation for bone in Bone} <= set(found)
    assert "unet (PHANTOM)" in found


def test_runs_without_any_defined_value_are_drawn_empty(results: pd.DataFrame) -> None:
    assert "unet (PHANTOM)" in texts(figures.values_by_bone(results.assign(value=np.nan)))


@pytest.mark.parametrize("models", [1, 3, 6])
def test_confusion_matrices_print_their_counts(models: int) -> None:
    matrices = [(f"model {number}", Confusion(tp=3, fp=20, fn=1, tn=80)) for number in range(models)]
    found = texts(figures.confusion_matrices(matrices))
    assert {"3", "20", "1", "80", "75%", "25%", "20%"} <= set(found)
    assert f"model {models - 1}" in found


def test_reference_scores_count_a_joint_once_whoever_read_it(results: pd.DataFrame) -> None:
    twice = pd.concat([results, results.assign(model="other")])
    assert texts(figures.reference_scores(twice)) == texts(figures.reference_scores(results))
    assert {joint.label for joint in Joint} <= set(texts(figures.reference_scores(results)))


def test_probabilities_have_a_panel_a_run(results: pd.DataFrame) -> None:
    four = pd.concat([results.assign(model=f"net{number}") for number in range(4)])
    found = texts(figures.probabilities_by_score(four, generator=np.random.default_rng(0)))
    assert {f"net{number}" for number in range(4)} <= set(found)


@pytest.mark.parametrize(
    "draw",
    [
        figures.values_by_bone,
        figures.reference_scores,
        lambda results: figures.probabilities_by_score(results, generator=np.random.default_rng(1)),
    ],
)
def test_the_same_results_give_the_same_figure(results: pd.DataFrame, draw: Callable[[pd.DataFrame], str]) -> None:
    assert draw(results) == draw(results)


def test_a_name_with_markup_is_escaped(results: pd.DataFrame) -> None:
    svg = figures.values_by_bone(results.replace({"model": {"unet": "<script>alert(1)</script>"}}))
    assert "<script" not in svg


def test_drawing_leaves_the_settings_of_matplotlib_as_they_were(results: pd.DataFrame) -> None:
    before = dict(mpl.rcParams)
    figures.values_by_bone(results)
    assert dict(mpl.rcParams) == before
