"""Splits by patient: nobody is in two of them, and every split has its share of disease."""

from collections.abc import Mapping

import numpy as np

from carpus.data.layout import Split
from carpus.errors import InputError

FRACTIONS = (0.7, 0.1, 0.2)
"""Of the patients in training, validation and test, as the paper splits them."""


def split_patients(
    worst_scores: Mapping[str, int],
    *,
    generator: np.random.Generator,
    fractions: tuple[float, float, float] = FRACTIONS,
    kept: Mapping[str, Split] | None = None,
) -> dict[str, Split]:
    """The split of every patient, drawn within strata of equal worst score.

    Each patient goes, in the order of severity with ties shuffled, to the split that is furthest behind its
    fraction, so that any run of like patients is shared out in proportion.

    Args:
        worst_scores: The worst SvdH score of each patient at any joint and visit; -1 for the unscored.
        generator: Decides ties.
        fractions: Of training, validation and test; they sum to 1.
        kept: Patients whose split stands already, as in an earlier edition of the dataset.

    Raises:
        InputError: Fewer than one patient a split, or fractions that do not sum to 1.

    Example:
        >>> patients = {f"{number:04}": number % 3 for number in range(20)}
        >>> chosen = split_patients(patients, generator=np.random.default_rng(0))
        >>> [list(chosen.values()).count(split) for split in Split]
        [14, 2, 4]
    """
    if len(worst_scores) < len(Split):
        raise InputError(f"{len(worst_scores)} patients cannot fill three splits; add patients")
    if min(fractions) <= 0 or abs(sum(fractions) - 1) > 1e-9:
        raise InputError(f"fractions {fractions} of the splits do not sum to 1; correct them")
    shuffled = [str(patient) for patient in generator.permutation(sorted(worst_scores))]
    chosen: dict[str, Split] = {}
    filled = dict.fromkeys(Split, 0)
    for done, patient in enumerate(sorted(shuffled, key=lambda patient: -worst_scores[patient]), 1):
        behind = {split: share * done - filled[split] for split, share in zip(Split, fractions, strict=True)}
        split = kept[patient] if kept and patient in kept else max(Split, key=lambda split: behind[split])
        chosen[patient] = split
        filled[split] += 1
    return chosen
