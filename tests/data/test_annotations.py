import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from carpus.anatomy import Joint
from carpus.data import layout
from carpus.data.annotations import read_boxes, read_scores
from carpus.data.case import CaseId
from carpus.data.metadata import Person, read_metadata
from carpus.data.problem import Problem

CASE = CaseId.parse("0001_0001_L")
SCORES = {joint.value: place for place, joint in enumerate(Joint)}
READ = {joint: place for place, joint in enumerate(Joint)}


def kinds(problems: list[Problem]) -> list[str]:
    return [problem.kind for problem in problems]


def in_file(folder: Path, content: Any) -> Path:
    path = folder / "annotation.json"
    path.write_text(json.dumps(content), "utf-8")
    return path


@pytest.mark.parametrize(
    "content",
    [
        [{"identifier": str(CASE), "joints": SCORES}],
        {str(CASE): {"joints": SCORES}},
        {str(CASE): {"identifier": "whatever", "joints": SCORES}},
        [{"identifier": str(CASE), "joints": {**SCORES, "Trapezium": 1}}],
        [{"identifier": str(CASE), "joints": {joint.abbreviation: place for place, joint in enumerate(Joint)}}],
        [{"identifier": str(CASE), "joints": {name: float(score) for name, score in SCORES.items()}}],
    ],
    ids=["list", "keyed", "key wins", "trapezium", "abbreviations", "whole floats"],
)
def test_scores_are_read_in_every_variant_met(tmp_path: Path, content: Any) -> None:
    assert read_scores(in_file(tmp_path, content)) == ({CASE: READ}, [])


@pytest.mark.parametrize("score", [7, -1, 2.5, "3", None, True, [1], float("nan"), float("inf"), 10**400])
def test_a_score_off_the_scale_is_named_with_its_case_and_joint_and_left_out(tmp_path: Path, score: Any) -> None:
    path = in_file(tmp_path, [{"identifier": str(CASE), "joints": {**SCORES, "Lunate": score}}])
    scores, problems = read_scores(path)
    assert kinds(problems) == ["score-range"]
    assert "0001_0001_L, Lunate" in problems[0].message
    assert Joint.LUNATE not in scores[CASE]


def test_a_misspelt_joint_is_answered_with_the_nearest_spelling(tmp_path: Path) -> None:
    joints = {("Lunat" if name == "Lunate" else name): score for name, score in SCORES.items()}
    _, problems = read_scores(in_file(tmp_path, [{"identifier": str(CASE), "joints": joints}]))
    assert kinds(problems) == ["spelling"]
    assert "did you mean 'Lunate'?" in problems[0].message


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (None, "score-file"),
        (3, "score-file"),
        ("scores", "score-file"),
        ([1, 2], "score-entry"),
        ({"0001_0001_L": [1, 2]}, "score-entry"),
        ([{"identifier": str(CASE)}], "score-entry"),
        ([{"joints": SCORES}], "identifier"),
        ([{"identifier": "left hand", "joints": SCORES}], "identifier"),
        ([{"identifier": str(CASE), "joints": {}}], "score-missing"),
        ([{"identifier": str(CASE), "joints": SCORES}] * 2, "score-twice"),
    ],
)
def test_every_other_fault_of_a_score_file_has_its_kind(tmp_path: Path, content: Any, kind: str) -> None:
    _, problems = read_scores(in_file(tmp_path, content))
    assert set(kinds(problems)) == {kind}


def coco() -> dict[str, Any]:
    return {
        "images": [{"id": 0, "file_name": f"{CASE}.bmp", "width": 64, "height": 64}],
        "categories": [{"id": 4, "name": "Trapezium"}],
        "annotations": [{"id": 9, "image_id": 0, "category_id": 4, "bbox": [1, 2, 10, 20], "area": 200}],
    }


def change(*place: str | int, value: Any) -> Callable[[dict[str, Any]], None]:
    def apply(content: dict[str, Any]) -> None:
        target: Any = content
        for step in place[:-1]:
            target = target[step]
        target[place[-1]] = value

    return apply


def test_a_box_is_read_with_its_joint_and_the_size_of_its_image(tmp_path: Path) -> None:
    boxes, problems = read_boxes(in_file(tmp_path, coco()))
    box = boxes[CASE].boxes[Joint.TRAPEZIUM]
    assert problems == []
    assert (box.x, box.y, box.width, box.height) == (1, 2, 10, 20)
    assert (boxes[CASE].height, boxes[CASE].width) == (64, 64)


def test_a_box_without_an_area_is_no_problem(tmp_path: Path) -> None:
    content = coco()
    del content["annotations"][0]["area"]
    assert read_boxes(in_file(tmp_path, content))[1] == []


@pytest.mark.parametrize(
    ("damage", "kind"),
    [
        (change("annotations", 0, "bbox", value=[60, 2, 10, 20]), "box-outside"),
        (change("annotations", 0, "bbox", value=[-1, 2, 10, 20]), "box-outside"),
        (change("annotations", 0, "bbox", value=[1, 2, 0, 20]), "box-empty"),
        (change("annotations", 0, "area", value=123), "box-area"),
        (change("annotations", 0, "image_id", value=5), "box-reference"),
        (change("annotations", 0, "category_id", value=5), "box-reference"),
        (change("images", 0, "file_name", value="hand.bmp"), "identifier"),
        (change("annotations", 0, "bbox", value=[1, 2, 3]), "coco-file"),
        (change("annotations", 0, "bbox", value=[float("nan"), 2, 10, 20]), "coco-file"),
        (change("annotations", 0, "bbox", value=[10**400, 2, 10, 20]), "coco-file"),
        (change("annotations", 0, "bbox", value=None), "coco-file"),
        (change("annotations", 0, "image_id", value=[]), "coco-file"),
        (change("annotations", value={"a": 1}), "coco-file"),
        (change("images", 0, value=None), "coco-file"),
        (change("images", 0, "width", value="wide"), "coco-file"),
        (change("images", value=3), "coco-file"),
        (change("categories", 0, "name", value=3), "coco-file"),
    ],
)
def test_every_fault_of_a_box_file_has_its_kind(
    tmp_path: Path, damage: Callable[[dict[str, Any]], None], kind: str
) -> None:
    content = coco()
    damage(content)
    _, problems = read_boxes(in_file(tmp_path, content))
    assert kinds(problems) == [kind]


def test_an_unknown_category_is_answered_with_the_nearest_spelling(tmp_path: Path) -> None:
    content = coco()
    content["categories"].append({"id": 5, "name": "Scafoid"})
    _, problems = read_boxes(in_file(tmp_path, content))
    assert kinds(problems) == ["spelling"]
    assert "did you mean 'Scaphoid'?" in problems[0].message


def test_a_box_drawn_twice_is_reported(tmp_path: Path) -> None:
    content = coco()
    content["annotations"] *= 2
    assert kinds(read_boxes(in_file(tmp_path, content))[1]) == ["box-twice"]


@pytest.mark.parametrize("text", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b"1" * 5000])
def test_what_is_no_json_is_one_problem_and_no_traceback(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "annotation.json"
    path.write_bytes(text)
    for read in (read_scores, read_boxes):
        values, problems = read(path)
        assert (values, kinds(problems)) == ({}, ["json-file"])


def test_a_missing_file_and_a_folder_in_its_place_are_one_problem_each(tmp_path: Path) -> None:
    for read in (read_scores, read_boxes):
        assert kinds(read(tmp_path / "nothing.json")[1]) == ["json-missing"]
        assert kinds(read(tmp_path)[1]) == ["json-file"]


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["images", "annotations", "categories", "id", "bbox", "joints", "identifier"]), inner
        )
    ),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(anything)
def test_whatever_json_holds_is_read_without_a_traceback(tmp_path: Path, content: Any) -> None:
    path = in_file(tmp_path, content)
    for read in (read_scores, read_boxes):
        for problem in read(path)[1]:
            assert problem.message.startswith(str(path))


def write_table(folder: Path, rows: list[dict[str, Any]]) -> Path:
    path = folder / layout.METADATA_FILE
    pd.DataFrame(rows).to_excel(path, index=False)
    return path


def test_the_metadata_table_is_read_whatever_the_case_of_its_headings(tmp_path: Path) -> None:
    row = {"Patient_ID": "0001", "Study_ID": "0002", "Gender": "female", "Age": 61.0, "Institution": "HU", "Phase": 2}
    assert read_metadata(write_table(tmp_path, [row])) == ({("0001", "0002"): Person("HU", 61, "F", 2)}, [])


def test_identifiers_that_excel_made_numbers_of_get_their_zeros_back(tmp_path: Path) -> None:
    people, _ = read_metadata(write_table(tmp_path, [{"patient_id": 35, "study_id": 1, "institution": "HU"}]))
    assert list(people) == [("0035", "0001")]


def test_an_empty_cell_is_unknown_and_a_row_without_identifier_is_skipped(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"patient_id": "0001", "study_id": "0001", "institution": None, "age": "old", "gender": None, "phase": "inf"},
        {"patient_id": None, "study_id": "0001", "institution": "HU", "age": 3, "gender": "M", "phase": 1},
    ]
    people, problems = read_metadata(write_table(tmp_path, rows))
    assert people == {("0001", "0001"): Person()}
    assert kinds(problems) == ["metadata-value", "metadata-value"]
    assert "has 'old' as age of patient 0001, study 0001; mend it" in problems[0].message


def test_a_table_without_identifiers_is_reported(tmp_path: Path) -> None:
    people, problems = read_metadata(write_table(tmp_path, [{"patient": "0001"}]))
    assert (people, kinds(problems)) == ({}, ["metadata-columns"])


@pytest.mark.parametrize("keep", [0, 10, 600, 3000])
@pytest.mark.parametrize("start", [b"", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"PK\x03\x04"])
def test_a_damaged_table_is_one_problem_and_no_traceback(tmp_path: Path, keep: int, start: bytes) -> None:
    path = write_table(tmp_path, [{"patient_id": "0001", "study_id": "0001"}])
    path.write_bytes((start + path.read_bytes()[len(start) :])[:keep])
    people, problems = read_metadata(path)
    assert (people, kinds(problems)) == ({}, ["metadata-file"])
    assert problems[0].message.endswith("; export it again")
