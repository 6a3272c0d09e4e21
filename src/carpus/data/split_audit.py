"""How a dataset's splits were drawn, and a split under which both tasks can be learnt at once.

RAM-W600 splits its two tasks independently, 70/10/20 by patient. So a patient can be trained on in one task and tested
on in the other: harmless for a model of one task, a leak for one of both.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from carpus.anatomy import is_eroded
from carpus.data.dataset import Dataset
from carpus.data.layout import Split
from carpus.data.splits import FRACTIONS

SPLIT_TASKS = ("bones", "erosion")
"""The tasks that have a split of their own."""


@dataclass(frozen=True)
class SplitShare:
    """One split of one task.

    Attributes:
        task: `bones` or `erosion`.
        split: `train`, `val` or `test`.
        patients: People in it.
        images: Wrists in it.
        expected: Part of the task's patients that the paper means to put there, 0 to 1.
        share: Part of the task's patients that is there, 0 to 1.
        eroded: Part of its scored joints with an SvdH score above 0, 0 to 1; None if none is scored.
    """

    task: str
    split: str
    patients: int
    images: int
    expected: float
    share: float
    eroded: float | None


@dataclass(frozen=True)
class SplitAudit:
    """What is to know of a dataset's splits.

    Attributes:
        shares: Each split of each task.
        crossing: Patients by their split of the bones, then by that of the erosion task; `-` is outside a task.
        leaks: By task, the patients who are in several splits of it, with these; its test is not independent then.
        cross_task_leaks: Patients whom one task trains or tunes on and the other tests on.
        safe: Patients by split if both tasks are learnt together, as `safe_splits` has it.
    """

    shares: tuple[SplitShare, ...]
    crossing: Mapping[str, Mapping[str, int]]
    leaks: Mapping[str, Mapping[str, tuple[str, ...]]]
    cross_task_leaks: tuple[str, ...]
    safe: Mapping[str, int]


def audit_splits(dataset: Dataset) -> SplitAudit:
    """The audit of a dataset's splits, from its index alone."""
    places = {task: _places(dataset, task) for task in SPLIT_TASKS}
    crossing: dict[str, Counter[str]] = defaultdict(Counter)
    crossed = []
    for patient in sorted({*places["bones"], *places["erosion"]}):
        bones, erosion = (places[task].get(patient, set()) for task in SPLIT_TASKS)
        crossing[_named(bones)][_named(erosion)] += 1
        if bones and erosion and (Split.TEST in bones) != (Split.TEST in erosion):
            crossed.append(patient)
    safe = Counter(split.value for split in safe_splits(dataset).values())
    return SplitAudit(
        shares=tuple(_share(dataset, task, split) for task in SPLIT_TASKS for split in Split),
        crossing={bones: dict(counts) for bones, counts in sorted(crossing.items())},
        leaks={
            task: {
                patient: tuple(split.value for split in Split if split in splits)
                for patient, splits in sorted(own.items())
                if len(splits) > 1
            }
            for task, own in places.items()
        },
        cross_task_leaks=tuple(crossed),
        safe={split.value: safe[split.value] for split in Split},
    )


def safe_splits(dataset: Dataset) -> dict[str, Split]:
    """A split of every patient for models of both tasks, in which both published test sets stay as they are.

    Who is tested in either task is tested, else who is validated on in either is validated on; the rest is trained on.
    So nobody of either test set was seen before, at the price of a smaller training set.

    Example:
        >>> from pathlib import Path
        >>> safe_splits(Dataset(Path("RAM-W600"), (), is_phantom=False))
        {}
    """
    found: dict[str, set[Split]] = defaultdict(set)
    for task in SPLIT_TASKS:
        for patient, splits in _places(dataset, task).items():
            found[patient] |= splits
    strictest = (Split.TEST, Split.VAL, Split.TRAIN)
    return {patient: next(each for each in strictest if each in found[patient]) for patient in sorted(found)}


def _places(dataset: Dataset, task: str) -> dict[str, set[Split]]:
    found: dict[str, set[Split]] = defaultdict(set)
    for case in dataset:
        if (split := case.split(task)) is not None:
            found[case.id.patient].add(split)
    return dict(found)


def _share(dataset: Dataset, task: str, split: Split) -> SplitShare:
    cases = [case for case in dataset if case.split(task) is split]
    scores = [score for case in cases for score in (case.scores or {}).values()]
    everybody = {case.id.patient for case in dataset if case.split(task)}
    patients = len({case.id.patient for case in cases})
    return SplitShare(
        task=task,
        split=split.value,
        patients=patients,
        images=len(cases),
        expected=dict(zip(Split, FRACTIONS, strict=True))[split],
        share=patients / max(len(everybody), 1),
        eroded=sum(map(is_eroded, scores)) / len(scores) if scores else None,
    )


def _named(splits: set[Split]) -> str:
    return "+".join(split.value for split in Split if split in splits) or "-"
