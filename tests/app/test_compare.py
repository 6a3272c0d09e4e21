import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from carpus.anatomy import Bone, Joint
from carpus.data.results import ResultRow, read_results, results_frame, write_results

Write = Callable[..., Path]


@pytest.fixture
def written(tmp_path: Path) -> Write:
    """Writes results of one model on 24 images of 12 patients; `shift` is added to the DSC of the first bones."""

    def write(model: str, *, shift: float = 0.0, bones: int = 14, data: str = "phantom", split: str = "test") -> Path:
        shared, own = np.random.default_rng(1), np.random.default_rng(len(model))
        rows = []
        for number in range(24):
            patient = f"{number // 2:04d}"
            base = ResultRow(
                "bones", model, 1, "quick", data, split, f"{patient}_0001_{'LR'[number % 2]}", patient, "", "", 0
            )
            for place, bone in enumerate(Bone):
                dice = shared.uniform(0.85, 0.95) + own.normal(0, 0.003) + (shift if place < bones else 0)
                values = {"dsc": dice, "voe": 1 - dice}
                rows += [replace(base, structure=bone.abbreviation, metric=k, value=v) for k, v in values.items()]
            for joint in Joint:
                eroded = bool(shared.random() < 0.4)
                probability = float(np.clip(0.3 + eroded * 10 * shift + shared.normal(0, 0.1), 0, 1))
                values = {"score": 2.0 * eroded, "probability": probability, "cut": 0.5}
                joint_row = replace(base, task="erosion", structure=joint.abbreviation)
                rows += [replace(joint_row, metric=k, value=v) for k, v in values.items()]
        path = tmp_path / f"{model}-{data}-{split}.parquet"
        write_results(path, results_frame(rows))
        return path

    return write


def test_a_planted_gain_is_found_with_its_size_and_its_bones(carpus, written: Write) -> None:
    a, b = written("Unet"), written("SwinUMamba", shift=0.02, bones=5)
    done = carpus("compare", a, b)
    assert done.status == 0
    answer = done.out.splitlines()[0]
    assert answer.startswith("B (SwinUMamba, quick, seed 1, test) is better than A (Unet, quick, seed 1, test) by 0.00")
    assert "B is better on 5 of 14 bones after Holm's correction (Cap, Radius, Ulna, Ham, Lu)" in answer
    assert answer.endswith("PHANTOM: synthetic wrists, not patients.")
    assert "…" not in done.out
    assert all(bone.abbreviation in done.out.split() for bone in Bone)
    found = json.loads(carpus("compare", a, b, "--json").out)
    whole, capitate = found["rows"][0]["values"], found["rows"][1]["values"]
    assert whole["difference"]["value"] == pytest.approx(0.02 * 5 / 14, abs=0.001)
    assert capitate["difference"]["value"] == pytest.approx(0.02, abs=0.003)
    low, high = capitate["difference"]["interval"]
    assert low < capitate["difference"]["value"] < high


def test_the_other_way_round_the_answer_turns_and_so_does_a_metric_of_errors(carpus, written: Write) -> None:
    a, b = written("Unet"), written("SwinUMamba", shift=0.02)
    assert carpus("compare", b, a).out.startswith("A (SwinUMamba")
    by_error = carpus("compare", a, b, "--metric", "voe")
    assert by_error.out.startswith("B (SwinUMamba, quick, seed 1, test) is better than A")
    assert "14 of 14 bones" in by_error.out.splitlines()[0]


def test_models_that_are_alike_show_no_difference(carpus, written: Write) -> None:
    done = carpus("compare", written("Unet"), written("UKAN"))
    assert done.status == 0
    assert done.out.startswith("No difference between A (Unet, quick, seed 1, test) and B (UKAN")
    assert "B is better on" not in done.out.splitlines()[0]


def test_erosion_is_compared_by_rates_and_areas(carpus, written: Write) -> None:
    a, b = written("ResNet"), written("MedMamba", shift=0.03)
    found = json.loads(carpus("compare", a, b, "--task", "erosion", "--metric", "auroc_within", "--json").out)
    assert found["answer"].startswith("B (MedMamba")
    names = [row["model"] for row in found["rows"]]
    assert names == ["BACC", "F1", "SEN", "SPC", "AUROC", "AUROC within joint"]
    for row in found["rows"]:
        low, high = row["values"]["difference"]["interval"]
        assert low <= row["values"]["difference"]["value"] <= high


def test_seeds_are_averaged_and_images_of_one_model_only_are_counted(carpus, written: Write) -> None:
    a, b = written("Unet"), written("UKAN")
    results = read_results(b)
    fewer = results.filter(pl.col("image") != "0000_0001_L")
    write_results(b, pl.concat([fewer, fewer.with_columns(seed=pl.lit(2, pl.Int32))]))
    done = carpus("compare", a, b)
    assert "UKAN, quick, 2 seeds, test" in done.out
    note = " ".join(done.out.split())
    assert "14 values of one model have no finite partner of the other and are left out: Cap of 0000_0001_L" in note
    assert "and 9 more." in note


def test_one_file_may_hold_both_models(carpus, written: Write, tmp_path: Path) -> None:
    a, b = written("Unet"), written("SwinUMamba", shift=0.02)
    both = tmp_path / "all.parquet"
    write_results(both, pl.concat([read_results(a), read_results(b)]))
    named = carpus("compare", both, "--model-a", "Unet", "--model-b", "SwinUMamba")
    assert named.status == 0
    assert named.out == carpus("compare", a, b).out
    same = carpus("compare", both, "--model-a", "Unet", "--model-b", "Unet")
    assert same.status == 2
    assert "A and B are both 'Unet'" in same.err


@pytest.mark.parametrize("ending", ["html", "md", "tex", "csv"])
def test_the_answer_is_written_in_every_form_and_called_a_phantom(
    carpus, written: Write, tmp_path: Path, ending: str
) -> None:
    out = tmp_path / f"answer.{ending}"
    done = carpus("compare", written("Unet"), written("SwinUMamba", shift=0.02), "--out", out)
    assert done.status == 0
    text = out.read_text(encoding="utf-8")
    assert "PHANTOM" in text
    assert "SwinUMamba" in text
    if ending != "csv":
        assert "is better than A" in text
        assert "synthetic wrists" in text
    assert all(bone.abbreviation in text for bone in Bone)


def test_the_differences_of_the_bones_are_drawn_and_erosion_has_no_such_figure(
    carpus, written: Write, tmp_path: Path
) -> None:
    a, b = written("Unet"), written("SwinUMamba", shift=0.02)
    out = tmp_path / "answer.svg"
    assert carpus("compare", a, b, "--out", out).status == 0
    drawn = out.read_text(encoding="utf-8")
    assert "SwinUMamba better" in drawn
    assert "PHANTOM" in drawn
    page = tmp_path / "answer.html"
    carpus("compare", a, b, "--out", page)
    assert "SwinUMamba better" in page.read_text(encoding="utf-8")
    refused = carpus("compare", a, b, "--task", "erosion", "--out", tmp_path / "erosion.png")
    assert refused.status == 2
    assert "only a comparison of bones has" in refused.err


def test_a_file_is_not_replaced_unasked_and_an_unknown_form_is_refused(carpus, written: Write, tmp_path: Path) -> None:
    a, b, out = written("Unet"), written("UKAN"), tmp_path / "answer.csv"
    out.write_text("mine")
    assert carpus("compare", a, b, "--out", out).status == 2
    assert out.read_text() == "mine"
    assert carpus("compare", a, b, "--out", out, "--overwrite").status == 0
    assert out.read_text() != "mine"
    refused = carpus("compare", a, b, "--out", tmp_path / "answer.docx")
    assert refused.status == 2
    assert "expected one of .html, .md, .tex, .csv" in refused.err


@pytest.mark.parametrize(
    ("other", "options", "message"),
    [
        ({"data": "patients"}, (), "A was evaluated on data 'phantom' and B on 'patients'"),
        ({"split": "val"}, (), "A was evaluated on split 'test' and B on 'val'"),
        ({}, ("--metric", "dice"), "metric 'dice' is not one of bones"),
        ({}, ("--task", "erosion", "--metric", "dsc"), "metric 'dsc' is not one of erosion"),
        ({}, ("--model-b", "UNet"), "holds 0 runs that may be meant (models for bones: UKAN)"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    carpus, written: Write, other: dict[str, str], options: tuple[str, ...], message: str
) -> None:
    done = carpus("compare", written("Unet"), written("UKAN", **other), *options)
    assert done.status == 2
    assert message in done.err
    assert done.err.count("\n") == 1
