"""The main job in one go: phantom dataset, check, training, evaluation, a real film, one page."""

import time
from pathlib import Path

from rich.console import Console

_SETTINGS_FILE = "demo.json"
_FILM = "hand-right-pa.dcm"
PAGE_FILE = "index.html"


def run_demo(out: Path, *, quick: bool = False, seed: int = 3407) -> Path:
    """Runs the demo in a folder and returns the path of its page.

    Called again after an interruption it goes on where it stopped; called again after the end it only writes
    the page anew.

    Args:
        out: Folder for everything.
        quick: Fewer patients and a shorter training, to see that everything runs.
        seed: Of the phantoms and the trainings.

    Raises:
        InputError: The folder holds something else, or a demo with other settings.
    """
    _claim(out, quick=quick, seed=seed)
    console = Console(highlight=False, soft_wrap=True)
    started = time.monotonic()

    with _stage(console, "1/6 Phantom dataset"):
        ...
    return out / PAGE_FILE
