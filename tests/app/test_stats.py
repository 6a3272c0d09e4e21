import json
from pathlib import Path

import pandas as pd


def test_statistics_are_written_as_tables_and_pictures_marked_as_phantoms(
    carpus, phantoms: Path, tmp_path: Path
) -> None:
    out = tmp_path / "about"
    done = carpus("data", "stats", phantoms, "--out", out, "--json")
    assert done.status == 0, done.err
    figures = ("cohort", "image_sizes", "score_counts", "splits")
    tables = ("images", "scores_bones", "scores_erosion", "splits", "wrists")
    expected = {"statistics.json", *(f"{name}.csv" for name in tables)}
    expected |= {f"{name}{ending}" for name in figures for ending in (".svg", ".pdf", ".png")}
    assert {path.name for path in out.iterdir()} == expected

    counts = json.loads(done.out)
    assert json.loads((out / "statistics.json").read_text()) == counts
    wrists = pd.read_csv(out / "wrists.csv", dtype=str)
    assert len(wrists) == counts["images"]
    for name in tables:
        assert set(pd.read_csv(out / f"{name}.csv", dtype=str)["synthetic"]) == {"True"}, name
    for name in figures:
        assert "PHANTOM" in (out / f"{name}.svg").read_text(), name
    scores = pd.read_csv(out / "scores_erosion.csv")
    own = scores.query("split == 'test' and joint == 'Tr' and score == 0")
    assert own["wrists"].item() == counts["erosion_scores"]["test"]["Tr"]["0"]
    assert own["paper"].item() == 82


def test_statistics_replace_a_folder_only_if_asked(carpus, phantoms: Path, tmp_path: Path) -> None:
    (tmp_path / "old").touch()
    refused = carpus("data", "stats", phantoms, "--out", tmp_path)
    assert (refused.status, refused.out) == (2, "")
    assert "exists already" in refused.err
    assert (tmp_path / "old").exists()


def test_statistics_are_printed_beside_the_papers(carpus, phantoms: Path) -> None:
    said = carpus("data", "stats", phantoms).out
    assert said.startswith("PHANTOM")
    assert "(350)" in said
    assert "0.15" in said
    assert "(70/10/20)" in said
