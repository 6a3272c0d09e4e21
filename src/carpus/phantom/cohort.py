"""Who is imaged when: patients of four centres, both hands, several visits, and damage that never heals.

Shares of centres and sexes follow the paper's Figure 2; the share of each score at each joint follows its Table 7b.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from carpus.anatomy import Joint, Side
from carpus.errors import InputError
from carpus.phantom.centres import Centre

SCORE_COUNTS: Mapping[Joint, tuple[int, int, int, int, int, int]] = {
    Joint.METACARPAL_1: (507, 29, 12, 0, 0, 0),
    Joint.TRAPEZIUM: (414, 68, 60, 6, 0, 0),
    Joint.SCAPHOID: (407, 55, 73, 11, 0, 2),
    Joint.LUNATE: (532, 8, 6, 0, 0, 2),
    Joint.DISTAL_RADIUS: (533, 9, 6, 0, 0, 0),
    Joint.DISTAL_ULNA: (476, 16, 48, 5, 0, 3),
}
"""Wrists of the paper's Table 7b by score 0 to 5, its three splits together."""

_SHARES = {Centre.HMCRD: 0.40, Centre.SCGH: 0.25, Centre.HU: 0.13, Centre.DHA: 0.22}
_VISITS = (1, 1, 2, 1, 1, 3)
_MIN_PATIENTS = 8


@dataclass(frozen=True)
class Visit:
    """One wrist at one visit.

    Attributes:
        patient: Number of the patient, from 1.
        study: Number of the study, from 1 in each patient.
        side: Of the body.
        centre: Where.
        age: Years.
        sex: `F` or `M`.
        phase: Number of the visit, from 1.
        scores: SvdH erosion score of each joint; None for the healthy and unscored.
        seed: Of the whole cohort.
    """

    patient: int
    study: int
    side: Side
    centre: Centre
    age: int
    sex: str
    phase: int
    scores: Mapping[Joint, int] | None
    seed: int


def plan_cohort(*, patients: int, seed: int) -> tuple[Visit, ...]:
    """Every wrist of a cohort, ordered by patient, study and side; nothing is drawn yet.

    Patients of the Digital Hand Atlas are healthy, about 18 years old and unscored; the others have rheumatoid
    arthritis, and a third of them come more than once. At each joint the wrists that are worst off get the scores
    that the paper's Table 7b has for such a share, at least two eroded ones.

    Args:
        patients: Number of patients.
        seed: Of everything.

    Raises:
        InputError: Fewer than 8 patients.

    Example:
        >>> cohort = plan_cohort(patients=24, seed=1)
        >>> sorted({visit.centre.value for visit in cohort})
        ['DHA', 'HMCRD', 'HU', 'SCGH']
    """
    if patients < _MIN_PATIENTS:
        raise InputError(f"{patients} patients do not make a cohort of four centres; ask for {_MIN_PATIENTS} or more")
    generator = np.random.default_rng([seed, patients])
    centres = [centre for centre, share in _SHARES.items() for _ in range(max(round(share * patients), 1))]
    centres = (centres + [Centre.HMCRD] * patients)[:patients]
    order = generator.permutation(patients)

    plain: list[Visit] = []
    liabilities: list[np.ndarray] = []
    for patient in range(1, patients + 1):
        centre = centres[order[patient - 1]]
        healthy = centre is Centre.DHA
        sex = "F" if generator.random() < (0.5 if healthy else 0.8) else "M"
        age = int(np.clip(generator.normal(18 if healthy else 58, 1.0 if healthy else 13), 16 if healthy else 22, 86))
        severity = generator.normal()
        hands = {side: severity + 0.5 * generator.normal() + 0.7 * generator.normal(size=len(Joint)) for side in Side}
        years = 0.0
        for phase in range(1, 1 + (1 if healthy else int(generator.choice(_VISITS)))):
            for side in Side:
                scores = None if healthy else dict.fromkeys(Joint, 0)
                plain.append(Visit(patient, phase, side, centre, age + int(years), sex, phase, scores, seed))
                liabilities.append(hands[side] + 0.12 * years)
            years += generator.uniform(1, 4)

    scored = [number for number, visit in enumerate(plain) if visit.scores is not None]
    table = _scores(np.array([liabilities[number] for number in scored]))
    for number, row in zip(scored, table, strict=True):
        plain[number] = _with_scores(plain[number], {joint: int(row[column]) for column, joint in enumerate(Joint)})
    return tuple(plain)


def _scores(liability: np.ndarray) -> np.ndarray:
    """Scores `(wrists, joints)`: at each joint by rank, so that more liability never has the lower score."""
    scores = np.zeros(liability.shape, int)
    wrists = len(liability)
    for column, joint in enumerate(Joint):
        counts = np.array(SCORE_COUNTS[joint])
        eroded = counts[1:].sum()
        worst_first = np.argsort(-liability[:, column], kind="stable")
        number = max(round(wrists * eroded / counts.sum()), 2)
        # The score of the k-th worst of n: where k / n falls among the paper's eroded wrists, worst first.
        rank = (np.arange(number) + 0.5) / number * eroded
        above = np.cumsum(counts[:0:-1])
        scores[worst_first[:number], column] = 5 - np.searchsorted(above, rank)
    return scores


def _with_scores(visit: Visit, scores: Mapping[Joint, int]) -> Visit:
    return Visit(**{**vars(visit), "scores": scores})
