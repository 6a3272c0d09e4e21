"""The paper's Figure 8: the six scored joints of a wrist, what each scores, and what every model says of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Shaped
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from carpus.anatomy import Joint, is_eroded
from carpus.errors import InputError
from carpus.imaging.geometry import Box, crop
from carpus.imaging.intensity import to_8_bits
from carpus.report.figures.style import (
    DOUBLE_MM,
    FAINT,
    GREY,
    INK,
    RIGHT,
    WRONG,
    axes_at,
    fixed_canvas,
    looks,
    styled,
    text_at,
)
from carpus.report.overlay import BONE_COLOURS, hex_colour

_GAP_MM, _TOP_MM, _HEAD_MM, _LINE_MM, _LEGEND_MM = 1.5, 3.0, 4.0, 3.4, 7.0
_BETWEEN_MM = 2.5
_COLUMNS = 1 + len(Joint)


@dataclass(frozen=True)
class JointAnswer:
    """What a model says of one joint: eroded if the probability, 0 to 1, is at or above the cut; NaN if unread."""

    probability: float
    cut: float


@dataclass(frozen=True, eq=False)
class JointCase:
    """One wrist with its scored joints.

    Attributes:
        title: What it is called, such as its identifier.
        pixels: `(h, w)` of the wrist, 8 or 16 bits.
        boxes: The region of each joint, in px of `pixels`; a joint without one is left out.
        scores: The reference SvdH scores, 0 to 5.
        answers: Name of a model to its answer for each joint; the same models in every case.
    """

    title: str
    pixels: Shaped[np.ndarray, "h w"]
    boxes: Mapping[Joint, Box]
    scores: Mapping[Joint, int]
    answers: Mapping[str, Mapping[Joint, JointAnswer]]


@styled
def joint_answers(cases: Sequence[JointCase], *, is_phantom: bool) -> Figure:
    """A row a case: the wrist with its regions, then each region with a bar of probability for every model.

    A bar is filled up to the probability, marked where the model's cut is, and framed in blue where the call
    was right and in orange where it was wrong.

    Raises:
        InputError: No case, or not the same models in all.
    """
    if not cases or len({tuple(case.answers) for case in cases}) > 1:
        raise InputError(f"{len(cases)} cases, expected some, each with the same models; complete them")
    models = tuple(cases[0].answers)
    width_mm = (DOUBLE_MM - _GAP_MM * _COLUMNS) / _COLUMNS
    case_mm = _HEAD_MM + width_mm + _LINE_MM * len(models) + _BETWEEN_MM
    height_mm = _TOP_MM + case_mm * len(cases) + _LEGEND_MM
    figure = fixed_canvas(width_mm=DOUBLE_MM, height_mm=height_mm, is_phantom=is_phantom)
    for row, case in enumerate(cases):
        top_mm = _TOP_MM + row * case_mm
        text_at(figure, case.title, left_mm=0.5, top_mm=top_mm + _HEAD_MM / 2, weight="bold")
        wrist = axes_at(figure, left_mm=0.5, top_mm=top_mm + _HEAD_MM, width_mm=width_mm, height_mm=width_mm)
        _draw_wrist(wrist, case)
        bars_mm = top_mm + _HEAD_MM + width_mm
        for line, (model, look) in enumerate(looks(models).items()):
            middle_mm = bars_mm + (line + 0.5) * _LINE_MM + 0.6
            text_at(figure, model, left_mm=width_mm - 2.5, top_mm=middle_mm, align="right", size=6)
            marker = axes_at(figure, left_mm=width_mm - 2, top_mm=middle_mm - 1, width_mm=2, height_mm=2)
            marker.plot(0, 0, look.marker, color=look.colour, clip_on=False)
        for column, joint in enumerate(Joint, 1):
            if joint not in case.boxes:
                continue
            left_mm = 0.5 + column * (width_mm + _GAP_MM)
            head = f"{joint.abbreviation}: {case.scores[joint]}" if joint in case.scores else joint.abbreviation
            text_at(
                figure, head, left_mm=left_mm + width_mm / 2, top_mm=top_mm + _HEAD_MM / 2, align="center",
                weight="bold" if case.scores.get(joint) else "normal",
            )  # fmt: skip
            picture = axes_at(figure, left_mm=left_mm, top_mm=top_mm + _HEAD_MM, width_mm=width_mm, height_mm=width_mm)
            picture.imshow(
                crop(to_8_bits(case.pixels), case.boxes[joint]), cmap="gray", aspect="auto", extent=(0, 1, 1, 0)
            )
            frame = hex_colour(BONE_COLOURS[joint.bone])
            picture.add_patch(Rectangle((0.01, 0.01), 0.98, 0.98, fill=False, edgecolor=frame, linewidth=1.2))
            bars = axes_at(
                figure, left_mm=left_mm, top_mm=bars_mm + 0.6, width_mm=width_mm,
                height_mm=_LINE_MM * len(models),
            )  # fmt: skip
            answers = [case.answers[model].get(joint) for model in models]
            _draw_bars(bars, answers, score=case.scores.get(joint))
    _legend(figure, height_mm)
    return figure


def _draw_wrist(axes: Axes, case: JointCase) -> None:
    axes.imshow(to_8_bits(case.pixels), cmap="gray", aspect="auto")
    for joint, box in case.boxes.items():
        frame = hex_colour(BONE_COLOURS[joint.bone])
        axes.add_patch(Rectangle((box.x, box.y), box.width, box.height, fill=False, edgecolor=frame, linewidth=0.8))


def _draw_bars(axes: Axes, answers: Sequence[JointAnswer | None], *, score: int | None) -> None:
    axes.set(xlim=(0, 1), ylim=(len(answers), 0))
    for line, answer in enumerate(answers):
        if answer is None:
            continue
        unread = np.isnan(answer.probability)
        called = answer.probability >= answer.cut
        right = score is not None and not unread and called == is_eroded(score)
        frame = GREY if score is None else RIGHT if right else WRONG
        # The number stands to the right of the bar, so the bar ends before the column does.
        room = 0.8
        axes.add_patch(Rectangle((0, line + 0.17), room, 0.66, color=FAINT, linewidth=0))
        if not unread:
            axes.add_patch(Rectangle((0, line + 0.17), room * answer.probability, 0.66, color=frame, linewidth=0))
        axes.add_patch(
            Rectangle((0, line + 0.17), room, 0.66, fill=False, edgecolor=frame, linewidth=0.7, clip_on=False)
        )
        axes.plot([room * answer.cut] * 2, [line + 0.05, line + 0.95], color=INK, linewidth=0.8, clip_on=False)
        text = "unread" if unread else f"{answer.probability:.2f}"
        axes.text(1, line + 0.52, text, ha="right", va="center", fontsize=6, color=frame)


def _legend(figure: Figure, height_mm: float) -> None:
    handles = [
        Rectangle((0, 0), 1, 1, color=RIGHT, label="right"),
        Rectangle((0, 0), 1, 1, color=WRONG, label="wrong"),
        Line2D([], [], color=INK, linewidth=0.8, marker="|", linestyle="", markersize=6, label="cut"),
    ]
    figure.legend(
        handles=handles, loc="lower center", ncols=3, bbox_to_anchor=(0.5, 0.8 / height_mm),
        title="Above: the reference SvdH score. Bar: probability of erosion, 0 to 1.", title_fontsize=7,
        handlelength=1.2, handleheight=0.7, borderpad=0,
    )  # fmt: skip
