from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from carpus.anatomy import Joint, Side
from carpus.errors import InputError
from carpus.phantom import Centre, Visit, plan_cohort
from carpus.phantom.cohort import SCORE_COUNTS


def test_the_same_seed_gives_the_same_cohort_and_another_seed_another(cohort: tuple[Visit, ...]) -> None:
    assert plan_cohort(patients=24, seed=1) == cohort
    assert plan_cohort(patients=24, seed=2) != cohort


@pytest.mark.parametrize("patients", [8, 9, 13, 24, 55])
def test_all_four_centres_take_part_from_the_smallest_cohort_on(patients: int) -> None:
    cohort = plan_cohort(patients=patients, seed=3)
    assert {visit.centre for visit in cohort} == set(Centre)
    assert {visit.patient for visit in cohort} == set(range(1, patients + 1))


def test_seven_patients_are_refused() -> None:
    with pytest.raises(InputError, match="7 patients do not make a cohort of four centres; ask for 8 or more"):
        plan_cohort(patients=7, seed=0)


def test_every_study_has_both_hands_of_a_patient_who_stays_the_same(cohort: tuple[Visit, ...]) -> None:
    sides = Counter((visit.patient, visit.study, visit.side) for visit in cohort)
    assert set(sides.values()) == {1}
    assert all(sides[visit.patient, visit.study, visit.side.other] == 1 for visit in cohort)
    for patient in {visit.patient for visit in cohort}:
        assert len({(visit.centre, visit.sex) for visit in cohort if visit.patient == patient}) == 1


def test_some_patients_come_again_and_grow_older(cohort: tuple[Visit, ...]) -> None:
    visits = Counter(visit.patient for visit in cohort if visit.side is Side.LEFT)
    assert set(visits.values()) == {1, 3}
    for earlier, later in _successive(cohort):
        assert later.phase == earlier.phase + 1 == later.study
        assert later.age > earlier.age


def test_scores_never_decrease_over_visits_and_some_rise() -> None:
    pairs = [pair for pair in _successive(plan_cohort(patients=300, seed=4)) if pair[0].scores is not None]
    changes = np.array([_row(later) - _row(earlier) for earlier, later in pairs])
    assert changes.min() == 0
    assert changes.max() > 0


def test_the_hand_atlas_is_healthy_young_and_unscored_and_all_others_are_scored(cohort: tuple[Visit, ...]) -> None:
    for visit in cohort:
        healthy = visit.centre is Centre.DHA
        assert (visit.scores is None) == healthy
        if healthy:
            assert visit.phase == 1
            assert 16 <= visit.age <= 21
        else:
            assert visit.scores is not None
            assert list(visit.scores) == list(Joint)


@pytest.mark.parametrize("joint", Joint)
def test_a_big_cohort_has_the_share_of_each_score_that_the_paper_has(joint: Joint) -> None:
    scores = [visit.scores[joint] for visit in plan_cohort(patients=600, seed=5) if visit.scores is not None]
    share = np.bincount(scores, minlength=6) / len(scores)
    expected = np.array(SCORE_COUNTS[joint]) / sum(SCORE_COUNTS[joint])
    assert share == pytest.approx(expected, abs=0.005)


def test_every_wrist_of_the_paper_is_scored_at_each_joint_but_one() -> None:
    assert sorted(sum(counts) for counts in SCORE_COUNTS.values()) == [548, *[548] * 5]


def test_even_a_small_cohort_has_two_eroded_wrists_at_each_joint() -> None:
    scored = [visit.scores for visit in plan_cohort(patients=8, seed=6) if visit.scores is not None]
    assert all(sum(scores[joint] > 0 for scores in scored) >= 2 for joint in Joint)


def test_joints_of_one_wrist_are_damaged_together() -> None:
    rows = np.array([_row(visit) for visit in plan_cohort(patients=600, seed=7) if visit.scores is not None]) > 0
    scaphoid, trapezium = rows[:, list(Joint).index(Joint.SCAPHOID)], rows[:, list(Joint).index(Joint.TRAPEZIUM)]
    assert scaphoid[trapezium].mean() > 1.5 * scaphoid.mean()


def _successive(cohort: tuple[Visit, ...]) -> list[tuple[Visit, Visit]]:
    in_time = sorted(cohort, key=lambda visit: (visit.patient, visit.side.value, visit.phase))
    return [
        (earlier, later)
        for earlier, later in pairwise(in_time)
        if (earlier.patient, earlier.side) == (later.patient, later.side)
    ]


def _row(visit: Visit) -> np.ndarray:
    assert visit.scores is not None
    return np.array([visit.scores[joint] for joint in Joint])
