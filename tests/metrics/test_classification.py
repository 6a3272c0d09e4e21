import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sklearn

from carpus.errors import InputError
from carpus.metrics import (
    Confusion,
    acc,
    auroc,
    auroc_within,
    average_precision,
    bacc,
    best_cut,
    confusion,
    dor,
    f1,
    mcc,
    pre,
    sen,
    spc,
)

CALLS = st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=2, max_size=40)


@given(CALLS)
@settings(max_examples=50, deadline=None)
def test_counts_and_rates_are_those_of_scikit_learn(pairs: list[tuple[bool, int]]) -> None:
    reference = np.array([eroded for eroded, _ in pairs])
    predicted = np.array([probability for _, probability in pairs]) > 2
    counts = confusion(reference, predicted)
    (tn, fp), (fn, tp) = sklearn.confusion_matrix(reference, predicted, labels=[False, True])

    assert counts == Confusion(tp=tp, fp=fp, fn=fn, tn=tn)
    options = {"zero_division": np.nan}
    assert sen(counts) == pytest.approx(sklearn.recall_score(reference, predicted, **options), nan_ok=True)
    assert pre(counts) == pytest.approx(sklearn.precision_score(reference, predicted, **options), nan_ok=True)
    assert f1(counts) == pytest.approx(sklearn.f1_score(reference, predicted, **options), nan_ok=True)
    specificity = sklearn.recall_score(reference, predicted, pos_label=False, **options)
    assert spc(counts) == pytest.approx(specificity, nan_ok=True)
    assert acc(counts) == pytest.approx(sklearn.accuracy_score(reference, predicted))
    if reference.any() and not reference.all():
        assert bacc(counts) == pytest.approx(sklearn.balanced_accuracy_score(reference, predicted))


@given(CALLS)
@settings(max_examples=80, deadline=None)
def test_auroc_with_ties_is_that_of_scikit_learn(pairs: list[tuple[bool, int]]) -> None:
    reference = np.array([eroded for eroded, _ in pairs])
    probability = np.array([value for _, value in pairs]) / 5
    if reference.all() or not reference.any():
        assert math.isnan(auroc(reference, probability))
    else:
        assert auroc(reference, probability) == pytest.approx(sklearn.roc_auc_score(reference, probability), abs=1e-12)


@given(CALLS)
@settings(max_examples=50, deadline=None)
def test_the_correlation_is_that_of_scikit_learn_or_undefined(pairs: list[tuple[bool, int]]) -> None:
    reference = np.array([eroded for eroded, _ in pairs])
    predicted = np.array([value for _, value in pairs]) > 2
    undefined = len(set(reference)) == 1 or len(set(predicted)) == 1
    expected = math.nan if undefined else sklearn.matthews_corrcoef(reference, predicted)
    assert mcc(confusion(reference, predicted)) == pytest.approx(expected, abs=1e-12, nan_ok=True)


@given(CALLS)
@settings(max_examples=80, deadline=None)
def test_average_precision_with_ties_is_that_of_scikit_learn(pairs: list[tuple[bool, int]]) -> None:
    reference = np.array([eroded for eroded, _ in pairs])
    probability = np.array([value for _, value in pairs]) / 5
    if reference.any():
        expected = sklearn.average_precision_score(reference, probability)
        assert average_precision(reference, probability) == pytest.approx(expected, abs=1e-12)
    else:
        assert math.isnan(average_precision(reference, probability))


def test_the_average_precision_of_a_hand_counted_case_and_of_infinite_logits() -> None:
    reference = np.array([True, False, True, False])
    assert average_precision(reference, np.array([4.0, 3, 2, 1])) == pytest.approx((1 + 2 / 3) / 2)
    assert average_precision(reference, np.array([np.inf, np.inf, 2, 1])) == pytest.approx((1 / 2 + 2 / 3) / 2)


def test_auroc_mirrors_when_the_probability_does() -> None:
    generator = np.random.default_rng(0)
    reference, probability = generator.random(50) > 0.7, generator.integers(0, 9, 50) / 8
    assert auroc(reference, 1 - probability) == pytest.approx(1 - auroc(reference, probability))


def test_within_one_stratum_it_is_the_weighted_mean_over_strata() -> None:
    generator = np.random.default_rng(0)
    strata = generator.integers(0, 3, 60)
    reference, probability = generator.random(60) > 0.6, generator.integers(0, 9, 60) / 8
    inside = [strata == stratum for stratum in range(3)]
    areas = [auroc(reference[own], probability[own]) for own in inside]
    pairs = [reference[own].sum() * (~reference[own]).sum() for own in inside]
    assert auroc_within(reference, probability, strata) == pytest.approx(np.average(areas, weights=pairs))


def test_knowing_only_the_stratum_is_chance_within_it() -> None:
    reference = np.array([True, True, False, False, False, True])
    strata = np.array([0, 0, 0, 1, 1, 1])
    probability = np.where(strata == 0, 0.9, 0.1)
    assert auroc(reference, probability) > 0.6
    assert auroc_within(reference, probability, strata) == 0.5


def test_without_a_pair_in_any_stratum_it_is_undefined() -> None:
    reference = np.array([True, False])
    assert math.isnan(auroc_within(reference, np.array([0.9, 0.1]), np.array([0, 1])))


@given(CALLS)
@settings(max_examples=40, deadline=None)
def test_no_cut_has_a_better_balanced_accuracy_and_no_higher_one_an_equal(pairs: list[tuple[bool, int]]) -> None:
    reference = np.array([eroded for eroded, _ in pairs])
    probability = np.array([value for _, value in pairs]) / 5
    if reference.all() or not reference.any():
        with pytest.raises(InputError, match="some of both kinds"):
            best_cut(reference, probability)
        return
    best = best_cut(reference, probability)
    reached = bacc(confusion(reference, probability >= best))
    for cut in probability:
        value = bacc(confusion(reference, probability >= cut))
        assert value < reached if cut > best else value <= reached


def test_the_odds_ratio_of_a_hand_counted_case() -> None:
    assert dor(Confusion(tp=6, fp=2, fn=3, tn=5)) == 5


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        (Confusion(tp=3, fp=0, fn=1, tn=5), math.inf),
        (Confusion(tp=3, fp=1, fn=0, tn=5), math.inf),
        (Confusion(tp=0, fp=1, fn=1, tn=5), 0),
        (Confusion(tp=0, fp=0, fn=4, tn=5), math.nan),
        (Confusion(tp=3, fp=5, fn=0, tn=0), math.nan),
    ],
)
def test_the_odds_ratio_without_errors_or_without_hits(counts: Confusion, expected: float) -> None:
    assert dor(counts) == pytest.approx(expected, nan_ok=True)


def test_rates_of_nothing_are_undefined() -> None:
    never_positive = Confusion(tp=0, fp=0, fn=0, tn=9)
    assert all(math.isnan(rate(never_positive)) for rate in (sen, pre, f1, bacc))
    assert spc(never_positive) == acc(never_positive) == 1


def test_scores_instead_of_eroded_or_not_are_refused() -> None:
    with pytest.raises(InputError, match="is_eroded"):
        confusion(np.array([0, 3]), np.array([True, True]))


def test_probabilities_instead_of_calls_are_refused() -> None:
    with pytest.raises(InputError, match="compare them with the cut"):
        confusion(np.array([False, True]), np.array([0.2, 0.9]))


def test_unpaired_lengths_are_refused() -> None:
    with pytest.raises(InputError, match="pair them by joint"):
        auroc(np.array([False, True]), np.array([0.5]))


def test_an_undefined_probability_is_refused() -> None:
    for use in (auroc, average_precision, best_cut):
        with pytest.raises(InputError, match="NaN"):
            use(np.array([False, True]), np.array([0.5, np.nan]))
