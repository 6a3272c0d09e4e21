"""The rows of the baselines that look at no image, fitted on the dataset's own training split."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from carpus.anatomy import Joint, Side
from carpus.data.case import CaseId
from carpus.data.dataset import Case, Dataset
from carpus.data.layout import Split
from carpus.data.reader import read_masks
from carpus.data.results import JOINT_PRIOR, MEAN_SHAPE, ResultRow
from carpus.errors import InputError
from carpus.imaging.masks import BoneMasks
from carpus.metrics.joint_prior import fit_joint_prior
from carpus.metrics.mean_shape import fit_mean_shape
from carpus.training.cases import task_cases
from carpus.training.references import BoneReference, dataset_references
from carpus.training.scoring import (
    EVALUATION_SIZE,
    dataset_label,
    score_bone_predictions,
    score_erosion_predictions,
)


def score_baseline(
    task: str, dataset: Dataset, split: Split, *, size: int | None = EVALUATION_SIZE, jobs: int = 1
) -> tuple[list[ResultRow], str]:
    """The rows of a task's baseline; none, and the reason, where the dataset has nothing to fit one on.

    Args:
        task: `bones` or `erosion`; others have no baseline.
        dataset: With a training split, and for erosion a validation split.
        split: To evaluate on.
        size: As for `score_bone_predictions`.
        jobs: How many wrists are read at once, 1 or more.
    """
    try:
        if task == "bones":
            return score_mean_shape(dataset, split, size=size, jobs=jobs), ""
        if task == "erosion":
            return score_joint_prior(dataset, split), ""
    except InputError as error:
        return [], str(error)
    return [], ""


def score_mean_shape(
    dataset: Dataset, split: Split, *, size: int | None = EVALUATION_SIZE, jobs: int = 1
) -> list[ResultRow]:
    """The rows of `MeanShape`: every bone where it usually lies.

    Args:
        dataset: With masks in its training split.
        split: To evaluate on.
        size: As for `score_bone_predictions`. The shapes are always those of the paper's grid.
        jobs: How many wrists are read at once, 1 or more.

    Raises:
        InputError: No masks in the training split or in the one to evaluate.
    """
    with ThreadPoolExecutor(jobs) as pool:
        mean = fit_mean_shape(list(pool.map(_on_the_right, task_cases(dataset, "bones", Split.TRAIN))))

    def predict(reference: BoneReference) -> BoneMasks:
        return mean.masks(CaseId.parse(reference.image).side, height=EVALUATION_SIZE, width=EVALUATION_SIZE)

    references = dataset_references(task_cases(dataset, "bones", split))
    return score_bone_predictions(references, predict, dataset_label(MEAN_SHAPE, dataset, split), size=size, jobs=jobs)


def score_joint_prior(dataset: Dataset, split: Split) -> list[ResultRow]:
    """The rows of `JointPrior`: every joint by how often it is eroded.

    Raises:
        InputError: Too few scores in the training or validation split, or none in the one to evaluate.
    """
    train, val, cases = (task_cases(dataset, "erosion", part) for part in (Split.TRAIN, Split.VAL, split))
    prior = fit_joint_prior(_scores(train), _scores(val))
    probability = {(str(case.id), joint): prior.probability(joint) for case in cases for joint in Joint}
    return score_erosion_predictions(cases, probability, dataset_label(JOINT_PRIOR, dataset, split), cut=prior.cut)


def _on_the_right(case: Case) -> BoneMasks:
    masks = read_masks(case).resized(height=EVALUATION_SIZE, width=EVALUATION_SIZE)
    return masks.mirrored() if case.id.side is Side.LEFT else masks


def _scores(cases: Sequence[Case]) -> list[tuple[Joint, int]]:
    return [item for case in cases for item in (case.scores or {}).items()]
