"""Draws `overview.png`: a synthetic wrist with its bones, and the example's real film as it is read.

Run it from the repository: `uv run --extra torch docs/pictures/overview.py`.
"""

from pathlib import Path

import cv2
import numpy as np

from carpus.anatomy import Side
from carpus.inference.reading import read
from carpus.phantom import draw, plan_cohort
from carpus.report.overlay import draw_overlay

HERE = Path(__file__).parent


def main() -> None:
    """Writes the picture beside this file."""
    visit = next(v for v in plan_cohort(patients=40, seed=3407) if v.side is Side.RIGHT and v.scores)
    phantom = draw(visit)
    reading = read(HERE.parents[1] / "examples" / "hand-right-pa.dcm")
    grey = np.repeat(phantom.radiograph.pixels[:, :, None], 3, axis=2)
    panels = [
        _titled(grey, "phantom"),
        _titled(draw_overlay(phantom.radiograph.pixels, phantom.masks), "phantom: its fourteen bones"),
        _titled(draw_overlay(reading.crop.pixels, reading.masks), "real film, read; research use only"),
    ]
    picture = cv2.resize(np.hstack(panels), None, fx=0.75, fy=0.75, interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(HERE / "overview.png"), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))


def _titled(picture: np.ndarray, title: str) -> np.ndarray:
    bar = np.zeros((36, picture.shape[1], 3), np.uint8)
    cv2.putText(bar, title, (10, 25), cv2.FONT_HERSHEY_SIMPLEX, 0.65, (255, 255, 255), 1, cv2.LINE_AA)
    return np.vstack([bar, picture])


if __name__ == "__main__":
    main()
