"""The page of one film that was read, and the list of all films of a run: each one HTML file that fetches nothing.

Neither has a script: what is shown and hidden is chosen by style sheets alone, and each page's policy allows just the
one that it brings along.
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import quote

import cv2
import numpy as np
from jaxtyping import Shaped, UInt8
from markupsafe import Markup

from carpus.anatomy import Bone, Joint
from carpus.files import new_file
from carpus.imaging.geometry import Box, resize
from carpus.imaging.intensity import to_8_bits
from carpus.imaging.masks import BoneMasks
from carpus.report.layers import bone_shapes, layer_name
from carpus.report.overlay import BONE_COLOURS, draw_box, hex_colour
from carpus.report.templating import template_environment

_FILM_PX = 520
_JPEG = (cv2.IMWRITE_JPEG_QUALITY, 88, cv2.IMWRITE_JPEG_OPTIMIZE, 1)
_SCALE_MM = 10


@dataclass(frozen=True, eq=False)
class ReadingPictures:
    """What the page shows beside the reading's values.

    Attributes:
        film: `(h, w)` of the whole film with the fingers up, 8 or 16 bits.
        wrist: Where the wrist is on it, in px.
        crop: The wrist alone.
        crop_mm: Edge of a pixel of it; None if unknown.
        masks: The bones, on its grid.
        boxes: The joints' regions, in its pixels.
    """

    film: Shaped[np.ndarray, "h w"]
    wrist: Box
    crop: UInt8[np.ndarray, "n n"]
    crop_mm: float | None
    masks: BoneMasks
    boxes: Mapping[Joint, Box]


def write_reading_page(path: Path, values: Mapping[str, Any], pictures: ReadingPictures) -> None:
    """Writes the page of one film.

    Args:
        path: The HTML file.
        values: Of the reading, as in its JSON file.
        pictures: Of the same reading.
    """
    factor = min(1.0, _FILM_PX / max(pictures.film.shape))
    height, width = (max(1, round(edge * factor)) for edge in pictures.film.shape)
    film = draw_box(resize(pictures.film, height=height, width=width), pictures.wrist.scaled(factor))
    page = {
        "values": values,
        "film": _picture(film),
        "crop": _picture(pictures.crop),
        "edge_px": pictures.crop.shape[0],
        "scale_px": None if pictures.crop_mm is None else _SCALE_MM / pictures.crop_mm,
        "scale_mm": _SCALE_MM,
        "shapes": bone_shapes(pictures.masks),
        "boxes": {joint.abbreviation: (_joint_class(joint), box) for joint, box in pictures.boxes.items()},
        "layers": {bone.abbreviation: (layer_name(bone), bone.label, hex_colour(BONE_COLOURS[bone])) for bone in Bone},
        "joint_layers": {joint.abbreviation: _joint_class(joint) for joint in Joint},
    }
    _write(path, "reading.html", page, style=files("carpus.report") / "templates" / "reading.css")


@dataclass(frozen=True)
class ReadFilm:
    """One line of the list of films.

    Attributes:
        name: Of the film, as the user knows it.
        page: Of the film, as a path below the list's folder.
        values: Of its reading, as in its JSON file.
    """

    name: str
    page: str
    values: Mapping[str, Any]


def write_reading_list(path: Path, films: Sequence[ReadFilm], *, failures: Mapping[str, str], passed_over: int) -> None:
    """Writes the list of films that were read, and of those that could not be, with the reason.

    Args:
        path: The HTML file.
        films: In the order to be shown.
        failures: Name to reason.
        passed_over: How many files of the folders were no films.
    """
    page = {
        "films": [(film, quote(film.page), _worst(film.values)) for film in films],
        "failures": failures,
        "passed_over": passed_over,
        "notices": sorted({film.values["notice"] for film in films}),
    }
    _write(path, "readings.html", page, style=files("carpus.report") / "templates" / "reading.css")


def _write(path: Path, template: str, page: Mapping[str, object], *, style: Any) -> None:
    environment = template_environment()
    environment.filters["number"] = _number
    rules = style.read_text(encoding="utf-8") + _switches()
    html = environment.get_template(template).render(
        **page,
        style=Markup(rules),  # noqa: S704 (ours)
        # The page's policy allows this one style sheet, by its hash, and nothing else.
        style_hash=base64.b64encode(hashlib.sha256(rules.encode()).digest()).decode(),
    )
    with new_file(path) as draft:
        draft.write_text(html, encoding="utf-8")


def _switches() -> str:
    """Hides what is not ticked, and shows alone the bone or joint whose row is pointed at."""
    rules = []
    for name in [layer_name(bone) for bone in Bone]:
        rules.append(f"body:has(.show-{name}:not(:checked)) svg .{name} {{ display: none; }}")
        rules.append(f"body:has(tr.{name}:hover) :is(.bones, .names) > :not(.{name}) {{ opacity: 0.08; }}")
    for joint in Joint:
        name = _joint_class(joint)
        rules.append(f"body:has(tr.{name}:hover) .boxes > :not(.{name}) {{ opacity: 0.08; }}")
    return "\n".join(rules) + "\n"


def _joint_class(joint: Joint) -> str:
    return "joint-" + joint.name.lower().replace("_", "-")


def _worst(values: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The joint with the highest probability of erosion."""
    joints: Sequence[Mapping[str, Any]] = values["joints"]
    return max(joints, key=lambda joint: float(joint["erosion_probability"]), default=None)


def _number(value: float, digits: int) -> str:
    return f"{value:.{digits}f}"


def _picture(pixels: Shaped[np.ndarray, "h w ..."]) -> str:
    shown = pixels if pixels.dtype == np.uint8 else to_8_bits(pixels)
    shown = shown if shown.ndim == 2 else cv2.cvtColor(shown, cv2.COLOR_RGB2BGR)
    _, jpeg = cv2.imencode(".jpg", shown, _JPEG)
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg.tobytes()).decode()}"
