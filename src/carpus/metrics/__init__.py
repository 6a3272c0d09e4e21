"""How well a prediction agrees with the reference: bones by overlap and surface, erosion by class."""

from carpus.metrics.bones import STRUCTURES, BoneMeasures, measure_bones, measure_many, measure_stacks, score_bones
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
from carpus.metrics.mean_shape import MeanShape, fit_mean_shape
from carpus.metrics.overlap import dsc, ravd, voe
from carpus.metrics.surface import SurfaceDistances, assd, hd95, msd, nsd, surface_distances
from carpus.metrics.table import METRICS, Metric

__all__ = [
    "METRICS",
    "STRUCTURES",
    "BoneMeasures",
    "Confusion",
    "JointPrior",
    "MeanShape",
    "Metric",
    "SurfaceDistances",
    "acc",
    "assd",
    "auroc",
    "auroc_within",
    "bacc",
    "best_cut",
    "confusion",
    "dor",
    "dsc",
    "f1",
    "fit_joint_prior",
    "fit_mean_shape",
    "hd95",
    "measure_bones",
    "measure_many",
    "measure_stacks",
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
