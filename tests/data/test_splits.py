from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carpus.data.layout import Split
from carpus.data.splits import split_patients
from carpus.errors import InputError

patients = st.dictionaries(st.integers(1, 9999).map("{:04}".format), st.integers(-1, 5), min_size=3, max_size=60)
seeds = st.integers(0, 2**32)


@st.composite
def shares(draw: st.DrawFn) -> tuple[float, float, float]:
    parts = [draw(st.integers(1, 20)) for _ in Split]
    train, val, test = (float(Fraction(part, sum(parts))) for part in parts)
    return train, val, test


@settings(max_examples=60, deadline=None)
@given(patients, seeds, shares())
def test_every_patient_is_in_exactly_one_split(
    scores: dict[str, int], seed: int, fractions: tuple[float, float, float]
) -> None:
    chosen = split_patients(scores, generator=np.random.default_rng(seed), fractions=fractions)
    assert chosen.keys() == scores.keys()
    assert set(chosen.values()) <= set(Split)


@settings(max_examples=300, deadline=None)
@given(patients, seeds, shares())
def test_every_split_is_within_one_patient_of_its_fraction(
    scores: dict[str, int], seed: int, fractions: tuple[float, float, float]
) -> None:
    chosen = list(split_patients(scores, generator=np.random.default_rng(seed), fractions=fractions).values())
    for split, share in zip(Split, fractions, strict=True):
        assert abs(chosen.count(split) - share * len(scores)) < 1 + 1e-9


@settings(max_examples=100, deadline=None)
@given(patients, seeds)
def test_the_worst_patients_of_any_number_are_shared_out_in_proportion(scores: dict[str, int], seed: int) -> None:
    chosen = split_patients(scores, generator=np.random.default_rng(seed))
    for cut in range(6):
        worse = [patient for patient, score in scores.items() if score >= cut]
        for split, share in zip(Split, (0.7, 0.1, 0.2), strict=True):
            assert abs(sum(chosen[patient] is split for patient in worse) - share * len(worse)) < 1 + 1e-9


@settings(max_examples=30, deadline=None)
@given(patients, seeds)
def test_the_same_generator_gives_the_same_split_in_whatever_order_patients_come(
    scores: dict[str, int], seed: int
) -> None:
    first = split_patients(scores, generator=np.random.default_rng(seed))
    second = split_patients(dict(reversed(scores.items())), generator=np.random.default_rng(seed))
    assert first == second


def test_another_generator_gives_another_split() -> None:
    scores = dict.fromkeys("abcdefghijklmnopqrstuvwxyz", 0)
    first, second = (split_patients(scores, generator=np.random.default_rng(seed)) for seed in (1, 2))
    assert first != second


def test_too_few_patients_and_impossible_fractions_are_refused() -> None:
    chance = np.random.default_rng(0)
    with pytest.raises(InputError, match="2 patients cannot fill three splits; add patients"):
        split_patients({"1": 0, "2": 0}, generator=chance)
    for fractions in [(0.5, 0.5, 0.5), (1.0, 0.5, -0.5), (1.0, 0.0, 0.0)]:
        with pytest.raises(InputError, match="correct them"):
            split_patients({"1": 0, "2": 0, "3": 0}, generator=chance, fractions=fractions)
