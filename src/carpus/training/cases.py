"""Which cases of a dataset serve a task."""

from carpus.data.dataset import Case, Dataset
from carpus.data.layout import Split
from carpus.errors import InputError


def task_cases(dataset: Dataset, task: str, split: Split) -> list[Case]:
    """The cases of a split that carry the reference for a task.

    Args:
        dataset: To choose from.
        task: `bones` (cases with masks), `erosion` (cases with SvdH scores) or `joints` (cases with boxes).
        split: Of that task; boxes go by the split of the erosion task, having none of their own.

    Raises:
        InputError: There are none.
    """
    cases = list(dataset.where(task=task, split=split))
    if not cases:
        raise InputError(f"{dataset.root} has no {task} cases in {split.value}; see `carpus data stats`")
    return cases
