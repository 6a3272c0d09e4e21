"""Anybody's predictions through the command line, on small phantoms."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from carpus.anatomy import Bone, Joint
from carpus.data.dataset import Case
from carpus.data.layout import Split
from carpus.data.reader import read_dataset, read_masks
from carpus.data.results import read_results
from carpus.imaging import BoneMasks
from carpus.imaging.files import read_plane, write_plane
from carpus.metrics import score_bones

BONES = {bone.abbreviation for bone in Bone}


@pytest.fixture(scope="module")
def test_cases(phantoms: Path) -> list[Case]:
    return [case for case in read_dataset(phantoms).cases if case.bone_split is Split.TEST][:6]


@pytest.fixture(scope="module")
def small(phantoms: Path, test_cases: list[Case], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The phantoms with two training cases and six test cases for bones, to be quick."""
    root = tmp_path_factory.mktemp("small") / "phantoms"
    shutil.copytree(phantoms, root, ignore=lambda folder, names: names if "masks" in Path(folder).parts else [])
    train = [case for case in read_dataset(phantoms).cases if case.bone_split is Split.TRAIN]
    left = next(case for case in train if case.id.side_letter == "L")
    right = next(case for case in train if case.id.side_letter == "R")
    for case in (left, right, *test_cases):
        assert case.masks is not None
        (root / case.masks.parent.relative_to(phantoms)).mkdir(parents=True, exist_ok=True)
        shutil.copy(case.masks, root / case.masks.relative_to(phantoms))
    return root


def test_missing_predictions_count_as_worst_and_unknown_ones_are_told(
    carpus, small: Path, test_cases: list[Case], tmp_path: Path
) -> None:
    for case in test_cases[1:]:
        write_plane(tmp_path / "masks" / f"{case.id}.png", read_masks(case))
    write_plane(tmp_path / "masks" / "9999_0001_L.png", BoneMasks.empty(height=4, width=4))
    out = tmp_path / "results.csv"
    done = carpus("evaluate", "--reference", small, "--predicted", tmp_path / "masks", "--out", out, "--model", "Mine")
    assert done.status == 0
    assert f"has no prediction of {test_cases[0].id}; each counts as the worst value" in done.err
    assert "does not know: 9999_0001_L; they were left out" in done.err
    results = table(out)
    mine = results[(results["model"] == "Mine") & (results["metric"] == "dsc") & results["structure"].isin(BONES)]
    assert (mine[mine["image"] == str(test_cases[0].id)]["value"] == 0).all()
    assert (mine[mine["image"] != str(test_cases[0].id)]["value"] == 1).all()
    assert set(results["data"]) == {"phantom"}
    baseline = results[(results["model"] == "MeanShape") & (results["metric"] == "dsc")]
    assert set(baseline["image"]) == {str(case.id) for case in test_cases}
    assert baseline["value"].between(0, 1, inclusive="left").any()


def test_a_long_list_of_missing_predictions_is_cut(carpus, phantoms: Path, tmp_path: Path) -> None:
    train = [case for case in read_dataset(phantoms).cases if case.bone_split is Split.TRAIN]
    folder = tmp_path / "reference"
    for case in train[:15]:
        write_plane(folder / f"{case.id}.png", read_masks(case))
    write_plane(tmp_path / "masks" / f"{train[0].id}.png", read_masks(train[0]))
    done = carpus("evaluate", "--reference", folder, "--predicted", tmp_path / "masks")
    assert "and 4 more (14 in all)" in done.err


def test_two_mere_folders_are_paired_by_identifier_at_native_size_with_jobs(
    carpus, test_cases: list[Case], tmp_path: Path
) -> None:
    for number, case in enumerate(test_cases):
        name = str(case.id) if number else "somebody"
        write_plane(tmp_path / "reference" / f"{name}.png", read_masks(case))
        write_plane(tmp_path / "predicted" / f"{name}.png", read_masks(case).resized(height=300, width=300))
    arguments = ["--reference", tmp_path / "reference", "--predicted", tmp_path / "predicted", "--size", "native"]
    for jobs in (1, 3):
        done = carpus("evaluate", *arguments, "--jobs", jobs, "--out", tmp_path / f"{jobs}.csv", "--seed", "7")
        assert (done.status, done.err) == (0, "")
    assert (tmp_path / "1.csv").read_bytes() == (tmp_path / "3.csv").read_bytes()
    results = table(tmp_path / "1.csv")
    first = results[results["image"] == "somebody"]
    reference = read_masks(test_cases[0])
    height, width = reference.shape
    expected = {
        (structure, metric): value
        for structure, metric, value in score_bones(
            reference, reference.resized(height=300, width=300).resized(height=height, width=width)
        )
    }
    found = {(row.structure, row.metric): row.value for row in first.itertuples()}
    for key in (("Cap", "dsc"), ("Lu", "nsd"), ("Radius", "msd")):
        assert found[key] == pytest.approx(expected[key])
    assert set(first["patient"]) == {"somebody"}
    assert set(results["patient"]) == {"somebody", *(case.id.patient for case in test_cases[1:])}
    assert set(results["group"]) == {""}
    assert set(results["seed"]) == {7}


def test_a_folder_keeps_the_masks_so_that_the_report_shows_them_and_models_share_a_baseline(
    carpus, phantoms: Path, test_cases: list[Case], tmp_path: Path
) -> None:
    predicted = tmp_path / "masks"
    predicted.mkdir()
    for case in test_cases:
        shutil.copy(str(case.masks), predicted / f"{case.id}.npy")
    arguments = ["--reference", phantoms, "--predicted", predicted, "--model", "Mine"]
    done = carpus("evaluate", *arguments, "--out", tmp_path / "runs" / "mine")
    assert done.status == 0, done.err
    kept = tmp_path / "runs" / "mine" / "predictions" / "test"
    assert {path.stem for path in kept.iterdir()} == {str(case.id) for case in test_cases}
    for case in test_cases:
        assert np.array_equal(read_plane(kept / f"{case.id}.png").plane, read_masks(case).plane)
    again = carpus("evaluate", *arguments, "--out", tmp_path / "runs" / "mine")
    assert again.status == 2
    inside = carpus("evaluate", *arguments, "--out", tmp_path, "--overwrite")
    assert inside.status == 2
    assert "which it would replace" in inside.err
    assert predicted.is_dir()

    cases = [case for case in read_dataset(phantoms).cases if case.erosion_split is Split.TEST and case.scores]
    runs = [tmp_path / "runs" / "mine"]
    for model, seed in (("One", 1), ("Other", 2)):
        answers, chance = tmp_path / f"{model}.csv", np.random.default_rng(seed)
        lines = [f"{case.id},{joint.value},{chance.random():.3f}" for case in cases for joint in Joint]
        answers.write_text("\n".join(["image,joint,probability", *lines]))
        runs.append(tmp_path / "runs" / model)
        done = carpus("evaluate", "--reference", phantoms, "--predicted", answers, "--out", runs[-1])
        assert done.status == 0, done.err
    done = carpus("report", *runs, "--data", phantoms, "--out", tmp_path / "report")
    assert done.status == 0, done.err
    figures = {path.stem for path in (tmp_path / "report" / "figures").iterdir()}
    assert {"segmentation", "joints"} <= figures
    assert carpus("compare", runs[1], runs[2]).status == 0


def test_masks_inside_a_phantom_dataset_are_not_taken_for_patients(carpus, small: Path, tmp_path: Path) -> None:
    folder = small / "BoneSegmentation" / "masks" / "test"
    carpus("evaluate", "--reference", folder, "--predicted", folder, "--out", tmp_path / "r.csv")
    assert set(table(tmp_path / "r.csv")["data"]) == {"phantom"}


def table(path: Path) -> pd.DataFrame:
    results = read_results(path)
    return pd.DataFrame({name: results[name].to_list() for name in results.columns})


def erosion_table(path: Path, cases: list[Case]) -> Path:
    lines = [
        f"{case.id},{joint.label},{score / 5},{score}" for case in cases for joint, score in (case.scores or {}).items()
    ]
    path.write_text("\n".join(["image,joint,probability,predicted_score", *lines]))
    return path


def scored(phantoms: Path) -> list[Case]:
    return [case for case in read_dataset(phantoms).cases if case.erosion_split is Split.TEST and case.scores]


def test_erosion_answers_are_scored_beside_the_joint_prior(carpus, phantoms: Path, tmp_path: Path) -> None:
    cases = scored(phantoms)
    answers = erosion_table(tmp_path / "answers.csv", cases[1:])
    out = tmp_path / "results.csv"
    done = carpus("evaluate", "--reference", phantoms, "--predicted", answers, "--out", out, "--cut", "0.1", "--json")
    assert done.status == 0, done.err
    assert f"has no prediction of {cases[0].id} " in done.err
    assert "joints of a probability of 0.1 or more are called eroded" in done.err
    results = table(out)
    assert set(results["model"]) == {"answers", "JointPrior"}
    mine = results[results["model"] == "answers"].pivot_table(
        index=["image", "structure"], columns="metric", values="value", dropna=False, observed=True
    )
    assert (mine["cut"] == 0.1).all()
    assert mine["probability"].isna().sum() == len(cases[0].scores or {})
    there = mine.dropna()
    assert np.allclose(there["probability"] * 5, there["score"])
    assert np.allclose(there["predicted_score"], there["score"])
    assert "table_5" in json.loads(done.out)


def test_boxes_of_joints_are_scored(carpus, phantoms: Path, tmp_path: Path) -> None:
    cases = [case for case in read_dataset(phantoms).cases if case.erosion_split is Split.TEST and case.boxes]
    entries = [
        {
            "file_name": f"{case.id}.bmp",
            "name": joint.label,
            "bbox": [box.x + box.width / 2, box.y, box.width, box.height],
            "score": 0.5,
        }
        for case in cases
        for joint, box in case.boxes.items()
        if joint is not Joint.LUNATE
    ]
    (tmp_path / "boxes.json").write_text(json.dumps(entries))
    arguments = ["--reference", phantoms, "--predicted", tmp_path / "boxes.json", "--task", "joints"]
    done = carpus("evaluate", *arguments, "--out", tmp_path / "r.csv")
    assert done.status == 0, done.err
    results = table(tmp_path / "r.csv")
    assert set(results["task"]) == {"joints"}
    tables = json.loads(carpus("evaluate", *arguments, "--json").out)
    assert tables["joint_boxes"]["rows"][0]["values"]["IoU"]["value"] == pytest.approx(5 / 18)
    missed = results["structure"] == "Lu"
    assert (results[(results["metric"] == "box_iou") & missed]["value"] == 0).all()
    assert np.allclose(results[(results["metric"] == "box_iou") & ~missed]["value"], 1 / 3)
    assert results[(results["metric"] == "confidence") & missed]["value"].isna().all()
    assert (results[(results["metric"] == "confidence") & ~missed]["value"] == 0.5).all()
    shutil.copy(phantoms / "JointLocationDetection" / "Joints.coco.json", tmp_path / "boxes.json")
    tables = json.loads(carpus("evaluate", *arguments, "--json").out)
    assert tables["joint_boxes"]["rows"][0]["values"]["IoU"]["value"] == 1


def test_where_there_is_nothing_to_fit_a_baseline_on_that_is_said(
    carpus, small: Path, test_cases: list[Case], tmp_path: Path
) -> None:
    root = tmp_path / "test-only"
    shutil.copytree(small, root)
    shutil.rmtree(root / "BoneSegmentation" / "masks" / "train")
    write_plane(tmp_path / "masks" / f"{test_cases[0].id}.png", read_masks(test_cases[0]))
    done = carpus("evaluate", "--reference", root, "--predicted", tmp_path / "masks", "--out", tmp_path / "r.csv")
    assert done.status == 0
    assert "note: there is no baseline: " in done.err
    assert "has no bones cases in train" in done.err
    assert set(table(tmp_path / "r.csv")["model"]) == {"masks"}


def test_results_are_not_overwritten_unasked(carpus, small: Path, tmp_path: Path) -> None:
    folder = small / "BoneSegmentation" / "masks" / "test"
    (tmp_path / "r.csv").write_text("mine")
    arguments = ["evaluate", "--reference", folder, "--predicted", folder, "--out", tmp_path / "r.csv"]
    done = carpus(*arguments)
    assert done.status == 2
    assert "exists already; choose another name, or add --overwrite" in done.err
    assert (tmp_path / "r.csv").read_text() == "mine"
    assert carpus(*arguments, "--overwrite").status == 0
    assert (tmp_path / "r.csv").read_text() != "mine"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "nothing to evaluate; give RUN and --data, or --reference and --predicted"),
        (["--reference", "DATA"], "nothing to evaluate"),
        (["RUN"], "no dataset was given to evaluate RUN on; add --data FOLDER"),
        (["RUN", "--data", "DATA", "--predicted", "MASKS"], "--predicted does not go with this"),
        (["RUN", "--data", "DATA", "--overwrite"], "--overwrite does not go with this"),
        (["--reference", "DATA", "--predicted", "MASKS", "--data", "DATA"], "--data does not go with this"),
        (["--reference", "DATA", "--predicted", "MASKS", "--cut", "0.5"], "--cut does not go with this"),
        (["--reference", "DATA", "--predicted", "t.csv", "--size", "512"], "--size does not go with this"),
        (["--reference", "DATA", "--predicted", "t.csv"], "t.csv does not exist"),
        (["--reference", "DATA", "--predicted", "none"], "none does not exist, expected a folder of masks"),
        (["--reference", "none", "--predicted", "MASKS"], "none does not exist, expected a folder"),
        (["--reference", "DATA", "--predicted", "MASKS"], "has predictions of none of the"),
        (
            ["--reference", "MASKS", "--predicted", "t.csv"],
            "is no dataset in RAM-W600's layout, which the task erosion",
        ),
        (["--reference", "DATA", "--predicted", "EMPTY"], "EMPTY holds no masks"),
        (["--reference", "DATA", "--predicted", "EMPTY", "--task", "erosion"], "holds 0 files of .csv or .parquet"),
    ],
)
def test_what_cannot_be_evaluated_is_refused_in_one_sentence(
    carpus, phantoms: Path, tmp_path: Path, arguments: list[str], said: str
) -> None:
    (tmp_path / "EMPTY").mkdir()
    write_plane(tmp_path / "MASKS" / "9999_0001_L.png", BoneMasks.empty(height=4, width=4))
    places = {name: str(tmp_path / name) for name in ("MASKS", "EMPTY")} | {"DATA": str(phantoms)}
    done = carpus("evaluate", *(places.get(argument, argument) for argument in arguments))
    assert done.status == 2
    assert done.err.startswith("Error: ")
    assert done.err.count("\n") == 1
    assert said in done.err


def test_a_damaged_prediction_is_named(carpus, small: Path, test_cases: list[Case], tmp_path: Path) -> None:
    path = tmp_path / "masks" / f"{test_cases[2].id}.npy"
    path.parent.mkdir()
    np.save(path, np.full((14, 8, 8), 0.5))
    done = carpus("evaluate", "--reference", small, "--predicted", tmp_path / "masks")
    assert done.status == 2
    assert f"Error: {path} does not hold the masks of a wrist (masks have dtype float64" in done.err


def test_anybodys_predictions_are_evaluated_without_pytorch(small: Path) -> None:
    folder = small / "BoneSegmentation" / "masks" / "test"
    program = f"""
import sys
from carpus.app.cli.main import main
sys.argv = ["carpus", "evaluate", "--reference", {str(small)!r}, "--predicted", {str(folder)!r}, "--json"]
main()
assert "torch" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "table_4" in json.loads(done.stdout)
