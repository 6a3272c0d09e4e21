import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from carpus.errors import InputError
from carpus.metrics import icc, mae, quadratic_weighted_kappa, within_one

SCORES = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=60)

# Shrout and Fleiss 1979, Table 2: six targets, four judges.
TABLE_2 = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]])


@given(SCORES)
@settings(max_examples=80, deadline=None)
def test_kappa_is_that_of_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    reference, predicted = np.array(pairs).T
    found = quadratic_weighted_kappa(reference, predicted)
    if len({*reference, *predicted}) == 1:
        assert math.isnan(found)
    else:
        expected = cohen_kappa_score(reference, predicted, weights="quadratic", labels=range(6))
        assert found == pytest.approx(expected, abs=1e-12)


@given(SCORES)
@settings(max_examples=40, deadline=None)
def test_errors_are_those_of_plain_code_for_signed_and_unsigned_scores(pairs: list[tuple[int, int]]) -> None:
    for kind in (np.int64, np.uint8):
        reference, predicted = np.array(pairs, kind).T
        apart = [abs(one - other) for one, other in pairs]
        assert mae(reference, predicted) == pytest.approx(sum(apart) / len(pairs))
        assert within_one(reference, predicted) == pytest.approx(sum(each <= 1 for each in apart) / len(pairs))


def test_unsigned_scores_have_the_kappa_of_signed_ones() -> None:
    pairs = np.random.default_rng(0).integers(0, 6, (2, 40))
    found = quadratic_weighted_kappa(*pairs.astype(np.uint8))
    assert found == pytest.approx(quadratic_weighted_kappa(*pairs))


def test_the_correlation_is_that_of_the_paper_that_defined_it() -> None:
    # The table's mean squares are 11.24 (targets), 32.49 (judges) and 1.02 (error); the paper prints .29.
    assert icc(TABLE_2) == pytest.approx((11.24 - 1.02) / (11.24 + 3 * 1.02 + 4 * (32.49 - 1.02) / 6), abs=2e-4)
    assert round(icc(TABLE_2), 2) == 0.29


@given(SCORES.filter(lambda pairs: len(pairs) > 1))
@settings(max_examples=40, deadline=None)
def test_the_correlation_is_at_most_1_and_does_not_depend_on_the_order(pairs: list[tuple[int, int]]) -> None:
    ratings = np.array(pairs)
    if np.ptp(ratings) == 0:
        assert math.isnan(icc(ratings))
        return
    assert icc(ratings) <= 1 + 1e-12
    assert icc(ratings[::-1, ::-1]) == pytest.approx(icc(ratings), abs=1e-12)
    assert icc(ratings * 3.0 + 7) == pytest.approx(icc(ratings), abs=1e-9)


def test_readers_who_agree_have_1_and_a_reader_who_is_one_step_higher_less() -> None:
    scores = np.array([0, 1, 2, 5])
    assert icc(np.column_stack([scores, scores])) == pytest.approx(1)
    assert icc(np.column_stack([scores, scores + 1])) < 0.95


def test_nothing_is_undefined() -> None:
    nothing = np.zeros(0, np.int64)
    assert all(math.isnan(use(nothing, nothing)) for use in (quadratic_weighted_kappa, mae, within_one))
    assert math.isnan(icc(np.zeros((1, 2))))
    assert math.isnan(icc(np.array([[1], [2]])))


@pytest.mark.parametrize(
    ("predicted", "message"),
    [
        (np.array([1, 2]), "pair them by joint"),
        (np.array([0.5]), "round them first"),
        (np.array([6]), "map them to the scale"),
        (np.array([-1]), "map them to the scale"),
    ],
)
def test_what_are_no_scores_is_refused(predicted: np.ndarray, message: str) -> None:
    for use in (quadratic_weighted_kappa, mae, within_one):
        with pytest.raises(InputError, match=message):
            use(np.array([0]), predicted)


@pytest.mark.parametrize("ratings", [np.zeros(3), np.array([[0, np.nan], [1, 2]])])
def test_a_table_with_gaps_is_refused(ratings: np.ndarray) -> None:
    with pytest.raises(InputError, match="leave out joints"):
        icc(ratings)
