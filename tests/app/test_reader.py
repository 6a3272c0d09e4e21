"""`carpus read` on folders of small films (phantoms): names, going on, failures, and processes that die."""

import csv
import json
import operator
import os
import shutil
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from carpus.app.reader.cluster import read_on_ray
from carpus.app.reader.films import OUTPUTS, choose_films
from carpus.app.reader.many import LOCK_FILE
from carpus.app.reader.one import Settings
from carpus.app.reader.processes import spread
from carpus.errors import InputError
from carpus.imaging.files import write_grey
from carpus.imaging.geometry import mirror, resize
from carpus.imaging.intensity import to_8_bits
from carpus.inference.film import read_film
from carpus.phantom import draw, plan_cohort

COUNT = 12
EXAMPLE = Path(__file__).parents[2] / "examples" / "hand-right-pa.dcm"
EVAL = partial(operator.itemgetter(0), (eval,))
"""Begins work that evaluates what it is given, in another process."""


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five films of wrists."""
    folder = tmp_path_factory.mktemp("drawn")
    for number, visit in enumerate(plan_cohort(patients=8, seed=99)[:5]):
        write_grey(folder / f"film{number}.png", draw(visit).radiograph.pixels)
    return folder


@pytest.fixture
def films(drawn: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "films"
    (folder / "visit 1" / "deep").mkdir(parents=True)
    shutil.copy(drawn / "film0.png", folder / "visit 1" / "a.png")
    shutil.copy(drawn / "film1.png", folder / "visit 1" / "deep" / "a.png")
    (folder / "bad.bmp").write_bytes(b"BM")
    (folder / "notes.txt").write_text("no film")
    return folder


def content(out: Path) -> dict[str, bytes]:
    return {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_folder_is_read_once_and_a_bad_film_stops_no_other(carpus, films: Path, drawn: Path, tmp_path: Path) -> None:
    out = tmp_path / "results"
    done = carpus("read", films, "--out", out, "--jobs", 1)
    assert done.status == 2
    assert "2 of 3 films read (0 before, 1 not, 1 files passed over)" in done.out
    assert "bad.bmp is not an image" in done.err
    names = {f"{name}{output}" for name in ("visit 1/a", "visit 1/deep/a") for output in OUTPUTS}
    first = content(out)
    assert set(first) == names | {"readings.csv", "failures.csv", "index.html"}

    values = json.loads((out / "visit 1/deep/a.json").read_text())
    rows = [row for row in table(out / "readings.csv") if row["film"] == "visit 1/deep/a.png"]
    assert [row["joint"] for row in rows] == [joint["joint"] for joint in values["joints"]]
    assert float(rows[0]["erosion_probability"]) == values["joints"][0]["erosion_probability"]
    assert rows[0]["sha256"] == values["sha256"]
    assert [row["film"] for row in table(out / "failures.csv")] == ["bad.bmp"]

    (films / "bad.bmp").unlink()
    before = {name: (out / name).stat().st_mtime_ns for name in names}
    done = carpus("read", films, "--out", out)
    assert done.status == 0, done.err
    assert "2 of 2 films read (2 before, 0 not, 1 files passed over)" in done.out
    assert {name: (out / name).stat().st_mtime_ns for name in names} == before

    shutil.copy(drawn / "film2.png", films / "visit 1/a.png")
    (out / "visit 1/deep/a-overlay.png").unlink()
    done = carpus("read", films, "--out", out, "--jobs", 2)
    assert "2 of 2 films read (0 before" in done.out
    second = content(out)
    assert second["visit 1/a.json"] != first["visit 1/a.json"]
    assert second["visit 1/deep/a-overlay.png"] == first["visit 1/deep/a-overlay.png"]
    assert "2 of 2 films read (0 before" in carpus("read", films, "--out", out, "--again").out

    (films / "visit 1/a.png").write_bytes(b"no longer a film")
    done = carpus("read", films, "--out", out)
    assert "1 of 2 films read (1 before, 1 not" in done.out
    assert not any((out / f"visit 1/a{output}").exists() for output in OUTPUTS)


def test_another_network_reads_all_films_again(carpus, films: Path, tmp_path: Path) -> None:
    from carpus.inference.weights import bundled_weights
    from carpus.nets.checkpoint import load_checkpoint, save_checkpoint

    out, film = tmp_path / "results", films / "visit 1/a.png"
    assert carpus("read", film, "--out", out).status == 0
    before = (out / "a.json").stat().st_mtime_ns
    assert carpus("read", film, "--out", out).status == 0
    assert (out / "a.json").stat().st_mtime_ns == before
    network, info = load_checkpoint(bundled_weights("bones"))
    save_checkpoint(tmp_path / "other.safetensors", network, info)
    assert carpus("read", film, "--out", out, "--bones", tmp_path / "other.safetensors").status == 0
    assert (out / "a.json").stat().st_mtime_ns > before


def test_a_wrong_checkpoint_is_an_error_and_no_failure_of_films(carpus, films: Path, tmp_path: Path) -> None:
    from carpus.inference.weights import bundled_weights

    done = carpus("read", films, "--out", tmp_path / "out", "--bones", bundled_weights("erosion"))
    assert done.status == 2
    assert "was trained for erosion, expected bones" in done.err
    assert done.err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_ctrl_c_leaves_whole_films_and_the_same_command_goes_on(carpus, drawn: Path, tmp_path: Path) -> None:
    out, films = tmp_path / "results", tmp_path / "films"
    films.mkdir()
    for number in range(COUNT):  # enough that Ctrl-C comes long before the last
        shutil.copy(drawn / f"film{number % 5}.png", films / f"film{number}.png")
    # What starts the tests in the background may have Ctrl-C ignored, which is handed down.
    code = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from carpus.app.cli.main import main; sys.argv[0] = 'carpus'; main()"
    )
    command = [sys.executable, "-c", code, "read", str(films), "--out", str(out), "--jobs", "1"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        while len(list(out.glob("[!.]*.json"))) < 2 and process.poll() is None:
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does, to all of them
        _, said = process.communicate()
    assert process.returncode == 130, said
    assert "Stopped; the same command goes on." in said
    whole = [json.loads(path.read_text())["file"] for path in out.glob("*.json")]
    assert 2 <= len(whole) < COUNT
    assert not list(out.glob(".*"))
    listed = {row["film"] for row in table(out / "readings.csv")}  # the last may have ended unheard
    assert listed
    assert listed <= set(whole)

    draft = out / ".film4.json.abcd1234.json"  # as a power cut leaves it
    draft.write_text("{")
    done = carpus("read", films, "--out", out)
    assert done.status == 0, done.err
    assert f"{COUNT} of {COUNT} films read ({len(whole)} before" in done.out
    assert not draft.exists()


def test_a_film_that_kills_its_process_is_named_and_the_rest_is_done() -> None:
    kills, ends = "__import__('os').kill(__import__('os').getpid(), 9)", "__import__('os')._exit(3)"
    asked = ["'a'", kills, "'b'", ends, "'c'"]
    said = dict(spread(asked, EVAL, jobs=2))
    assert [said[each] for each in ("'a'", "'b'", "'c'")] == ["a", "b", "c"]
    assert said[kills] == "its process was killed by signal 9; was there too little memory?"
    assert said[ends] == "its process ended with status 3"


def test_a_film_is_tried_again_if_its_process_was_lost_by_chance(tmp_path: Path) -> None:
    path = tmp_path / "once"
    once = f"'read' if __import__('os').path.exists({str(path)!r}) else (open({str(path)!r}, 'w'), exit(1))"
    assert list(spread([once], EVAL, jobs=1)) == [(once, "read")]


def test_processes_that_die_before_they_begin_are_an_error() -> None:
    with pytest.raises(InputError, match="every process ended with status 4 before it began"):
        list(spread(["'a'"], partial(os._exit, 4), jobs=2))


def test_two_commands_never_read_into_one_folder(carpus, films: Path, tmp_path: Path) -> None:
    fcntl = pytest.importorskip("fcntl", reason="Windows has other locks")
    out = tmp_path / "results"
    out.mkdir()
    with (out / LOCK_FILE).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = carpus("read", films, "--out", out)
    assert done.status == 2
    assert f"another command is reading into {out}" in done.err


def test_names_keep_folders_apart_and_stay_below_the_outputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("one/x.png", "one/x.tif", "one/sub/x.png", "one/index.png", f"one/{'n' * 240}.png", "two/one/x.bmp"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    out = tmp_path / "one" / "out"
    (out / "x-overlay.png").parent.mkdir()
    (out / "x-overlay.png").touch()

    names = [film.name for film in choose_films([tmp_path / "one"], out=out).films]
    long = next(name for name in names if name.startswith("nnn"))
    assert set(names) - {long} == {"x.png", "x.tif", "sub/x", "index.png"}
    assert len(long) == 180

    monkeypatch.chdir(tmp_path / "one" / "sub")
    several = choose_films([Path(".."), tmp_path / "two", Path("../x.png"), Path("../../two/one/x.bmp")], out=out).films
    assert {film.name for film in several} >= {"one/x.png", "one/x.tif", "one/sub/x", "two/one/x"}
    assert len({film.path for film in several}) == len(several) == 6
    given = choose_films([Path("x.png"), Path("../x.png"), tmp_path / "two/one/x.bmp"], out=out).films
    assert len({film.name for film in given}) == 3
    assert not any(part in ("..", ".") for film in (*several, *given) for part in film.name.split("/"))


def test_both_hands_of_a_film_are_read_by_halves(carpus, tmp_path: Path) -> None:
    right = to_8_bits(read_film(EXAMPLE).pixels)
    hands = np.hstack([resize(mirror(right), height=1000, width=819), resize(right, height=1000, width=819)])
    write_grey(tmp_path / "both.png", hands)
    out = tmp_path / "out"
    result = carpus("read", tmp_path / "both.png", "--two-hands", "--out", out)
    assert result.status == 0
    assert "both.png, left half: left hand" in result.out
    found = [json.loads((out / f"both-{half}-half.json").read_text()) for half in ("left", "right")]
    assert [values["side"] for values in found] == ["L", "R"]
    assert [values["half"] for values in found] == ["left", "right"]
    for values, first in zip(found, (0, 819), strict=True):
        assert (values["width_px"], values["height_px"]) == (1638, 1000)
        ends = np.concatenate([bone["polygons"][0]["outline"] for bone in values["bones"]])
        assert first < ends[:, 0].min() < ends[:, 0].max() < first + 819
    # A left hand is the mirror image of a right one.
    left, right_box = (values["wrist_box_px"] for values in found)
    assert left["x"] + left["width"] / 2 == pytest.approx(1638 - right_box["x"] - right_box["width"] / 2, abs=10)
    halves = [f"{tmp_path}/both.png, {half} half" for half in ("left", "right")]
    assert [row["film"] for row in table(out / "readings.csv")][::6] == halves
    assert "both.png, left half" in (out / "both-left-half.html").read_text()


def test_a_missing_film_and_an_empty_folder_are_named(carpus, tmp_path: Path) -> None:
    done = carpus("read", tmp_path / "none.png", "--out", tmp_path / "out")
    assert (done.status, done.err) == (2, f"Error: {tmp_path / 'none.png'} does not exist; check the path.\n")
    done = carpus("read", tmp_path, "--out", tmp_path / "out")
    assert done.status == 2
    assert "holds no film" in done.err
    assert not (tmp_path / "out").exists()


def test_without_ray_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    settings = Settings(tmp_path, tmp_path, tmp_path, 1)
    with pytest.raises(InputError, match=r"pip install 'carpus\[ray\]'"):
        next(read_on_ray([], settings, address=None))
