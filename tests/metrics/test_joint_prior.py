import numpy as np
import pytest

from carpus.anatomy import Joint
from carpus.errors import InputError
from carpus.metrics import Confusion, bacc, confusion, dor, f1, fit_joint_prior

Scored = list[tuple[Joint, int]]
Table = list[tuple[int, tuple[int, ...]]]

# The paper's Table 7 (b): joints by split, score (0, 1, 2, 3, 5) and joint, in the order of `Joint`.
TRAIN: Table = [
    (0, (350, 291, 289, 374, 375, 323)),
    (1, (23, 48, 36, 3, 4, 15)),
    (2, (10, 39, 46, 4, 4, 40)),
    (3, (0, 5, 10, 0, 0, 3)),
    (5, (0, 0, 2, 2, 0, 2)),
]
VAL: Table = [
    (0, (51, 41, 37, 53, 53, 54)),
    (1, (4, 7, 7, 3, 1, 0)),
    (2, (1, 7, 11, 0, 2, 1)),
    (3, (0, 1, 1, 0, 0, 0)),
    (5, (0, 0, 0, 0, 0, 1)),
]
TEST: Table = [
    (0, (106, 82, 81, 105, 105, 99)),
    (1, (2, 13, 12, 2, 4, 1)),
    (2, (1, 14, 16, 2, 0, 7)),
    (3, (0, 0, 0, 0, 0, 2)),
    (5, (0, 0, 0, 0, 0, 0)),
]


def joints(table: Table) -> Scored:
    return [
        (joint, score)
        for score, counts in table
        for joint, count in zip(Joint, counts, strict=True)
        for _ in range(count)
    ]


def test_on_the_papers_counts_it_calls_trapezium_and_scaphoid_eroded() -> None:
    prior = fit_joint_prior(joints(TRAIN), joints(VAL))
    called = {joint for joint in Joint if prior.probability(joint) >= prior.cut}
    assert called == {Joint.TRAPEZIUM, Joint.SCAPHOID}


def test_on_the_papers_test_counts_it_beats_the_papers_best_network() -> None:
    prior = fit_joint_prior(joints(TRAIN), joints(VAL))
    test = joints(TEST)
    counts = confusion(
        np.array([score > 0 for _, score in test]),
        np.array([prior.probability(joint) >= prior.cut for joint, _ in test]),
    )
    assert counts == Confusion(tp=55, fp=163, fn=21, tn=415)
    assert bacc(counts) == pytest.approx(0.721, abs=5e-4)
    assert f1(counts) == pytest.approx(0.374, abs=5e-4)
    assert dor(counts) == pytest.approx(6.67, abs=5e-3)


def test_the_probability_is_the_prevalence_in_training() -> None:
    prior = fit_joint_prior(joints(TRAIN), joints(VAL))
    assert prior.probability(Joint.METACARPAL_1) == pytest.approx(33 / 383)
    assert prior.probability(Joint.SCAPHOID) == pytest.approx(94 / 383)


def test_of_equal_cuts_the_higher_wins() -> None:
    # Validation: an eroded scaphoid and a healthy lunate; the trapezium never occurs, so cutting below or
    # above its prevalence makes no difference.
    scores = {Joint.SCAPHOID: (1, 1, 1, 1), Joint.TRAPEZIUM: (1, 1, 0, 0)}
    train = [(joint, score) for joint in Joint for score in scores.get(joint, (0, 0, 0, 0))]
    prior = fit_joint_prior(train, [(Joint.SCAPHOID, 2), (Joint.LUNATE, 0)])
    assert prior.cut == 1.0


def test_a_joint_without_training_scores_is_named() -> None:
    train = [(joint, 1) for joint in Joint if joint is not Joint.LUNATE]
    with pytest.raises(InputError, match="no score of Lunate"):
        fit_joint_prior(train, [(Joint.SCAPHOID, 2), (Joint.LUNATE, 0)])


@pytest.mark.parametrize("score", [0, 1])
def test_a_validation_split_of_one_kind_is_refused(score: int) -> None:
    with pytest.raises(InputError, match="some of both kinds"):
        fit_joint_prior([(joint, 1) for joint in Joint], [(Joint.LUNATE, score)] * 3)
