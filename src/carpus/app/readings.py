"""Wrist readings on disk and in the terminal."""

import json
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from carpus.files import new_file
from carpus.inference.reading import RESEARCH_USE, WristReading
from carpus.report.overlay import draw_overlay
from carpus.report.page import JointReading, ReadingPanel


def write_reading(out: Path, name: str, reading: WristReading) -> Path:
    """Writes `NAME-overlay.png` and `NAME.json` into a folder, and returns the overlay's path."""
    overlay = out / f"{name}-overlay.png"
    picture = _with_footer(draw_overlay(reading.crop.pixels, reading.masks))
    with new_file(overlay) as draft:
        cv2.imwrite(str(draft), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    with new_file(out / f"{name}.json") as draft:
        draft.write_text(json.dumps(reading.as_dict(), indent=2) + "\n", "utf-8")
    return overlay


def reading_panel(reading: WristReading) -> ReadingPanel:
    """The reading as the report's page takes it."""
    return ReadingPanel(
        source=reading.film.source,
        side=f"{reading.side.name.lower()} hand",
        film=reading.film.pixels,
        wrist=reading.box,
        crop=reading.crop.pixels,
        masks=reading.masks,
        joints=tuple(JointReading(item.joint, item.erosion_probability, item.cut) for item in reading.joints),
        warnings=reading.warnings,
    )


def print_reading(reading: WristReading, overlay: Path) -> None:
    """Prints what was read, and every warning."""
    console = Console()
    side = reading.side.name.lower()
    console.print(f"[bold]{reading.film.source}[/bold]: {side} hand. {RESEARCH_USE}", highlight=False)
    table = Table("joint", "probability of erosion", "call")
    for item in reading.joints:
        call = "eroded" if item.eroded else "not eroded"
        if item.score:
            call += f", SvdH {item.score}"
        usual = "" if item.prevalence is None else f" (usual {item.prevalence:.2f})"
        table.add_row(item.joint.label, f"{item.erosion_probability:.2f}{usual}", call)
    console.print(table)
    for warning in reading.warnings:
        console.print(f"Warning: {warning}", style="yellow", highlight=False)
    console.print(f"Overlay: {overlay}", highlight=False, soft_wrap=True)


def _with_footer(picture: np.ndarray) -> np.ndarray:
    footer = np.zeros((24, picture.shape[1], 3), np.uint8)
    font, size, white = cv2.FONT_HERSHEY_SIMPLEX, 0.45, (255, 255, 255)
    cv2.putText(footer, RESEARCH_USE, (8, 16), font, size, white, 1, cv2.LINE_AA)
    return np.vstack([picture, footer])
