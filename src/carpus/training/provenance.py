"""How a training was made: versions, commit, machine, and the data's fingerprint."""

import hashlib
import platform
import subprocess
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib.metadata import version
from pathlib import Path

import torch

from carpus.anatomy import Joint
from carpus.data.dataset import Case, Dataset
from carpus.data.layout import Split
from carpus.data.manifest import sha256_of
from carpus.training.cases import task_cases


def software() -> dict[str, str]:
    """Versions of what computes, and the commit of a source tree."""
    libraries = {name: version(name) for name in ("carpus", "torch", "lightning", "monai", "numpy")}
    return {**libraries, "python": platform.python_version(), "commit": commit()}


def machine() -> dict[str, str | int]:
    """What computes: the processor or the GPU, and the threads, on which the last digits depend."""
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else ""
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "gpu": gpu,
        "threads": torch.get_num_threads(),
    }


@cache
def commit() -> str:
    """The commit of the source tree that runs, with `+` where files were changed since; empty for a package."""
    root = Path(__file__).parents[3]
    if not (root / ".git").exists():
        return ""
    try:
        head = _git(root, "rev-parse", "--short=12", "HEAD")
        return head + ("+" if _git(root, "status", "--porcelain", "--untracked-files=no", "--", "src") else "")
    except (OSError, subprocess.CalledProcessError):
        return ""


def fingerprint(dataset: Dataset, task: str) -> str:
    """A hash of everything that a training of a task sees: its cases, their splits, images, masks and scores.

    Where the dataset lies does not matter.

    Args:
        dataset: With training and validation cases for the task.
        task: `bones` or `erosion`.

    Raises:
        InputError: A split without cases.
    """
    lines = []
    files: list[Path] = []
    for split in (Split.TRAIN, Split.VAL):
        for case in task_cases(dataset, task, split):
            lines.append(f"{split.value} {case.id} {_scores(case) if task == 'erosion' else ''}")
            files += _files(case, task)
    with ThreadPoolExecutor() as pool:
        lines += pool.map(sha256_of, files)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _files(case: Case, task: str) -> list[Path]:
    """The files of a case that a training reads, in an order that does not depend on their names."""
    if task == "erosion":
        return [case.rois[joint] for joint in Joint if joint in case.rois]
    return [case.image, *([case.masks] if case.masks else [])]


def _scores(case: Case) -> list[tuple[str, int]]:
    return [(joint.value, score) for joint, score in (case.scores or {}).items()]


def _git(root: Path, *arguments: str) -> str:
    command = ["git", "-C", str(root), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603
