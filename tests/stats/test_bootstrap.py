import itertools
import math

import numpy as np
import pytest
from jaxtyping import Float

from carpus.errors import InputError
from carpus.stats import Interval, patient_bootstrap, patient_bootstrap_mean, patient_bootstrap_of_sums


def generator() -> np.random.Generator:
    return np.random.default_rng(7)


def exact_interval(of_patients: list[list[float]]) -> Interval:
    """Every possible draw of patients, instead of some by chance."""
    draws = itertools.product(of_patients, repeat=len(of_patients))
    means = sorted(float(np.mean([*itertools.chain(*draw)])) for draw in draws)
    return Interval(means[math.ceil(0.025 * len(means)) - 1], means[math.ceil(0.975 * len(means)) - 1])


def test_the_mean_of_a_few_patients_has_the_interval_of_all_draws() -> None:
    of_patients = [[0.9, 0.7, 0.8], [0.5], [0.95, 0.99], [0.6, 0.2]]
    values = np.array([*itertools.chain(*of_patients)])
    patients = [str(index) for index, own in enumerate(of_patients) for _ in own]
    expected = exact_interval(of_patients)
    found = patient_bootstrap_mean(values, patients, replicates=20_000, generator=generator())
    assert found.low == pytest.approx(expected.low, abs=0.01)
    assert found.high == pytest.approx(expected.high, abs=0.01)


def test_the_fast_mean_is_the_general_bootstrap_of_the_mean() -> None:
    chance = np.random.default_rng(1)
    patients = [str(patient) for patient in chance.integers(0, 40, 200)]
    values = chance.normal(size=200) + np.array([int(patient) for patient in patients]) / 10
    fast = patient_bootstrap_mean(values, patients, generator=generator())
    general = patient_bootstrap(values, patients, np.mean, generator=generator())
    assert fast.low == pytest.approx(general.low, abs=0.1)
    assert fast.high == pytest.approx(general.high, abs=0.1)


def test_alike_images_of_one_patient_make_the_interval_wider_than_as_many_patients() -> None:
    values = np.repeat(np.random.default_rng(2).normal(size=20), 10)
    together = patient_bootstrap_mean(values, [str(row // 10) for row in range(200)], generator=generator())
    apart = patient_bootstrap_mean(values, [str(row) for row in range(200)], generator=generator())
    assert together.high - together.low > 2 * (apart.high - apart.low)


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    chance = np.random.default_rng(3)
    patients = [str(row // 3) for row in range(120)]
    covered = 0
    for _ in range(200):
        values = np.repeat(chance.normal(size=40), 3) + chance.normal(size=120)
        found = patient_bootstrap_mean(values, patients, replicates=400, generator=chance)
        covered += found.low <= 0 <= found.high
    assert 0.88 <= covered / 200 <= 0.99


def test_equal_values_have_an_interval_of_no_width() -> None:
    found = patient_bootstrap(np.ones(6), list("aabbcc"), np.mean, replicates=50, generator=generator())
    assert found == Interval(1, 1)


def test_the_same_generator_gives_the_same_interval() -> None:
    values, patients = np.arange(10.0), list("aabbccddee")
    first = patient_bootstrap(values, patients, np.median, replicates=100, generator=generator())
    again = patient_bootstrap(values, patients, np.median, replicates=100, generator=generator())
    assert first == again


def test_a_draw_keeps_all_rows_of_a_patient() -> None:
    drawn = []

    def seen(rows: np.ndarray) -> float:
        drawn.append(sorted(rows.tolist()))
        return float(len(rows))

    found = patient_bootstrap(np.array([0, 5, 1, 2]), list("abaa"), seen, replicates=99, generator=generator())
    assert {tuple(rows) for rows in drawn} == {(0, 0, 1, 1, 2, 2), (0, 1, 2, 5), (5, 5)}
    assert found == Interval(2, 6)


def test_a_rate_is_bootstrapped_through_its_sums() -> None:
    chance = np.random.default_rng(4)
    hits, patients = (chance.random(150) < 0.3).astype(float), [str(row // 2) for row in range(150)]
    cells = np.column_stack([hits, 1 - hits])

    def rate(sums: Float[np.ndarray, " k"]) -> float:
        return float(sums[0] / sums.sum())

    found = patient_bootstrap_of_sums(cells, patients, rate, generator=generator())
    assert found == patient_bootstrap_mean(hits, patients, generator=generator())


def test_undefined_replicates_are_left_out_until_they_are_the_most() -> None:
    def share_of_ones(sums: Float[np.ndarray, " k"]) -> float:
        return float(sums[0] / sums[1]) if sums[1] > 1 else math.nan

    few = np.column_stack([np.ones(30), np.ones(30)])
    patients = [str(row) for row in range(30)]
    assert patient_bootstrap_of_sums(few, patients, share_of_ones, generator=generator()) == Interval(1, 1)
    rare = few.copy()
    rare[1:, 1] = 0
    found = patient_bootstrap_of_sums(rare, patients, share_of_ones, generator=generator())
    assert math.isnan(found.low)
    assert math.isnan(found.high)


def test_an_infinite_statistic_stays_infinite() -> None:
    def odds(sums: Float[np.ndarray, " k"]) -> float:
        return float(sums[0] / sums[1]) if sums[1] else math.inf

    cells = np.column_stack([np.ones(20), np.arange(20) == 0]).astype(float)
    found = patient_bootstrap_of_sums(cells, [str(row) for row in range(20)], odds, generator=generator())
    assert math.isfinite(found.low)
    assert found.high == math.inf


@pytest.mark.parametrize("patients", [[], ["a"], ["a", "a", "a"]])
def test_fewer_than_two_patients_have_no_interval(patients: list[str]) -> None:
    values = np.arange(float(len(patients)))
    for found in (
        patient_bootstrap(values, patients, np.mean, generator=generator()),
        patient_bootstrap_mean(values, patients, generator=generator()),
    ):
        assert math.isnan(found.low)
        assert math.isnan(found.high)


def test_unpaired_lengths_are_refused() -> None:
    with pytest.raises(InputError, match="3 values and 2 patients"):
        patient_bootstrap_mean(np.ones(3), ["a", "b"], generator=generator())
