"""The paper's Table 7 as a picture: how many wrists of each split have each SvdH score at each joint."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from carpus.anatomy import SVDH_SCORES, Joint
from carpus.data.layout import Split
from carpus.report.figures.style import DOUBLE_MM, GREY, INK, SEVERITY, canvas, styled

_SHADES = LinearSegmentedColormap.from_list("counts", ["#ffffff", "#2c66a7"])
_DARK = 0.6
_GAP = 0.35
_TITLES = {"bones": "images with masks", "erosion": "scoring task"}


@styled
def score_counts(tables: dict[str, pd.DataFrame], *, is_phantom: bool = False) -> Figure:
    """A panel a task: a row a split and score, a column a joint, the paper's count small below ours.

    Args:
        tables: Task, `bones` or `erosion`, to `scores_table`'s frame.
        is_phantom: Whether the wrists counted here are synthetic.
    """
    figure = canvas(width_mm=DOUBLE_MM, height_mm=88, is_phantom=is_phantom)
    panels = figure.subplots(1, len(tables), squeeze=False)[0]
    for letter, axes, (task, table) in zip("AB", panels, tables.items(), strict=False):
        axes.set_title(f"{letter}   SvdH scores of the {_TITLES[task]} (small: the paper's)")
        _draw(axes, table)
    return figure


def _draw(axes: Axes, table: pd.DataFrame) -> None:
    counts = table["wrists"].to_numpy(int).reshape(len(Split), len(SVDH_SCORES), len(Joint))
    paper = table["paper"].to_numpy(int).reshape(counts.shape)
    # Equal steps of shade for equal ratios, since most joints are healthy.
    shades = np.log1p(counts) / max(float(np.log1p(counts.max())), 1e-9)
    for place, split in enumerate(Split):
        top = place * (len(SVDH_SCORES) + _GAP)
        axes.text(-1.25, top + 2.5, split.value, rotation=90, ha="center", va="center", weight="bold")
        for score in SVDH_SCORES:
            ink, chip = "white" if score > 2 else INK, {"facecolor": SEVERITY[score], "edgecolor": "none", "pad": 1.2}
            axes.text(-0.75, top + score, str(score), ha="center", va="center", fontsize=6, color=ink, bbox=chip)
        for (score, joint), count in np.ndenumerate(counts[place]):
            shade = float(shades[place, score, joint])
            corner = joint - 0.47, top + score - 0.47
            axes.add_patch(Rectangle(corner, 0.94, 0.94, facecolor=_SHADES(shade), edgecolor="none"))
            ink, below = "white" if shade > _DARK else INK if count else GREY, str(paper[place, score, joint])
            axes.text(joint, top + score - 0.1, str(count), ha="center", va="center", fontsize=6, color=ink)
            axes.text(joint, top + score + 0.29, below, ha="center", va="center", fontsize=4, color=ink)
    axes.set_yticks([])
    axes.set_xticks(range(len(Joint)), [joint.abbreviation for joint in Joint])
    axes.xaxis.tick_top()
    axes.set(xlim=(-1.5, len(Joint) - 0.5), ylim=(len(Split) * (len(SVDH_SCORES) + _GAP) - 0.7, -0.5))
    axes.grid(visible=False)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
