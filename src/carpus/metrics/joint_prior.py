"""The baseline that looks at no image: how often each joint is eroded in the training split.

Erosion is unevenly spread over the wrist, so knowing which joint it is already tells much. A network that
does not beat this baseline has learnt nothing from the pixels that the joint's name does not say.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from carpus.anatomy import Joint, is_eroded
from carpus.errors import InputError
from carpus.metrics.classification import best_cut


@dataclass(frozen=True)
class JointPrior:
    """The prevalence of erosion by joint, and the cut at or above which a joint is called eroded.

    Attributes:
        prevalence: Of an SvdH score above 0 in the training split, 0 to 1, one a joint.
        cut: A prevalence.
    """

    prevalence: Mapping[Joint, float]
    cut: float

    def probability(self, joint: Joint) -> float:
        """The probability that this joint is eroded, 0 to 1."""
        return self.prevalence[joint]


def fit_joint_prior(train: Sequence[tuple[Joint, int]], val: Sequence[tuple[Joint, int]]) -> JointPrior:
    """The prevalences of the training split, with the cut that has the best BACC on the validation split.

    Equal BACC goes to the higher cut, which calls fewer joints eroded.

    Args:
        train: Joint and SvdH score of every joint of the training split.
        val: The same of the validation split.

    Raises:
        InputError: A joint is missing in training, or validation lacks eroded or healthy joints.
    """
    eroded: dict[Joint, list[bool]] = {joint: [] for joint in Joint}
    for joint, score in train:
        eroded[joint].append(is_eroded(score))
    missing = [joint.label for joint, calls in eroded.items() if not calls]
    if missing:
        raise InputError(
            f"the training split has no score of {', '.join(missing)}, expected all six joints; add patients"
        )
    prevalence = {joint: float(np.mean(calls)) for joint, calls in eroded.items()}

    reference = np.array([is_eroded(score) for _, score in val], bool)
    probability = np.array([prevalence[joint] for joint, _ in val])
    return JointPrior(prevalence, best_cut(reference, probability))
