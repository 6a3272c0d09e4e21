"""How well a prediction agrees with the reference: bones by overlap and surface, erosion by class."""

from carpus.metrics.bones import score_bones
from carpus.metrics.classification import (
    Confusion,
    acc,
    auroc,
    auroc_within,
    bacc,
    best_cut,
    confusion,
    dor,
    f1,
    pre,
    sen,
    spc,
)
from carpus.metrics.joint_prior import JointPrior, fit_joint_prior
from carpus.metrics.overlap import dsc, ravd, voe
from carpus.metrics.surface import SurfaceDistances, msd, nsd, surface_distances
from carpus.metrics.table import METRICS, Metric

__all__ = [
    "METRICS",
    "Confusion",
    "JointPrior",
    "Metric",
    "SurfaceDistances",
    "acc",
    "auroc",
    "auroc_within",
    "bacc",
    "best_cut",
    "confusion",
    "dor",
    "dsc",
    "f1",
    "fit_joint_prior",
    "msd",
    "nsd",
    "pre",
    "ravd",
    "score_bones",
    "sen",
    "spc",
    "surface_distances",
    "voe",
]
