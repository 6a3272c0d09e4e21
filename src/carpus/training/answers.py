"""Anybody's predictions against a reference: bones, erosion, joint boxes. No network, no PyTorch.

The reference is a dataset in RAM-W600's layout or, for bones, any folder of masks. A prediction that is missing counts
as the worst value; one of an unknown wrist is left out. Both are told.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from carpus.data import layout
from carpus.data.coco import read_detections
from carpus.data.dataset import Dataset
from carpus.data.erosion_table import read_erosion_table
from carpus.data.layout import Split
from carpus.data.reader import is_phantom, read_dataset
from carpus.data.results import ResultRow
from carpus.errors import InputError
from carpus.imaging.files import write_plane
from carpus.imaging.masks import BoneMasks
from carpus.training.baselines import score_baseline
from carpus.training.cases import task_cases
from carpus.training.predicted_masks import find_masks
from carpus.training.references import BoneReference, dataset_references, folder_references
from carpus.training.scoring import (
    EVALUATION_SIZE,
    RunLabel,
    score_bone_predictions,
    score_erosion_predictions,
    score_joint_boxes,
)

DEFAULT_CUT = 0.5
"""Probability at or above which a joint is called eroded, where nobody says another."""


@dataclass(frozen=True)
class Answers:
    """Scored predictions, and what did not fit.

    Attributes:
        rows: Of the model, then of the baseline.
        missing: Wrists, or wrists and joints, without a prediction; they count as the worst value.
        unknown: Identifiers of predictions that the reference does not know; they were left out.
        no_baseline: Why there are no rows of a baseline; empty if there are, or if the task has none.
        cut: At or above which a joint was called eroded; None for other tasks.
    """

    rows: list[ResultRow]
    missing: tuple[str, ...]
    unknown: tuple[str, ...]
    no_baseline: str = ""
    cut: float | None = None


def score_masks(
    reference: Path,
    predicted: Path,
    *,
    model: str,
    seed: int | None = None,
    split: Split = Split.TEST,
    size: int | None = EVALUATION_SIZE,
    jobs: int = 1,
    keep: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Answers:
    """Bone masks, of the model and of `MeanShape` where the reference has a training split.

    Args:
        reference: A dataset, or a folder of masks.
        predicted: A folder of masks or a COCO file; see `carpus.training.predicted_masks`.
        model: Name for the rows.
        seed: Of the model's training; None if it has none.
        split: Of the dataset; for a folder, just the rows' label.
        size: Edge of the grid in pixels; None for each reference's own.
        jobs: How many wrists are read and measured at once, 1 or more.
        keep: A folder to write each predicted wrist to, as `IDENTIFIER.png`; None to keep none.
        progress: Called with (done, total) after every wrist.

    Raises:
        InputError: A folder or file that cannot be used, or no prediction that fits the reference.
    """
    dataset = read_dataset(reference) if _is_dataset(reference) else None
    if dataset is None:
        references = folder_references(find_masks(reference))
        known = {each.image for each in references}
    else:
        references = dataset_references(task_cases(dataset, "bones", split))
        known = {str(case.id) for case in dataset.cases}
    found = find_masks(predicted)
    asked = [each.image for each in references]
    _check_some_fit(predicted, asked, found)

    def predict(each: BoneReference) -> BoneMasks | None:
        if each.image not in found:
            return None
        masks = found[each.image]()
        if keep is not None:
            write_plane(keep / f"{each.image}.png", masks)
        return masks

    rows = score_bone_predictions(
        references,
        predict,
        RunLabel(model, seed, "", _kind(reference, dataset), split.value),
        size=size,
        jobs=jobs,
        progress=progress,
    )
    baseline, reason = score_baseline("bones", dataset, split, size=size, jobs=jobs) if dataset else ([], "")
    missing = tuple(name for name in asked if name not in found)
    return Answers(rows + baseline, missing, tuple(sorted(found.keys() - known)), reason)


def score_erosion_answers(
    reference: Path,
    predicted: Path,
    *,
    model: str,
    seed: int | None = None,
    split: Split = Split.TEST,
    cut: float | None = None,
) -> Answers:
    """Erosion probabilities, of the model and of `JointPrior` where the dataset has enough to fit it on.

    Args:
        reference: A dataset.
        predicted: A table as `carpus.data.erosion_table` describes it, or a folder with just one.
        model: Name for the rows.
        seed: Of the model's training; None if it has none.
        split: To evaluate on.
        cut: Probability at or above which a joint is called eroded; None for the table's own, else `DEFAULT_CUT`.

    Raises:
        InputError: A folder or table that cannot be used, or no answer that fits the reference.
    """
    dataset = _dataset(reference, "erosion")
    cases = task_cases(dataset, "erosion", split)
    answers = read_erosion_table(_only(predicted, ".csv", ".parquet"))
    found = {name for name, _ in answers.probability}
    _check_some_fit(predicted, [str(case.id) for case in cases], found)
    chosen = next(each for each in (cut, answers.cut, DEFAULT_CUT) if each is not None)
    rows = score_erosion_predictions(
        cases,
        answers.probability,
        RunLabel(model, seed, "", _kind(reference, dataset), split.value),
        cut=chosen,
        predicted_score=answers.predicted_score,
    )
    missing = tuple(
        f"{case.id} {joint.label}"
        for case in cases
        for joint in case.scores or {}
        if (str(case.id), joint) not in answers.probability
    )
    baseline, reason = score_baseline("erosion", dataset, split)
    unknown = found - {str(case.id) for case in dataset.cases}
    return Answers(rows + baseline, missing, tuple(sorted(unknown)), reason, chosen)


def score_boxes(
    reference: Path, predicted: Path, *, model: str, seed: int | None = None, split: Split = Split.TEST
) -> Answers:
    """Boxes of joints, the surest one of each.

    Args:
        reference: A dataset with boxes; they go by the split of the erosion task, having none of their own.
        predicted: A COCO file or list of results, or a folder with just one.
        model: Name for the rows.
        seed: Of the model's training; None if it has none.
        split: To evaluate on.

    Raises:
        InputError: A folder or file that cannot be used, or no box that fits the reference.
    """
    dataset = _dataset(reference, "joints")
    cases = task_cases(dataset, "joints", split)
    found = read_detections(_only(predicted, ".json"), explained_by=layout.coco_file(reference))
    _check_some_fit(predicted, [str(case.id) for case in cases], found)
    rows = score_joint_boxes(cases, found, RunLabel(model, seed, "", _kind(reference, dataset), split.value))
    missing = tuple(
        f"{case.id} {joint.label}" for case in cases for joint in case.boxes if joint not in found.get(str(case.id), {})
    )
    return Answers(rows, missing, tuple(sorted(found.keys() - {str(case.id) for case in dataset.cases})))


def _is_dataset(root: Path) -> bool:
    return any((root / task).is_dir() for task in (layout.BONES, *layout.LOCATIONS, layout.EROSION))


def _dataset(reference: Path, task: str) -> Dataset:
    if reference.is_dir() and any(reference.iterdir()) and not _is_dataset(reference):
        raise InputError(f"{reference} is no dataset in RAM-W600's layout, which the task {task} needs; give one")
    return read_dataset(reference)


def _kind(reference: Path, dataset: Dataset | None) -> str:
    """Whether the rows are of patients; masks that lie anywhere in a phantom dataset are not."""
    if dataset is not None:
        return "phantom" if dataset.is_phantom else "patients"
    folders = (reference.resolve(), *reference.resolve().parents)
    return "phantom" if any(is_phantom(folder) for folder in folders if folder.is_dir()) else "patients"


def _only(path: Path, *suffixes: str) -> Path:
    """The file itself, or the one file of a kind in a folder."""
    if not path.is_dir():
        return path
    files = [each for each in sorted(path.iterdir()) if each.suffix.lower() in suffixes and each.name[0] != "."]
    if len(files) != 1:
        raise InputError(f"{path} holds {len(files)} files of {' or '.join(suffixes)}, expected one; give the file")
    return files[0]


def _check_some_fit(predicted: Path, asked: Collection[str], found: Collection[str]) -> None:
    if not set(asked) & set(found):
        example = f"; it has {min(found)} and the reference {min(asked)}" if found else ""
        raise InputError(
            f"{predicted} has predictions of none of the {len(asked)} wrists of the reference{example}; name the "
            "predictions after the identifiers, and check the split"
        )
