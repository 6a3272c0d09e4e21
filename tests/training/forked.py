"""Trainings through the command line that are killed or shared, each in a fork of one process that has imported all.

Run as a script: `forked.py kills|shared DATA FOLDER`; prints what it did as JSON.
"""

import json
import os
import random
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from carpus.app import curves
from carpus.app.cli.main import main
from carpus.nets import CLASSIFIERS, SEGMENTERS
from carpus.training import fit, provenance

IMPORTED_BEFORE_THE_FORKS = (curves, fit)
RANDOM_KILLS = 20
RENAMES = 4

BONES = """
base: quick/Unet
net: Tiny
net_options: {dropout: %s}
image_size: 32
epochs: 4
batch_size: 8
ema: 0.9
schedule: cosine
watch: loss
"""
EROSION = """
base: quick/ResNet
net: Tiny
net_options: {dropout: 0.0}
image_size: 32
epochs: 2
batch_size: 8
"""


def segmenter(*, in_channels: int, classes: int, dropout: float) -> nn.Module:
    layers = [nn.Conv2d(in_channels, 8, 3, padding=1), nn.GroupNorm(2, 8), nn.SiLU(), nn.Dropout(dropout)]
    return nn.Sequential(*layers, nn.Conv2d(8, classes, 3, padding=1))


def classifier(*, in_channels: int, classes: int, dropout: float) -> nn.Module:
    pooled = [nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(16 * classes, classes)]
    return nn.Sequential(segmenter(in_channels=in_channels, classes=classes, dropout=dropout), *pooled)


def fork(*arguments: object, prepare: Callable[[], None] = lambda: None) -> int:
    """Starts `carpus ARGUMENTS` in a fork and returns its number."""
    child = os.fork()
    if child:
        return child
    try:
        torch.set_num_threads(1)
        vars(curves)["write_curves"] = lambda run, **_: run  # drawing takes longer than the training
        prepare()
        sys.stdout = sys.stderr
        sys.argv = ["carpus", *map(str, arguments)]
        main()
        os._exit(0)
    except SystemExit as stop:
        os._exit(stop.code if isinstance(stop.code, int) else 1)
    except BaseException:
        traceback.print_exc()
        os._exit(1)


def status(child: int) -> int:
    """Waits: 0 for a good end, the negative signal for a killed one."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def kill_at_rename(count: int, *, before: bool) -> Callable[[], None]:
    """Makes a training kill itself just before or after it moves its count-th file into its place."""
    replace = Path.replace
    seen = []

    def deadly(self: Path, target: Path) -> Path:
        seen.append(target)
        if len(seen) == count and before:
            os.kill(os.getpid(), signal.SIGKILL)
        moved = replace(self, target)
        if len(seen) == count:
            os.kill(os.getpid(), signal.SIGKILL)
        return moved

    def prepare() -> None:
        Path.replace = deadly  # type: ignore[method-assign,assignment]

    return prepare


def kills(data: Path, folder: Path) -> dict[str, object]:
    provenance.commit()
    (folder / "tiny.yaml").write_text(BONES % 0.5)
    train = ("train", "--recipe", folder / "tiny.yaml", "--data", data, "--out")
    started = time.monotonic()
    assert status(fork(*train, folder / "whole")) == 0
    whole_s = time.monotonic() - started
    chance = random.Random(7)  # noqa: S311
    at_random = at_renames = 0
    while at_random < RANDOM_KILLS:
        child = fork(*train, folder / "killed")
        time.sleep(chance.uniform(0, whole_s / 3))
        os.kill(child, signal.SIGKILL)
        if status(child) == 0:  # it was through already: begin anew
            (folder / "killed").rename(folder / f"through-{time.monotonic_ns()}")
            continue
        at_random += 1
    for count in range(1, RENAMES + 1):
        for before in (True, False):
            end = status(fork(*train, folder / "renamed", prepare=kill_at_rename(count, before=before)))
            at_renames += end == -signal.SIGKILL
    ends = [status(fork(*train, folder / name)) for name in ("killed", "renamed")]
    return {"at_random": at_random, "at_renames": at_renames, "ends": ends}


def shared(data: Path, folder: Path) -> dict[str, object]:
    ends = []
    for task, text in (("bones", BONES % 0.0), ("erosion", EROSION)):
        (folder / f"{task}.yaml").write_text(text)
        train = ("train", "--recipe", folder / f"{task}.yaml", "--data", data, "--out")
        ends.append(status(fork(*train, folder / f"{task}-one")))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        ranks = [fork(*train, folder / f"{task}-two", "--devices", 2, prepare=rank(each, port)) for each in (0, 1)]
        ends += [status(child) for child in ranks]
    return {"ends": ends}


def rank(number: int, port: int) -> Callable[[], None]:
    """What torchrun tells one of two processes."""
    told: dict[str, object] = {
        "RANK": number,
        "LOCAL_RANK": number,
        "GROUP_RANK": 0,
        "WORLD_SIZE": 2,
        "LOCAL_WORLD_SIZE": 2,
    }
    told |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "TORCHELASTIC_RUN_ID": "test"}
    return lambda: os.environ.update({name: str(value) for name, value in told.items()})


if __name__ == "__main__":
    SEGMENTERS["Tiny"] = segmenter  # type: ignore[index]
    CLASSIFIERS["Tiny"] = classifier  # type: ignore[index]
    what, data, folder = sys.argv[1:]
    done = {"kills": kills, "shared": shared}[what](Path(data), Path(folder))
    sys.stdout.write(json.dumps(done))
