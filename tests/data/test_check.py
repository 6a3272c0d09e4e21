import io
import json
import re
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from carpus.data import layout
from carpus.data.check import check_dataset
from carpus.data.problem import Problem
from carpus.errors import InputError

CASE = "0001_0001_L"
IMAGE = f"BoneSegmentation/images/{CASE}.bmp"
LOCATED = f"JointLocationDetection/images/{CASE}.bmp"
MASK = f"BoneSegmentation/masks/train/{CASE}.npy"
REGIONS = f"SvdHBEScoreClassification/train/{CASE}"
SCORES = "SvdHBEScoreClassification/JointBE_SvdH_GT.json"
BOXES = "JointLocationDetection/Joints.coco.json"

Damage = Callable[[Path], object]


def kinds(problems: list[Problem]) -> list[str]:
    return [problem.kind for problem in problems]


def contents(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def put(name: str, content: bytes) -> Damage:
    return lambda root: (root / name).write_bytes(content)


def image(name: str, pixels: np.ndarray) -> Damage:
    return lambda root: Image.fromarray(pixels).save(root / name)


def mask(change: Callable[[np.ndarray], np.ndarray]) -> Damage:
    return lambda root: np.save(root / MASK, change(np.load(root / MASK)), allow_pickle=True)


def remove(name: str) -> Damage:
    return lambda root: shutil.rmtree(root / name) if (root / name).is_dir() else (root / name).unlink()


def copy(name: str, to: str) -> Damage:
    return lambda root: shutil.copy(root / name, root / to)


def move(name: str, to: str) -> Damage:
    return lambda root: (root / name).rename(root / to)


def changed(name: str, change: Callable[[Any], object]) -> Damage:
    """Damages a JSON file; `change` alters what it holds in place."""

    def apply(root: Path) -> None:
        content = json.loads((root / name).read_text())
        change(content)
        (root / name).write_text(json.dumps(content))

    return apply


def rename_joint(old: str, new: str) -> Callable[[Any], None]:
    def apply(entries: Any) -> None:
        entries[0]["joints"] = {(new if name == old else name): score for name, score in entries[0]["joints"].items()}

    return apply


def header(shape: str) -> bytes:
    text = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}".encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text


def truncated_bmp() -> bytes:
    out = io.BytesIO()
    Image.fromarray(np.arange(4096, dtype=np.uint16).reshape(64, 64).astype(np.uint8)).save(out, "BMP")
    return out.getvalue()[:2000]


def forget_patient(root: Path) -> None:
    table = pd.read_excel(root / layout.METADATA_FILE, dtype=str)
    table.iloc[1:].to_excel(root / layout.METADATA_FILE, index=False)


def people(change: Callable[[pd.DataFrame], pd.DataFrame]) -> Damage:
    def apply(root: Path) -> None:
        table = pd.read_excel(root / layout.METADATA_FILE, dtype=str)
        change(table).to_excel(root / layout.METADATA_FILE, index=False)

    return apply


def cell(column: str, value: str) -> Damage:
    return people(lambda table: table.assign(**{column: [value, *table[column].iloc[1:]]}))


def second_visit(**values: str) -> Damage:
    """A second study of the first patient, with all its files."""

    def apply(root: Path) -> None:
        for folder, suffix in (("BoneSegmentation/images", "bmp"), ("BoneSegmentation/masks/train", "npy")):
            shutil.copy(root / f"{folder}/{CASE}.{suffix}", root / f"{folder}/0001_0002_L.{suffix}")
        image("BoneSegmentation/images/0001_0002_L.bmp", GREYS_64)(root)
        people(lambda table: pd.concat([table, table.iloc[:1].assign(study_id="0002", **values)]))(root)

    return apply


def also_scored_otherwise(root: Path) -> None:
    entries = json.loads((root / SCORES).read_text())
    entries[0]["joints"]["Lunate"] = 5 - entries[0]["joints"]["Lunate"]
    (root / "SvdHBEScoreClassification/JointBE_SvdH_GT_Ori.json").write_text(json.dumps(entries))


def folder_beside(name: str) -> Damage:
    return lambda root: (root / name).mkdir()


OTHER = "0002_0001_L"


def blurred_copy(root: Path) -> None:
    for folder in ("BoneSegmentation", "JointLocationDetection"):
        pixels = np.asarray(Image.open(root / f"{folder}/images/{CASE}.bmp")).astype(float)
        brighter = np.clip(0.8 * pixels + 30, 0, 255).astype(np.uint8)[:, ::-1]
        image(f"{folder}/images/0005_0001_L.bmp", np.ascontiguousarray(brighter))(root)


def same_pixels(other: str) -> Damage:
    def apply(root: Path) -> None:
        for folder in ("BoneSegmentation", "JointLocationDetection"):
            shutil.copy(root / f"{folder}/images/{CASE}.bmp", root / f"{folder}/images/{other}.bmp")

    return apply


CHANCE = np.random.default_rng(0)
COLOURS = CHANCE.integers(0, 256, (64, 64, 3)).astype(np.uint8)
GREYS = CHANCE.integers(0, 256, (32, 64)).astype(np.uint8)
GREYS_64 = CHANCE.integers(0, 256, (64, 64)).astype(np.uint8)

DAMAGES: list[tuple[str, Damage, str, str, str]] = [
    ("truncated BMP", put(IMAGE, truncated_bmp()), "image-unreadable", IMAGE, "truncated"),
    ("empty BMP", put(LOCATED, b""), "image-unreadable", LOCATED, "not an image"),
    ("constant image", image(IMAGE, np.full((64, 64), 7, np.uint8)), "image-constant", IMAGE, "one grey value"),
    ("colour BMP", image(IMAGE, COLOURS), "image-unreadable", IMAGE, "colour photograph"),
    ("13 channels", mask(lambda stack: stack[:13]), "mask-channels", MASK, r"\(13, 64, 64\)"),
    ("two dimensions", mask(lambda stack: stack[0]), "mask-channels", MASK, r"\(64, 64\)"),
    ("wrong size", mask(lambda stack: stack[:, :, :32]), "mask-size", MASK, "is 32 x 64 pixels but its image is 64 x"),
    ("float mask", mask(lambda stack: stack.astype(float)), "mask-dtype", MASK, "float64"),
    ("labels", mask(lambda stack: stack * np.uint8(3)), "mask-values", MASK, "0/1 or 0/255"),
    ("pickle", mask(lambda stack: stack.astype(object)), "mask-unreadable", MASK, "plain array"),
    ("no bytes", put(MASK, b""), "mask-unreadable", MASK, "damaged"),
    ("zip", put(MASK, b"PK\x03\x04" + bytes(50)), "mask-unreadable", MASK, "damaged"),
    ("huge header", put(MASK, header("(14, 10000000, 10000000)")), "mask-unreadable", MASK, "damaged"),
    ("overflowing header", put(MASK, header("(14, 10000000000, 10000000000)")), "mask-unreadable", MASK, "damaged"),
    ("endless header", put(MASK, header(f"(14, {10**40}, 3)")), "mask-unreadable", MASK, "damaged"),
    ("negative header", put(MASK, header("(14, -3, -3)")), "mask-unreadable", MASK, "damaged"),
    ("broken header", put(MASK, header("(14, [")), "mask-unreadable", MASK, "damaged"),
    ("missing mask", remove(MASK), "mask-missing", IMAGE, f"add {CASE}.npy"),
    ("bone left out", mask(lambda s: s * (np.arange(14) != 4)[:, None, None]), "mask-empty", MASK, "of Lunate"),
    ("mask without image", remove(IMAGE), "mask-without-image", MASK, f"add {CASE}.bmp"),
    ("scores of 7", changed(SCORES, lambda e: e[0]["joints"].update(Lunate=7)), "score-range", SCORES, "score 7 is"),
    ("no joint", changed(SCORES, lambda e: e[0]["joints"].pop("Lunate")), "score-missing", SCORES, "for Lunate"),
    ("misspelt", changed(SCORES, rename_joint("Scaphoid", "Scafoid")), "spelling", SCORES, "mean 'Scaphoid'"),
    ("twice", changed(SCORES, lambda e: e.append(e[0])), "score-twice", SCORES, "twice"),
    ("no entry", changed(SCORES, lambda e: e.pop(0)), "score-missing", REGIONS, "regions but no scores"),
    ("no regions", remove(REGIONS), "region-missing", SCORES, f"scores {CASE}, which has no regions"),
    ("no region", remove(f"{REGIONS}/Lunate.bmp"), "region-missing", REGIONS, "the region of Lunate"),
    ("region as PNG", move(f"{REGIONS}/Lunate.bmp", f"{REGIONS}/Lunate.png"), "region-missing", REGIONS, "of Lunate"),
    ("region name", move(f"{REGIONS}/Lunate.bmp", f"{REGIONS}/Lunat.bmp"), "spelling", f"{REGIONS}/Lunat.bmp", "mean"),
    (
        "box outside",
        changed(BOXES, lambda c: c["annotations"][0].update(bbox=[60, 8, 20, 24])),
        "box-outside",
        BOXES,
        "",
    ),
    ("wrong area", changed(BOXES, lambda c: c["annotations"][0].update(area=1)), "box-area", BOXES, "width x height"),
    ("no box", changed(BOXES, lambda c: c["annotations"].pop(0)), "box-missing", BOXES, "Metacarpal1st of 0001_0001_L"),
    (
        "category",
        changed(BOXES, lambda c: c["categories"].append({"id": 9, "name": "Lunat"})),
        "spelling",
        BOXES,
        "mean",
    ),
    ("box size", changed(BOXES, lambda c: c["images"][0].update(height=99)), "box-size", BOXES, "64 x 99 pixels but"),
    ("box image", remove(LOCATED), "box-without-image", BOXES, f"boxes of {CASE}"),
    ("misnamed", copy(IMAGE, "BoneSegmentation/images/hand.bmp"), "identifier", "BoneSegmentation/images/hand.bmp", ""),
    ("no person", forget_patient, "metadata-missing", "Metadata.xlsx", "lacks patient 0001"),
    ("no table", put("Metadata.xlsx", b"no table"), "metadata-file", "Metadata.xlsx", "not an Excel table"),
    ("phantom file", put("Phantom.json", b"{"), "phantom-file", "Phantom.json", "does not say"),
    ("other image", image(LOCATED, GREYS_64), "image-differs", LOCATED, "is another image than"),
    (
        "same pixels",
        same_pixels(OTHER),
        "image-copied",
        f"BoneSegmentation/images/{OTHER}.bmp",
        f"pixels of {CASE}; see",
    ),
    (
        "same pixels in the test",
        same_pixels("0005_0001_L"),
        "image-copied",
        "BoneSegmentation/images/0005_0001_L.bmp",
        "in train and test",
    ),
    (
        "both hands the same",
        same_pixels("0001_0001_R"),
        "image-copied",
        "BoneSegmentation/images/0001_0001_R.bmp",
        f"pixels of {CASE}; see",
    ),
    (
        "a copy made brighter and mirrored",
        blurred_copy,
        "image-alike",
        "BoneSegmentation/images/0005_0001_L.bmp",
        rf"looks like {CASE} mirrored \(correlation 1.000\) of another patient, in train and test",
    ),
    (
        "BMP in capitals",
        copy(IMAGE, "BoneSegmentation/images/0009_0001_L.BMP"),
        "file-unexpected",
        "BoneSegmentation/images/0009_0001_L.BMP",
        "rename it to 0009_0001_L.bmp",
    ),
    (
        "note among masks",
        put("BoneSegmentation/masks/train/note.txt", b"x"),
        "file-unexpected",
        "BoneSegmentation/masks/train/note.txt",
        "move it away",
    ),
    (
        "file among regions",
        put("SvdHBEScoreClassification/val/note.txt", b"x"),
        "identifier",
        "SvdHBEScoreClassification/val/note.txt",
        "is misnamed",
    ),
    (
        "unknown split of masks",
        folder_beside("BoneSegmentation/masks/valid"),
        "split-unknown",
        "BoneSegmentation/masks/valid",
        "rename it to train, val or test",
    ),
    (
        "unknown split of regions",
        folder_beside("SvdHBEScoreClassification/dev"),
        "split-unknown",
        "SvdHBEScoreClassification/dev",
        "rename",
    ),
    (
        "two folders of images",
        folder_beside("BoneSegmentation/image"),
        "folder-twice",
        "BoneSegmentation/image",
        "beside images",
    ),
    (
        "two folders of masks",
        folder_beside("BoneSegmentation/mask"),
        "folder-twice",
        "BoneSegmentation/mask",
        "beside masks",
    ),
    (
        "two folders of boxes",
        folder_beside("BoneLocationDetection"),
        "folder-twice",
        "BoneLocationDetection",
        "beside Joint",
    ),
    (
        "region twice",
        copy(f"{REGIONS}/DistalUlna.bmp", f"{REGIONS}/Ulna.bmp"),
        "region-twice",
        f"{REGIONS}/Ulna.bmp",
        "second region of DistalUlna",
    ),
    (
        "constant region",
        image(f"{REGIONS}/Lunate.bmp", np.full((9, 9), 3, np.uint8)),
        "image-constant",
        f"{REGIONS}/Lunate.bmp",
        "one grey",
    ),
    (
        "other hand",
        changed(SCORES, lambda e: e[0].update(hand="R")),
        "score-identifier",
        SCORES,
        "'R' as hand of 0001_0001_L",
    ),
    (
        "other patient",
        changed(SCORES, lambda e: e[0].update(patient_id="0002")),
        "score-identifier",
        SCORES,
        "as patient_id",
    ),
    (
        "other study",
        changed(SCORES, lambda e: e[0].update(study_id=7)),
        "score-identifier",
        SCORES,
        "has 7 as study_id",
    ),
    (
        "scores of two opinions",
        also_scored_otherwise,
        "score-files-differ",
        "SvdHBEScoreClassification/JointBE_SvdH_GT_Ori.json",
        f"scores {CASE} otherwise",
    ),
    ("score of half", changed(SCORES, lambda e: e[0]["joints"].update(Lunate=1.5)), "score-range", SCORES, "score 1.5"),
    ("score of -1", changed(SCORES, lambda e: e[0]["joints"].update(Lunate=-1)), "score-range", SCORES, "score -1"),
    ("box twice", changed(BOXES, lambda c: c["annotations"].append(c["annotations"][0])), "box-twice", BOXES, "twice"),
    (
        "box of nothing",
        changed(BOXES, lambda c: c["annotations"].append({**c["annotations"][0], "category_id": 99})),
        "box-reference",
        BOXES,
        "unknown",
    ),
    ("too old", cell("age", "150"), "metadata-age", "Metadata.xlsx", "150 years"),
    ("no age", cell("age", "old"), "metadata-value", "Metadata.xlsx", "'old' as age"),
    ("no gender", cell("gender", "?"), "metadata-value", "Metadata.xlsx", "as gender"),
    ("no phase", cell("phase", "first"), "metadata-value", "Metadata.xlsx", "as phase"),
    (
        "row twice",
        people(lambda t: pd.concat([t, t.iloc[:1].assign(age="3")])),
        "metadata-twice",
        "Metadata.xlsx",
        "two different rows of patient 0001",
    ),
    (
        "row of nobody",
        people(lambda t: pd.concat([t, t.iloc[:1].assign(patient_id="0099")])),
        "metadata-without-image",
        "Metadata.xlsx",
        "patient 0099, which has no image",
    ),
    ("other centre", second_visit(institution="DHA"), "metadata-conflict", "Metadata.xlsx", "the institution DHA and"),
    ("other sex", second_visit(gender="F"), "metadata-conflict", "Metadata.xlsx", "the sex F and M"),
    ("younger", second_visit(phase="2", age="1"), "metadata-order", "Metadata.xlsx", "younger at a later visit"),
    (
        "columns",
        people(lambda t: t.rename(columns={"patient_id": "id"})),
        "metadata-columns",
        "Metadata.xlsx",
        "lacks the columns",
    ),
]
WARNINGS = {
    "mask-missing", "mask-empty", "box-area", "cross-task-leak", "image-alike", "file-unexpected", "folder-twice",
    "score-identifier", "score-files-differ", "metadata-missing", "metadata-age", "metadata-value", "metadata-twice",
    "metadata-without-image", "metadata-conflict", "metadata-order",
}  # fmt: skip
"""Kinds that only ask for a second look; copies of one patient's own image are of this sort as well."""


def test_clean_data_has_no_problem_and_is_left_as_it_is(tiny: Path) -> None:
    before = contents(tiny)
    assert check_dataset(tiny) == []
    assert contents(tiny) == before


def test_clean_data_in_any_variant_of_the_layout_has_no_problem(tiny: Path, variant: Damage) -> None:
    variant(tiny)
    assert check_dataset(tiny) == []


@pytest.mark.parametrize(
    ("damage", "kind", "file", "text"), [row[1:] for row in DAMAGES], ids=[row[0] for row in DAMAGES]
)
def test_each_damage_is_found_with_its_kind_its_file_and_a_remedy(
    tiny: Path, damage: Damage, kind: str, file: str, text: str
) -> None:
    damage(tiny)
    before = contents(tiny)
    problems = check_dataset(tiny)
    assert kinds(problems) == [kind]
    assert problems[0].file == file
    is_warning = kind in WARNINGS or problems[0].file == "BoneSegmentation/images/0001_0001_R.bmp"
    assert problems[0].severity == ("warning" if is_warning else "error")
    assert re.search(text, problems[0].message)
    assert_is_one_sentence(problems[0], tiny)
    assert contents(tiny) == before


def assert_is_one_sentence(problem: Problem, root: Path) -> None:
    """A sentence that names the file or the task, and after a semicolon or a comma what to do."""
    message = problem.message
    assert message.startswith(str(root / problem.file)) or problem.file in message
    assert "\n" not in message
    assert ". " not in message
    assert not message.endswith(".")
    assert "; " in message or ", expected " in message
    assert len(message.replace(str(root), "")) < 300


def test_a_case_in_two_splits_is_two_errors_the_file_and_the_patient(tiny: Path) -> None:
    copy(MASK, f"BoneSegmentation/masks/test/{CASE}.npy")(tiny)
    problems = check_dataset(tiny)
    assert kinds(problems) == ["case-in-two-splits", "patient-in-two-splits", "cross-task-leak"]
    assert problems[0].file == f"BoneSegmentation/masks/test/{CASE}.npy"
    assert "is also in test and train" in problems[0].message
    for problem in problems:
        assert_is_one_sentence(problem, tiny)


@pytest.mark.parametrize("split", ["val", "test"])
def test_the_two_hands_of_a_patient_in_two_splits_are_an_error(tiny: Path, split: str) -> None:
    shutil.move(tiny / REGIONS, tiny / f"SvdHBEScoreClassification/{split}/{CASE}")
    problems = check_dataset(tiny)
    assert kinds(problems) == ["patient-in-two-splits"] + ["cross-task-leak"] * (split == "test")
    assert f"patient 0001 in {' and '.join(sorted((split, 'train')))}" in problems[0].message
    assert_is_one_sentence(problems[0], tiny)


def test_a_patient_trained_on_in_one_task_and_tested_in_the_other_is_a_warning(tiny: Path) -> None:
    for side in "LR":
        name = f"0001_0001_{side}"
        shutil.move(tiny / f"SvdHBEScoreClassification/train/{name}", tiny / f"SvdHBEScoreClassification/test/{name}")
    (problem,) = check_dataset(tiny)
    assert (problem.kind, problem.severity) == ("cross-task-leak", "warning")
    assert "patient 0001 is in train of BoneSegmentation and in test of SvdHBE" in problem.message
    assert_is_one_sentence(problem, tiny)


def test_a_region_whose_wrist_has_no_image_is_an_error_because_no_reader_would_find_it(tiny: Path) -> None:
    for name in (IMAGE, LOCATED, MASK):
        remove(name)(tiny)
    changed(BOXES, lambda coco: (coco["images"].pop(0), coco["annotations"].__delitem__(slice(6))))(tiny)
    assert kinds(check_dataset(tiny)) == ["region-without-image"]


def test_all_problems_are_found_at_once_errors_first(tiny: Path) -> None:
    for damage in (
        forget_patient,
        image("BoneSegmentation/images/0002_0001_L.bmp", np.full((64, 64), 7, np.uint8)),
        mask(lambda stack: stack[:13]),
        changed(SCORES, lambda entries: entries[5]["joints"].update(Lunate=7)),
        changed(BOXES, lambda coco: coco["annotations"][0].update(area=1)),
        remove(f"{REGIONS}/Lunate.bmp"),
    ):
        damage(tiny)
    problems = check_dataset(tiny)
    assert sorted(kinds(problems)) == [
        "box-area",
        "image-constant",
        "mask-channels",
        "metadata-missing",
        "region-missing",
        "score-range",
    ]
    assert [problem.severity for problem in problems] == ["error"] * 4 + ["warning"] * 2


@pytest.mark.parametrize("name", [SCORES, BOXES])
@pytest.mark.parametrize("text", ["null", "3", '"text"', "[1, 2]", "[[]]", "{", "", '{"images": null}', '{"a": [1]}'])
def test_json_of_the_wrong_form_is_a_problem_of_that_file_and_no_traceback(tiny: Path, name: str, text: str) -> None:
    (tiny / name).write_text(text)
    problems = check_dataset(tiny)
    assert name in {problem.file for problem in problems}
    for problem in problems:
        assert_is_one_sentence(problem, tiny)


@pytest.mark.parametrize(
    "folder",
    [
        "BoneSegmentation",
        "BoneSegmentation/images",
        "BoneSegmentation/masks",
        "BoneSegmentation/masks/train",
        "JointLocationDetection",
        "JointLocationDetection/images",
        "SvdHBEScoreClassification",
        "SvdHBEScoreClassification/train",
        REGIONS,
    ],
)
def test_a_file_where_a_folder_is_expected_is_found_and_no_traceback(tiny: Path, folder: str) -> None:
    shutil.rmtree(tiny / folder)
    (tiny / folder).touch()
    problems = check_dataset(tiny)
    assert problems
    for problem in problems:
        assert_is_one_sentence(problem, tiny)


@pytest.mark.parametrize("name", [IMAGE, MASK, SCORES, BOXES, "Metadata.xlsx", f"{REGIONS}/Lunate.bmp", "Phantom.json"])
def test_a_folder_where_a_file_is_expected_is_found_and_no_traceback(tiny: Path, name: str) -> None:
    (tiny / name).unlink(missing_ok=True)
    (tiny / name).mkdir()
    problems = check_dataset(tiny)
    assert name in {problem.file for problem in problems}
    for problem in problems:
        assert_is_one_sentence(problem, tiny)


@pytest.mark.parametrize("keep", [1, 2, 10, 20, 30, 53, 54, 60, 1077, 1078])
def test_an_image_cut_anywhere_is_found_and_no_traceback(tiny: Path, keep: int) -> None:
    put(IMAGE, (tiny / IMAGE).read_bytes()[:keep])(tiny)
    assert kinds(check_dataset(tiny)) == ["image-unreadable"]


def test_hidden_files_are_passed_over(tiny: Path) -> None:
    for name in (
        f"BoneSegmentation/images/._{CASE}.bmp",
        "SvdHBEScoreClassification/train/.DS_Store",
        f"{REGIONS}/.x.bmp",
    ):
        (tiny / name).touch()
    assert check_dataset(tiny) == []


def test_progress_counts_every_file_to_the_last(tiny: Path) -> None:
    steps: list[tuple[int, int]] = []
    check_dataset(tiny, progress=lambda done, total: steps.append((done, total)))
    assert steps == [(done, 48) for done in range(1, 49)]


def test_a_folder_that_is_no_dataset_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is empty, expected a dataset"):
        check_dataset(tmp_path)
