"""A classifier that is told the joint and the other hand and answers with scores, from the command line."""

import json
from pathlib import Path

import polars as pl

from carpus.data.layout import Split
from carpus.data.reader import read_dataset
from carpus.data.results import read_results
from carpus.data.torch_datasets import ErosionDataset
from carpus.metrics.classification import best_cut
from carpus.nets.checkpoint import load_checkpoint
from carpus.training.cases import task_cases
from carpus.training.predict import predict_erosion

EXAMPLE = Path(__file__).parents[2] / "examples" / "hand-right-pa.dcm"
FIELDS = ("head=corn", "joint_input=true", "contralateral=true", "imbalance=balanced")
SMALL = ("image_size=32", "epochs=1")


def test_a_training_with_every_term_is_evaluated_and_reads_a_film(carpus, phantoms: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    settings = [word for field in (*FIELDS, *SMALL) for word in ("--set", field)]
    done = carpus("train", "--net", "ResNet", "--recipe", "quick", "--data", phantoms, "--out", run, *settings)
    assert done.status == 0, done.err
    done = carpus("evaluate", run, "--data", phantoms)
    assert done.status == 0, done.err

    own = read_results(run / "results.parquet").filter(pl.col("model") == "ResNet")
    joints = own.pivot("metric", index=["image", "structure"], values="value")
    called = joints["probability"] >= joints["cut"]
    assert (called == (joints["predicted_score"] > 0)).all()
    assert set(joints["predicted_score"]) <= set(range(6))

    done = carpus("read", EXAMPLE, "--erosion", run / "model.safetensors", "--out", tmp_path, "--json")
    assert done.status == 0, done.err
    found = json.loads((tmp_path / f"{EXAMPLE.stem}.json").read_text())["joints"]
    assert len(found) == 6
    assert all((joint["svdh_score"] > 0) == joint["eroded"] for joint in found)
    _check_the_cut_is_that_of_the_validation_split(run, phantoms)


def test_a_wrong_head_is_refused_with_the_right_ones(carpus, phantoms: Path, tmp_path: Path) -> None:
    done = carpus("train", "--net", "ResNet", "--set", "head=coral", "--data", phantoms, "--out", tmp_path / "run")
    assert done.status == 2
    assert "head is 'coral'; did you mean 'corn'?" in done.err


def _check_the_cut_is_that_of_the_validation_split(run: Path, phantoms: Path) -> None:
    network, info = load_checkpoint(run / "model.safetensors")
    assert (info.in_channels, info.classes, info.head) == (8, 5, "corn")
    dataset = read_dataset(phantoms)
    samples = {
        split: ErosionDataset(
            task_cases(dataset, "erosion", split),
            image_size=32,
            mirror_left=True,
            contralateral=True,
            joint_input=True,
        )
        for split in (Split.VAL, Split.TEST)
    }
    cuts = {
        split: best_cut(each.eroded, predict_erosion(network, each, head="corn")[:, 0])
        for split, each in samples.items()
    }
    assert info.cut == cuts[Split.VAL] != cuts[Split.TEST]
