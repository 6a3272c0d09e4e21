"""The runs in a results table: one model, trained by one recipe, applied to one split."""

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from carpus.anatomy import OVERLAP_PAIRS, Bone, Joint, pair_name
from carpus.errors import InputError

BONES = tuple(bone.abbreviation for bone in Bone)
PAIRS = tuple(pair_name(pair) for pair in OVERLAP_PAIRS)
JOINTS = tuple(joint.abbreviation for joint in Joint)
"""The structures of a results table, as the paper's tables print them."""

_STRUCTURES = {"bones": (*BONES, *PAIRS), "erosion": JOINTS, "joints": JOINTS}
_RUN = ["data", "model", "recipe", "split"]


@dataclass(frozen=True)
class Run:
    """What one row of a report's table stands for.

    Attributes:
        model: The network's or baseline's name.
        recipe: The recipe's name.
        seeds: Of its trainings, whose values are pooled; empty for what has none.
        data: `phantom` or `patients`.
        split: `train`, `val` or `test`.
    """

    model: str
    recipe: str
    seeds: tuple[int, ...]
    data: str
    split: str

    @property
    def is_phantom(self) -> bool:
        """Whether it was measured on synthetic wrists."""
        return self.data != "patients"

    @property
    def details(self) -> str:
        """Recipe, seeds and split, such as `carpus, seed 1, test` or `carpus, 5 seeds, test`."""
        seeds = f"{len(self.seeds)} seeds" if len(self.seeds) > 1 else "".join(f"seed {seed}" for seed in self.seeds)
        return ", ".join(part for part in (self.recipe, seeds, self.split) if part)


def runs(results: pl.DataFrame | pl.LazyFrame, *, task: str) -> Iterator[tuple[Run, pl.DataFrame]]:
    """Every run of a task with its rows, ordered by data, model, recipe and split; one at a time in memory.

    Args:
        results: A results table, see `carpus.data.results`.
        task: `bones`, `erosion` or `joints`.

    Raises:
        InputError: A structure is unknown, or one value is given twice, so that it cannot be known which
            one counts.
    """
    rows = results.lazy().filter(pl.col("task") == task)
    structures = rows.select("structure").unique().collect().to_series().to_list()
    unknown = sorted(set(structures) - set(_STRUCTURES[task]))
    if unknown:
        row = rows.filter(pl.col("structure") == unknown[0]).head(1).collect().row(0, named=True)
        raise InputError(
            f"structure {row['structure']!r} of {row['image']} is unknown in the task {task}, "
            f"expected one of {', '.join(_STRUCTURES[task])}; rename it in the results"
        )
    keys = rows.select(_RUN).unique().collect().rows()
    for key in sorted(keys):
        own = rows.filter(*(pl.col(name) == value for name, value in zip(_RUN, key, strict=True))).collect()
        twice = own.select("seed", "image", "structure", "metric").is_duplicated()
        if twice.any():
            row = own.filter(twice).row(0, named=True)
            raise InputError(
                f"{row['metric']} of {row['structure']} in {row['image']} by {row['model']} is given twice, "
                "expected once; remove one of the evaluations from the results"
            )
        data, model, recipe, split = key
        seeds = own["seed"].drop_nulls().unique().sort().to_list()
        yield Run(model, recipe, tuple(seeds), data, split), own
