"""What the paper's Table 6 tells of a dataset's images, as a picture: their size at each centre."""

from collections import Counter
from collections.abc import Sequence

from matplotlib.figure import Figure

from carpus.data.statistics import CentreImages
from carpus.report.figures.cohort_circle import centre_colours
from carpus.report.figures.style import DOUBLE_MM, canvas, styled


@styled
def image_sizes(images: Sequence[CentreImages], *, is_phantom: bool = False) -> Figure:
    """A row a centre: its widths and heights in pixels, a dot a value, the larger the more images have it.

    Args:
        images: Of each centre.
        is_phantom: Whether the wrists are synthetic.
    """
    figure = canvas(width_mm=DOUBLE_MM, height_mm=16 + 6 * len(images), is_phantom=is_phantom)
    panels = figure.subplots(1, 2, sharey=True)
    colours = centre_colours([each.centre for each in images])
    most = max((len(each.sizes) for each in images), default=1)
    for place, (letter, name) in enumerate((("A", "width"), ("B", "height"))):
        axes = panels[place]
        axes.set_title(f"{letter}   Image {name}")
        for row, each in enumerate(images):
            found = Counter(size[place] for size in each.sizes)
            areas = [4 + 80 * count / most for count in found.values()]
            axes.scatter(list(found), [row] * len(found), s=areas, color=colours[each.centre], alpha=0.7, linewidths=0)
        axes.set_xlabel("px")
        axes.margins(x=0.1)
        axes.tick_params(axis="y", length=0)
    panels[0].set_yticks(range(len(images)), [_label(each) for each in images])
    panels[0].set_ylim(len(images) - 0.5, -0.5)
    return figure


def _label(images: CentreImages) -> str:
    spacing = "mm unknown" if images.spacing_mm is None else f"{images.spacing_mm:g} mm/px"
    return f"{images.centre}: {len(images.sizes)} of {' and '.join(map(str, images.bits))} bits, {spacing}"
