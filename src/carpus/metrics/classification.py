"""Agreement of a yes-or-no call with the reference, from four counts, and the area under the ROC curve.

Undefined cases, the same for every function here: 0 / 0 is undefined (NaN), so SEN and BACC are NaN without
an eroded joint, SPC and BACC without a healthy one, PRE without a positive call. DOR is infinite when the
model made no error of one kind (FP x FN = 0) but has hits of both kinds (TP x TN > 0).

References:
    Brodersen KH et al. ICPR 2010:3121-3124. https://doi.org/10.1109/ICPR.2010.764
    Glas AS et al. J Clin Epidemiol 2003;56(11):1129-1135. https://doi.org/10.1016/S0895-4356(03)00177-X
    Hanley JA, McNeil BJ. Radiology 1982;143(1):29-36. https://doi.org/10.1148/radiology.143.1.7063747
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Shaped

from carpus.errors import InputError


@dataclass(frozen=True)
class Confusion:
    """How often reference and call agree: eroded is positive.

    Attributes:
        tp: Eroded, called eroded.
        fp: Healthy, called eroded.
        fn: Eroded, called healthy.
        tn: Healthy, called healthy.
    """

    tp: int
    fp: int
    fn: int
    tn: int


def confusion(reference: Bool[np.ndarray, " n"], predicted: Bool[np.ndarray, " n"]) -> Confusion:
    """The four counts.

    Raises:
        InputError: The two differ in length or are not boolean.

    Example:
        >>> confusion(np.array([True, True, False]), np.array([True, False, False]))
        Confusion(tp=1, fp=0, fn=1, tn=1)
    """
    _check(reference, predicted)
    if predicted.dtype != np.bool_:
        raise InputError(f"predicted calls are {predicted.dtype}, expected bool; compare them with the cut")
    return Confusion(
        tp=int(np.count_nonzero(reference & predicted)),
        fp=int(np.count_nonzero(~reference & predicted)),
        fn=int(np.count_nonzero(reference & ~predicted)),
        tn=int(np.count_nonzero(~reference & ~predicted)),
    )


def sen(counts: Confusion) -> float:
    """The sensitivity, 0 to 1, higher is better: the part of the eroded joints that is found."""
    return _ratio(counts.tp, counts.tp + counts.fn)


def spc(counts: Confusion) -> float:
    """The specificity, 0 to 1, higher is better: the part of the healthy joints that is left alone."""
    return _ratio(counts.tn, counts.tn + counts.fp)


def pre(counts: Confusion) -> float:
    """The precision, 0 to 1, higher is better: the part of the positive calls that is right."""
    return _ratio(counts.tp, counts.tp + counts.fp)


def acc(counts: Confusion) -> float:
    """The accuracy, 0 to 1, higher is better: the part of all calls that is right."""
    return _ratio(counts.tp + counts.tn, counts.tp + counts.fp + counts.fn + counts.tn)


def bacc(counts: Confusion) -> float:
    """The balanced accuracy, 0 to 1, higher is better; 0.5 is chance.

    Example:
        >>> bacc(Confusion(tp=3, fp=1, fn=1, tn=1))
        0.625
    """
    return (sen(counts) + spc(counts)) / 2


def f1(counts: Confusion) -> float:
    """The F1 score, 0 to 1, higher is better: the harmonic mean of precision and sensitivity."""
    return _ratio(2 * counts.tp, 2 * counts.tp + counts.fp + counts.fn)


def dor(counts: Confusion) -> float:
    """The diagnostic odds ratio TP x TN / (FP x FN), 0 up, higher is better; 1 is chance."""
    hits, errors = counts.tp * counts.tn, counts.fp * counts.fn
    if errors:
        return hits / errors
    return math.inf if hits else math.nan


def mcc(counts: Confusion) -> float:
    """The Matthews correlation of reference and call, -1 to 1, higher is better; 0 is chance.

    NaN where all joints are of one kind or all calls are the same, as for any correlation.

    Example:
        >>> mcc(Confusion(tp=2, fp=1, fn=1, tn=2))
        0.3333333333333333
    """
    margins = (counts.tp + counts.fp) * (counts.tp + counts.fn) * (counts.tn + counts.fp) * (counts.tn + counts.fn)
    return (counts.tp * counts.tn - counts.fp * counts.fn) / math.sqrt(margins) if margins else math.nan


def confusion_from_rates(*, sen: float, spc: float, positives: int, negatives: int) -> Confusion:
    """The four counts behind a published sensitivity and specificity.

    Args:
        sen: The sensitivity as printed.
        spc: The specificity as printed.
        positives: How many joints were eroded.
        negatives: How many were healthy.

    Raises:
        InputError: A rate is not 0 to 1, or a number of joints below 1.

    Example:
        >>> confusion_from_rates(sen=0.667, spc=0.5, positives=3, negatives=4)
        Confusion(tp=2, fp=2, fn=1, tn=2)
    """
    if not (0 <= sen <= 1 and 0 <= spc <= 1):
        raise InputError(f"sen is {sen} and spc {spc}, expected 0 to 1; divide percentages by 100")
    if positives < 1 or negatives < 1:
        raise InputError(
            f"{positives} eroded and {negatives} healthy joints, expected 1 or more of both; without them "
            "there is no such rate"
        )
    tp, tn = round(sen * positives), round(spc * negatives)
    return Confusion(tp=tp, fp=negatives - tn, fn=positives - tp, tn=tn)


def best_cut(reference: Bool[np.ndarray, " n"], probability: Float[np.ndarray, " n"]) -> float:
    """The lowest probability to call eroded for the best BACC; equal BACC goes to the highest of them.

    Choose it on the validation split, never on the one that is reported.

    Raises:
        InputError: The reference lacks eroded or healthy joints, or as `auroc`.

    Example:
        >>> best_cut(np.array([True, False, False]), np.array([0.5, 0.4, 0.1]))
        0.5
    """
    check_probability(reference, probability)
    if reference.all() or not reference.any():
        raise InputError(
            f"{reference.sum()} of {reference.size} joints are eroded, expected some of both kinds to choose "
            "a cut on; add patients"
        )
    cuts = np.unique(probability)
    values = [bacc(confusion(reference, probability >= cut)) for cut in cuts]
    return float(cuts[len(cuts) - 1 - int(np.argmax(values[::-1]))])


def auroc(reference: Bool[np.ndarray, " n"], probability: Float[np.ndarray, " n"]) -> float:
    """The area under the ROC curve, 0 to 1, higher is better; 0.5 is chance.

    It is the chance that an eroded joint has the higher probability of one eroded and one healthy joint,
    equal ones counted half; NaN without joints of both kinds.

    Args:
        reference: Whether each joint is eroded.
        probability: The model's probability of erosion, or any number that rises with it.

    Raises:
        InputError: The two differ in length, the reference is not boolean, or a probability is NaN.

    Example:
        >>> auroc(np.array([True, False, False]), np.array([0.5, 0.5, 0.1]))
        0.75
    """
    return auroc_within(reference, probability, np.zeros(reference.shape, np.intp))


def average_precision(reference: Bool[np.ndarray, " n"], probability: Float[np.ndarray, " n"]) -> float:
    """The average precision, 0 to 1, higher is better; chance is the share of eroded joints.

    It is the precision at each cut, weighed by the sensitivity gained there, without interpolation; NaN without
    an eroded joint. With few eroded joints it says more than the area under the ROC curve.

    Args:
        reference: Whether each joint is eroded.
        probability: The model's probability of erosion, or any number that rises with it.

    Raises:
        InputError: As `auroc`.

    References:
        Saito T, Rehmsmeier M. PLoS One 2015;10(3):e0118432. https://doi.org/10.1371/journal.pone.0118432

    Example:
        >>> average_precision(np.array([True, False, True]), np.array([0.9, 0.5, 0.5]))
        0.8333333333333333
    """
    check_probability(reference, probability)
    if not reference.any():
        return math.nan
    order = np.argsort(-probability, kind="stable")
    hits, ordered = np.cumsum(reference[order]), probability[order]
    # Joints of equal probability are called together.
    last = np.append(np.flatnonzero(ordered[1:] != ordered[:-1]), len(order) - 1)
    return float(np.sum(np.diff(hits[last], prepend=0) * hits[last] / (last + 1)) / hits[-1])


def auroc_within(
    reference: Bool[np.ndarray, " n"], probability: Float[np.ndarray, " n"], strata: Shaped[np.ndarray, " n"]
) -> float:
    """The area under the ROC curve over pairs of one stratum only, 0 to 1, higher is better; 0.5 is chance.

    With the joint as stratum it is the chance that an eroded joint has the higher probability of itself and
    a healthy joint of the same kind, so knowing which joint it is gains nothing.

    Args:
        reference: Whether each joint is eroded.
        probability: As in `auroc`.
        strata: What each joint may be compared within.

    Raises:
        InputError: As `auroc`.
    """
    check_probability(reference, probability)
    won = pairs = 0.0
    for stratum in np.unique(strata):
        inside = strata == stratum
        eroded, healthy = probability[inside & reference], np.sort(probability[inside & ~reference])
        below = np.searchsorted(healthy, eroded, side="left")
        not_above = np.searchsorted(healthy, eroded, side="right")
        won += float((below + not_above).sum()) / 2
        pairs += eroded.size * healthy.size
    return won / pairs if pairs else math.nan


def check_probability(reference: np.ndarray, probability: np.ndarray) -> None:
    """Refuses probabilities that cannot be compared with the reference.

    Raises:
        InputError: The two differ in length, the reference is not boolean, or a probability is NaN.
    """
    _check(reference, probability)
    if np.isnan(probability).any():
        raise InputError("a probability is NaN, expected numbers; evaluate the model again")


def _check(reference: np.ndarray, predicted: np.ndarray) -> None:
    if reference.ndim != 1 or reference.shape != predicted.shape:
        raise InputError(
            f"reference has shape {reference.shape} and prediction {predicted.shape}, "
            "expected one value a joint in both; pair them by joint"
        )
    if reference.dtype != np.bool_:
        raise InputError(f"reference is {reference.dtype}, expected bool; use `is_eroded` on the scores")


def _ratio(numerator: int, denominator: int) -> float:
    return numerator / denominator if denominator else math.nan
