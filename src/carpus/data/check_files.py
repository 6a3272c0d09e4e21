"""Which files of a dataset belong to which wrist and split, and which belong nowhere."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Literal

from carpus.data import layout
from carpus.data.case import CaseId
from carpus.data.layout import Split
from carpus.data.problem import Problem
from carpus.errors import InputError

Found = dict[CaseId, dict[Split, Path]]
"""Where each wrist is, by split."""


def problem(
    path: Path, kind: str, what: str, remedy: str = "", *, severity: Literal["error", "warning"] = "error"
) -> Problem:
    """A problem of one file, in one sentence."""
    return Problem(str(path), kind, f"{path} {what}" + (f"; {remedy}" if remedy else ""), severity)


def visible(folder: Path, pattern: str) -> list[Path]:
    """The files that fit a pattern, sorted, without hidden ones."""
    return sorted(path for path in folder.glob(pattern) if not path.name.startswith("."))


def by_case(folder: Path, pattern: str, problems: list[Problem]) -> dict[CaseId, Path]:
    """The files of a folder by wrist."""
    found = {}
    for path in visible(folder, pattern):
        try:
            found[CaseId.parse(path.stem)] = path
        except InputError as error:
            problems.append(problem(path, "identifier", f"is misnamed: {error}"))
    return found


def by_split(folder: Path, pattern: str, problems: list[Problem]) -> Found:
    """The files of the folders `train`, `val` and `test` by wrist and split."""
    found: Found = defaultdict(dict)
    for split in Split:
        for case, path in by_case(folder / split.value, pattern, problems).items():
            found[case][split] = path
    return dict(sorted(found.items()))


def named(splits: Iterable[Split]) -> str:
    """The splits as words."""
    return " and ".join(sorted(split.value for split in splits))


def misplaced_files(root: Path) -> Iterator[Problem]:
    """Files and folders that no reader looks at, though somebody may think it does."""
    for task in (root / layout.BONES, layout.location_folder(root), layout.erosion_folder(root)):
        if task.is_file():
            yield problem(task, "not-a-folder", "is a file, expected a folder", "restore it")
    for folder, names in (
        (root, layout.LOCATIONS),
        (root / layout.BONES, layout.IMAGES),
        (root / layout.BONES, layout.MASKS),
        (layout.location_folder(root), layout.IMAGES),
    ):
        there = [name for name in names if (folder / name).is_dir()]
        for unread in there[1:]:
            what = f"is there beside {there[0]}, which alone is read"
            yield problem(folder / unread, "folder-twice", what, f"put all files into {there[0]}", severity="warning")
    for folder in (layout.bone_images(root), layout.location_images(root)):
        yield from _strangers(folder, ".bmp")
    for split in Split:
        yield from _strangers(layout.bone_masks(root) / split.value, ".npy")
    for folder in (layout.bone_masks(root), layout.erosion_folder(root)):
        for item in visible(folder, "*"):
            if item.is_dir() and item.name not in [split.value for split in Split]:
                yield problem(item, "split-unknown", "is no split", "rename it to train, val or test")


def split_problems(found: Found, task: str) -> Iterator[Problem]:
    """Wrists and patients that are in two splits of a task."""
    for places in found.values():
        if len(places) > 1:
            path = list(places.values())[-1]
            yield problem(path, "case-in-two-splits", f"is also in {named(places)}", "keep one of them")
    for patient, splits in sorted(patient_splits(found).items()):
        if len(splits) > 1:
            text = f"{task} has patient {patient} in {named(splits)}, so the test is not independent; move one"
            yield Problem(task, "patient-in-two-splits", text)


def cross_task_leaks(bones: Found, erosion: Found) -> Iterator[Problem]:
    """Patients that one task trains on and the other tests on."""
    drawn, scored = patient_splits(bones), patient_splits(erosion)
    for patient in sorted(drawn.keys() & scored.keys()):
        if Split.TEST in drawn[patient] ^ scored[patient]:
            text = (
                f"patient {patient} is in {named(drawn[patient])} of {layout.BONES} and in "
                f"{named(scored[patient])} of {layout.EROSION}; do not train one model on both tasks so"
            )
            yield Problem(layout.BONES, "cross-task-leak", text, "warning")


def patient_splits(found: Mapping[CaseId, Mapping[Split, Path]]) -> dict[str, set[Split]]:
    """The splits of each patient."""
    patients: dict[str, set[Split]] = defaultdict(set)
    for case, places in found.items():
        patients[case.patient] |= set(places)
    return patients


def _strangers(folder: Path, suffix: str) -> Iterator[Problem]:
    """What lies among the files of a folder and is none of them."""
    for item in visible(folder, "*"):
        if item.suffix != suffix:
            remedy = f"rename it to {item.stem}{suffix}" if item.suffix.lower() == suffix else "move it away"
            what = f"is not read, files {suffix} are expected there"
            yield problem(item, "file-unexpected", what, remedy, severity="warning")
