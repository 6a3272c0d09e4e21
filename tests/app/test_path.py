"""The whole path through the command line, small."""

import json
from pathlib import Path

import pandas as pd
import pytest

from carpus.anatomy import Joint, is_eroded
from carpus.data.layout import Split
from carpus.data.reader import read_dataset
from carpus.data.results import read_results
from carpus.imaging.files import read_plane

EXAMPLE = Path(__file__).parents[2] / "examples" / "hand-right-pa.dcm"
TINY = ["--set", "net_options={filters: [4, 8, 8]}", "--set", "image_size=48"]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


def test_phantoms_are_the_same_bytes_for_the_same_seed(carpus, tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        assert carpus("data", "phantom", tmp_path / name, "--patients", "8", "--seed", seed).status == 0

    def content(name: str) -> dict[str, bytes]:
        root = tmp_path / name
        return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}

    assert content("a") == content("b")
    assert content("a") != content("c")


def test_statistics_are_printed_and_machine_readable(carpus, phantoms: Path) -> None:
    assert "PHANTOM" in carpus("data", "stats", phantoms).out
    found = json.loads(carpus("data", "stats", phantoms, "--json").out)
    assert found["patients"] == 14
    assert set(found["centres"]) == {"HU", "HMCRD", "SCGH", "DHA"}
    assert found["is_phantom"] is True


def test_a_network_is_trained_evaluated_and_reported(carpus, phantoms: Path, runs: Path) -> None:
    run = runs / "unet"
    command = ["train", "--recipe", "quick", "--data", phantoms, "--out", run, "--set", "epochs=2", *TINY]
    done = carpus(*command)
    assert done.status == 0, done.err
    assert len(pd.read_csv(run / "history.csv")) == 2
    weights = (run / "model.safetensors").read_bytes()
    assert carpus(*command).status == 0
    assert (run / "model.safetensors").read_bytes() == weights

    done = carpus("evaluate", run, "--data", phantoms, "--json")
    assert done.status == 0, done.err
    tables = json.loads(done.out)
    assert {"table_4", "table_8", "table_9", "table_12", "table_13"} <= set(tables)
    results = read_results(run / "results.parquet")
    test = [case for case in read_dataset(phantoms).cases if case.bone_split is Split.TEST]
    assert set(results["data"]) == {"phantom"}
    assert set(results["image"]) == {str(case.id) for case in test}
    assert set(results["model"]) == {"Unet", "MeanShape"}
    # Eight metrics of 14 bones and 14 overlaps, and four in mm where the pixel size is known.
    known = sum(case.institution != "DHA" for case in test)
    assert len(results) == 2 * 28 * (8 * len(test) + 4 * known)
    assert read_plane(run / "predictions" / "test" / f"{test[0].id}.png").shape == (512, 512)

    done = carpus("report", run, "--data", phantoms, "--out", runs / "report.html")
    assert done.status == 0, done.err
    page = (runs / "report.html").read_text()
    assert "PHANTOM" in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert carpus("report", run, "--out", runs / "report.html").status == 2


def test_joint_prior_is_what_its_definition_gives_by_hand(carpus, phantoms: Path, runs: Path) -> None:
    run = runs / "resnet"
    command = ["train", "--net", "ResNet", "--recipe", "quick", "--data", phantoms, "--out", run]
    assert carpus(*command, "--set", "epochs=1", "--set", "image_size=32").status == 0
    done = carpus("evaluate", run, "--data", phantoms, "--json")
    assert done.status == 0, done.err
    rows = {row["model"]: row["values"] for row in json.loads(done.out)["table_5"]["rows"] if row["source"] != "paper"}
    assert set(rows) == {"JointPrior", "ResNet"}

    def joints(split: Split) -> list[tuple[Joint, bool]]:
        cases = [case for case in read_dataset(phantoms).cases if case.erosion_split is split and case.scores]
        return [(joint, is_eroded(score)) for case in cases for joint, score in (case.scores or {}).items()]

    prevalence = {
        joint: sum(eroded for other, eroded in joints(Split.TRAIN) if other is joint)
        / sum(other is joint for other, _ in joints(Split.TRAIN))
        for joint in Joint
    }

    def rates(split: Split, cut: float) -> tuple[float, float]:
        called = [(eroded, prevalence[joint] >= cut) for joint, eroded in joints(split)]
        sick, healthy = ([call for eroded, call in called if eroded is kind] for kind in (True, False))
        return sum(sick) / len(sick), 1 - sum(healthy) / len(healthy)

    cut = max(sorted(set(prevalence.values())), key=lambda cut: (sum(rates(Split.VAL, cut)), cut))
    sensitivity, specificity = rates(Split.TEST, cut)
    assert rows["JointPrior"]["SEN"]["value"] == pytest.approx(sensitivity)
    assert rows["JointPrior"]["SPC"]["value"] == pytest.approx(specificity)
    assert rows["JointPrior"]["BACC"]["value"] == pytest.approx((sensitivity + specificity) / 2)


def test_a_real_film_is_read_with_the_weights_that_come_along(carpus, tmp_path: Path) -> None:
    done = carpus("read", EXAMPLE, "--out", tmp_path, "--json")
    assert done.status == 0, done.err
    reading = json.loads(done.out)[0]
    assert reading["side"] == "R"
    assert reading["spacing_mm"] == 0.115
    box = reading["wrist_box_px"]
    assert box["x"] < 1063 - 200 < 1063 + 200 < box["x"] + box["width"]
    assert box["y"] < 1957 - 200 < 1957 + 200 < box["y"] + box["height"]
    assert "Research use only" in reading["notice"]
    assert reading["trusted"]
    assert any("synthetic wrists only" in warning for warning in reading["warnings"])
    assert sum(bone["area_mm2"] > 20 for bone in reading["bones"]) >= 12
    assert (tmp_path / "hand-right-pa-overlay.png").stat().st_size > 10_000
    assert json.loads((tmp_path / "hand-right-pa.json").read_text())["joints"] == reading["joints"]


def test_the_networks_are_listed_with_the_papers_parameters(carpus) -> None:
    found = {row["name"]: row for row in json.loads(carpus("nets", "--json").out)}
    assert found["Unet"]["parameters"] == 7_938_510
    assert found["Unet"]["paper_millions"] == 7.94
    assert "7,938,510" in carpus("nets").out


def test_a_recipe_is_printed_with_its_changes(carpus) -> None:
    done = carpus("train", "--net", "Unet", "--recipe", "demo", "--set", "lr=3e-4", "--print-recipe")
    assert done.status == 0
    assert "lr: 0.0003" in done.out
