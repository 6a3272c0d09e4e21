"""How a training went: its loss and its validation metrics by epoch."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from carpus.errors import InputError
from carpus.metrics import METRICS
from carpus.report.figures.style import COLOURS, DOUBLE_MM, canvas, styled

_SERIES = (COLOURS[-1], COLOURS[6], COLOURS[2], COLOURS[3])
_LOSSES = (("train_loss", "training", COLOURS[0]), ("val_loss", "validation", COLOURS[-1]))


@styled
def training_curves(histories: Mapping[str, Mapping[str, Sequence[float]]], *, is_phantom: bool = False) -> Figure:
    """Loss and validation metrics by epoch, a row of panels a training.

    Args:
        histories: Name of the training to its columns: `epoch`, `train_loss`, `val_loss`, and one column
            `val_<metric>` for each metric.
        is_phantom: Whether it learnt from synthetic wrists.

    Raises:
        InputError: No training.
    """
    if not histories:
        raise InputError("0 trainings, expected one or more; train a model first")
    figure = canvas(width_mm=DOUBLE_MM, height_mm=46 * len(histories) + 5, is_phantom=is_phantom)
    panels = figure.subplots(len(histories), 2, squeeze=False)
    for (name, history), (losses, metrics) in zip(histories.items(), panels, strict=True):
        epoch = history["epoch"]
        for column, label, colour in _LOSSES:
            if column in history:
                losses.plot(epoch, history[column], color=colour, label=label, **_dots(epoch))
        losses.set(title=f"{name}: loss", xlabel="epoch")
        shown = [column for column in history if column.removeprefix("val_") in METRICS]
        for column, colour in zip(shown, _SERIES, strict=False):
            label = METRICS[column.removeprefix("val_")].label
            metrics.plot(epoch, history[column], color=colour, label=label, **_dots(epoch))
        metrics.set(title=f"{name}: validation metric", xlabel="epoch")
        for axes in (losses, metrics):
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            if axes.has_data():
                axes.legend()
    return figure


def _dots(epoch: Sequence[float]) -> dict[str, Any]:
    return {"marker": "o" if len(epoch) < 25 else "", "markersize": 2.2}
