"""The runs in a results table: one model as it was trained once and applied to one split."""

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from carpus.anatomy import OVERLAP_PAIRS, Bone, Joint, pair_name
from carpus.errors import InputError

BONES = tuple(bone.abbreviation for bone in Bone)
PAIRS = tuple(pair_name(pair) for pair in OVERLAP_PAIRS)
JOINTS = tuple(joint.abbreviation for joint in Joint)
"""The structures of a results table, as the paper's tables print them."""

_STRUCTURES = {"bones": (*BONES, *PAIRS), "erosion": JOINTS}
_RUN = ["data", "model", "recipe", "seed", "split"]


@dataclass(frozen=True)
class Run:
    """What one row of a report's table stands for.

    Attributes:
        model: The network's or baseline's name.
        recipe: The recipe's name.
        seed: Of the training; None for what has none.
        data: `phantom` or `patients`.
        split: `train`, `val` or `test`.
    """

    model: str
    recipe: str
    seed: int | None
    data: str
    split: str

    @property
    def is_phantom(self) -> bool:
        """Whether it was measured on synthetic wrists."""
        return self.data != "patients"

    @property
    def details(self) -> str:
        """Recipe, seed and split, such as `carpus, seed 1, test`."""
        seed = "" if self.seed is None else f"seed {self.seed}"
        return ", ".join(part for part in (self.recipe, seed, self.split) if part)


def runs(results: pd.DataFrame, *, task: str) -> Iterator[tuple[Run, pd.DataFrame]]:
    """Every run of a task with its rows, ordered by data, model, recipe, seed and split.

    Args:
        results: A results table, see `carpus.data.results`.
        task: `bones` or `erosion`.

    Raises:
        InputError: A structure is unknown, or one value is given twice, so that it cannot be known which
            one counts.
    """
    rows = results[results["task"] == task]
    unknown = rows[~rows["structure"].isin(_STRUCTURES[task])]
    if len(unknown):
        row = unknown.iloc[0]
        raise InputError(
            f"structure {row['structure']!r} of {row['image']} is unknown in the task {task}, "
            f"expected one of {', '.join(_STRUCTURES[task])}; rename it in the results"
        )
    twice = rows.duplicated([*_RUN, "image", "structure", "metric"])
    if twice.any():
        row = rows[twice].iloc[0]
        raise InputError(
            f"{row['metric']} of {row['structure']} in {row['image']} by {row['model']} is given twice, "
            "expected once; remove one of the evaluations from the results"
        )
    for _, own in rows.groupby(_RUN, dropna=False, sort=True):
        first = own.iloc[0]
        seed = None if pd.isna(first["seed"]) else int(first["seed"])
        yield Run(first["model"], first["recipe"], seed, first["data"], first["split"]), own
