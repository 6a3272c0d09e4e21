"""How often each SvdH score was given to each joint."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from carpus.anatomy import SVDH_SCORES, Joint
from carpus.report.figures.style import DOUBLE_MM, INK, SEVERITY, canvas, styled

_LEAST_SHARE = 0.03
"""A part of a bar that is narrower than this has no room for its number."""


@styled
def reference_scores(counts: Mapping[Joint, Sequence[int]], *, is_phantom: bool = False) -> Figure:
    """A bar a joint, parted by score.

    Args:
        counts: Joint to how many have score 0, 1, ..., 5; a joint that is left out has none.
        is_phantom: Whether the wrists are synthetic.
    """
    figure = canvas(width_mm=DOUBLE_MM, height_mm=50, is_phantom=is_phantom)
    axes = figure.subplots()
    table = np.array([counts.get(joint, [0] * len(SVDH_SCORES)) for joint in Joint])
    longest = table.sum(axis=1).max()
    left = np.zeros(len(Joint))
    for score, count in zip(SVDH_SCORES, table.T, strict=True):
        if count.any():
            bars = axes.barh(range(len(Joint)), count, left=left, color=SEVERITY[score], label=str(score), height=0.7)
            texts = [str(number) if number > _LEAST_SHARE * longest else "" for number in count]
            ink = "white" if score > 2 else INK
            axes.bar_label(bars, texts, label_type="center", color=ink, fontsize=6)
        left += count
    axes.set_yticks(range(len(Joint)), [joint.label for joint in Joint])
    axes.set_ylim(len(Joint) - 0.5, -0.5)
    axes.set_xlabel("joints")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)
    if longest:
        axes.legend(title="SvdH score", title_fontsize=7, loc="center left", bbox_to_anchor=(1, 0.5), handlelength=0.9)
    return figure
