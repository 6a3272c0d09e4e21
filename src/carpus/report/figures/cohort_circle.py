"""The circle of the paper's Figure 2: every patient once, in rings that say what is known of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.patches import Patch

from carpus.anatomy import SVDH_SCORES, Side
from carpus.data.dataset import Case
from carpus.report.figures.style import COLOURS, FAINT, GREY, SEVERITY

SEX_COLOURS = {"F": "#925f7b", "M": "#61bdd1", None: FAINT}
AGE_COLOUR = "#2c66a7"

_GAP_DEGREES, _BETWEEN_CENTRES_DEGREES = 34.0, 3.0
_SEX, _AGE, _RIGHT, _LEFT, _IMAGES, _CENTRE = (
    (0.27, 0.31),
    (0.34, 0.52),
    (0.55, 0.64),
    (0.65, 0.74),
    (0.78, 0.93),
    (0.96, 0.99),
)
"""Inner and outer radius of each ring."""
_IMAGE_COLOURS = ("#767f88", "#b5bcc3")
_STEP_DEGREES = 2.0
_MANY = 300


@dataclass(frozen=True)
class _Sector:
    """A patient's part of the circle, in degrees clockwise from the top, and the wrists of each visit."""

    start: float
    stop: float
    visits: tuple[tuple[Case, ...], ...]

    def parts(self) -> Iterator[tuple[float, float, tuple[Case, ...]]]:
        edges = np.linspace(self.start, self.stop, len(self.visits) + 1)
        for (start, stop), visit in zip(pairwise(edges), self.visits, strict=True):
            yield float(start), float(stop), visit


def centre_names(cases: Sequence[Case]) -> tuple[str, ...]:
    """The centres, the one with the most patients first, an unknown one as `unknown`."""
    patients: dict[str, set[str]] = {}
    for case in cases:
        patients.setdefault(case.institution or "unknown", set()).add(case.id.patient)
    return tuple(sorted(patients, key=lambda centre: (-len(patients[centre]), centre)))


def centre_colours(centres: Sequence[str]) -> dict[str, str]:
    """One colour a centre."""
    return {centre: COLOURS[(5 * place + 3) % len(COLOURS)] for place, centre in enumerate(centres)}


def draw_circle(axes: Axes, cases: Sequence[Case]) -> None:
    """The patients around a circle, grouped by centre, the worst first.

    From outside to inside: the centre; the number of images, a shade a visit; the highest SvdH score of the
    left and of the right wrist at each visit; the age at each visit; the sex.
    """
    sectors = _sectors(cases)
    everyone = [sector for own in sectors.values() for sector in own]
    most_images = max(sum(map(len, sector.visits)) for sector in everyone)
    ages = [case.age for case in cases if case.age is not None]
    oldest = 20 * int(np.ceil(max(ages, default=20) / 20))
    for centre, own in sectors.items():
        _draw_centre(axes, centre, own, colour=centre_colours(list(sectors))[centre])
    cells: list[Float[np.ndarray, "n 2"]] = []
    colours: list[str] = []
    for sector in everyone:
        count = 0
        for number, visit in enumerate(sector.visits):
            inner, outer = (_between(_IMAGES, n / most_images) for n in (count, count + len(visit)))
            cells.append(_cell(sector.start, sector.stop, inner, outer))
            colours.append(_IMAGE_COLOURS[number % 2])
            count += len(visit)
        for start, stop, visit in sector.parts():
            for side, ring in ((Side.LEFT, _LEFT), (Side.RIGHT, _RIGHT)):
                scores = [max(case.scores.values()) for case in visit if case.id.side is side and case.scores]
                if scores:
                    cells.append(_cell(start, stop, *ring))
                    colours.append(SEVERITY[max(scores)])
            if visit[0].age is not None:
                cells.append(_cell(start, stop, _AGE[0], _between(_AGE, visit[0].age / oldest)))
                colours.append(AGE_COLOUR)
        cells.append(_cell(sector.start, sector.stop, *_SEX))
        colours.append(SEX_COLOURS[sector.visits[0][0].sex])
    _draw_guides(axes, sectors, [(_IMAGES, most_images), (_AGE, oldest)])
    # Where a cell is hardly wider than a line, white lines between them would wash the colours out.
    edges, thin = ("white", min(0.25, 25 / len(everyone))) if len(everyone) < _MANY else ("face", 0.1)
    axes.add_collection(PolyCollection(cells, facecolors=colours, edgecolors=edges, linewidths=thin))
    _label_rings(axes, oldest=oldest, most_images=most_images)
    axes.text(0, -0.01, f"{len(everyone)} patients\n{len(cases)} images", ha="center", va="center")
    axes.set(xlim=(-1.14, 1.14), ylim=(-1.3, 1.04), aspect="equal")
    axes.set_axis_off()
    axes.set_anchor("N")
    _legends(axes)


def _sectors(cases: Sequence[Case]) -> dict[str, list[_Sector]]:
    """Each centre's patients as parts of the circle, with a gap at the top for the rings' names."""
    people: dict[str, list[tuple[tuple[Case, ...], ...]]] = {centre: [] for centre in centre_names(cases)}
    ordered = sorted(cases, key=lambda case: case.id)
    for _, own in groupby(ordered, key=lambda case: case.id.patient):
        visits = tuple(tuple(visit) for _, visit in groupby(own, key=lambda case: case.id.study))
        people[visits[0][0].institution or "unknown"].append(visits)
    gaps = _GAP_DEGREES + _BETWEEN_CENTRES_DEGREES * (len(people) - 1)
    each = (360 - gaps) / sum(map(len, people.values()))
    start = _GAP_DEGREES / 2
    sectors: dict[str, list[_Sector]] = {}
    for centre, patients in people.items():
        patients.sort(key=_severity, reverse=True)
        sectors[centre] = [
            _Sector(start + number * each, start + (number + 1) * each, visits)
            for number, visits in enumerate(patients)
        ]
        start += each * len(patients) + _BETWEEN_CENTRES_DEGREES
    return sectors


def _severity(visits: tuple[tuple[Case, ...], ...]) -> tuple[int, int, int]:
    """The highest score, then the number of images, then the age."""
    scores = [score for visit in visits for case in visit if case.scores for score in case.scores.values()]
    return max(scores, default=-1), sum(map(len, visits)), visits[0][0].age or 0


def _between(ring: tuple[float, float], share: float) -> float:
    return ring[0] + (ring[1] - ring[0]) * share


def _cell(start: float, stop: float, inner: float, outer: float) -> Float[np.ndarray, "n 2"]:
    """The corners of a part of a ring, with enough of them on each arc to look round."""
    angles = np.radians(np.linspace(start, stop, 2 + int((stop - start) / _STEP_DEGREES)))
    arc = np.column_stack([np.sin(angles), np.cos(angles)])
    return np.concatenate([inner * arc, outer * arc[::-1]])


def _draw_centre(axes: Axes, centre: str, sectors: Sequence[_Sector], *, colour: str) -> None:
    start, stop = sectors[0].start, sectors[-1].stop
    axes.add_collection(PolyCollection([_cell(start, stop, *_CENTRE)], facecolors=colour))
    middle = np.radians((start + stop) / 2)
    x, y = 1.03 * np.sin(middle), 1.03 * np.cos(middle)
    axes.text(
        x, y, f"{centre}\n{len(sectors)} patients",
        ha="left" if x > 0.2 else "right" if x < -0.2 else "center",
        va="bottom" if y > 0.2 else "top" if y < -0.2 else "center",
    )  # fmt: skip


def _draw_guides(
    axes: Axes, sectors: dict[str, list[_Sector]], scales: Sequence[tuple[tuple[float, float], int]]
) -> None:
    """Thin lines at nothing, at half and at the whole of each scale, and beds for scores that may be missing."""
    for own in sectors.values():
        start, stop = own[0].start, own[-1].stop
        for ring, _ in scales:
            for share in (0, 0.5, 1):
                radius = _between(ring, share)
                line = _cell(start, stop, radius, radius)[: 2 + int((stop - start) / _STEP_DEGREES)]
                axes.plot(*line.T, color=FAINT, linewidth=0.4, zorder=0.5)
        for ring in (_LEFT, _RIGHT):
            axes.add_collection(
                PolyCollection([_cell(start, stop, *ring)], facecolors="none", edgecolors=FAINT, linewidths=0.4)
            )


def _label_rings(axes: Axes, *, oldest: int, most_images: int) -> None:
    for ring, label in (
        (_CENTRE, "centre"),
        (_IMAGES, f"images\n0 to {most_images}"),
        (_LEFT, "SvdH, left"),
        (_RIGHT, "SvdH, right"),
        (_AGE, f"age\n0 to {oldest}"),
        (_SEX, "sex"),
    ):
        axes.text(0, sum(ring) / 2, label, ha="center", va="center", fontsize=6, color=GREY)


def _legends(axes: Axes) -> None:
    scores = [Patch(color=SEVERITY[score], label=str(score)) for score in SVDH_SCORES]
    scores.append(Patch(facecolor="white", edgecolor=FAINT, label="unscored"))
    rest = [
        Patch(color=_IMAGE_COLOURS[0], label="first and third visit"),
        Patch(color=_IMAGE_COLOURS[1], label="second"),
        Patch(color=AGE_COLOUR, label="age"),
        Patch(color=SEX_COLOURS["F"], label="female"),
        Patch(color=SEX_COLOURS["M"], label="male"),
    ]
    head = Patch(alpha=0, label="highest SvdH score of a wrist:")
    looks: dict[str, Any] = {
        "handlelength": 0.9,
        "handleheight": 0.8,
        "borderpad": 0,
        "loc": "upper center",
        "columnspacing": 0.9,
    }
    first = axes.legend(handles=[head, *scores], ncols=8, bbox_to_anchor=(0.5, 0.03), **looks)
    axes.add_artist(first)
    axes.legend(handles=rest, ncols=5, bbox_to_anchor=(0.5, -0.01), **looks)
