"""Real films, as far as they lie beside the project: hands are found, what is no adult's hand from its back is not."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from carpus.anatomy import Joint

EXAMPLES = Path(__file__).parents[2] / "examples"
REAL = Path(__file__).parents[3] / "shared" / "data" / "radiographs"


def test_the_example_becomes_a_crop_with_its_bones_in_place_and_its_joints(carpus, tmp_path: Path) -> None:
    done = carpus("data", "prepare", EXAMPLES, "--out", tmp_path / "ours")
    assert "Dataset of 1 wrists" in done.out, done.err
    (record,) = _films(tmp_path / "ours")
    x, y, width, height = record["crop_px"]
    # The capitate, by eye, is in the middle of the crop.
    assert abs(x + width / 2 - 1063) < 100
    assert abs(y + height / 2 - 1957) < 100
    assert width * 0.115 == pytest.approx(90, abs=0.1)
    assert (record["side"], record["side_from"], record["bits"]) == ("R", "ProtocolName", 12)
    assert record["sides"]["thumb"] == "R"
    assert record["boxes_from"] == "predicted"
    assert set(record["boxes"]) == {joint.value for joint in Joint}
    assert not record["synthetic"]
    assert not {"wrist-doubtful", "bones-unusual", "side-contradiction"} & set(record["flags"])
    assert carpus("data", "check", tmp_path / "ours").status == 0


@pytest.mark.skipif(not REAL.is_dir(), reason="the real films are not here")
def test_what_is_no_adults_hand_from_its_back_is_refused_or_flagged_with_its_reason(carpus, tmp_path: Path) -> None:
    spacing_mm = {"hand-left-pa.jpg": 0.11, "normal-wrist-pediatric-pa.jpg": 0.15}
    with (tmp_path / "films.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["file", "patient", "spacing_mm", "side"])
        for path in sorted(REAL.rglob("*.jpg")):
            table.writerow([path.name, path.name, spacing_mm.get(path.name, 0.14), "L" if "left" in path.name else "R"])
    (tmp_path / "known.txt").write_text("hand-right-pa.dcm\n")  # the example
    given = ["--table", tmp_path / "films.csv", "--exclude", tmp_path / "known.txt"]
    done = carpus("data", "prepare", REAL, "--out", tmp_path / "ours", *given)
    assert done.status == 2
    for name, why in (
        ("normal-foot-ap.jpg", "shows no hand that can be recognised"),
        ("normal-hand-lateral.jpg", "shows no hand that can be recognised"),
        ("normal-hand-oblique.jpg", "shows no hand that can be recognised"),
        ("normal-wrist-pediatric-pa.jpg", "shows no wrist that can be recognised"),
    ):
        assert f"not taken: out-of-scope/{name} {why}" in done.err
    assert "Dataset of 2 wrists" in done.out
    flags = {tuple(film["film_px"]): film["flags"] for film in _films(tmp_path / "ours")}
    adult, close_up = (flags[size] for size in ((2082, 1466), (379, 500)))
    assert not adult
    assert "cut-by-film" in close_up


def _films(root: Path) -> list[dict[str, Any]]:
    films: list[dict[str, Any]] = json.loads((root / "Prepared.json").read_text("utf-8"))["films"]
    return films
