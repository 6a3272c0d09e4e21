"""Figures of the paper and of the report, one a module: plain values in, a figure out.

`svg(figure)` gives it to a page, `write_figure(path, figure)` writes `.svg`, `.pdf` or `.png`.
"""

from carpus.report.figures.bones import values_of_bones
from carpus.report.figures.calibration import Reliability, calibration_curves
from carpus.report.figures.cohort import cohort_overview
from carpus.report.figures.confusion import confusion_by_joint, confusion_matrices
from carpus.report.figures.differences import Difference, paired_differences
from carpus.report.figures.joints import JointAnswer, JointCase, joint_answers
from carpus.report.figures.leaderboard import Standing, leaderboard
from carpus.report.figures.old import reference_scores, training_curves, values_by_bone
from carpus.report.figures.parts import values_of_parts
from carpus.report.figures.patients import PatientValues, values_of_patients
from carpus.report.figures.probabilities import ScoredProbabilities, probabilities_by_score
from carpus.report.figures.segmentation import SegmentationCase, segmentation_errors
from carpus.report.figures.style import looks, svg, write_figure
