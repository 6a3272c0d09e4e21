"""Draws `samples.jpg`: training samples as a network sees them, and the bones of the last row's.

Run it from the repository: `uv run docs/pictures/samples.py`.
"""

from pathlib import Path

import cv2
import numpy as np

from carpus.imaging.masks import BoneMasks
from carpus.phantom.samples import sample
from carpus.report.overlay import draw_overlay

HERE = Path(__file__).parent
COLUMNS, ROWS, EDGE_PX = 6, 4, 256


def main() -> None:
    """Writes the picture beside this file."""
    generator = np.random.default_rng(3407)
    drawn = [sample(generator) for _ in range(COLUMNS * ROWS)]
    tiles = []
    for number, each in enumerate(drawn):
        picture = np.repeat(each.pixels[:, :, None], 3, axis=2)
        if number >= COLUMNS * (ROWS - 1):
            picture = draw_overlay(each.pixels, BoneMasks(each.plane))
        tiles.append(cv2.resize(picture, (EDGE_PX, EDGE_PX), interpolation=cv2.INTER_AREA))
    rows = [np.hstack(tiles[start : start + COLUMNS]) for start in range(0, len(tiles), COLUMNS)]
    title = np.zeros((36, COLUMNS * EDGE_PX, 3), np.uint8)
    words = "PHANTOM: synthetic wrists that a network learns from, not patients"
    cv2.putText(title, words, (10, 25), cv2.FONT_HERSHEY_SIMPLEX, 0.65, (255, 255, 255), 1, cv2.LINE_AA)
    cv2.imwrite(
        str(HERE / "samples.jpg"),
        cv2.cvtColor(np.vstack([title, *rows]), cv2.COLOR_RGB2BGR),
        [cv2.IMWRITE_JPEG_QUALITY, 88],
    )


if __name__ == "__main__":
    main()
