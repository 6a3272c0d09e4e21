"""Loss and metric of a training as pictures beside it."""

from pathlib import Path

import pandas as pd

from carpus.files import new_file
from carpus.report.figures.training import training_curves

CURVES_FILES = ("curves.png", "curves.pdf")


def write_curves(run: Path, *, name: str, is_phantom: bool) -> Path:
    """Draws `run/history.csv` as `run/curves.png` and `.pdf` if that was not done yet, and returns the first.

    Args:
        run: Folder of a training.
        name: Of the training, for the title.
        is_phantom: Whether it learnt from synthetic wrists.
    """
    if all((run / file).is_file() for file in CURVES_FILES):
        return run / CURVES_FILES[0]
    history = pd.read_csv(run / "history.csv")
    columns = {str(column): history[column].tolist() for column in history.columns}
    figure = training_curves({name: columns}, is_phantom=is_phantom)
    for file in CURVES_FILES:
        with new_file(run / file) as draft:
            figure.savefig(draft)
    return run / CURVES_FILES[0]
