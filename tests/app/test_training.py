"""Trainings through the command line: what stops them, what they leave, and that they can be done again."""

import errno
import json
import os
import shutil
from pathlib import Path

import pandas as pd
import pytest
import torch

from carpus.data.layout import Split
from carpus.data.reader import read_dataset
from carpus.nets.checkpoint import read_checkpoint_info
from carpus.training import fit
from carpus.training.engine import make_trainer

TINY = ["--set", "net_options={filters: [4, 8, 8]}", "--set", "image_size=32", "--set", "epochs=3"]


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


def train(data: Path, out: Path, *more: object) -> list[object]:
    return ["train", "--recipe", "quick", "--data", data, "--out", out, *TINY, *more]


def full_disk_in_epoch(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets the disk be full when the checkpoint of an epoch is written."""
    sync, calls = os.fsync, []

    def full(handle: int) -> None:
        calls.append(handle)
        if len(calls) == number:
            raise OSError(errno.ENOSPC, "No space left on device")
        sync(handle)

    monkeypatch.setattr(os, "fsync", full)


def test_a_full_disk_and_data_that_vanished_lose_nothing(carpus, phantoms: Path, runs: Path, monkeypatch) -> None:
    whole, run, data = runs / "whole", runs / "stopped", runs / "data"
    assert carpus(*train(phantoms, whole)).status == 0
    shutil.copytree(phantoms, data)

    with monkeypatch.context() as patch:
        full_disk_in_epoch(2, patch)
        done = carpus(*train(data, run))
    assert done.status == 2
    assert done.err.startswith("Error: the disk of ")
    assert "up to the last whole epoch is kept" in done.err
    kept = torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)
    assert kept["carpus"]["seed"] == 3407

    data.rename(runs / "gone")
    done = carpus(*train(data, run))
    assert done.status == 2
    assert str(data) in done.err
    assert len(done.err.splitlines()) == 1
    (runs / "gone").rename(data)

    assert carpus(*train(data, run)).status == 0
    for file in ("model.safetensors", "history.csv"):
        assert (run / file).read_bytes() == (whole / file).read_bytes()


@pytest.fixture
def vanishing(phantoms: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A dataset that is gone before the first step."""
    shutil.copytree(phantoms, tmp_path / "data")

    def vanish(*arguments: object) -> object:
        shutil.rmtree(tmp_path / "data")
        return make_trainer(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(fit, "make_trainer", vanish)
    return tmp_path / "data"


def test_images_that_vanish_while_it_trains_are_in_the_cache(carpus, vanishing: Path, tmp_path: Path) -> None:
    assert carpus(*train(vanishing, tmp_path / "run", "--set", "epochs=1")).status == 0


@pytest.mark.parametrize("workers", [0, 1])
def test_without_a_cache_images_that_vanish_while_it_trains_are_named(
    carpus, vanishing: Path, tmp_path: Path, monkeypatch, workers: int
) -> None:
    for place in ("carpus.data.packing.open_packed", "carpus.training.fit.open_packed"):
        monkeypatch.setattr(place, lambda *_, **__: None)
    done = carpus(*train(vanishing, tmp_path / "run", "--workers", workers))
    assert done.status == 2
    assert len(done.err.splitlines()) == 1
    assert "Traceback" not in done.err
    assert "the same command goes on when that is put right" in done.err


def test_a_loss_that_is_no_number_stops_before_anything_is_kept_of_it(carpus, phantoms: Path, tmp_path: Path) -> None:
    done = carpus(*train(phantoms, tmp_path, "--set", "lr=1e30", "--set", "bone_prior=0.5"))
    assert done.status == 2
    assert "loss is no finite number any more in epoch" in done.err
    assert "with a smaller lr" in done.err
    assert not (tmp_path / "model.safetensors").exists()


def test_a_damaged_checkpoint_is_named(carpus, phantoms: Path, tmp_path: Path) -> None:
    assert carpus(*train(phantoms, tmp_path, "--set", "epochs=1")).status == 0
    (tmp_path / "model.safetensors").unlink()
    (tmp_path / "checkpoints" / "last.ckpt").write_bytes(b"PK\x03\x04 nothing")
    done = carpus(*train(phantoms, tmp_path, "--set", "epochs=1"))
    assert done.status == 2
    assert "last.ckpt is damaged; delete" in done.err


def test_other_data_in_the_same_place_is_noticed(carpus, phantoms: Path, tmp_path: Path) -> None:
    data, run = tmp_path / "data", tmp_path / "run"
    shutil.copytree(phantoms, data)
    assert carpus(*train(data, run, "--set", "epochs=1")).status == 0
    (run / "model.safetensors").unlink()
    image = next(case.image for case in read_dataset(data).cases if case.bone_split is Split.TRAIN)
    content = bytearray(image.read_bytes())
    content[-1] ^= 1
    image.write_bytes(content)
    done = carpus(*train(data, run, "--set", "epochs=1"))
    assert done.status == 2
    assert "was begun with other data" in done.err


def test_a_run_says_how_it_was_made_and_can_be_done_again(carpus, phantoms: Path, tmp_path: Path) -> None:
    run, again = tmp_path / "run", tmp_path / "run-again"
    options = ["--set", "ema=0.9", "--set", "schedule=poly", "--set", "seed=5", "--set", "epochs=2"]
    assert carpus(*train(phantoms, run, *options)).status == 0
    made = read_checkpoint_info(run / "model.safetensors").provenance
    record = json.loads((run / "training.json").read_text())
    assert made["recipe"]["ema"] == 0.9
    assert made["fingerprint"] == record["fingerprint"]
    assert set(made["metrics"]) == {"val_loss", "val_dsc", "train_loss", "lr", "epoch"}
    assert {"carpus", "torch", "commit", "machine"} <= set(made)
    best = read_checkpoint_info(run / "checkpoints" / "best.safetensors").provenance
    assert best["metrics"] == made["metrics"]
    assert (run / "curves.png").stat().st_size > 10_000
    assert list((run / "tensorboard").glob("events*"))

    done = carpus("reproduce", run)
    assert done.status == 0, done.err + done.out
    assert "weights: equal bit for bit" in done.out
    assert (again / "model.safetensors").read_bytes() == (run / "model.safetensors").read_bytes()

    history = pd.read_csv(run / "history.csv")
    history["train_loss"] += 0.25
    history.to_csv(run / "history.csv", index=False)
    done = carpus("reproduce", run)
    assert done.status == 1
    assert "train_loss: differs by up to 0.25" in done.out

    (run / "training.json").write_text(json.dumps({**record, "fingerprint": "other"}))
    done = carpus("reproduce", run)
    assert done.status == 2
    assert "does not hold what" in done.err


def test_an_early_end_is_the_end_after_an_interruption_too(carpus, phantoms: Path, tmp_path: Path) -> None:
    # Nothing is learnt at this rate, so the first epoch stays the best.
    options = ["--set", "lr=1e-30", "--set", "patience=2", "--set", "epochs=6", "--set", "weight_decay=0"]
    command = train(phantoms, tmp_path, *options)
    assert carpus(*command).status == 0
    before = [(tmp_path / name).read_bytes() for name in ("model.safetensors", "history.csv")]
    assert len(pd.read_csv(tmp_path / "history.csv")) == 3
    (tmp_path / "model.safetensors").unlink()
    assert carpus(*command).status == 0
    assert [(tmp_path / name).read_bytes() for name in ("model.safetensors", "history.csv")] == before


@pytest.mark.parametrize("more", [["precision=bfloat16"], ["precision=float16"], ["clip_norm=null", "ema=0.5"]])
def test_settings_of_the_engine_train(carpus, phantoms: Path, tmp_path: Path, more: list[str]) -> None:
    settings = [part for field in [*more, "epochs=1"] for part in ("--set", field)]
    done = carpus(*train(phantoms, tmp_path, *settings))
    assert done.status == 0, done.err


@pytest.mark.parametrize(("net", "options"), [("Unet", "{filters: [4, 8, 8]}"), ("ResNet", "{}")])
def test_the_papers_recipe_trains(carpus, phantoms: Path, tmp_path: Path, net: str, options: str) -> None:
    settings = [f"net_options={options}", "image_size=32", "epochs=1"]
    small = [part for field in settings for part in ("--set", field)]
    done = carpus("train", "--net", net, "--recipe", "paper", "--data", phantoms, "--out", tmp_path, *small)
    assert done.status == 0, done.err
    assert read_checkpoint_info(tmp_path / "model.safetensors").recipe == "paper"


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_named(carpus, phantoms: Path, tmp_path: Path) -> None:
    done = carpus(*train(phantoms, tmp_path, "--device", "gpu"))
    assert done.status == 2
    assert "this machine has no GPU" in done.err


def test_mlflow_wants_to_know_its_server(carpus, phantoms: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    done = carpus(*train(phantoms, tmp_path, "--mlflow"))
    assert done.status == 2
    assert "set MLFLOW_TRACKING_URI" in done.err


def test_a_training_on_phantoms_drawn_on_the_fly_needs_no_dataset_and_can_be_done_again(carpus, tmp_path: Path) -> None:
    run = tmp_path / "run"
    smaller = ("image_size=64", "epochs=2", "epoch_items=8", "batch_size=4")
    tiny = [*TINY, *(part for setting in smaller for part in ("--set", setting))]
    done = carpus("train", "--recipe", "shipped", "--out", run, *tiny)
    assert done.status == 0, done.err
    info = read_checkpoint_info(run / "model.safetensors")
    assert (info.trained_on, info.recipe) == ("phantom", "shipped")
    assert json.loads((run / "training.json").read_text())["data"] == "phantoms drawn on the fly"
    assert len(pd.read_csv(run / "history.csv")) == 2
    assert carpus("reproduce", run).status == 0


def test_erosion_is_learnt_on_the_fly_too_and_an_interruption_changes_nothing(
    carpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = ("image_size=32", "epochs=2", "epoch_items=8", "batch_size=4", "precision=float32")
    tiny = ["train", "--net", "ResNet", "--recipe", "shipped", *(x for each in settings for x in ("--set", each))]
    whole, run = tmp_path / "whole", tmp_path / "run"
    done = carpus(*tiny, "--out", whole)
    assert done.status == 0, done.err
    info = read_checkpoint_info(whole / "model.safetensors")
    assert (info.task, info.head, info.classes, info.prevalence) == ("erosion", "corn", 5, 0.5)
    assert info.cut is not None
    assert 0 < info.cut < 1

    with monkeypatch.context() as patch:
        full_disk_in_epoch(2, patch)
        assert carpus(*tiny, "--out", run).status == 2
    assert carpus(*tiny, "--out", run).status == 0
    for file in ("model.safetensors", "history.csv"):
        assert (run / file).read_bytes() == (whole / file).read_bytes()

    refused = carpus(*tiny, "--set", "imbalance=balanced", "--out", tmp_path / "no")
    assert refused.status == 2
    assert "choose contralateral=false, and imbalance=weighted" in refused.err
