import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carpus.stats import mann_whitney, stars

VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=12).map(np.array)


def exact_p(first: list[float], second: list[float]) -> float:
    """By enumerating every way to deal the values into the two groups."""

    def distance(group: tuple[float, ...], rest: list[float]) -> float:
        wins = sum(one > other for one in group for other in rest)
        return abs(wins - len(group) * len(rest) / 2)

    everything = first + second
    observed = distance(tuple(first), second)
    deals = list(itertools.combinations(range(len(everything)), len(first)))
    extreme = 0
    for deal in deals:
        group = tuple(everything[index] for index in deal)
        rest = [value for index, value in enumerate(everything) if index not in deal]
        extreme += distance(group, rest) >= observed
    return extreme / len(deals)


def test_small_groups_get_the_exact_p() -> None:
    first, second = [0.91, 0.95, 0.82, 0.99], [0.93, 0.98, 0.97, 0.985, 0.96]
    found = mann_whitney(np.array(first), np.array(second))
    assert found == pytest.approx(exact_p(first, second))


def test_large_groups_get_the_normal_approximation_corrected_for_ties() -> None:
    first, second = np.array([1, 1, 2, 3, 5, 5, 8, 9, 9, 9.0]), np.array([2, 4, 5, 9, 9, 10, 11, 12, 12.0])
    n, m, total = first.size, second.size, first.size + second.size
    wins = sum((one > other) + (one == other) / 2 for one in first for other in second)
    _, ties = np.unique(np.concatenate([first, second]), return_counts=True)
    spread = math.sqrt(n * m / 12 * (total + 1 - (ties**3 - ties).sum() / (total * (total - 1))))
    z = (abs(wins - n * m / 2) - 0.5) / spread
    assert mann_whitney(first, second) == pytest.approx(math.erfc(z / math.sqrt(2)))


@given(VALUES, VALUES)
@settings(max_examples=40, deadline=None)
def test_the_order_of_the_groups_does_not_matter(first: np.ndarray, second: np.ndarray) -> None:
    p = mann_whitney(first, second)
    assert p == pytest.approx(mann_whitney(second, first))
    assert 0 <= p <= 1


def test_undefined_values_are_left_out() -> None:
    first, second = np.array([0.1, np.nan, 0.2, 0.3]), np.array([0.4, 0.5, 0.6, np.nan])
    assert mann_whitney(first, second) == mann_whitney(first[~np.isnan(first)], second[:3]) == 0.1


def test_an_infinite_distance_ranks_as_the_largest() -> None:
    assert mann_whitney(np.array([1.0, 2, 3]), np.array([4.0, 5, np.inf])) == 0.1


@pytest.mark.parametrize("empty", [np.array([]), np.array([np.nan, np.nan])])
def test_an_empty_group_is_undefined(empty: np.ndarray) -> None:
    assert math.isnan(mann_whitney(empty, np.array([0.5])))
    assert math.isnan(mann_whitney(np.array([0.5]), empty))


def test_equal_values_do_not_differ() -> None:
    assert mann_whitney(np.ones(30), np.ones(20)) == 1


@pytest.mark.parametrize(
    ("p", "mark"),
    [(0.5, ""), (0.05, ""), (0.049, "*"), (0.01, "*"), (0.009, "**"), (0.001, "**"), (0.0009, "***")],
)
def test_stars_are_the_papers(p: float, mark: str) -> None:
    assert stars(p) == mark
