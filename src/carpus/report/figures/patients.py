"""How evenly a model serves the patients: each patient's mean, and the range over that patient's images."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from matplotlib.artist import Artist
from matplotlib.figure import Figure

from carpus.errors import InputError
from carpus.metrics import METRICS
from carpus.report.figures.style import DOUBLE_MM, ERODED, GREY, HEALTHY, INK, SINGLE_MM, canvas, styled

_ACROSS = 2


@dataclass(frozen=True, eq=False)
class PatientValues:
    """One patient's values.

    Attributes:
        patient: Identifier.
        values: One an image; NaN where undefined.
        group: `BE` if a joint of the patient is eroded, `nonBE` if none is, empty if unscored.
    """

    patient: str
    values: Float[np.ndarray, " images"]
    group: str = ""


@styled
def patient_ranges(models: Mapping[str, Sequence[PatientValues]], *, metric: str, is_phantom: bool = False) -> Figure:
    """A panel a model: the patients from worst to best, a dot at the mean, a line over the range of the images.

    Args:
        models: Name of the model to its patients.
        metric: A name of `carpus.metrics.METRICS`.
        is_phantom: Whether they were measured on synthetic wrists.

    Raises:
        InputError: No model, or one without a defined value.
    """
    defined = {
        model: [(one, one.values[np.isfinite(one.values)]) for one in own if np.isfinite(one.values).any()]
        for model, own in models.items()
    }
    if not defined or not all(defined.values()):
        raise InputError(f"{len(models)} models with patients, expected one or more, each with a defined value")
    across = min(len(models), _ACROSS)
    down = -(-len(models) // across)
    figure = canvas(width_mm=SINGLE_MM if across == 1 else DOUBLE_MM, height_mm=38 * down + 12, is_phantom=is_phantom)
    panels = figure.subplots(down, across, squeeze=False, sharey=True)
    for axes in panels.ravel()[len(models) :]:
        axes.axis("off")
    worst_first = 1 if METRICS[metric].better == "higher" else -1
    for axes, (model, own) in zip(panels.ravel(), defined.items(), strict=False):
        own.sort(key=lambda pair: worst_first * pair[1].mean())
        means = np.array([values.mean() for _, values in own])
        for group, colour, label in (
            ("BE", ERODED, "with erosion"), ("nonBE", HEALTHY, "without"), ("", GREY, "unscored"),
        ):  # fmt: skip
            places = [place for place, (one, _) in enumerate(own) if one.group == group]
            if places:
                low, high = ([how(own[place][1]) for place in places] for how in (np.min, np.max))
                axes.vlines(places, low, high, color=colour, linewidth=0.8, alpha=0.6)
                axes.plot(places, means[places], "o", color=colour, markersize=2.2, markeredgewidth=0, label=label)
        axes.axhline(np.median(means), color=INK, linewidth=0.6, linestyle="--")
        axes.set(title=f"{model}   {len(own)} patients", xlim=(-1, len(own)))
        axes.set_xticks([])
        axes.grid(visible=False, axis="x")
    for axes in panels[:, 0]:
        axes.set_ylabel(METRICS[metric].label)
    handles: dict[str, Artist] = {}
    for axes in panels.ravel():
        found, labels = axes.get_legend_handles_labels()
        handles.update(zip(labels, found, strict=True))
    figure.legend(
        list(handles.values()), handles.keys(), loc="outside lower center", ncols=3, title_fontsize=7,
        title="patients, the worst first (dot: mean; line: range over the images; dashed: median)",
    )  # fmt: skip
    return figure
