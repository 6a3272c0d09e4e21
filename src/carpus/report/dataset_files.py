"""What a dataset holds, as files: a row a wrist, the paper's Tables 6 and 7, the splits, and each as a picture."""

import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from carpus.data.dataset import Dataset
from carpus.data.statistics import CentreImages, Statistics
from carpus.files import new_folder
from carpus.report import figures
from carpus.report.dataset_tables import images_table, scores_table


def dataset_figures(dataset: Dataset, statistics: Statistics) -> dict[str, Figure]:
    """Name to figure: the paper's Figure 2, the audit of the splits, Table 7.

    Args:
        dataset: With a case.
        statistics: Of the dataset.
    """
    tables = _scores(statistics)
    return {
        "cohort": figures.cohort_overview(dataset),
        "splits": figures.split_audit(statistics.splits, is_phantom=dataset.is_phantom),
        "score_counts": figures.score_counts(tables, is_phantom=dataset.is_phantom),
    }


def write_dataset_files(out: Path, dataset: Dataset, statistics: Statistics, images: Sequence[CentreImages]) -> None:
    """Writes `statistics.json`, tables as CSV and figures as SVG, PDF and PNG, complete or not at all.

    Args:
        out: The folder; replaced if it exists.
        dataset: With a case.
        statistics: Of the dataset.
        images: Of each centre.

    Raises:
        InputError: The dataset has no case, or the folder cannot be written.
    """
    drawn = dataset_figures(dataset, statistics)
    drawn["image_sizes"] = figures.image_sizes(images, is_phantom=dataset.is_phantom)
    tables = {
        "wrists": dataset.to_pandas().reset_index(),
        "images": images_table(images).rename_axis("centre").reset_index(),
        "splits": pd.DataFrame(map(vars, statistics.splits.shares)),
        **{f"scores_{task}": table for task, table in _scores(statistics).items()},
    }
    with new_folder(out) as folder:
        (folder / "statistics.json").write_text(json.dumps(statistics.as_dict(), indent=2) + "\n", "utf-8")
        for name, table in tables.items():
            table.assign(synthetic=dataset.is_phantom).to_csv(folder / f"{name}.csv", index=False)
        for name, figure in drawn.items():
            for suffix in (".svg", ".pdf", ".png"):
                figures.write_figure(folder / f"{name}{suffix}", figure)


def _scores(statistics: Statistics) -> dict[str, pd.DataFrame]:
    return {
        "bones": scores_table(statistics.bone_scores, "bones"),
        "erosion": scores_table(statistics.erosion_scores, "erosion"),
    }
