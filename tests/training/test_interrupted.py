"""Killed or shared by several processes, a training ends as if it had run alone and undisturbed."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from carpus.data.phantom_dataset import write_phantom_dataset


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data") / "phantoms"
    write_phantom_dataset(root, patients=8, seed=5)
    return root


def forked(what: str, data: Path, folder: Path) -> dict[str, Any]:
    command = [sys.executable, "-W", "ignore", str(Path(__file__).with_name("forked.py")), what, str(data), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fork")
def test_a_training_killed_28_times_ends_with_the_same_bytes(data: Path, tmp_path: Path) -> None:
    assert forked("kills", data, tmp_path) == {"at_random": 20, "at_renames": 8, "ends": [0, 0]}
    assert len(pd.read_csv(tmp_path / "whole" / "history.csv")) == 4
    for name in ("killed", "renamed"):
        for file in ("model.safetensors", "history.csv"):
            assert (tmp_path / name / file).read_bytes() == (tmp_path / "whole" / file).read_bytes(), (name, file)
        assert not list((tmp_path / name).rglob(".*")), "drafts are left"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fork")
def test_two_processes_learn_the_same_as_one(data: Path, tmp_path: Path) -> None:
    assert forked("shared", data, tmp_path) == {"ends": [0] * 6}
    for task in ("bones", "erosion"):
        one, two = (tmp_path / f"{task}-{count}" for count in ("one", "two"))
        pd.testing.assert_frame_equal(pd.read_csv(one / "history.csv"), pd.read_csv(two / "history.csv"), rtol=1e-4)
        weights = load_file(one / "model.safetensors"), load_file(two / "model.safetensors")
        for name, expected in weights[0].items():
            torch.testing.assert_close(weights[1][name], expected, rtol=1e-3, atol=1e-5)
