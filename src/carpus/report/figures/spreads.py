"""How the values of each bone spread over the images, for every model."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure

from carpus.anatomy import Bone
from carpus.errors import InputError
from carpus.metrics import METRICS
from carpus.report.figures.style import DOUBLE_MM, FAINT, canvas, looks, styled

_LINE_MM, _LEAST_MM, _ACROSS = 1.5, 4.4, 7


@styled
def bone_spreads(
    values: Mapping[str, Mapping[Bone, Float[np.ndarray, " images"]]], *, metric: str, is_phantom: bool = False
) -> Figure:
    """A band a bone: median, middle half (thick) and 5th to 95th percentile (thin) of each model.

    Args:
        values: Name of the model to each bone's values, one an image; undefined and infinite ones are not drawn.
        metric: A name of `carpus.metrics.METRICS`.
        is_phantom: Whether they were measured on synthetic wrists.

    Raises:
        InputError: No model.
    """
    if not values:
        raise InputError("0 models with values by bone, expected one or more; evaluate a model first")
    band_mm = max(_LEAST_MM, _LINE_MM * (len(values) + 1))
    figure = canvas(width_mm=DOUBLE_MM, height_mm=band_mm * len(Bone) + 16, is_phantom=is_phantom)
    axes = figure.subplots()
    for place in range(1, len(Bone), 2):
        axes.axhspan(place - 0.5, place + 0.5, color=FAINT, alpha=0.35, linewidth=0)
    step = 1 / (len(values) + 1)
    for number, (model, look) in enumerate(looks(values).items(), 1):
        places, spread = [], []
        for place, bone in enumerate(Bone):
            own = values[model].get(bone, np.empty(0))
            finite = own[np.isfinite(own)]
            if len(finite):
                places.append(place - 0.5 + step * number)
                spread.append(np.percentile(finite, (5, 25, 50, 75, 95)))
        low, first, median, third, high = np.array(spread).reshape(-1, 5).T
        axes.hlines(places, low, high, color=look.colour, linewidth=0.6)
        axes.hlines(places, first, third, color=look.colour, linewidth=2)
        axes.plot(
            median, places, look.marker, color=look.colour, markerfacecolor="white", markeredgewidth=0.7, label=model
        )
    axes.set_yticks(range(len(Bone)), [bone.abbreviation for bone in Bone])
    axes.set_ylim(len(Bone) - 0.5, -0.5)
    axes.set_xlabel(f"{METRICS[metric].label} ({METRICS[metric].better} is better)")
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)
    figure.legend(loc="outside lower center", ncols=min(len(values), _ACROSS))
    return figure
