"""How firm a ranking of models is: what it would have been with other patients."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float, Float64
from scipy.stats import kendalltau, rankdata

from carpus.stats.resamples import intervals

# Rankings that are compared with the whole one; more change nothing that is printed.
_COMPARED = 500


@dataclass(frozen=True, eq=False)
class RankStability:
    """The ranks of m models over the replicates of a bootstrap; rank 1 is the best.

    Attributes:
        shares: Row i, column j: part of the replicates in which model i has rank j + 1. Tied models share the ranks
            they stand on, so rows and columns add up to 1.
        mean_rank: Of each model, 1 to m.
        rank_intervals: 2.5 and 97.5 percentile of each model's rank.
        agreement: Kendall's tau-b of the replicates' rankings with that of their medians, averaged, -1 to 1.
    """

    shares: Float64[np.ndarray, "m m"]
    mean_rank: Float64[np.ndarray, " m"]
    rank_intervals: Float64[np.ndarray, "m 2"]
    agreement: float


def rank_stability(replicates: Float[np.ndarray, "r m"], *, better: Literal["higher", "lower"]) -> RankStability:
    """How often each model has each rank.

    Replicates in which a model is undefined are left out.

    Args:
        replicates: One column a model, from resamples that all models share.
        better: Which values rank first.

    Example:
        >>> found = rank_stability(np.array([[0.9, 0.8], [0.7, 0.8]]), better="higher")
        >>> found.shares.tolist(), found.mean_rank.tolist()
        ([[0.5, 0.5], [0.5, 0.5]], [1.5, 1.5])
    """
    defined = replicates[~np.isnan(replicates).any(axis=1)]
    models = replicates.shape[1]
    if not len(defined):
        nothing = np.full((models, models), np.nan)
        return RankStability(nothing, nothing.mean(axis=1), np.full((models, 2), np.nan), float("nan"))
    sign = -1 if better == "higher" else 1
    ranks = rankdata(sign * defined, axis=1)
    lowest, highest = (rankdata(sign * defined, axis=1, method=method) for method in ("min", "max"))
    places = np.arange(1, models + 1)
    stands = (lowest[..., None] <= places) & (places <= highest[..., None])
    shares = (stands / stands.sum(axis=2, keepdims=True)).mean(axis=0)
    whole = rankdata(sign * np.median(defined, axis=0))
    some = ranks[:: max(1, len(ranks) // _COMPARED)]
    taus = [kendalltau(whole, one).statistic for one in some]
    agreement = float(np.mean(taus)) if models > 1 else float("nan")
    return RankStability(shares, ranks.mean(axis=0), intervals(ranks), agreement)
