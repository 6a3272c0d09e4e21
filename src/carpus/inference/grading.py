"""What a network says of a joint, as a reader of films may take it: probabilities for his patients, not for a training.

A network learns from as many eroded joints as healthy ones, or as if there were, and its probabilities hold where half
of the joints are eroded. Here they are brought to how often each joint is eroded in RAM-W600, by Bayes' rule: the odds
are multiplied by the ratio of both prevalences' odds. A joint is then called eroded where that is likelier than not, so
a network that sees little in a film calls nothing eroded. How far an eroded joint has gone is left as the network says.
Where patients differ from those of RAM-W600, so does the probability.

Probabilities of a network that does not say where they hold are left as they are, and so is its cut.

References:
    Saerens M, Latinne P, Decaestecker C. Adjusting the outputs of a classifier to new a priori probabilities. Neural
        Comput 2002;14(1):21-41. https://doi.org/10.1162/089976602753284446
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from carpus.anatomy import Joint
from carpus.nets.apply import graded
from carpus.nets.checkpoint import CheckpointInfo

_WRISTS = 548
PREVALENCE: Mapping[Joint, float] = {
    Joint.METACARPAL_1: 41 / _WRISTS,
    Joint.TRAPEZIUM: 134 / _WRISTS,
    Joint.SCAPHOID: 141 / _WRISTS,
    Joint.LUNATE: 16 / _WRISTS,
    Joint.DISTAL_RADIUS: 15 / _WRISTS,
    Joint.DISTAL_ULNA: 72 / _WRISTS,
}
"""How often each joint is eroded among the wrists of RAM-W600's erosion task, the paper's Table 7b."""

LIKELY = 0.5
"""The probability at or above which something is called so, where probabilities are those of patients."""

HELD = 0.8
"""The share of probability that a range of scores holds."""


@dataclass(frozen=True)
class Grading:
    """What is said of one joint.

    Attributes:
        probability: Of erosion, 0 to 1.
        cut: The probability at or above which it is called eroded.
        prevalence: Of erosion, on which `probability` and `score_probabilities` rest; None where that is not known.
        score: SvdH score, 0 to 5, above 0 just where the joint is called eroded: the greatest that is reached likelier
            than not, or what `graded` gives where the prevalence is not known; None from a network that gives none.
        score_probabilities: Of each score from 0 to 5, together 1; empty without a score.
        score_range: Least and greatest of the shortest row of scores that has the score in it and at least `HELD` of
            the probability; None without a score.
    """

    probability: float
    cut: float
    prevalence: float | None
    score: int | None
    score_probabilities: tuple[float, ...]
    score_range: tuple[int, int] | None


def grade(beyond: Float64[np.ndarray, "1 k"], joint: Joint, info: CheckpointInfo) -> Grading:
    """What a network's answer says of a joint.

    Args:
        beyond: As `classify` gives it for one image.
        joint: Which.
        info: Of the network's checkpoint.
    """
    above = beyond[0]
    if info.prevalence is None:
        cut, prevalence = LIKELY if info.cut is None else info.cut, None
        score = int(graded(beyond, cut=cut)[0])
    else:
        cut, prevalence = LIKELY, PREVALENCE[joint]
        eroded = moved(float(above[0]), assumed=info.prevalence, prevalence=prevalence)
        above = above * (eroded / above[0] if above[0] > 0 else 0.0)
        score = int((above >= LIKELY).sum())
    if info.head != "corn":
        return Grading(float(above[0]), cut, prevalence, None, (), None)
    probabilities = -np.diff(above, prepend=1.0, append=0.0)
    return Grading(
        float(above[0]), cut, prevalence, score, tuple(map(float, probabilities)), _range(probabilities, score)
    )


def moved(probability: float, *, assumed: float, prevalence: float) -> float:
    """The probability where something is more or less frequent, 0 to 1.

    Args:
        probability: Where it is as frequent as `assumed`.
        assumed: Prevalence, above 0 and below 1.
        prevalence: Another one.

    Example:
        >>> round(moved(0.5, assumed=0.5, prevalence=0.03), 3)
        0.03
    """
    yes, no = probability * prevalence / assumed, (1 - probability) * (1 - prevalence) / (1 - assumed)
    return yes / (yes + no)


def _range(probabilities: Float64[np.ndarray, " k"], score: int) -> tuple[int, int]:
    """The shortest row of scores around `score` with `HELD`; of equally short ones that with most probability."""
    rows = [(low, high) for low in range(score + 1) for high in range(score, len(probabilities))]

    def held(row: tuple[int, int]) -> float:
        return float(probabilities[row[0] : row[1] + 1].sum())

    # All scores together may sum to a little less than 1.
    enough = [row for row in rows if held(row) >= HELD - 1e-9]
    return min(enough, key=lambda row: (row[1] - row[0], -held(row)))
