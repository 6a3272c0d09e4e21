"""Figures of the paper and of the report, one a module: plain values in, a figure out.

`svg(figure)` gives it to a page, `write_figure(path, figure)` writes `.svg`, `.pdf` or `.png`.
"""

from carpus.report.figures.cohort import cohort_overview
from carpus.report.figures.joints import JointAnswer, JointCase, joint_answers
from carpus.report.figures.old import (
    confusion_matrices,
    probabilities_by_score,
    reference_scores,
    training_curves,
    values_by_bone,
)
from carpus.report.figures.segmentation import SegmentationCase, segmentation_errors
from carpus.report.figures.style import looks, svg, write_figure
