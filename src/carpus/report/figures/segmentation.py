"""The paper's Figures 3 and 9: bones as several models drew them, with close-ups of what they got wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from jaxtyping import Shaped, UInt8
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from matplotlib.typing import LineStyleType

from carpus.anatomy import Bone
from carpus.errors import InputError
from carpus.imaging.geometry import Box, crop
from carpus.imaging.intensity import to_8_bits
from carpus.imaging.masks import BoneMasks
from carpus.report.figures.close_up import worst_error, worst_overlap_error
from carpus.report.figures.style import DOUBLE_MM, INK, axes_at, fixed_canvas, styled, text_at
from carpus.report.overlay import BONE_COLOURS, PREDICTED_COLOUR, REFERENCE_COLOUR, Colour, draw_overlay, hex_colour

_ACROSS = 8
_GAP_MM, _BETWEEN_MM, _LEFT_MM, _TOP_MM, _HEAD_MM, _LEGEND_MM = 0.8, 1.2, 4.0, 3.5, 3.5, 9.0
_CLOSE_UP_PX = 480
_OTHER_COLOUR: Colour = (250, 240, 90)
_STRENGTH = 0.75
_OUTLINE: Colour = (255, 255, 255)
_DASHES: tuple[LineStyleType, LineStyleType] = ("solid", (0, (2.5, 1.5)))


@dataclass(frozen=True, eq=False)
class SegmentationCase:
    """One image with its bones as they are and as models found them.

    Attributes:
        title: What it is called, such as its identifier.
        pixels: `(h, w)` of 8 or 16 bits.
        reference: The bones as they are.
        predicted: Name of a model to the bones it found, all on the same grid; the same models in every case.
        dsc: Name of a model to its mean DSC in this image, printed in its picture.
    """

    title: str
    pixels: Shaped[np.ndarray, "h w"]
    reference: BoneMasks
    predicted: Mapping[str, BoneMasks]
    dsc: Mapping[str, float] = field(default_factory=dict)


@styled
def segmentation_errors(cases: Sequence[SegmentationCase], *, is_phantom: bool) -> Figure:
    """A row a case: the image, the reference, every model's bones, and under each two close-ups.

    The solid box is around the largest error that any model makes, the dashed box around the largest of those
    where two bones overlap. All pictures of a case show the same places. More than six models go on below.

    Raises:
        InputError: No case, not the same models in all, or masks of another size than their image.
    """
    if not cases or len({tuple(case.predicted) for case in cases}) > 1:
        raise InputError(f"{len(cases)} cases, expected some, each with the same models; complete them")
    for case in cases:
        _check_sizes(case)
    names = ["Radiograph", "Reference", *cases[0].predicted]
    across = min(len(names), _ACROSS)
    lines = [names[start : start + across] for start in range(0, len(names), across)]
    width_mm = min((DOUBLE_MM - _LEFT_MM - _GAP_MM * across) / across, 40.0)
    small_mm = (width_mm - _GAP_MM) / 2
    heights_mm = [width_mm * case.reference.shape[0] / case.reference.shape[1] for case in cases]
    heads_mm = [[_HEAD_MM if number == 0 or len(lines) > 1 else 0 for _ in lines] for number in range(len(cases))]
    total_mm = _TOP_MM + _LEGEND_MM
    for height, heads in zip(heights_mm, heads_mm, strict=True):
        total_mm += sum(heads) + len(lines) * (height + small_mm + 2 * _GAP_MM) + _BETWEEN_MM
    figure = fixed_canvas(width_mm=_LEFT_MM + across * (width_mm + _GAP_MM), height_mm=total_mm, is_phantom=is_phantom)
    top_mm = _TOP_MM
    for case, height_mm, heads in zip(cases, heights_mm, heads_mm, strict=True):
        every = list(case.predicted.values())
        solid = worst_error(case.reference, every)
        boxes = [box for box in (solid, worst_overlap_error(case.reference, every, outside=solid)) if box]
        start_mm = top_mm
        for line, head_mm in zip(lines, heads, strict=True):
            for place, name in enumerate(line):
                left_mm = _LEFT_MM + place * (width_mm + _GAP_MM)
                if head_mm:
                    text_at(figure, name, left_mm=left_mm + width_mm / 2, top_mm=top_mm + head_mm / 2, align="center")
                axes = axes_at(figure, left_mm=left_mm, top_mm=top_mm + head_mm, width_mm=width_mm, height_mm=height_mm)
                axes.imshow(_picture(case, name), aspect="auto", cmap="gray")
                if name in case.dsc:
                    axes.text(
                        0.97, 0.03, f"DSC {case.dsc[name]:.3f}", transform=axes.transAxes,
                        ha="right", va="bottom", color="white", fontsize=5.5,
                    )  # fmt: skip
                for number, box in enumerate(boxes):
                    axes.add_patch(_frame(box, number, colour="white"))
                    small = axes_at(
                        figure, left_mm=left_mm + number * (small_mm + _GAP_MM),
                        top_mm=top_mm + head_mm + height_mm + _GAP_MM, width_mm=small_mm, height_mm=small_mm,
                    )  # fmt: skip
                    small.imshow(_close_up(case, name, box), aspect="auto", extent=(0, 1, 1, 0))
                    small.add_patch(_frame(Box(0, 0, 1, 1), number, colour=INK))
            top_mm += head_mm + height_mm + small_mm + 2 * _GAP_MM
        middle_mm = (start_mm + heads[0] + top_mm) / 2
        text_at(figure, case.title, left_mm=2, top_mm=middle_mm, align="center", rotation=90, weight="bold")
        top_mm += _BETWEEN_MM
    _legend(figure)
    return figure


def _check_sizes(case: SegmentationCase) -> None:
    for name, masks in {"the reference": case.reference, **case.predicted}.items():
        if masks.shape != case.pixels.shape:
            raise InputError(
                f"{case.title} is {case.pixels.shape} and the masks of {name} are {masks.shape}, "
                "expected one size; resize the masks"
            )


def _picture(case: SegmentationCase, name: str) -> UInt8[np.ndarray, "h w 3"]:
    nothing = BoneMasks.empty(height=case.reference.shape[0], width=case.reference.shape[1])
    masks = {"Radiograph": nothing, "Reference": case.reference, **case.predicted}[name]
    return draw_overlay(case.pixels, masks, labels=False)


def _close_up(case: SegmentationCase, name: str, box: Box) -> UInt8[np.ndarray, "h w 3"]:
    """The part in the box, enlarged; what the model missed, added or took for another bone is filled."""
    size = (_CLOSE_UP_PX, _CLOSE_UP_PX)
    grey = cv2.resize(crop(to_8_bits(case.pixels), box), size, interpolation=cv2.INTER_CUBIC)
    picture = np.repeat(grey[:, :, None], 3, axis=2)
    if name == "Radiograph":
        return picture
    reference = case.reference.cropped(box).resized(height=_CLOSE_UP_PX, width=_CLOSE_UP_PX)
    if name == "Reference":
        return draw_overlay(grey, reference, labels=False)
    predicted = case.predicted[name].cropped(box).resized(height=_CLOSE_UP_PX, width=_CLOSE_UP_PX)
    missed, added = reference.plane & ~predicted.plane, predicted.plane & ~reference.plane
    for where, colour in (
        ((missed > 0) & (added == 0), REFERENCE_COLOUR),
        ((added > 0) & (missed == 0), PREDICTED_COLOUR),
        ((added > 0) & (missed > 0), _OTHER_COLOUR),
    ):
        blend = picture[where] * (1 - _STRENGTH) + np.array(colour) * _STRENGTH
        picture[where] = np.rint(blend).astype(np.uint8)
    for bone in Bone:
        mask = reference.mask(bone).astype(np.uint8)
        outlines, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(picture, outlines, -1, _OUTLINE, 2, cv2.LINE_AA)
    return picture


def _frame(box: Box, number: int, *, colour: str) -> Rectangle:
    return Rectangle(
        (box.x, box.y), box.width, box.height, fill=False, edgecolor=colour, linewidth=0.8,
        linestyle=_DASHES[number], clip_on=False,
    )  # fmt: skip


def _legend(figure: Figure) -> None:
    errors = [
        Patch(color=hex_colour(colour), label=label)
        for colour, label in (
            (REFERENCE_COLOUR, "missed"),
            (PREDICTED_COLOUR, "added"),
            (_OTHER_COLOUR, "another bone"),
        )
    ]
    boxes = [
        Line2D([], [], color=INK, linewidth=0.8, linestyle=style, label=label)
        for style, label in zip(_DASHES, ("largest error", "largest error of an overlap"), strict=True)
    ]
    bones = [Patch(color=hex_colour(BONE_COLOURS[bone]), label=bone.abbreviation) for bone in Bone]
    height_mm = figure.get_size_inches()[1] * 25.4
    looks = {"handlelength": 0.9, "handleheight": 0.7, "columnspacing": 0.9, "borderaxespad": 0.0, "borderpad": 0.0}
    figure.legend(handles=bones, loc="lower center", ncols=14, bbox_to_anchor=(0.5, 1.2 / height_mm), **looks)
    figure.legend(
        handles=[*errors, *boxes], loc="lower center", ncols=5, bbox_to_anchor=(0.5, 5.2 / height_mm),
        **{**looks, "handlelength": 1.8},
    )  # fmt: skip
