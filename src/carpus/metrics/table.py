"""What every metric is called, measured in and which way is better: the one list that reports go by."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Metric:
    """One metric.

    Attributes:
        name: In results files.
        label: As the paper prints it.
        unit: `1` for a ratio, `px` for pixels of the scored grid, `mm`, `score` for steps of the SvdH scale.
        better: The direction of improvement.
        task: The task it is for, as in results files.
    """

    name: str
    label: str
    unit: Literal["1", "px", "mm", "score"]
    better: Literal["higher", "lower"]
    task: Literal["bones", "erosion", "joints"]


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("dsc", "DSC", "1", "higher", "bones"),
        Metric("nsd", "NSD", "1", "higher", "bones"),
        Metric("voe", "VOE", "1", "lower", "bones"),
        Metric("msd", "MSD", "px", "lower", "bones"),
        Metric("ravd", "RAVD", "1", "lower", "bones"),
        Metric("assd", "ASSD", "px", "lower", "bones"),
        Metric("hd95", "HD95", "px", "lower", "bones"),
        Metric("missed", "Missed", "1", "lower", "bones"),
        Metric("nsd_mm", "NSD (mm)", "1", "higher", "bones"),
        Metric("msd_mm", "MSD (mm)", "mm", "lower", "bones"),
        Metric("assd_mm", "ASSD (mm)", "mm", "lower", "bones"),
        Metric("hd95_mm", "HD95 (mm)", "mm", "lower", "bones"),
        Metric("bacc", "BACC", "1", "higher", "erosion"),
        Metric("f1", "F1", "1", "higher", "erosion"),
        Metric("dor", "DOR", "1", "higher", "erosion"),
        Metric("acc", "ACC", "1", "higher", "erosion"),
        Metric("sen", "SEN", "1", "higher", "erosion"),
        Metric("spc", "SPC", "1", "higher", "erosion"),
        Metric("pre", "PRE", "1", "higher", "erosion"),
        Metric("auroc", "AUROC", "1", "higher", "erosion"),
        Metric("auroc_within", "AUROC within joint", "1", "higher", "erosion"),
        Metric("average_precision", "AP", "1", "higher", "erosion"),
        Metric("mcc", "MCC", "1", "higher", "erosion"),
        Metric("brier", "Brier", "1", "lower", "erosion"),
        Metric("calibration_error", "ECE", "1", "lower", "erosion"),
        Metric("quadratic_weighted_kappa", "Kappa", "1", "higher", "erosion"),
        Metric("mae", "MAE", "score", "lower", "erosion"),
        Metric("within_one", "Within 1", "1", "higher", "erosion"),
        Metric("icc", "ICC", "1", "higher", "erosion"),
        Metric("box_iou", "IoU", "1", "higher", "joints"),
        Metric("average_precision_boxes", "AP", "1", "higher", "joints"),
        Metric("ap50", "AP50", "1", "higher", "joints"),
        Metric("ap75", "AP75", "1", "higher", "joints"),
    )
}
"""Every metric by its name: for each task first those of the paper's Tables 4 and 5 in their order, then the others."""
