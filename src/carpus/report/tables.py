"""All tables of a results file, each run beside what the paper printed for its network."""

import numpy as np
import pandas as pd

from carpus.report.bone_tables import table_4, table_8, table_9, table_10, table_11, table_12, table_13
from carpus.report.cells import Table
from carpus.report.erosion_tables import joint_table, table_5

_BOOTSTRAP_SEED = 600


def all_tables(results: pd.DataFrame, *, replicates: int = 2000) -> tuple[Table, ...]:
    """The tables that have rows: those of the bones, then those of erosion.

    The bootstrap starts from one fixed seed, so the same results give the same tables.

    Args:
        results: A results table, see `carpus.data.results`.
        replicates: Of the bootstrap.

    Raises:
        InputError: A structure is unknown, one value is given twice, or a joint lacks its score or cut.
    """
    generator = np.random.default_rng(_BOOTSTRAP_SEED)
    tables = (
        table_4(results, generator=generator, replicates=replicates),
        table_8(results),
        table_9(results),
        table_10(results),
        table_11(results),
        table_12(results),
        table_13(results),
        table_5(results, generator=generator, replicates=replicates),
        joint_table(results, generator=generator, replicates=replicates),
    )
    return tuple(table for table in tables if table.rows)


def tables_as_dict(results: pd.DataFrame, *, replicates: int = 2000) -> dict[str, object]:
    """All tables for JSON, keyed by name; undefined is None, infinity the text `inf`."""
    return {table.name: table.as_dict() for table in all_tables(results, replicates=replicates)}
