import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from carpus.app.cli.main import main


@dataclass(frozen=True)
class Outcome:
    status: int
    out: str
    err: str


Run = Callable[..., Outcome]


@pytest.fixture
def carpus(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command line in this process, as the installed command does."""

    def run(*arguments: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["carpus", *map(str, arguments)])
        capsys.readouterr()
        try:
            main()
            status = 0
        except SystemExit as stop:
            status = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
        seen = capsys.readouterr()
        return Outcome(status, seen.out, seen.err)

    return run


@pytest.fixture(scope="session")
def phantoms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small phantom dataset; tests that damage it copy it first."""
    from carpus.data.phantom_dataset import write_phantom_dataset

    root = tmp_path_factory.mktemp("data") / "phantoms"
    write_phantom_dataset(root, patients=14, seed=5)
    return root
