"""What a model answers for each SvdH score: every joint's probability of erosion above its reference score."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from matplotlib.figure import Figure

from carpus.anatomy import SVDH_SCORES
from carpus.errors import InputError
from carpus.report.figures.style import DOUBLE_MM, ERODED, HEALTHY, INK, canvas, styled

_ACROSS = 4


@dataclass(frozen=True, eq=False)
class ScoredProbabilities:
    """One model's answers.

    Attributes:
        model: The network's or baseline's name.
        scores: Reference SvdH scores, 0 to 5.
        probability: Of erosion, 0 to 1; NaN if unread, which is not drawn.
        cuts: At or above its cut a joint is called eroded; one for all joints, or several.
    """

    model: str
    scores: Int[np.ndarray, " n"]
    probability: Float[np.ndarray, " n"]
    cuts: tuple[float, ...]


@styled
def probabilities_by_score(
    answers: Sequence[ScoredProbabilities], *, is_phantom: bool = False, generator: np.random.Generator
) -> Figure:
    """A panel a model, a dot a joint; the bar is each score's median, the dashed line the cut.

    Args:
        answers: One a model.
        is_phantom: Whether they were measured on synthetic wrists.
        generator: Scatters the dots sideways so that they do not hide one another.

    Raises:
        InputError: No model.
    """
    if not answers:
        raise InputError("0 models with probabilities, expected one or more; evaluate a classifier first")
    across = min(len(answers), _ACROSS)
    down = -(-len(answers) // across)
    figure = canvas(width_mm=min(46 * across + 6, DOUBLE_MM), height_mm=38 * down + 8, is_phantom=is_phantom)
    panels = figure.subplots(down, across, squeeze=False, sharex=True, sharey=True)
    for axes in panels.ravel()[len(answers) :]:
        axes.axis("off")
    for place, (axes, own) in enumerate(zip(panels.ravel(), answers, strict=False)):
        scatter = generator.uniform(-0.3, 0.3, len(own.scores))
        colours = np.where(own.scores > 0, ERODED, HEALTHY)
        axes.scatter(own.scores + scatter, own.probability, c=colours, s=3, alpha=0.6, linewidths=0)
        for score in SVDH_SCORES:
            read = own.probability[(own.scores == score) & ~np.isnan(own.probability)]
            if len(read):
                axes.plot([score - 0.36, score + 0.36], [np.median(read)] * 2, color=INK, solid_capstyle="butt")
        for cut in own.cuts:
            axes.axhline(cut, color=INK, linewidth=0.6, linestyle="--")
        axes.set(title=own.model, xlim=(-0.5, 5.5), ylim=(-0.03, 1.03))
        axes.set_xticks(list(SVDH_SCORES))
        axes.tick_params(labelbottom=place + across >= len(answers))
        axes.grid(visible=False, axis="x")
    figure.supxlabel("reference SvdH score", fontsize=7)
    figure.supylabel("probability of erosion", fontsize=7)
    return figure
