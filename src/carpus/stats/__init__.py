"""What chance alone could do: group tests, paired tests, and intervals and ranks by patient."""

from carpus.stats.bootstrap import (
    Interval,
    patient_bootstrap,
    patient_bootstrap_mean,
    patient_bootstrap_of_sums,
)
from carpus.stats.groups import mann_whitney, stars
from carpus.stats.paired import cliffs_delta, holm, paired_effect_size, wilcoxon
from carpus.stats.ranks import RankStability, rank_stability
from carpus.stats.resamples import (
    PatientResamples,
    intervals,
    resample_patients,
    resampled_auroc,
    resampled_means,
    resampled_sums,
    sums_by_patient,
)

__all__ = [
    "Interval",
    "PatientResamples",
    "RankStability",
    "cliffs_delta",
    "holm",
    "intervals",
    "mann_whitney",
    "paired_effect_size",
    "patient_bootstrap",
    "patient_bootstrap_mean",
    "patient_bootstrap_of_sums",
    "rank_stability",
    "resample_patients",
    "resampled_auroc",
    "resampled_means",
    "resampled_sums",
    "stars",
    "sums_by_patient",
    "wilcoxon",
]
