"""Wrist readings on disk and in the terminal."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from carpus.files import new_file
from carpus.imaging.geometry import Box
from carpus.inference.reading import WristReading
from carpus.report.overlay import draw_overlay
from carpus.report.reading_page import ReadingPictures, write_reading_page


def write_reading(out: Path, name: str, reading: WristReading, *, sha256: str | None = None) -> None:
    """Writes `NAME-overlay.png`, `NAME.html` and, when both are there, `NAME.json` into a folder.

    Args:
        out: The folder.
        name: May lead into folders below it.
        reading: To write.
        sha256: Of the film's file, if it is to be recorded.
    """
    values = reading.as_dict()
    if sha256 is not None:
        values["sha256"] = sha256
    picture = _with_footer(draw_overlay(reading.crop.pixels, reading.masks), values["notice"])
    with new_file(out / f"{name}-overlay.png") as draft:
        cv2.imwrite(str(draft), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    write_reading_page(out / f"{name}.html", values, _pictures(reading))
    with new_file(out / f"{name}.json") as draft:
        draft.write_text(json.dumps(values, allow_nan=False) + "\n", "utf-8")


def print_reading(values: Mapping[str, Any], page: Path) -> None:
    """Prints what was read, every doubt and every warning.

    Args:
        values: Of the reading, as in its JSON file.
        page: Of the film.
    """
    console = Console()
    side = "left" if values["side"] == "L" else "right"
    half = f", {values['half']} half" if values["half"] else ""
    console.print(f"[bold]{escape(values['file'])}[/bold]{half}: {side} hand. {values['notice']}", highlight=False)
    table = Table("joint", "probability of erosion", "call")
    for joint in values["joints"]:
        call = "eroded" if joint["eroded"] else "not eroded"
        if joint.get("svdh_score"):
            call += f", SvdH {joint['svdh_score']}"
        usual = f" (usual {joint['erosion_prevalence']:.2f})" if "erosion_prevalence" in joint else ""
        table.add_row(joint["name"], f"{joint['erosion_probability']:.2f}{usual}", call)
    console.print(table)
    for doubt in values["doubts"]:
        console.print(f"Do not trust: {escape(doubt)}", style="red", highlight=False)
    for warning in values["warnings"]:
        console.print(f"Warning: {escape(warning)}", style="yellow", highlight=False)
    console.print(f"Page: {escape(str(page))}", highlight=False, soft_wrap=True)


def _pictures(reading: WristReading) -> ReadingPictures:
    scale = reading.crop.shape[1] / reading.box.width

    def on_crop(box: Box) -> Box:
        return replace(box, x=box.x - reading.box.x, y=box.y - reading.box.y).scaled(scale)

    return ReadingPictures(
        film=reading.film.pixels,
        wrist=reading.box,
        crop=reading.crop.pixels,
        crop_mm=reading.crop.spacing_mm,
        masks=reading.masks,
        boxes={item.joint: on_crop(item.box) for item in reading.joints},
    )


def _with_footer(picture: np.ndarray, words: str) -> np.ndarray:
    footer = np.zeros((24, picture.shape[1], 3), np.uint8)
    font, size, white = cv2.FONT_HERSHEY_SIMPLEX, 0.4, (255, 255, 255)
    cv2.putText(footer, words, (8, 16), font, size, white, 1, cv2.LINE_AA)
    return np.vstack([picture, footer])
