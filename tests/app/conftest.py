import sys
from collections.abc import Callable
from dataclasses import dataclass

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
