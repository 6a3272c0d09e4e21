"""Bad input: one sentence on standard error that says which file, what is wrong, what to do; status 2; nothing lost."""

import json
import os
import shutil
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pydicom
import pytest
from PIL import Image

from carpus.data.layout import Split

EXAMPLE = Path(__file__).parents[2] / "examples" / "hand-right-pa.dcm"


@pytest.fixture
def damaged(phantoms: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(phantoms, tmp_path / "damaged"))


def _one_sentence(text: str) -> bool:
    begins, ends = text.startswith("Error: "), text.endswith((".\n", "?\n"))
    return text.count("\n") == 1 and begins and ends and "Traceback" not in text


def test_a_clean_dataset_has_no_problems(carpus, phantoms: Path) -> None:
    done = carpus("data", "check", phantoms)
    assert (done.status, done.out) == (0, f"{phantoms}: no problems\n")
    done = carpus("data", "check", phantoms, "--json")
    assert (done.status, json.loads(done.out)) == (0, [])


def test_training_names_all_bad_files_at_once_and_how_to_go_on(carpus, damaged: Path, tmp_path: Path) -> None:
    images = sorted((damaged / "BoneSegmentation/images").glob("*.bmp"))[:2]
    for image in images:
        image.write_bytes(image.read_bytes()[:5000])
    done = carpus("train", "--recipe", "quick", "--data", damaged, "--out", tmp_path / "run")
    assert done.status == 2
    assert _one_sentence(done.err)
    assert "2 files for " in done.err
    assert all(str(image) in done.err for image in images)
    assert "--skip-damaged" in done.err
    assert not (tmp_path / "run").exists()


def test_all_problems_are_listed_at_once(carpus, damaged: Path) -> None:
    image = next((damaged / "BoneSegmentation/images").glob("*.bmp"))
    image.write_bytes(image.read_bytes()[:5000])
    masks = sorted((damaged / "BoneSegmentation/masks/train").glob("*.npy"))
    np.save(masks[0], np.zeros((13, 600, 600), np.uint8))
    shutil.copy(masks[1], damaged / "BoneSegmentation/masks/test" / masks[1].name)
    score_file = damaged / "SvdHBEScoreClassification/JointBE_SvdH_GT.json"
    entries = json.loads(score_file.read_text())
    entries[0]["joints"]["Scaphoid"] = 7
    score_file.write_text(json.dumps(entries))

    done = carpus("data", "check", damaged)
    assert done.status == 2
    for said in (
        f"{image} is damaged or truncated",
        f"{masks[0]} has shape (13, 600, 600), expected (14, height, width)",
        f"{masks[1].name} is also in test and train; keep one of them",
        "Scaphoid: SvdH score 7 is not a whole number from 0 to 5",
    ):
        assert sum(said in line for line in done.err.splitlines()) == 1, said

    found = json.loads(carpus("data", "check", damaged, "--json").out)
    kinds = {problem["kind"] for problem in found}
    assert {"image-unreadable", "mask-channels", "case-in-two-splits", "score-range"} <= kinds
    assert all(set(problem) == {"file", "kind", "message", "severity"} for problem in found)


def test_the_audit_warns_of_bones_that_changed_places_and_of_a_copied_image(carpus, damaged: Path) -> None:
    masks = sorted((damaged / "BoneSegmentation/masks/train").glob("*.npy"))[3]
    stack = np.load(masks)
    stack[[4, 6]] = stack[[6, 4]]
    np.save(masks, stack)
    images = sorted((damaged / "BoneSegmentation/images").glob("*.bmp"))
    first, last = images[0], images[-1]
    pixels = np.asarray(Image.open(first)).astype(float)
    Image.fromarray((20 + 0.8 * pixels).astype(np.uint8)).save(last)

    done = carpus("data", "check", damaged)
    found = done.err.splitlines()
    assert sum(masks.name in line and "Lunate and Scaphoid" in line for line in found) == 1
    assert sum(last.name in line and f"looks like {first.stem}" in line for line in found) == 1

    without = carpus("data", "check", damaged, "--no-audit")
    assert "Lunate and Scaphoid" not in without.err
    assert "looks like" in without.err


def test_statistics_of_a_damaged_dataset_name_the_problem(carpus, damaged: Path) -> None:
    (damaged / "SvdHBEScoreClassification/JointBE_SvdH_GT.json").write_text("{")
    done = carpus("data", "stats", damaged)
    assert done.status == 2
    assert _one_sentence(done.err)
    assert "JointBE_SvdH_GT.json is not JSON" in done.err


@pytest.mark.parametrize("command", ["check", "stats"])
def test_an_empty_or_missing_folder_is_refused(carpus, tmp_path: Path, command: str) -> None:
    for folder, said in ((tmp_path, "is empty"), (tmp_path / "none", "does not exist")):
        done = carpus("data", command, folder)
        assert done.status == 2
        assert _one_sentence(done.err)
        assert f"{folder} {said}" in done.err


def test_a_dicom_without_pixels_is_refused(carpus, tmp_path: Path) -> None:
    dataset = pydicom.dcmread(EXAMPLE)
    del dataset.PixelData
    dataset.save_as(tmp_path / "report.dcm")
    done = carpus("read", tmp_path / "report.dcm", "--out", tmp_path / "out")
    assert done.status == 2
    assert _one_sentence(done.err)
    assert f"{tmp_path / 'report.dcm'} is a DICOM file without pixels" in done.err
    assert not (tmp_path / "out").exists()


def test_a_photograph_is_refused_in_colour_and_in_grey(carpus, tmp_path: Path) -> None:
    photograph = Path(mpl.get_data_path()) / "sample_data" / "grace_hopper.jpg"
    done = carpus("read", photograph, "--out", tmp_path)
    assert done.status == 2
    assert _one_sentence(done.err)
    assert "is a colour photograph, expected a grey radiograph" in done.err
    Image.open(photograph).convert("L").save(tmp_path / "grey.png")
    done = carpus("read", tmp_path / "grey.png", "--out", tmp_path)
    assert done.status == 2
    assert _one_sentence(done.err)
    assert "grey.png shows no" in done.err


def test_one_bad_file_does_not_stop_the_rest(carpus, tmp_path: Path) -> None:
    (tmp_path / "bad.bmp").write_bytes(b"BM")
    done = carpus("read", tmp_path / "bad.bmp", EXAMPLE, "--out", tmp_path / "out", "--json")
    assert done.status == 2
    assert _one_sentence(done.err)
    assert [reading["file"] for reading in json.loads(done.out)] == ["hand-right-pa.dcm"]


def test_an_output_that_may_not_be_written_is_refused(carpus, tmp_path: Path) -> None:
    locked = Path("/sys/carpus") if os.geteuid() == 0 else tmp_path / "locked" / "out"
    if os.geteuid():
        locked.parent.mkdir(mode=0o500)
    done = carpus("data", "phantom", locked, "--patients", "8")
    assert done.status == 2
    assert _one_sentence(done.err)
    assert f"{locked} cannot be written" in done.err


def test_what_exists_is_not_overwritten_unasked(carpus, phantoms: Path, tmp_path: Path) -> None:
    before = sorted(phantoms.rglob("*"))
    done = carpus("data", "phantom", phantoms, "--patients", "8")
    assert done.status == 2
    assert "exists already; choose another name, or add --overwrite" in done.err
    assert sorted(phantoms.rglob("*")) == before
    (tmp_path / "demo.txt").write_text("mine")
    done = carpus("demo", "--out", tmp_path)
    assert done.status == 2
    assert "exists already and is not a demo" in done.err


def test_a_demo_with_other_settings_is_not_mixed_up(carpus, tmp_path: Path) -> None:
    (tmp_path / "demo.json").write_text('{"quick": false, "seed": 1, "version": "0"}')
    done = carpus("demo", "--quick", "--out", tmp_path)
    assert done.status == 2
    assert "holds a demo with other settings" in done.err


def test_training_without_what_it_needs_is_refused(carpus, phantoms: Path, tmp_path: Path) -> None:
    for arguments, said in (
        (["--net", "Unet", "--recipe", "demo"], "no dataset was given; add --data FOLDER"),
        (["--net", "Unett", "--recipe", "demo"], "did you mean 'Unet'?"),
        (["--set", "epoch=3"], "did you mean 'epochs'?"),
        (["--recipe", tmp_path / "none.yaml"], "none.yaml does not exist"),
    ):
        done = carpus("train", *arguments)
        assert done.status == 2
        assert _one_sentence(done.err)
        assert said in done.err
    done = carpus("evaluate", tmp_path, "--data", phantoms, "--split", Split.VAL.value)
    assert done.status == 2
    assert "model.safetensors does not exist" in done.err
    done = carpus("report", tmp_path / "none", "--out", tmp_path / "r.html")
    assert done.status == 2
    assert _one_sentence(done.err)
