import dataclasses
from pathlib import Path

import lightning.pytorch as pl
import pandas as pd
import pytest

from carpus.data.dataset import Dataset
from carpus.data.layout import Split
from carpus.data.reader import read_dataset
from carpus.errors import InputError
from carpus.nets.checkpoint import read_checkpoint_info
from carpus.training import fit
from carpus.training.cases import task_cases
from carpus.training.history import History
from carpus.training.recipe import named_recipe

BONES = dataclasses.replace(
    named_recipe("Unet", "quick"), net_options={"filters": [4, 8, 8]}, image_size=32, epochs=3, seed=11
)
EROSION = dataclasses.replace(named_recipe("ResNet", "quick"), image_size=32, epochs=1)


@pytest.fixture(scope="module")
def dataset(phantoms: Path) -> Dataset:
    return read_dataset(phantoms)


def test_an_interrupted_training_ends_with_the_same_weights(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class PowerCut(History):
        def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:  # noqa: ARG002
            if trainer.current_epoch == 1:
                raise SystemError

    whole = fit.train(BONES, dataset, tmp_path / "whole")
    with monkeypatch.context() as patch, pytest.raises(SystemError):
        patch.setattr(fit, "History", PowerCut)
        fit.train(BONES, dataset, tmp_path / "cut")
    assert not (tmp_path / "cut" / "model.safetensors").exists()
    resumed = fit.train(BONES, dataset, tmp_path / "cut")

    assert resumed.read_bytes() == whole.read_bytes()
    histories = [pd.read_csv(run.parent / "history.csv") for run in (whole, resumed)]
    assert histories[1]["epoch"].tolist() == [1, 2, 3]
    pd.testing.assert_frame_equal(histories[0], histories[1])


def test_the_checkpoint_says_how_it_was_made(dataset: Dataset, tmp_path: Path) -> None:
    info = read_checkpoint_info(fit.train(EROSION, dataset, tmp_path / "run"))
    assert (info.task, info.net, info.classes, info.trained_on) == ("erosion", "ResNet", 2, "phantom")
    assert info.cut is not None
    assert 0 < info.cut < 1
    assert info.provenance["epochs"] == 1
    assert "val_auroc" in info.provenance


def test_a_folder_of_another_recipe_is_not_mixed_up(dataset: Dataset, tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text("name: other\n")
    with pytest.raises(InputError, match="holds a training by another recipe"):
        fit.train(BONES, dataset, tmp_path)
    assert (tmp_path / "recipe.yaml").read_text() == "name: other\n"


def test_a_dataset_without_the_task_is_refused(dataset: Dataset) -> None:
    without = dataclasses.replace(
        dataset, cases=tuple(dataclasses.replace(case, masks=None, scores=None) for case in dataset.cases)
    )
    for task in ("bones", "erosion"):
        with pytest.raises(InputError, match=f"has no {task} cases in val"):
            task_cases(without, task, Split.VAL)
