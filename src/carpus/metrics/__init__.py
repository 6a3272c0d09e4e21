"""How well a prediction agrees with the reference: bones by overlap and surface, erosion by class."""

from carpus.metrics.bones import STRUCTURES, BoneMeasures, measure_bones, measure_many, measure_stacks, score_bones
from carpus.metrics.boxes import box_iou
from carpus.metrics.calibration import Reliability, brier, calibration_error, reliability
from carpus.metrics.classification import (
    Confusion,
    acc,
    auroc,
    auroc_within,
    average_precision,
    bacc,
    best_cut,
    confusion,
    confusion_from_rates,
    dor,
    f1,
    mcc,
    pre,
    sen,
    spc,
)
from carpus.metrics.contour import contour_nsd
from carpus.metrics.detection import (
    BoxPrecision,
    FoundBox,
    ReferenceBox,
    average_precision_boxes,
    average_precision_of_pairs,
)
from carpus.metrics.joint_prior import JointPrior, fit_joint_prior
from carpus.metrics.mean_shape import MeanShape, fit_mean_shape
from carpus.metrics.ordinal import icc, mae, quadratic_weighted_kappa, within_one
from carpus.metrics.overlap import dsc, ravd, voe
from carpus.metrics.surface import SurfaceDistances, assd, hd95, msd, nsd, surface_distances
from carpus.metrics.table import METRICS, Metric

__all__ = [
    "METRICS",
    "STRUCTURES",
    "BoneMeasures",
    "BoxPrecision",
    "Confusion",
    "FoundBox",
    "JointPrior",
    "MeanShape",
    "Metric",
    "ReferenceBox",
    "Reliability",
    "SurfaceDistances",
    "acc",
    "assd",
    "auroc",
    "auroc_within",
    "average_precision",
    "average_precision_boxes",
    "average_precision_of_pairs",
    "bacc",
    "best_cut",
    "box_iou",
    "brier",
    "calibration_error",
    "confusion",
    "confusion_from_rates",
    "contour_nsd",
    "dor",
    "dsc",
    "f1",
    "fit_joint_prior",
    "fit_mean_shape",
    "hd95",
    "icc",
    "mae",
    "mcc",
    "measure_bones",
    "measure_many",
    "measure_stacks",
    "msd",
    "nsd",
    "pre",
    "quadratic_weighted_kappa",
    "ravd",
    "reliability",
    "score_bones",
    "sen",
    "spc",
    "surface_distances",
    "voe",
    "within_one",
]
