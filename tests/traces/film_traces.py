"""Bones traced by eye on real films, as masks. README.md beside this file tells how and how sure."""

import json
from dataclasses import dataclass
from pathlib import Path

from carpus.anatomy import Bone, Side, parse_bone, parse_side
from carpus.imaging.masks import BoneMasks
from carpus.imaging.rle import fill_polygons

TRACES = Path(__file__).parent
Outlines = list[list[tuple[float, float]]]


@dataclass(frozen=True)
class FilmTrace:
    """The fourteen bones of one film.

    Attributes:
        film: File name of the film.
        sha256: Of the film's file: a trace fits no other.
        side: Of the body.
        height: Of the film in pixels.
        width: Of the film in pixels.
        spacing_mm: Edge of a pixel as the film says, or `assumed_spacing_mm`, a guess from the size of the bones.
        is_assumed: Whether the pixel size is such a guess.
        outlines: `(x, y)` in pixels of the film, one polygon or more a bone; pixel (0, 0) covers [0, 1) x [0, 1).
        second: Of some bones, the outlines of a second tracing that was made without looking at the first.
        sure: A bone's `high`, `medium` or `low`.
    """

    film: str
    sha256: str
    side: Side
    height: int
    width: int
    spacing_mm: float
    is_assumed: bool
    outlines: dict[Bone, Outlines]
    second: dict[Bone, Outlines]
    sure: dict[Bone, str]

    def masks(self) -> BoneMasks:
        """The bones on the film's grid, metacarpals whole, overlap kept."""
        return self._filled(self.outlines)

    def second_masks(self) -> BoneMasks:
        """The second tracing on the film's grid; most bones are empty."""
        return self._filled(self.second)

    def _filled(self, outlines: dict[Bone, Outlines]) -> BoneMasks:
        height, width = self.height, self.width
        filled = (
            (bone, fill_polygons([_flat(one) for one in outline], height=height, width=width))
            for bone, outline in outlines.items()
        )
        return BoneMasks.from_masks(filled, height=height, width=width)


def read_trace(path: Path) -> FilmTrace:
    """The trace in a JSON file of this folder."""
    content = json.loads(path.read_text("utf-8"))
    bones = {parse_bone(name): bone for name, bone in content["bones"].items()}
    return FilmTrace(
        film=content["film"],
        sha256=content["sha256"],
        side=parse_side(content["side"]),
        height=content["height_px"],
        width=content["width_px"],
        spacing_mm=content["spacing_mm"] or content["assumed_spacing_mm"],
        is_assumed=content["spacing_mm"] is None,
        outlines={bone: _outlines(value["polygons"]) for bone, value in bones.items()},
        second={
            bone: _outlines(value["second_polygons"]) for bone, value in bones.items() if "second_polygons" in value
        },
        sure={bone: value["sure"] for bone, value in bones.items()},
    )


def read_traces() -> list[FilmTrace]:
    """Every trace of this folder, by the name of its file."""
    return [read_trace(path) for path in sorted(TRACES.glob("*.json"))]


def _outlines(polygons: list[list[list[float]]]) -> Outlines:
    return [[(x, y) for x, y in one] for one in polygons]


def _flat(outline: list[tuple[float, float]]) -> list[float]:
    return [value for corner in outline for value in corner]
