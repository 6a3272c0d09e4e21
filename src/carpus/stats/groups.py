"""Whether two groups differ, as the paper marks it in its tables."""

import math

import numpy as np
from jaxtyping import Float
from scipy.stats import mannwhitneyu


def mann_whitney(first: Float[np.ndarray, " n"], second: Float[np.ndarray, " m"]) -> float:
    """The two-sided P of the Mann-Whitney U test, 0 to 1; small means that the groups differ.

    Undefined values (NaN) are left out, infinite ones rank as the largest. P is NaN when a group has none
    left. It is exact up to eight values a group without ties, and a tie-corrected normal approximation else.

    The test takes all values as independent. Several images of one patient are not, so its P is too small
    where patients came more than once; the intervals of `carpus.stats.bootstrap` account for it.

    References:
        Mann HB, Whitney DR. Ann Math Stat 1947;18(1):50-60. https://doi.org/10.1214/aoms/1177730491

    Example:
        >>> round(mann_whitney(np.array([0.91, 0.93, 0.95]), np.array([0.96, 0.97, 0.98])), 6)
        0.1
    """
    first, second = first[~np.isnan(first)], second[~np.isnan(second)]
    if not first.size or not second.size:
        return math.nan
    if np.unique(np.concatenate([first, second])).size == 1:
        return 1.0
    return float(mannwhitneyu(first, second, alternative="two-sided").pvalue)


def stars(p: float) -> str:
    """The paper's mark of significance: `*` below 0.05, `**` below 0.01, `***` below 0.001, else nothing.

    Example:
        >>> stars(0.004), stars(0.05), stars(math.nan)
        ('**', '', '')
    """
    return "*" * sum(p < limit for limit in (0.05, 0.01, 0.001))
