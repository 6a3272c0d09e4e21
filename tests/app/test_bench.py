"""The matrix of networks: it skips what is done, survives what fails, and ends in a report."""

import json
import multiprocessing
import os
import shutil
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from carpus.app.bench.board import Board
from carpus.app.bench.engines import Event, State, run_here, run_on_ray
from carpus.app.bench.jobs import LOCK_FILE, Job, plan_jobs, run_job
from carpus.errors import InputError

SMALL = ("image_size=32", "epochs=1")


@pytest.fixture
def unscored(phantoms: Path, tmp_path: Path) -> Path:
    """Phantoms without the scoring task, so that every classifier fails."""
    root = Path(shutil.copytree(phantoms, tmp_path / "unscored"))
    shutil.rmtree(root / "SvdHBEScoreClassification")
    return root


def jobs(out: Path, nets: tuple[str, ...] = ("Unet",), seeds: int = 1) -> list[Job]:
    return plan_jobs(nets, seeds=seeds, flavour="quick", settings=SMALL, out=out)


def test_a_failing_network_stops_no_other_and_is_tried_again_while_what_is_done_is_skipped(
    carpus, unscored: Path, tmp_path: Path
) -> None:
    out = tmp_path / "bench"
    command = ["bench", "--data", unscored, "--out", out, "--nets", "ResNet,Unet", "--recipe", "quick"]
    command += [part for setting in SMALL for part in ("--set", setting)]
    done = carpus(*command)
    assert done.status == 1
    assert "has no erosion cases in train" in done.err
    assert "[2/2] Unet-seed3407 done" in done.err
    record = json.loads((out / "runs/Unet-seed3407/job.json").read_text())
    assert record["seconds"] > 0
    assert record["memory_mib"] > 100
    assert "Unet" in (out / "report/report.md").read_text()
    assert "Traceback" in (out / "runs/ResNet-seed3407/log.txt").read_text()

    before = (out / "runs/Unet-seed3407/job.json").stat().st_mtime_ns
    again = carpus(*command)
    assert again.status == 1
    assert "2 runs, 1 of them done" in again.out
    assert "[2/2] ResNet-seed3407 failed" in again.err
    assert (out / "runs/Unet-seed3407/job.json").stat().st_mtime_ns == before


def test_seeds_go_round_so_that_every_network_has_one_before_any_has_two(tmp_path: Path) -> None:
    planned = jobs(tmp_path, ("Unet", "ResNet"), seeds=2)
    assert [job.name for job in planned] == ["Unet-seed3407", "ResNet-seed3407", "Unet-seed3408", "ResNet-seed3408"]
    assert [job.recipe.seed for job in planned] == [3407, 3407, 3408, 3408]
    assert {job.recipe.image_size for job in planned} == {32}
    assert len(plan_jobs(["all"], seeds=1, flavour="quick", settings=(), out=tmp_path)) == 20
    assert len(plan_jobs(["bones", "Unet"], seeds=1, flavour="quick", settings=(), out=tmp_path)) == 13


def test_a_run_by_another_recipe_and_unknown_networks_are_refused(tmp_path: Path) -> None:
    folder = jobs(tmp_path)[0].folder
    folder.mkdir(parents=True)
    (folder / "recipe.yaml").write_text("name: mine\n")
    with pytest.raises(InputError, match="Unet-seed3407 holds a training by another recipe"):
        jobs(tmp_path)
    with pytest.raises(InputError, match="did you mean 'Unet'"):
        jobs(tmp_path, ("Unett",))


def test_a_killed_process_is_a_failure_of_its_run_alone(phantoms: Path, tmp_path: Path) -> None:
    def kill() -> None:
        while not multiprocessing.active_children():
            time.sleep(0.01)
        os.kill(multiprocessing.active_children()[0].pid or 0, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    events = list(run_here(jobs(tmp_path), phantoms))
    killer.join()
    assert [event.state for event in events] == [State.RUNNING, State.FAILED]
    assert "killed by signal 9" in events[1].reason


def test_the_board_tells_states_epochs_and_reasons(tmp_path: Path) -> None:
    planned = jobs(tmp_path, ("Unet", "ResNet"))
    board = Board(planned)
    board.take(Event(planned[0], State.RUNNING))
    planned[0].folder.mkdir(parents=True)
    (planned[0].folder / "history.csv").write_text("epoch,train_loss,val_dsc\n1,0.9,0.25\n")
    assert board.line(Event(planned[0], State.RUNNING)) == "[0/2] Unet-seed3407 running"
    board.take(Event(planned[1], State.FAILED, "no disk"))
    assert board.line(Event(planned[1], State.FAILED, "no disk")) == "[1/2] ResNet-seed3407 failed: no disk"
    table = board.table()
    cells = [list(column.cells) for column in table.columns]
    assert table.title == "1 running, 1 failed"
    assert (cells[2], cells[3]) == (["running", "failed"], ["1/1", ""])
    assert cells[4] == ["val_dsc 0.250", "no disk"]


def test_a_dry_run_measures_and_writes_nothing(carpus, phantoms: Path, tmp_path: Path) -> None:
    settings = [part for setting in SMALL for part in ("--set", setting)]
    out = tmp_path / "bench"
    done = carpus(
        "bench", "--data", phantoms, "--out", out, "--nets", "Unet", "--recipe", "quick", *settings, "--dry-run"
    )
    assert done.status == 0
    assert "1 runs, 0 of them done" in done.out
    assert "Unet" in done.out
    assert "GiB" in done.out
    assert not out.exists()


def test_without_ray_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(InputError, match=r"pip install 'carpus\[ray\]'"):
        next(run_on_ray(jobs(tmp_path), tmp_path, address=None, cpus=1, gpus=0))


def test_two_processes_are_never_at_one_run(phantoms: Path, tmp_path: Path) -> None:
    fcntl = pytest.importorskip("fcntl", reason="Windows has other locks")
    job = jobs(tmp_path)[0]
    job.folder.mkdir(parents=True)
    with (job.folder / LOCK_FILE).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(InputError, match="is being trained by another process"):
            run_job(job, phantoms)
    assert not (job.folder / "model.safetensors").exists()
