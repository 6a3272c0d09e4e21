"""All tables of a results file, each run beside what the paper printed for its network."""

import math

import polars as pl

from carpus.report.bone_tables import bone_tables
from carpus.report.box_table import box_table
from carpus.report.breakdown import centre_table
from carpus.report.cells import Table
from carpus.report.erosion_tables import further_table, joint_table, table_5

BOOTSTRAP_SEED = 600
"""Of every bootstrap of a report."""


def all_tables(results: pl.DataFrame | pl.LazyFrame, *, replicates: int = 10_000) -> tuple[Table, ...]:
    """The tables that have numbers: those of the bones, of erosion, of the joints' boxes.

    The bootstrap starts from one fixed seed, so the same results give the same tables.

    Args:
        results: A results table, see `carpus.data.results`; lazy for files of many million rows.
        replicates: Of the bootstrap.

    Raises:
        InputError: A structure is unknown, one value is given twice, or a joint lacks its score or cut.
    """
    tables = (
        *bone_tables(results, seed=BOOTSTRAP_SEED, replicates=replicates),
        centre_table(results, seed=BOOTSTRAP_SEED, replicates=replicates),
        table_5(results, seed=BOOTSTRAP_SEED, replicates=replicates),
        joint_table(results, seed=BOOTSTRAP_SEED, replicates=replicates),
        further_table(results),
        box_table(results, seed=BOOTSTRAP_SEED, replicates=replicates),
    )
    return tuple(table for table in tables if _says_anything(table))


def tables_as_dict(results: pl.DataFrame | pl.LazyFrame, *, replicates: int = 10_000) -> dict[str, object]:
    """All tables for JSON, keyed by name; undefined is None, infinity the text `inf`."""
    return {table.name: table.as_dict() for table in all_tables(results, replicates=replicates)}


def _says_anything(table: Table) -> bool:
    return any(cell is not None and not math.isnan(cell.value) for row in table.rows for cell in row.cells)
