import math
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from carpus.stats import cliffs_delta, holm, paired_effect_size, wilcoxon

P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=8).map(np.array)


def test_holm_is_that_of_r() -> None:
    # R: p.adjust(c(0.01, 0.02, 0.03, 0.04, 0.05), method = "holm"), and the same for c(0.001, 0.2, NA, 0.04)
    assert holm(np.array([0.01, 0.02, 0.03, 0.04, 0.05])).tolist() == pytest.approx([0.05, 0.08, 0.09, 0.09, 0.09])
    found = holm(np.array([0.001, 0.2, np.nan, 0.04]))
    assert found.tolist() == pytest.approx([0.003, 0.2, math.nan, 0.08], nan_ok=True)


@given(P_VALUES, st.randoms(use_true_random=False))
def test_holm_keeps_the_order_and_never_lowers_a_p(p: np.ndarray, random: Random) -> None:
    adjusted = holm(p)
    assert (adjusted >= p - 1e-15).all()
    assert (adjusted <= np.minimum(1, len(p) * p) + 1e-12).all()
    assert (np.diff(adjusted[np.argsort(p, kind="stable")]) >= 0).all()
    shuffled = random.sample(range(len(p)), len(p))
    assert holm(p[shuffled]).tolist() == pytest.approx(adjusted[shuffled].tolist())


def test_wilcoxon_of_eight_pairs_that_all_rise_is_exact() -> None:
    first = np.array([0.92, 0.95, 0.91, 0.97, 0.90, 0.93, 0.96, 0.94])
    assert wilcoxon(first + np.arange(1, 9) / 1000, first) == pytest.approx(2 / 2**8)


def test_wilcoxon_is_that_of_scipy_with_equal_pairs_ranked_and_dropped() -> None:
    generator = np.random.default_rng(3)
    first, second = generator.random((2, 40))
    second[:5] = first[:5]
    expected = stats.wilcoxon(first, second, zero_method="pratt").pvalue
    assert wilcoxon(first, second) == pytest.approx(expected)


def test_wilcoxon_leaves_out_undefined_pairs_and_knows_no_difference() -> None:
    values = np.array([0.1, 0.4, np.inf, 0.7])
    assert wilcoxon(values, values) == 1
    assert math.isnan(wilcoxon(np.array([np.nan]), np.array([0.5])))
    generator = np.random.default_rng(4)
    first, second = generator.random((2, 20))
    assert wilcoxon(np.append(first, np.nan), np.append(second, 0.3)) == wilcoxon(first, second)


def test_the_effect_of_a_hand_computed_case() -> None:
    # Mean 2, SD 1, three pairs; Hedges' exact factor at 2 degrees of freedom is gamma(1) / (sqrt(1) * gamma(1/2)).
    assert paired_effect_size(np.array([1.0, 2.0, 3.0])) == pytest.approx(2 / math.sqrt(math.pi))
    assert paired_effect_size(np.zeros(5)) == 0
    assert math.isnan(paired_effect_size(np.array([0.5])))
    assert math.isnan(paired_effect_size(np.array([0.5, 0.5])))


@given(st.lists(st.integers(0, 5), min_size=1, max_size=8), st.lists(st.integers(0, 5), min_size=1, max_size=8))
def test_cliffs_delta_is_that_of_all_pairs(first: list[int], second: list[int]) -> None:
    signs = [(one > other) - (one < other) for one in first for other in second]
    found = cliffs_delta(np.array(first, float), np.array(second, float))
    assert found == pytest.approx(np.mean(signs))
    assert cliffs_delta(np.array(second, float), np.array(first, float)) == pytest.approx(-found)


def test_cliffs_delta_without_values_is_undefined() -> None:
    assert math.isnan(cliffs_delta(np.array([np.nan]), np.array([1.0])))
