"""A wrist reading as plain values for JSON; `docs/reading.md` explains every field.

All places are in pixels of the film as its file stores it, also when the film was turned to be read. Pixel `(x, y)`
covers `[x, x + 1) x [y, y + 1)`, so a polygon's area in square pixels times the square of `spacing_mm` is its area.
"""

from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, Float64

from carpus.anatomy import OVERLAP_PAIRS, Bone, pair_name
from carpus.imaging.geometry import Box
from carpus.imaging.polygons import mask_polygons
from carpus.inference.looks import RIM_PX
from carpus.inference.model import Model

if TYPE_CHECKING:
    from carpus.inference.reading import JointReading, WristReading

FORMAT = 1
"""Counts up when a field changes its meaning or goes."""

Points = Float64[np.ndarray, "n 2"]


def notice(models: Sequence[Model]) -> str:
    """What whoever sees a reading of these models must be told."""
    if any(model.info.trained_on == "phantom" for model in models):
        return "Research use only; trained on synthetic radiographs. Not for diagnosis."
    return "Research use only. Not for diagnosis."


def model_values(models: Sequence[Model]) -> list[dict[str, Any]]:
    """Which networks they are: two readings are comparable if these are the same."""
    return [
        {
            "task": model.info.task,
            "net": model.info.net,
            "members": model.info.members,
            "recipe": model.info.recipe,
            "seed": model.info.seed,
            "trained_on": model.info.trained_on,
            "commit": model.info.provenance.get("commit"),
            "sha256": model.sha256,
        }
        for model in models
    ]


def reading_values(reading: "WristReading") -> dict[str, Any]:
    """The reading in numbers, texts, lists and dicts only; what has no scale is None where mm are asked for."""
    place = _on_stored_film(reading)
    height, width = _stored_shape(reading)
    part = reading.film.part
    spacing_mm, spacing_from = _spacing(reading)
    return {
        "format": FORMAT,
        "notice": notice(reading.models),
        "carpus": version("carpus"),
        "file": reading.film.source,
        "width_px": width if part is None else part.width_px,
        "height_px": height,
        "half": None if part is None else part.half,
        "turned_degrees": 90 * reading.turns,
        "spacing_mm": None if spacing_mm is None else round(spacing_mm, 5),
        "spacing_from": spacing_from,
        "side": reading.side.value,
        "side_from": "image" if reading.film.side is None else "file",
        "wrist_box_px": _corners(reading.box, place),
        "confidence": round(reading.confidence, 3),
        "bones": [_bone(bone, reading, place) for bone in Bone],
        "overlap_area_mm2": {
            pair_name(pair): _area(reading.masks.overlap(*pair), reading.crop.spacing_mm) for pair in OVERLAP_PAIRS
        },
        "joints": [_joint(item, place) for item in reading.joints],
        "trusted": not reading.doubts,
        "doubts": list(reading.doubts),
        "warnings": list(reading.warnings),
        "models": model_values(reading.models),
    }


def _bone(bone: Bone, reading: "WristReading", place: Callable[[Points], Points]) -> dict[str, Any]:
    mask = reading.masks.mask(bone)
    pixels = reading.masks.shape[1]
    corner = np.array([round(reading.box.x), round(reading.box.y)])
    scale = round(reading.box.width) / pixels  # as `crop` cut it: whole pixels
    return {
        "bone": bone.abbreviation,
        "name": bone.label,
        "area_mm2": _area(mask, reading.crop.spacing_mm),
        "is_cut": bool((mask & ~_well_inside(reading)).any()),
        "polygons": [
            {
                "outline": np.round(place(corner + scale * piece.outline), 1).tolist(),
                "holes": [np.round(place(corner + scale * hole), 1).tolist() for hole in piece.holes],
            }
            for piece in mask_polygons(mask)
        ],
    }


def _well_inside(reading: "WristReading") -> Bool[np.ndarray, "h w"]:
    """The crop without a rim of `RIM_PX` at its own border, and at the film's where that runs through it."""
    scale = reading.masks.shape[1] / round(reading.box.width)
    inside = np.zeros(reading.masks.shape, bool)
    spans = []
    for begin, length, pixels in zip(
        (round(reading.box.y), round(reading.box.x)), reading.film.shape, reading.masks.shape, strict=True
    ):
        low, high = max(0.0, -begin * scale), min(pixels, (length - begin) * scale)
        spans.append(slice(int(np.ceil(low)) + RIM_PX, max(0, int(high) - RIM_PX)))
    inside[spans[0], spans[1]] = True
    return inside


def _joint(item: "JointReading", place: Callable[[Points], Points]) -> dict[str, Any]:
    values: dict[str, Any] = {
        "joint": item.joint.abbreviation,
        "name": item.joint.label,
        "box_px": _corners(item.box, place),
        "erosion_probability": round(item.erosion_probability, 3),
        "cut": round(item.cut, 3),
        "eroded": item.eroded,
    }
    if item.prevalence is not None:
        values["erosion_prevalence"] = round(item.prevalence, 3)
    if item.score is not None:
        values["svdh_score"] = item.score
    if item.score_range is not None:
        values["svdh_score_probabilities"] = [round(value, 3) for value in item.score_probabilities]
        values["svdh_score_range"] = list(item.score_range)
    return values


def _spacing(reading: "WristReading") -> tuple[float | None, str | None]:
    """Edge of a film's pixel and who says so: the file, or the size of the hand."""
    if reading.film.spacing_mm is not None:
        return reading.film.spacing_mm, "file"
    if reading.crop.spacing_mm is not None:
        return reading.crop.spacing_mm * reading.crop.shape[1] / reading.box.width, "hand"
    return None, None


def _stored_shape(reading: "WristReading") -> tuple[int, int]:
    height, width = reading.film.shape
    return (width, height) if reading.turns % 2 else (height, width)


def _on_stored_film(reading: "WristReading") -> Callable[[Points], Points]:
    """Brings places on the film that was read back onto the film as it is stored: undoes `np.rot90`."""
    height, width = _stored_shape(reading)
    first = 0 if reading.film.part is None else reading.film.part.x

    def place(points: Points) -> Points:
        x, y = points[:, 0], points[:, 1]
        match reading.turns:
            case 1:
                x, y = width - y, x
            case 2:
                x, y = width - x, height - y
            case 3:
                x, y = y, height - x
        return np.column_stack([x + first, y])

    return place


def _corners(box: Box, place: Callable[[Points], Points]) -> dict[str, float]:
    ends = place(np.array([[box.x, box.y], [box.x + box.width, box.y + box.height]]))
    (x, y), (right, low) = np.round([ends.min(axis=0), ends.max(axis=0)], 1).tolist()
    return {"x": x, "y": y, "width": round(right - x, 1), "height": round(low - y, 1)}


def _area(mask: Bool[np.ndarray, "h w"], spacing_mm: float | None) -> float | None:
    return None if spacing_mm is None else round(float(mask.sum()) * spacing_mm**2, 1)
