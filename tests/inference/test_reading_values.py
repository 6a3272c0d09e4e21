"""What JSON says of a reading, against the reading itself."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from carpus.anatomy import Bone, Side
from carpus.imaging import Radiograph
from carpus.imaging.geometry import resize_labels
from carpus.inference.film import read_film
from carpus.inference.model import load_model
from carpus.inference.reading import WristReading, read_radiograph
from carpus.inference.weights import bundled_weights
from carpus.metrics.overlap import dsc

EXAMPLE = Path(__file__).parents[2] / "examples" / "hand-right-pa.dcm"


@pytest.fixture(scope="module")
def reading() -> WristReading:
    bones, erosion = (load_model(bundled_weights(task), task=task) for task in ("bones", "erosion"))
    return read_radiograph(read_film(EXAMPLE), bones=bones, erosion=erosion)


def drawn(bone: dict[str, Any], *, height: int, width: int) -> np.ndarray:
    """The bone of the JSON file drawn on the film."""
    canvas = np.zeros((height, width), np.uint8)
    for piece in bone["polygons"]:
        rings = [np.array(ring) - 0.5 for ring in (piece["outline"], *piece["holes"])]
        cv2.fillPoly(canvas, [np.rint(ring * 16).astype(np.int32) for ring in rings], 1, shift=4)
    return canvas.astype(bool)


def on_film(reading: WristReading, bone: Bone) -> np.ndarray:
    film = np.zeros(reading.film.shape, bool)
    size = round(reading.box.width)
    x, y = round(reading.box.x), round(reading.box.y)
    film[y : y + size, x : x + size] = resize_labels(reading.masks.mask(bone), height=size, width=size)[
        : film.shape[0] - y, : film.shape[1] - x
    ]
    return film


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_polygons_and_boxes_lie_on_the_film_as_it_is_stored(reading: WristReading, turns: int) -> None:
    turned = dataclasses.replace(reading, turns=turns)
    values = turned.as_dict()
    stored = np.rot90(reading.film.pixels, -turns)
    assert (values["height_px"], values["width_px"]) == stored.shape
    assert values["turned_degrees"] == 90 * turns
    for bone, said in zip(Bone, values["bones"], strict=True):
        expected = np.rot90(on_film(reading, bone), -turns)
        assert dsc(expected, drawn(said, height=stored.shape[0], width=stored.shape[1])) > 0.985, bone
    for joint in values["joints"]:
        box, bone = joint["box_px"], next(each for each in values["bones"] if each["bone"] == joint["joint"])
        points = np.concatenate([piece["outline"] for piece in bone["polygons"]])
        inside = (points >= [box["x"], box["y"]]) & (points <= [box["x"] + box["width"], box["y"] + box["height"]])
        assert inside.all(axis=1).any(), joint["joint"]


def test_areas_are_those_of_the_masks_and_cut_bones_say_so(reading: WristReading) -> None:
    values = reading.as_dict()
    for bone, said in zip(Bone, values["bones"], strict=True):
        assert said["area_mm2"] == pytest.approx(reading.masks.mask(bone).sum() * 0.15**2, abs=0.06)
        assert said["is_cut"] is (bone.name.startswith(("DISTAL", "METACARPAL"))), bone
    assert (values["spacing_mm"], values["spacing_from"]) == (0.115, "file")
    assert (values["side"], values["side_from"]) == ("R", "file")
    assert values["notice"].startswith("Research use only; trained on synthetic radiographs.")
    assert json.loads(json.dumps(values, allow_nan=False)) == values


def test_what_the_film_ends_is_cut_too(reading: WristReading) -> None:
    height = round(reading.box.y + 0.8 * reading.box.height)
    film = dataclasses.replace(reading.film, pixels=reading.film.pixels[:height])
    plane = reading.masks.plane.copy()
    plane[480:] = 0
    shorter = dataclasses.replace(reading, film=film, masks=type(reading.masks)(plane))
    cut = {bone["bone"] for bone in shorter.as_dict()["bones"] if bone["is_cut"]}
    assert "Radius" in cut
    assert not cut & {"Cap", "Lu", "Sca", "Ham"}


def test_side_and_scale_say_where_they_are_from(reading: WristReading) -> None:
    untold = dataclasses.replace(reading.film, side=None, spacing_mm=None)
    values = dataclasses.replace(reading, film=untold).as_dict()
    assert values["side_from"] == "image"
    assert values["spacing_from"] == "hand"
    assert values["spacing_mm"] == pytest.approx(0.115, rel=0.01)
    unscaled = Radiograph(reading.crop.pixels, None, Side.RIGHT, reading.crop.source)
    values = dataclasses.replace(reading, film=untold, crop=unscaled).as_dict()
    assert (values["spacing_mm"], values["spacing_from"]) == (None, None)
    assert {bone["area_mm2"] for bone in values["bones"]} == {None}


def test_scores_are_told_only_where_there_are_any(reading: WristReading) -> None:
    none = dataclasses.replace(reading.joints[0], score=None, score_probabilities=(), score_range=None)
    said = dataclasses.replace(reading, joints=(none,)).as_dict()["joints"][0]
    assert not any("svdh" in name for name in said)
    first = dataclasses.replace(
        reading.joints[0], score=2, score_probabilities=(0.1, 0.2, 0.4, 0.2, 0.1, 0.0), score_range=(1, 3)
    )
    said = dataclasses.replace(reading, joints=(first,)).as_dict()["joints"][0]
    assert said["svdh_score"] == 2
    assert said["svdh_score_range"] == [1, 3]
    assert said["svdh_score_probabilities"] == [0.1, 0.2, 0.4, 0.2, 0.1, 0.0]


def test_the_networks_are_known_by_their_content(reading: WristReading) -> None:
    bones, erosion = reading.as_dict()["models"]
    assert (bones["task"], erosion["task"]) == ("bones", "erosion")
    assert len(bones["sha256"]) == len(erosion["sha256"]) == 64
    assert bones["sha256"] != erosion["sha256"]
