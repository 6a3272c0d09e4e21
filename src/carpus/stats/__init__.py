"""What chance alone could do: group tests and intervals by patient."""

from carpus.stats.bootstrap import (
    Interval,
    patient_bootstrap,
    patient_bootstrap_mean,
    patient_bootstrap_of_sums,
)
from carpus.stats.groups import mann_whitney, stars

__all__ = [
    "Interval",
    "mann_whitney",
    "patient_bootstrap",
    "patient_bootstrap_mean",
    "patient_bootstrap_of_sums",
    "stars",
]
