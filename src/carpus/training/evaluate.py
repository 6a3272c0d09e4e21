"""A finished training to predictions and results on one split."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd

from carpus.data.layout import Split
from carpus.data.reader import Case, Dataset
from carpus.data.results import write_results
from carpus.data.torch_datasets import ErosionDataset
from carpus.files import new_folder
from carpus.imaging.files import write_plane
from carpus.imaging.masks import BoneMasks
from carpus.nets.checkpoint import load_checkpoint
from carpus.training.cases import task_cases
from carpus.training.fit import MODEL_FILE
from carpus.training.predict import predict_bones, predict_erosion
from carpus.training.scoring import (
    EVALUATION_SIZE,
    RunLabel,
    score_bone_predictions,
    score_erosion_predictions,
    score_joint_prior,
)

RESULTS_FILE = "results.csv"
PREDICTIONS_FOLDER = "predictions"


def evaluate(
    run: Path,
    dataset: Dataset,
    *,
    split: Split = Split.TEST,
    progress: Callable[[int, int], None] | None = None,
) -> pd.DataFrame:
    """The results table of a trained network on a split, also written to `run/results.csv`.

    Predicted bones are kept as packed planes in `run/predictions/<split>/<identifier>.png`. An erosion table
    also holds the rows of `JointPrior`, the baseline that looks at no image.

    Args:
        run: Folder of a finished training.
        dataset: With the split.
        split: To evaluate on.
        progress: Called with (done, total) after every case.

    Raises:
        InputError: No finished training, or a split without cases.
    """
    network, info = load_checkpoint(run / MODEL_FILE)
    cases = task_cases(dataset, info.task, split)
    data = "phantom" if dataset.is_phantom else "patients"
    label = RunLabel(model=info.net, seed=info.seed, recipe=info.recipe, data=data, split=split.value)
    if info.task == "bones":
        with new_folder(run / PREDICTIONS_FOLDER / split.value) as folder:

            def predict(case: Case) -> BoneMasks:
                masks = predict_bones(network, info, case, size=EVALUATION_SIZE)
                write_plane(folder / f"{case.id}.png", masks)
                return masks

            results = score_bone_predictions(cases, predict, label, progress=progress)
    else:
        samples = ErosionDataset(cases, image_size=info.image_size, mirror_left=info.mirror_left)
        values = predict_erosion(network, samples)
        probability = {
            (str(case.id), joint): float(value) for (case, joint, _), value in zip(samples.joints, values, strict=True)
        }
        cut = 0.5 if info.cut is None else info.cut
        results = pd.concat(
            [
                score_erosion_predictions(cases, probability, label, cut=cut),
                score_joint_prior(dataset, split),
            ],
            ignore_index=True,
        )
    write_results(run / RESULTS_FILE, results)
    return results
