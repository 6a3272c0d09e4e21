"""What all figures share: widths, type, colours, and how a figure becomes text or a file.

A figure is as wide as a journal's column and its type is 7 pt there. Text stays text in SVG and PDF. Nothing of
matplotlib's global state is changed for good, and the same content gives the same bytes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any, Literal, get_args

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.typing import ColorType

from carpus.errors import InputError
from carpus.files import new_file
from carpus.report.published import same_network

SINGLE_MM, DOUBLE_MM = 88.0, 180.0
"""Width of a figure over one column and over two."""

INK, FAINT, GREY = "#22282f", "#d5dade", "#767f88"
ERODED, HEALTHY = "#D55E00", "#0072B2"
RIGHT, WRONG = "#0072B2", "#D55E00"
SEVERITY = ("#e4e9ec", "#fdcf7d", "#fe9929", "#d95f0e", "#993404", "#4d1a02")
"""The colours of the SvdH scores 0 to 5, each darker than the one before."""

COLOURS = (
    "#1074f4", "#925f7b", "#61bdd1", "#d7ab13", "#6b055e", "#f98e94", "#391d94",
    "#9db357", "#67180d", "#c796ff", "#887048", "#2c66a7", "#b94c07",
)  # fmt: skip
"""Colours on white. To eyes that do not tell red from green any two differ by 20 or more in CIELAB."""

_NETWORKS = (
    (
        "Unet", "DeepLabV3", "FPN", "PSPNet", "DeepLabV3+", "SegResNet", "Unet++",
        "SegFormer", "TransUNet", "UKAN", "UMambaBot", "UMambaEnc", "SwinUMamba",
    ),
    ("MobileViT", "JointPrior", "MobileNet", "LeViT", "EfficientFormer", "ResNet", "MedMamba", "ConvKAN"),
)  # fmt: skip
"""Whose colour is fixed, of each task in the order of `COLOURS`."""

_MARKERS = "osD^v"
_PHANTOM = "PHANTOM: synthetic wrists"
_PHANTOM_LOOK: dict[str, Any] = {"ha": "right", "fontsize": 6, "fontweight": "bold", "color": "#a03a00"}
_MM_PER_INCH = 25.4
_RASTER_DPI = 450
_LAYOUT_DPI = 300
"""Fine enough that the width of a word does not depend on it."""
_Suffix = Literal[".svg", ".pdf", ".png"]
_NO_METADATA: Mapping[str, Mapping[str, None]] = {
    # A page must name no outside address, and a date would make every file another.
    ".svg": dict.fromkeys(("Creator", "Date", "Format", "Type")),
    ".pdf": dict.fromkeys(("Creator", "Producer", "CreationDate")),
    ".png": {"Software": None},
}
_STYLE: dict[Any, Any] = {
    "font.family": ["sans-serif"],
    "font.sans-serif": ["Helvetica", "Arial", "Liberation Sans", "DejaVu Sans"],
    "font.size": 7,
    "text.color": INK,
    "text.parse_math": False,
    "axes.labelcolor": INK,
    "axes.edgecolor": "#9aa3ab",
    "axes.linewidth": 0.5,
    "axes.titlesize": 7,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 4,
    "axes.labelpad": 2,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": FAINT,
    "grid.linewidth": 0.4,
    "lines.linewidth": 1,
    "lines.markersize": 3,
    "patch.linewidth": 0.5,
    "hatch.linewidth": 0.4,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.width": 0.5,
    "ytick.major.width": 0.5,
    "xtick.major.size": 2,
    "ytick.major.size": 2,
    "xtick.major.pad": 2,
    "ytick.major.pad": 2,
    "legend.frameon": False,
    "legend.handlelength": 1.4,
    "legend.handletextpad": 0.5,
    "legend.columnspacing": 1.2,
    "legend.labelspacing": 0.3,
    "legend.borderaxespad": 0.3,
    "pdf.fonttype": 42,
    "svg.fonttype": "none",
    "svg.hashsalt": "carpus",
}

styled = mpl.rc_context(_STYLE)
"""Decorator of a function that draws a figure."""


@dataclass(frozen=True)
class Look:
    """How one model is drawn in every figure of a leaderboard.

    Attributes:
        colour: `#rrggbb`.
        marker: One of matplotlib's.
    """

    colour: str
    marker: str


def looks(models: Iterable[str]) -> dict[str, Look]:
    """The look of each model: fixed for the benchmark's networks, for others the next that none has.

    Example:
        >>> looks(["SwinUMamba", "mine"])["SwinUMamba"] == looks(["unet", "SwinUMamba"])["SwinUMamba"]
        True
    """
    places: dict[str, int] = {}
    others = []
    for model in dict.fromkeys(models):
        place = next((n.index(own) for n in _NETWORKS for own in n if same_network(own, model)), None)
        if place is None or place in places.values():
            others.append(model)
        else:
            places[model] = place
    free = [place for place in range(len(COLOURS) * len(_MARKERS)) if place not in places.values()]
    places.update(zip(others, free, strict=False))
    return {
        model: Look(COLOURS[place % len(COLOURS)], _MARKERS[(place + place // len(COLOURS)) % len(_MARKERS)])
        for model, place in places.items()
    }


def canvas(*, width_mm: float, height_mm: float, is_phantom: bool) -> Figure:
    """An empty figure that arranges its panels itself; says PHANTOM in its corner if it is of synthetic wrists."""
    figure = Figure(figsize=(width_mm / _MM_PER_INCH, height_mm / _MM_PER_INCH), layout="constrained", dpi=_LAYOUT_DPI)
    figure.get_layout_engine().set(w_pad=0.03, h_pad=0.03)  # type: ignore[union-attr, call-arg]
    if is_phantom:
        figure.suptitle(_PHANTOM, x=0.995, **_PHANTOM_LOOK)
    return figure


def fixed_canvas(*, width_mm: float, height_mm: float, is_phantom: bool) -> Figure:
    """As `canvas`, for panels that are placed by `axes_at`."""
    figure = Figure(figsize=(width_mm / _MM_PER_INCH, height_mm / _MM_PER_INCH))
    if is_phantom:
        figure.text(1 - 0.5 / width_mm, 1 - 0.7 / height_mm, _PHANTOM, va="top", **_PHANTOM_LOOK)
    return figure


def axes_at(figure: Figure, *, left_mm: float, top_mm: float, width_mm: float, height_mm: float) -> Axes:
    """New axes without frame or ticks, so far from the figure's left and upper edge."""
    width, height = figure.get_size_inches() * _MM_PER_INCH
    box = (left_mm / width, 1 - (top_mm + height_mm) / height, width_mm / width, height_mm / height)
    axes = figure.add_axes(box)
    axes.set_axis_off()
    return axes


def text_at(
    figure: Figure,
    text: str,
    *,
    left_mm: float,
    top_mm: float,
    align: Literal["left", "center", "right"] = "left",
    weight: Literal["normal", "bold"] = "normal",
    rotation: float = 0,
    colour: ColorType = INK,
    size: float = 7,
) -> None:
    """Writes a line whose middle is so far below the upper edge."""
    width, height = figure.get_size_inches() * _MM_PER_INCH
    figure.text(
        left_mm / width, 1 - top_mm / height, text, ha=align, va="center",
        weight=weight, rotation=rotation, color=colour, fontsize=size,
    )  # fmt: skip


def svg(figure: Figure) -> str:
    """The figure as SVG to be put into a page, without a date or an outside address."""
    file = StringIO()
    _save(figure, file, ".svg")
    text = file.getvalue()
    return text[text.index("<svg") :]


def write_figure(path: Path, figure: Figure) -> None:
    """Writes the figure as `.svg`, `.pdf` or `.png` (450 dots an inch), complete or not at all.

    Raises:
        InputError: Another ending, or the file cannot be written.
    """
    suffix = path.suffix.lower()
    if suffix not in _NO_METADATA:
        known = ", ".join(get_args(_Suffix))
        raise InputError(f"{path} ends in {suffix!r}, expected one of {known}; choose one of them")
    with new_file(path) as draft:
        _save(figure, draft, suffix)


def _arrange(figure: Figure) -> None:
    """Places the panels for good, to a millionth: the solver's last bits differ between runs, and so would files."""
    if isinstance(figure.get_layout_engine(), ConstrainedLayoutEngine):
        figure.draw_without_rendering()
        figure.set_layout_engine("none")
        for axes in figure.axes:
            axes.set_position(np.round(axes.get_position(original=True).bounds, 6).tolist())


@styled
def _save(figure: Figure, file: StringIO | Path, suffix: str) -> None:
    _arrange(figure)
    figure.savefig(
        file,
        format=suffix[1:],
        dpi=_RASTER_DPI,
        transparent=suffix == ".svg",
        metadata=dict(_NO_METADATA[suffix]),
    )
