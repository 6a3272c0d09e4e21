import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carpus.errors import InputError
from carpus.stats import (
    PatientResamples,
    intervals,
    resample_patients,
    resampled_auroc,
    resampled_means,
    resampled_sums,
    sums_by_patient,
)


def drawn_rows(resamples: PatientResamples, patients: list[str], replicate: int) -> list[int]:
    """The rows that a replicate holds, each as often as its patient was drawn."""
    times = dict(zip(resamples.patients, resamples.times[replicate].astype(int).tolist(), strict=True))
    return [row for row, name in enumerate(patients) for _ in range(times[name])]


def naive_auroc(reference: np.ndarray, probability: np.ndarray, strata: np.ndarray) -> float:
    won = pairs = 0.0
    for i in np.flatnonzero(reference):
        for j in np.flatnonzero(~reference):
            if strata[i] == strata[j]:
                pairs += 1
                won += (probability[i] > probability[j]) + (probability[i] == probability[j]) / 2
    return won / pairs if pairs else math.nan


def test_as_many_patients_are_drawn_as_there_are_each_about_once() -> None:
    resamples = resample_patients(["b", "a", "b", "c"], replicates=4000, generator=np.random.default_rng(0))
    assert resamples.patients == ("a", "b", "c")
    assert (resamples.times.sum(axis=1) == 3).all()
    assert resamples.times.mean(axis=0) == pytest.approx([1, 1, 1], abs=0.05)
    # Of three draws, a patient is in none with chance (2/3)^3.
    assert (resamples.times == 0).mean(axis=0) == pytest.approx([8 / 27] * 3, abs=0.03)


def test_one_seed_gives_one_set_of_resamples() -> None:
    first, again = (
        resample_patients(["a", "b", "c"], replicates=20, generator=np.random.default_rng(7)).times for _ in range(2)
    )
    assert np.array_equal(first, again)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_sums_and_means_are_those_of_the_rows_drawn(seed: int) -> None:
    generator = np.random.default_rng(seed)
    count = int(generator.integers(1, 12))
    values, patients = generator.random((count, 3)), [f"p{n}" for n in generator.integers(0, 4, count)]
    resamples = resample_patients(patients, replicates=6, generator=generator)
    sums = sums_by_patient(resamples, values, patients)
    counts = sums_by_patient(resamples, np.ones_like(values), patients)
    means = resampled_means(resamples, sums, counts)
    for replicate in range(6):
        rows = drawn_rows(resamples, patients, replicate)
        assert resampled_sums(resamples, sums)[replicate] == pytest.approx(values[rows].sum(axis=0))
        assert means[replicate] == pytest.approx(values[rows].mean(axis=0))


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_the_area_is_that_of_the_rows_drawn(seed: int) -> None:
    generator = np.random.default_rng(seed)
    count = int(generator.integers(2, 14))
    patients = [f"p{n}" for n in generator.integers(0, 4, count)]
    reference = generator.random(count) < 0.4
    probability = generator.integers(0, 4, count) / 4  # with ties
    strata = generator.choice(["Sca", "Lu"], count)
    resamples = resample_patients(patients, replicates=6, generator=generator)
    within = resampled_auroc(resamples, reference, probability, patients, strata)
    overall = resampled_auroc(resamples, reference, probability, patients)
    for replicate in range(6):
        rows = drawn_rows(resamples, patients, replicate)
        drawn = reference[rows], probability[rows]
        assert within[replicate] == pytest.approx(naive_auroc(*drawn, strata[rows]), nan_ok=True)
        assert overall[replicate] == pytest.approx(naive_auroc(*drawn, np.zeros(len(rows))), nan_ok=True)


def test_a_patient_without_rows_is_drawn_but_adds_nothing() -> None:
    resamples = PatientResamples(("a", "b"), np.array([[0.0, 2.0], [1.0, 1.0]]))
    means = resampled_means(resamples, np.array([[3.0], [0.0]]), np.array([[2.0], [0.0]]))
    assert math.isnan(means[0, 0])
    assert means[1, 0] == 1.5


def test_an_interval_is_made_of_values_that_were_there() -> None:
    replicates = np.arange(1.0, 101.0)[:, None]
    assert intervals(replicates).tolist() == [[3, 98]]
    assert intervals(np.full((10, 1), np.inf)).tolist() == [[np.inf, np.inf]]


def test_an_interval_is_undefined_if_most_replicates_are() -> None:
    half, most = np.full((2, 4, 1), np.nan)
    half[:2], most[:1] = 5, 5
    assert intervals(half).tolist() == [[5, 5]]
    assert np.isnan(intervals(most)).all()
    assert np.isnan(intervals(np.empty((0, 2)))).all()


def test_intervals_by_patient_cover_where_those_by_image_do_not() -> None:
    # 30 patients of 8 alike images: 95 % should cover the truth; images taken as independent cover far less.
    generator = np.random.default_rng(600)
    covered = {"patient": 0, "image": 0}
    trials = 300
    for _ in range(trials):
        values = (generator.normal(size=(30, 1)) + 0.3 * generator.normal(size=(30, 8))).ravel()[:, None]
        for unit, names in (("patient", np.repeat(np.arange(30), 8)), ("image", np.arange(240))):
            patients = [str(name) for name in names]
            resamples = resample_patients(patients, replicates=300, generator=generator)
            sums = sums_by_patient(resamples, np.column_stack([values, np.ones(240)]), patients)
            low, high = intervals(resampled_means(resamples, sums[:, :1], sums[:, 1:]))[0]
            covered[unit] += low <= 0 <= high
    assert covered["patient"] / trials > 0.89
    assert covered["image"] / trials < 0.65


def test_rows_that_do_not_fit_the_patients_are_refused() -> None:
    resamples = resample_patients(["a", "b"], replicates=2, generator=np.random.default_rng(0))
    with pytest.raises(InputError, match="2 values and 1 patients"):
        sums_by_patient(resamples, np.ones((2, 1)), ["a"])
    with pytest.raises(InputError, match="'c' is not among the resampled"):
        sums_by_patient(resamples, np.ones((1, 1)), ["c"])
    with pytest.raises(InputError, match="1 references, 2 probabilities"):
        resampled_auroc(resamples, np.array([True]), np.ones(2), ["a"])
    with pytest.raises(InputError, match="a probability is NaN"):
        resampled_auroc(resamples, np.array([True]), np.array([np.nan]), ["a"])
