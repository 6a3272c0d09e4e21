"""How well erosion was recognised: a table laid out as the paper's Table 5, all joints together and each.

A joint is eroded if its SvdH score is above 0, and called eroded if the model's probability is at or above
the model's cut. AUROC needs no cut. Within joint, it compares eroded and healthy joints of one kind only: a
model that knows nothing but which joint it looks at has 0.5 there, whatever its other numbers are.

A joint without a probability counts as called wrong, and in the AUROC as ranked worst, so that nothing is
gained by leaving the hard ones out.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
from jaxtyping import Float

from carpus.anatomy import Joint
from carpus.errors import InputError
from carpus.metrics import METRICS, Confusion, acc, auroc_within, bacc, confusion, dor, f1, pre, sen, spc
from carpus.report.cells import Cell, Column, Table, beside_the_paper, comparison_notes, run_row
from carpus.report.runs import Run, runs
from carpus.stats import patient_bootstrap, patient_bootstrap_of_sums

_RATES: dict[str, Callable[[Confusion], float]] = {
    "bacc": bacc,
    "f1": f1,
    "dor": dor,
    "acc": acc,
    "sen": sen,
    "spc": spc,
    "pre": pre,
}
_RATE_COLUMNS = tuple(
    Column("", METRICS[name].label, 2 if name == "dor" else 3, printed=METRICS[name].label) for name in _RATES
)
_COUNTS = (Column("Joints", "all", 0), Column("Joints", "eroded", 0))
_INTERVAL_NOTE = "With the 95 % interval of a bootstrap over patients."


def table_5(results: pd.DataFrame, *, generator: np.random.Generator, replicates: int = 2000) -> Table:
    """All scored joints together: BACC, F1, DOR, ACC, SEN, SPC, PRE and AUROC, with 95 % intervals."""
    columns = (
        *_RATE_COLUMNS,
        Column("AUROC", "all joints"),
        Column("AUROC", "within joint"),
        *_COUNTS,
        Column("Joints", "unread", 0),
    )
    rows = []
    for run, joints in erosion_runs(results):
        cells = _rates(joints, replicates=replicates, generator=generator)
        areas = [
            _area(joints, strata, replicates=replicates, generator=generator)
            for strata in (np.zeros(len(joints)), joints["structure"].to_numpy())
        ]
        counts = [Cell(len(joints)), Cell(joints["eroded"].sum()), Cell(joints["probability"].isna().sum())]
        rows.append(run_row(run, joints, [*cells, *areas, *counts]))
    together = beside_the_paper(rows, columns, number=5)
    return Table(
        "table_5",
        "Erosion, all scored joints together",
        columns,
        together,
        (
            _INTERVAL_NOTE,
            "JointPrior looks at no image: it answers with how often that joint is eroded in training. On "
            "the paper's own test counts (654 joints, 76 eroded) it has BACC 0.721, F1 0.374 and DOR 6.67.",
            "AUROC within joint compares joints of one kind only; 0.5 is chance.",
            "Unread: joints without a probability, which count as called wrong.",
            *comparison_notes(together),
        ),
    )


def joint_table(results: pd.DataFrame, *, generator: np.random.Generator, replicates: int = 2000) -> Table:
    """Each scored joint by itself, with 95 % intervals."""
    columns = (*_RATE_COLUMNS, Column("", "AUROC"), *_COUNTS)
    rows = []
    for run, joints in erosion_runs(results):
        for joint in Joint:
            own = joints[joints["structure"] == joint.abbreviation]
            if len(own):
                cells = _rates(own, replicates=replicates, generator=generator)
                area = _area(own, np.zeros(len(own)), replicates=replicates, generator=generator)
                counts = [Cell(len(own)), Cell(own["eroded"].sum())]
                rows.append(run_row(run, own, [*cells, area, *counts], part=joint.label))
    notes = (_INTERVAL_NOTE, "A dash is undefined: no joint of that kind, or no positive call.")
    return Table("table_5_joints", "Erosion, joint by joint", columns, tuple(rows), notes)


def erosion_runs(results: pd.DataFrame) -> list[tuple[Run, pd.DataFrame]]:
    """Every run with one row a joint.

    The columns are image, patient, structure, score, probability (NaN if unread), cut, and eroded and called,
    both bool; an unread joint is called wrong.

    Raises:
        InputError: A joint has no reference score or no cut.
    """
    found = []
    for run, rows in runs(results, task="erosion"):
        joints = (
            rows.pivot(index=["image", "patient", "structure"], columns="metric", values="value")
            .reindex(columns=["score", "probability", "cut"])
            .reset_index()
        )
        lacking = joints[joints[["score", "cut"]].isna().any(axis=1)]
        if len(lacking):
            joint = lacking.iloc[0]
            raise InputError(
                f"{joint['structure']} of {joint['image']} by {run.model} has no score or no cut, "
                "expected both with every joint; evaluate it again"
            )
        eroded = joints["score"] > 0
        called = (joints["probability"] >= joints["cut"]).where(joints["probability"].notna(), ~eroded)
        found.append((run, joints.assign(eroded=eroded, called=called)))
    return found


def joint_confusion(joints: pd.DataFrame) -> Confusion:
    """The four counts of rows from `erosion_runs`."""
    return confusion(joints["eroded"].to_numpy(bool), joints["called"].to_numpy(bool))


def _rates(joints: pd.DataFrame, *, replicates: int, generator: np.random.Generator) -> list[Cell]:
    eroded, called = joints["eroded"].to_numpy(bool), joints["called"].to_numpy(bool)
    counts = joint_confusion(joints)
    one_hot = np.column_stack([eroded & called, ~eroded & called, eroded & ~called, ~eroded & ~called])
    cells = []
    for rate in _RATES.values():

        def of_sums(sums: Float[np.ndarray, " 4"], rate: Callable[[Confusion], float] = rate) -> float:
            return rate(Confusion(*map(int, sums)))

        interval = patient_bootstrap_of_sums(
            one_hot.astype(float),
            list(joints["patient"]),
            of_sums,
            replicates=replicates,
            generator=generator,
        )
        cells.append(Cell(rate(counts), interval.low, interval.high))
    return cells


def _area(joints: pd.DataFrame, strata: np.ndarray, *, replicates: int, generator: np.random.Generator) -> Cell:
    eroded = joints["eroded"].to_numpy(bool)
    worst = np.where(eroded, -np.inf, np.inf)
    probability = np.where(joints["probability"].isna(), worst, joints["probability"])
    codes = np.unique(strata, return_inverse=True)[1]

    def of_rows(rows: np.ndarray) -> float:
        return auroc_within(eroded[rows], probability[rows], codes[rows])

    interval = patient_bootstrap(
        np.arange(len(joints)),
        list(joints["patient"]),
        of_rows,
        replicates=replicates,
        generator=generator,
    )
    return Cell(of_rows(np.arange(len(joints))), interval.low, interval.high)
