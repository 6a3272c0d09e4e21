"""Figures of the paper and of the report, one a module: plain values in, a figure out.

`svg(figure)` gives it to a page, `write_figure(path, figure)` writes `.svg`, `.pdf` or `.png`.
"""

from carpus.report.figures.bones import bone_dots
from carpus.report.figures.calibration import Reliability, calibration_curves
from carpus.report.figures.cohort import cohort_overview
from carpus.report.figures.confusion import confusion_by_joint, confusion_matrices
from carpus.report.figures.differences import Difference, paired_differences
from carpus.report.figures.image_sizes import image_sizes
from carpus.report.figures.joints import JointAnswer, JointCase, joint_answers
from carpus.report.figures.leaderboard import Standing, leaderboard
from carpus.report.figures.parts import part_dots
from carpus.report.figures.patients import PatientValues, patient_ranges
from carpus.report.figures.probabilities import ScoredProbabilities, probabilities_by_score
from carpus.report.figures.score_counts import score_counts
from carpus.report.figures.scores import reference_scores
from carpus.report.figures.segmentation import SegmentationCase, segmentation_errors
from carpus.report.figures.splits import split_audit
from carpus.report.figures.spreads import bone_spreads
from carpus.report.figures.style import Look, looks, svg, write_figure
from carpus.report.figures.training import training_curves

__all__ = [
    "Difference",
    "JointAnswer",
    "JointCase",
    "Look",
    "PatientValues",
    "Reliability",
    "ScoredProbabilities",
    "SegmentationCase",
    "Standing",
    "bone_dots",
    "bone_spreads",
    "calibration_curves",
    "cohort_overview",
    "confusion_by_joint",
    "confusion_matrices",
    "image_sizes",
    "joint_answers",
    "leaderboard",
    "looks",
    "paired_differences",
    "part_dots",
    "patient_ranges",
    "probabilities_by_score",
    "reference_scores",
    "score_counts",
    "segmentation_errors",
    "split_audit",
    "svg",
    "training_curves",
    "write_figure",
]
