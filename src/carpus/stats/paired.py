"""Whether two models differ on the same cases, by how much, and how sure that is after asking many times.

The unit is the patient: give one value a patient, such as the mean over the patient's images. Several images of one
patient are not several observations.
"""

import math

import numpy as np
from jaxtyping import Float, Float64
from scipy.special import gammaln
from scipy.stats import wilcoxon as signed_rank


def wilcoxon(first: Float[np.ndarray, " n"], second: Float[np.ndarray, " n"]) -> float:
    """The two-sided P of the Wilcoxon signed-rank test, 0 to 1; small means that the two differ.

    Pairs with an undefined value are left out. Equal pairs are ranked and then dropped (Pratt). P is NaN without pairs
    and 1 if all are equal.

    References:
        Wilcoxon F. Biometrics Bull 1945;1(6):80-83. https://doi.org/10.2307/3001968
        Pratt JW. J Am Stat Assoc 1959;54(287):655-667. https://doi.org/10.1080/01621459.1959.10501526

    Example:
        >>> rising = np.arange(1.0, 9.0)
        >>> round(wilcoxon(rising, rising - 0.1 * rising), 4)
        0.0078
    """
    differences = _differences(first, second)
    if not differences.size:
        return math.nan
    if not differences.any():
        return 1.0
    return float(signed_rank(differences, zero_method="pratt", alternative="two-sided").pvalue)


def holm(p: Float[np.ndarray, " n"]) -> Float64[np.ndarray, " n"]:
    """P values corrected for asking n times, in the order given; undefined ones stay so and are not counted.

    References:
        Holm S. Scand J Stat 1979;6(2):65-70. https://www.jstor.org/stable/4615733

    Example:
        >>> holm(np.array([0.01, 0.04, 0.03])).tolist()
        [0.03, 0.06, 0.06]
    """
    adjusted = np.full(len(p), np.nan)
    defined = np.flatnonzero(~np.isnan(p))
    order = defined[np.argsort(p[defined], kind="stable")]
    factors = np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(1, np.maximum.accumulate(factors * p[order]))
    return adjusted


def paired_effect_size(differences: Float[np.ndarray, " n"]) -> float:
    """The mean difference in its own standard deviations (d_z), corrected for few pairs; 0 is no effect.

    The correction is Hedges' exact one. NaN below two pairs, and where all differences are equal but not 0.

    References:
        Lakens D. Front Psychol 2013;4:863. https://doi.org/10.3389/fpsyg.2013.00863
        Hedges LV. J Educ Stat 1981;6(2):107-128. https://doi.org/10.3102/10769986006002107
    """
    differences = differences[~np.isnan(differences)]
    if differences.size < 2:
        return math.nan
    if not differences.any():
        return 0.0
    spread = float(np.std(differences, ddof=1))
    if not spread or not math.isfinite(spread):
        return math.nan
    return _hedges(differences.size - 1) * float(np.mean(differences)) / spread


def cliffs_delta(first: Float[np.ndarray, " n"], second: Float[np.ndarray, " m"]) -> float:
    """How much more often a value of the first group is above one of the second than below, -1 to 1; 0 is no effect.

    Undefined values are left out; NaN when a group has none left.

    References:
        Cliff N. Psychol Bull 1993;114(3):494-509. https://doi.org/10.1037/0033-2909.114.3.494

    Example:
        >>> cliffs_delta(np.array([1.0, 2.0]), np.array([0.0, 2.0]))
        0.25
    """
    first, second = first[~np.isnan(first)], np.sort(second[~np.isnan(second)])
    if not first.size or not second.size:
        return math.nan
    below = np.searchsorted(second, first, side="left").sum()
    above = second.size * first.size - np.searchsorted(second, first, side="right").sum()
    return float(below - above) / (first.size * second.size)


def _differences(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        differences = np.where(first == second, 0.0, first - second)  # equal infinities do not differ
    undefined = np.isnan(first) | np.isnan(second)
    kept: np.ndarray = differences[~undefined]
    return kept


def _hedges(freedom: int) -> float:
    if freedom < 2:
        return 1.0
    return math.exp(gammaln(freedom / 2) - gammaln((freedom - 1) / 2)) / math.sqrt(freedom / 2)
