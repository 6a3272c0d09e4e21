import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss

from carpus.errors import InputError
from carpus.metrics import brier, calibration_error, reliability

JOINTS = st.lists(st.tuples(st.booleans(), st.one_of(st.floats(0, 1), st.sampled_from([0, 0.1, 0.3, 0.5, 1]))))


def unzipped(joints: list[tuple[bool, float]]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([eroded for eroded, _ in joints], bool), np.array([value for _, value in joints], np.float64)


@given(JOINTS.filter(len), st.integers(1, 20))
@settings(max_examples=80, deadline=None)
def test_score_and_curve_are_those_of_scikit_learn(joints: list[tuple[bool, float]], bins: int) -> None:
    reference, probability = unzipped(joints)
    assert brier(reference, probability) == pytest.approx(
        brier_score_loss(reference, probability, pos_label=True), abs=1e-12
    )
    curve = reliability(reference, probability, bins=bins)
    observed, predicted = calibration_curve(reference, probability, n_bins=bins, pos_label=True)
    filled = curve.counts > 0
    assert curve.observed[filled] == pytest.approx(observed, abs=1e-12)
    assert curve.predicted[filled] == pytest.approx(predicted, abs=1e-12)
    assert np.isnan(curve.observed[~filled]).all()
    assert curve.counts.sum() == len(joints)
    expected = sum(curve.counts[filled] * abs(observed - predicted)) / len(joints)
    assert calibration_error(reference, probability, bins=bins) == pytest.approx(expected, abs=1e-12)


def test_the_error_of_a_hand_counted_case() -> None:
    # Two joints at 0.2, one of them eroded, and two at 0.9, both eroded.
    reference, probability = np.array([True, False, True, True]), np.array([0.2, 0.2, 0.9, 0.9])
    assert calibration_error(reference, probability) == pytest.approx((2 * 0.3 + 2 * 0.1) / 4)
    assert calibration_error(reference, probability, bins=1) == pytest.approx(0.75 - 0.55)


def test_nothing_is_undefined() -> None:
    reference, probability = unzipped([])
    assert math.isnan(brier(reference, probability))
    assert math.isnan(calibration_error(reference, probability))
    assert reliability(reference, probability).counts.sum() == 0


@pytest.mark.parametrize("wrong", [-0.1, 1.1, math.inf])
def test_logits_are_refused(wrong: float) -> None:
    for use in (brier, calibration_error, reliability):
        with pytest.raises(InputError, match="put logits through the logistic function"):
            use(np.array([True, False]), np.array([0.5, wrong]))


def test_no_bin_is_refused() -> None:
    with pytest.raises(InputError, match="10 is usual"):
        reliability(np.array([True]), np.array([0.5]), bins=0)
