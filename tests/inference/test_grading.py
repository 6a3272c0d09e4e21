"""What a network's answer becomes: probabilities at RAM-W600's prevalence, a score and the range it lies in."""

import dataclasses
import math

import numpy as np
import pytest

from carpus.anatomy import Joint
from carpus.inference.grading import HELD, PREVALENCE, Grading, grade, moved
from carpus.nets.checkpoint import CheckpointInfo
from carpus.report.published import published_scores

CORN = CheckpointInfo(
    "erosion", "ResNet", {}, 5, 64, mirror_left=True, cut=0.4, trained_on="phantom", recipe="shipped", seed=1,
    head="corn", prevalence=0.5,
)  # fmt: skip


def graded(*beyond: float, joint: Joint = Joint.LUNATE, info: CheckpointInfo = CORN) -> Grading:
    return grade(np.array([beyond]), joint, info)


def test_the_prevalences_are_those_of_the_papers_table() -> None:
    table = published_scores("erosion")
    eroded = table[table.index.get_level_values("score") > 0].sum() / table.sum()
    assert {joint.abbreviation: pytest.approx(share) for joint, share in PREVALENCE.items()} == eroded.to_dict()


def test_a_joint_that_tells_nothing_has_its_prevalence_and_one_that_tells_much_keeps_its_odds() -> None:
    for joint, prevalence in PREVALENCE.items():
        assert graded(0.5, 0.2, 0.1, 0, 0, joint=joint).probability == pytest.approx(prevalence)
    # A likelihood ratio of 99 on odds of 16 to 532.
    found = graded(0.99, 0.5, 0.2, 0.1, 0.0)
    odds = 99 * 16 / 532
    assert found.probability == pytest.approx(odds / (1 + odds))
    assert found.prevalence == PREVALENCE[Joint.LUNATE]


@pytest.mark.parametrize("probability", [0.0, 0.1, 0.5, 0.9, 0.97, 0.98, 0.999, 1.0])
def test_a_joint_is_called_eroded_and_scored_where_that_is_likelier_than_not(probability: float) -> None:
    for joint in Joint:
        found = graded(probability, probability / 2, 0, 0, 0, joint=joint)
        assert found.cut == 0.5
        assert (found.probability >= found.cut) is ((found.score or 0) > 0)
    # 32 times likelier than otherwise, which a lunate's prevalence outweighs and a scaphoid's does not.
    assert graded(0.97, 0, 0, 0, 0).score == 0
    assert graded(0.97, 0, 0, 0, 0, joint=Joint.SCAPHOID).score == 1


def test_how_far_an_eroded_joint_has_gone_is_as_the_network_says() -> None:
    found = graded(0.8, 0.4, 0.2, 0.1, 0.05)
    assert math.isclose(sum(found.score_probabilities), 1)
    eroded = np.array(found.score_probabilities[1:]) / found.probability
    np.testing.assert_allclose(eroded, np.array([0.4, 0.2, 0.1, 0.05, 0.05]) / 0.8)


def test_the_range_is_the_shortest_that_holds_enough() -> None:
    assert graded(0.1, 0.01, 0, 0, 0).score_range == (0, 0)
    doubtful = graded(0.97, 0.1, 0, 0, 0)
    assert (doubtful.score, doubtful.score_range) == (0, (0, 1))
    sure = graded(0.9999, 0.999, 0.51, 0.05, 0.0, joint=Joint.SCAPHOID)
    assert (sure.score, sure.score_range) == (3, (2, 3))
    assert sum(sure.score_probabilities[2:4]) >= HELD > max(sure.score_probabilities)


def test_without_a_known_prevalence_probabilities_are_left_as_they_are() -> None:
    found = graded(0.7, 0.2, 0, 0, 0, info=dataclasses.replace(CORN, prevalence=None))
    assert (found.probability, found.cut, found.prevalence, found.score) == (0.7, 0.4, None, 1)
    # Called eroded by its own cut, though it more likely is not: the range holds both.
    called = graded(0.41, 0.1, 0, 0, 0, info=dataclasses.replace(CORN, prevalence=None))
    assert (called.score, called.score_range) == (1, (0, 1))


def test_a_network_without_scores_gives_none() -> None:
    found = graded(0.5, info=dataclasses.replace(CORN, head="binary"))
    assert found.probability == pytest.approx(PREVALENCE[Joint.LUNATE])
    assert (found.score, found.score_probabilities, found.score_range) == (None, (), None)


def test_moving_there_and_back_changes_nothing() -> None:
    there = moved(0.3, assumed=0.5, prevalence=0.02)
    assert moved(there, assumed=0.02, prevalence=0.5) == pytest.approx(0.3)
