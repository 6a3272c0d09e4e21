"""A finished training to predictions and results on one split."""

import logging
from collections.abc import Callable
from pathlib import Path

import polars as pl

from carpus.data.dataset import Dataset
from carpus.data.layout import Split
from carpus.data.results import PREDICTIONS_FOLDER, RESULTS_FILE, results_frame, write_results
from carpus.data.torch_datasets import ErosionDataset
from carpus.files import new_folder
from carpus.imaging.files import write_plane
from carpus.imaging.masks import BoneMasks
from carpus.nets.apply import graded
from carpus.nets.checkpoint import load_checkpoint
from carpus.training.baselines import score_baseline
from carpus.training.cases import task_cases
from carpus.training.fit import MODEL_FILE
from carpus.training.predict import predict_bones, predict_erosion
from carpus.training.references import BoneReference, dataset_references
from carpus.training.scoring import (
    EVALUATION_SIZE,
    dataset_label,
    score_bone_predictions,
    score_erosion_predictions,
)

log = logging.getLogger(__name__)


def evaluate(
    run: Path,
    dataset: Dataset,
    *,
    split: Split = Split.TEST,
    size: int | None = EVALUATION_SIZE,
    progress: Callable[[int, int], None] | None = None,
) -> pl.DataFrame:
    """The results table of a trained network on a split, also written to `run/results.parquet`.

    Predicted bones are kept as packed planes in `run/predictions/<split>/<identifier>.png`. The table also holds the
    rows of the baseline that looks at no image: `MeanShape` for bones, `JointPrior` for erosion.

    Args:
        run: Folder of a finished training.
        dataset: With the split.
        split: To evaluate on.
        size: Edge in pixels of the grid that bones are scored on; None for each reference's own.
        progress: Called with (done, total) after every case.

    Raises:
        InputError: No finished training, or a split without cases.
    """
    network, info = load_checkpoint(run / MODEL_FILE)
    cases = task_cases(dataset, info.task, split)
    label = dataset_label(info.net, dataset, split, seed=info.seed, recipe=info.recipe)
    if info.task == "bones":
        with new_folder(run / PREDICTIONS_FOLDER / split.value) as folder:
            by_name = {str(case.id): case for case in cases}

            def predict(reference: BoneReference) -> BoneMasks:
                masks = predict_bones(network, info, by_name[reference.image], size=EVALUATION_SIZE)
                write_plane(folder / f"{reference.image}.png", masks)
                return masks

            rows = score_bone_predictions(dataset_references(cases), predict, label, size=size, progress=progress)
    else:
        samples = ErosionDataset(
            cases,
            image_size=info.image_size,
            mirror_left=info.mirror_left,
            contralateral=info.contralateral,
            joint_input=info.joint_input,
        )
        beyond = predict_erosion(network, samples, head=info.head)
        keys = [(str(case.id), joint) for case, joint, _ in samples.joints]
        cut = 0.5 if info.cut is None else info.cut
        scores = graded(beyond, cut=cut).tolist() if info.head == "corn" else []
        rows = score_erosion_predictions(
            cases,
            dict(zip(keys, beyond[:, 0].tolist(), strict=True)),
            label,
            cut=cut,
            predicted_score=dict(zip(keys, map(float, scores), strict=False)),
        )
    baseline, reason = score_baseline(info.task, dataset, split, size=size)
    if reason:
        log.warning("there is no baseline: %s", reason)
    results = results_frame(rows + baseline)
    write_results(run / RESULTS_FILE, results)
    return results
