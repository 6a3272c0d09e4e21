"""Figures of the report as SVG: training curves, values by bone, confusion matrices, scores.

Every figure is made on its own canvas; nothing of matplotlib's global state is changed for good. Colours are
told apart by every kind of colour vision, and each figure reads without them.
"""

from collections.abc import Mapping, Sequence
from io import StringIO
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from carpus.anatomy import SVDH_SCORES, Joint
from carpus.metrics import METRICS, Confusion
from carpus.report.erosion_tables import erosion_runs
from carpus.report.runs import BONES, runs

_SERIES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
_SEVERITY = ("#dfe4e8", "#fed98e", "#fe9929", "#d95f0e", "#993404", "#4d1a02")
_INK, _FAINT = "#22282f", "#d5dade"
_METADATA = ("Creator", "Date", "Format", "Type")  # left out, so that a page names no outside address
_STYLE: dict[Any, Any] = {
    "font.family": ["sans-serif"],
    "font.sans-serif": ["Helvetica", "Arial", "DejaVu Sans"],
    "font.size": 11,
    "text.color": _INK,
    "axes.labelcolor": _INK,
    "axes.edgecolor": "#9aa3ab",
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": _FAINT,
    "grid.linewidth": 0.6,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "legend.frameon": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "carpus",
}


def training_curves(histories: Mapping[str, pd.DataFrame]) -> str:
    """Loss and validation metric by epoch, a row of panels a training.

    Args:
        histories: Name of the training to its epochs: `epoch`, `train_loss`, `val_loss`, and one column
            `val_<metric>` for each metric.
    """
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(9, 2.7 * len(histories)), layout="constrained")
        panels = figure.subplots(len(histories), 2, squeeze=False)
        for (name, history), (losses, metrics) in zip(histories.items(), panels, strict=True):
            epoch = history["epoch"]
            for column, label, colour in (("train_loss", "training", 0), ("val_loss", "validation", 1)):
                if column in history:
                    losses.plot(epoch, history[column], color=_SERIES[colour], label=label, **_dots(epoch))
            losses.set(title=f"{name}: loss", xlabel="epoch")
            names = [str(column) for column in history if str(column).removeprefix("val_") in METRICS]
            for column, line in zip(names, _SERIES[1:], strict=False):
                label = METRICS[column.removeprefix("val_")].label
                metrics.plot(epoch, history[column], color=line, label=label, **_dots(epoch))
            metrics.set(title=f"{name}: validation metric", xlabel="epoch")
            for axes in (losses, metrics):
                axes.xaxis.set_major_locator(MaxNLocator(integer=True))
                if axes.has_data():
                    axes.legend()
        return _svg(figure)


def values_by_bone(results: pd.DataFrame, *, metric: str = "dsc") -> str:
    """The values of every bone: median, middle half (thick) and 5th to 95th percentile (thin), by run."""
    with mpl.rc_context(_STYLE):
        found = list(runs(results, task="bones"))
        step = 0.8 / max(len(found), 1)
        figure = Figure(figsize=(9, 1 + len(BONES) * max(0.3, 0.16 * len(found))), layout="constrained")
        axes = figure.subplots()
        for position, (run, rows) in enumerate(found):
            own = rows[(rows["metric"] == metric) & np.isfinite(rows["value"])]
            places, spread = [], []
            for place, bone in enumerate(BONES):
                values = own[own["structure"] == bone]["value"]
                if len(values):
                    places.append(place - 0.4 + step * (position + 0.5))
                    spread.append(np.percentile(values, (5, 25, 50, 75, 95)))
            low, first, median, third, high = np.array(spread).reshape(-1, 5).T
            colour = _SERIES[position % len(_SERIES)]
            axes.hlines(places, low, high, color=colour, linewidth=1)
            axes.hlines(places, first, third, color=colour, linewidth=4)
            face = "white" if position < len(_SERIES) else colour
            label = f"{run.model} (PHANTOM)" if run.is_phantom else run.model
            axes.plot(median, places, "o", color=colour, markerfacecolor=face, markersize=5, label=label)
        axes.set_yticks(range(len(BONES)), BONES)
        axes.set_ylim(len(BONES) - 0.5, -0.5)
        axes.set_xlabel(f"{METRICS[metric].label} ({METRICS[metric].better} is better)")
        axes.grid(visible=False, axis="y")
        if found:
            axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=min(len(found), 4))
        return _svg(figure)


def confusion_matrices(matrices: Sequence[tuple[str, Confusion]]) -> str:
    """One square a model: how many joints were eroded or not, and called so or not.

    Args:
        matrices: Name of the model and its four counts.
    """
    with mpl.rc_context(_STYLE):
        across = min(len(matrices), 4)
        down = -(-len(matrices) // across)
        figure = Figure(figsize=(2.5 * across + 0.4, 2.75 * down), layout="constrained")
        panels = figure.subplots(down, across, squeeze=False).ravel()
        for axes in panels[len(matrices) :]:
            axes.axis("off")
        for axes, (name, counts) in zip(panels, matrices, strict=False):
            _draw_matrix(axes, np.array([[counts.tp, counts.fn], [counts.fp, counts.tn]]))
            axes.set_title(name)
        return _svg(figure)


def reference_scores(results: pd.DataFrame) -> str:
    """How often each SvdH score was given to each joint, counting a joint once however many models saw it."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(9, 3), layout="constrained")
        axes = figure.subplots()
        rows = results[(results["task"] == "erosion") & (results["metric"] == "score")]
        scores = rows.drop_duplicates(["data", "image", "structure"])
        left = np.zeros(len(Joint))
        for score, shade in zip(SVDH_SCORES, _SEVERITY, strict=True):
            own = scores[scores["value"] == score]["structure"].value_counts()
            count = np.array([int(own.get(joint.abbreviation, 0)) for joint in Joint])
            if count.any():
                bars = axes.barh(range(len(Joint)), count, left=left, color=shade, label=str(score), height=0.7)
                texts = [str(number) if number > 0.03 * left.max() + 1 else "" for number in count]
                ink = "white" if score > 2 else _INK
                axes.bar_label(bars, texts, label_type="center", color=ink, fontsize=9)
            left += count
        axes.set_yticks(range(len(Joint)), [joint.label for joint in Joint])
        axes.set_ylim(len(Joint) - 0.5, -0.5)
        axes.set_xlabel("joints")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(visible=False, axis="y")
        axes.legend(title="SvdH score", loc="center left", bbox_to_anchor=(1, 0.5))
        return _svg(figure)


def probabilities_by_score(results: pd.DataFrame, *, generator: np.random.Generator) -> str:
    """Every joint's probability of erosion above its reference score, a panel a run, with the cut.

    Args:
        results: A results table, see `carpus.data.results`.
        generator: Scatters the dots sideways so that they do not hide one another.
    """
    with mpl.rc_context(_STYLE):
        found = erosion_runs(results)
        across = min(len(found), 3)
        down = -(-len(found) // across)
        figure = Figure(figsize=(9 * across / 3 + 0.5, 2.8 * down), layout="constrained")
        panels = figure.subplots(down, across, squeeze=False, sharey=True).ravel()
        for axes in panels[len(found) :]:
            axes.axis("off")
        for axes, (run, joints) in zip(panels, found, strict=False):
            scatter = generator.uniform(-0.3, 0.3, len(joints))
            colours = np.where(joints["eroded"], _SERIES[1], _SERIES[0])
            axes.scatter(joints["score"] + scatter, joints["probability"], c=colours, s=9, alpha=0.6, lw=0)
            for cut in joints["cut"].unique():
                axes.axhline(cut, color=_INK, linewidth=1, linestyle="--")
            axes.set(title=run.model, xlabel="reference SvdH score", xlim=(-0.5, 5.5), ylim=(-0.03, 1.03))
            axes.set_xticks(list(SVDH_SCORES))
            axes.grid(visible=False, axis="x")
        panels[0].set_ylabel("probability of erosion")
        return _svg(figure)


def _dots(epoch: pd.Series) -> dict[str, Any]:
    return {"marker": "o" if len(epoch) < 25 else "", "markersize": 3.5, "linewidth": 1.6}


def _draw_matrix(axes: Axes, counts: np.ndarray) -> None:
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1.25)
    for (row, column), count in np.ndenumerate(counts):
        colour = "white" if share[row, column] > 0.6 else _INK
        axes.text(column, row - 0.1, str(count), ha="center", va="center", color=colour, fontsize=14)
        axes.text(column, row + 0.2, f"{share[row, column]:.0%}", ha="center", va="center", color=colour)
    axes.set_xticks([0, 1], ["called BE", "nonBE"])
    axes.set_yticks([0, 1], ["BE", "nonBE"], rotation=90, va="center")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.grid(visible=False)


def _svg(figure: Figure) -> str:
    file = StringIO()
    figure.savefig(file, format="svg", transparent=True, metadata=dict.fromkeys(_METADATA))
    text = file.getvalue()
    return text[text.index("<svg") :]
