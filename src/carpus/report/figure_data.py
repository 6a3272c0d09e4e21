"""From a results table to the plain values that figures draw, under one name a run."""

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
import polars as pl
from jaxtyping import Float

from carpus.anatomy import SVDH_SCORES, Bone, Joint
from carpus.metrics import METRICS, Confusion, calibration_error, confusion, reliability
from carpus.report import figures
from carpus.report.comparison import Comparison
from carpus.report.erosion_tables import erosion_runs
from carpus.report.figures import Difference, PatientValues, ScoredProbabilities
from carpus.report.runs import Run, runs


def values_of_bones(results: pl.DataFrame, *, metric: str) -> dict[str, dict[Bone, Float[np.ndarray, " images"]]]:
    """Each run's values of each bone, one an image; NaN where undefined, infinite where a bone was missed."""
    found = list(runs(results, task="bones"))
    values = {}
    for name, (_, rows) in zip(run_names([run for run, _ in found]), found, strict=True):
        structure, value = np.asarray(rows["structure"]), np.asarray(rows["value"], float)
        is_metric = np.asarray(rows["metric"]) == metric
        values[name] = {bone: value[is_metric & (structure == bone.abbreviation)] for bone in Bone}
    return values


def values_of_patients(results: pl.DataFrame, *, metric: str) -> dict[str, list[PatientValues]]:
    """Each run's patients with the mean over the bones of each image; what is not finite is left out of the means.

    A patient is BE if one of the images is.
    """
    bones = [bone.abbreviation for bone in Bone]
    found = list(runs(results, task="bones"))
    models = {}
    for name, (_, rows) in zip(run_names([run for run, _ in found]), found, strict=True):
        value = np.asarray(rows["value"], float)
        of_bones = (np.asarray(rows["metric"]) == metric) & np.isin(np.asarray(rows["structure"]), bones)
        image, patient, group = (np.asarray(rows[column]) for column in ("image", "patient", "group"))
        patients = []
        for one in np.unique(patient[of_bones]):
            own = of_bones & (patient == one)
            means = [_finite_mean(value[own & (image == wrist)]) for wrist in np.unique(image[own])]
            groups = set(group[own])
            worst = next((known for known in ("BE", "nonBE") if known in groups), "")
            patients.append(PatientValues(str(one), np.array(means), worst))
        models[name] = patients
    return models


def score_counts(results: pl.DataFrame) -> dict[Joint, list[int]]:
    """How many joints of each kind have score 0 to 5, a joint counted once however many models saw it."""
    is_score = (np.asarray(results["task"]) == "erosion") & (np.asarray(results["metric"]) == "score")
    columns = [np.asarray(results[column])[is_score] for column in ("data", "image", "structure", "value")]
    seen = {(data, image, joint): score for data, image, joint, score in zip(*columns, strict=True)}
    counted = Counter((joint, score) for (_, _, joint), score in seen.items())
    return {joint: [counted[joint.abbreviation, score] for score in SVDH_SCORES] for joint in Joint}


def scored_probabilities(results: pl.DataFrame) -> list[ScoredProbabilities]:
    """Each run's answers beside the reference scores."""
    found = erosion_runs(results)
    return [
        ScoredProbabilities(
            name,
            np.asarray(joints["score"], int),
            np.asarray(joints["probability"], float),
            tuple(sorted(set(np.asarray(joints["cut"], float).tolist()))),
        )
        for name, (_, joints) in zip(run_names([run for run, _ in found]), found, strict=True)
    ]


def reliability_curves(results: pl.DataFrame) -> list[figures.Reliability]:
    """Each run's reliability curve over the joints that have a probability."""
    found = erosion_runs(results)
    curves = []
    for name, (_, joints) in zip(run_names([run for run, _ in found]), found, strict=True):
        asked = joints.filter(~pl.col("probability").is_nan())
        eroded, probability = asked["eroded"].to_numpy(), asked["probability"].to_numpy()
        bins = reliability(eroded, probability)
        error = calibration_error(eroded, probability)
        curves.append(figures.Reliability(name, bins.edges, bins.predicted, bins.observed, bins.counts, error))
    return curves


def joint_confusions(results: pl.DataFrame) -> dict[str, dict[str, Confusion]]:
    """Each run's four counts of all joints together, under `All`, and of each kind of joint."""
    found = erosion_runs(results)
    matrices = {}
    for name, (_, joints) in zip(run_names([run for run, _ in found]), found, strict=True):
        structure = np.asarray(joints["structure"])
        eroded, called = np.asarray(joints["eroded"], bool), np.asarray(joints["called"], bool)
        matrices[name] = {"All": confusion(eroded, called)} | {
            joint.abbreviation: confusion(
                eroded[structure == joint.abbreviation], called[structure == joint.abbreviation]
            )
            for joint in Joint
        }
    return matrices


def differences_of_bones(comparison: Comparison) -> list[Difference]:
    """The difference on all bones together and on each; none where something else was compared."""
    if METRICS[comparison.metric].task != "bones":
        return []
    found = []
    for row in comparison.table.rows:
        _, _, difference, _, holm, *_ = row.cells
        if difference is not None:
            found.append(Difference(row.model, difference, math.nan if holm is None else holm.value))
    return found


def run_names(found: Sequence[Run]) -> tuple[str, ...]:
    """The model of each run, with recipe, seed and split where the model alone would name two of them."""
    often = Counter(run.model for run in found)
    return tuple(f"{run.model} ({run.details})" if often[run.model] > 1 else run.model for run in found)


def _finite_mean(values: Float[np.ndarray, " n"]) -> float:
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if len(finite) else float("nan")
