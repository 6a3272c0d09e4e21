"""Draws `failures.jpg`: where the reading of the example's real film is worst, beside what was traced by eye.

Run it from the repository: `uv run --extra torch docs/pictures/failures.py`.
"""

import sys
from pathlib import Path

import cv2
import numpy as np

from carpus.anatomy import Bone
from carpus.imaging import BoneMasks
from carpus.inference.reading import read
from carpus.metrics import measure_bones
from carpus.report.overlay import BONE_COLOURS

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / "tests" / "traces"))
from film_traces import read_traces  # noqa: E402

_PANEL_PX, _AROUND_PX, _WORST = 420, 90, 3


def main() -> None:
    """Writes the picture beside this file."""
    path = HERE.parents[1] / "examples" / "hand-right-pa.dcm"
    reading = read(path)
    trace = next(each for each in read_traces() if each.film == path.name)
    traced = trace.masks().cropped(reading.box).resized(height=600, width=600)
    dsc = measure_bones(traced, reading.masks).values[: len(Bone), 0]
    worst = sorted(Bone, key=lambda bone: float(dsc[bone.channel]))[:_WORST]
    panels = [_panel(bone, float(dsc[bone.channel]), reading.crop.pixels, reading.masks, traced) for bone in worst]
    picture = cv2.cvtColor(np.hstack(panels), cv2.COLOR_RGB2BGR)
    cv2.imwrite(str(HERE / "failures.jpg"), picture, [cv2.IMWRITE_JPEG_QUALITY, 88])


def _panel(bone: Bone, dsc: float, pixels: np.ndarray, found: BoneMasks, traced: BoneMasks) -> np.ndarray:
    """One bone, larger: what was read in its colour, what was traced in white."""
    ys, xs = np.nonzero(traced.mask(bone) | found.mask(bone))
    y, x = (int(np.clip((edge.min() + edge.max()) / 2, _AROUND_PX, 600 - _AROUND_PX)) for edge in (ys, xs))
    part = slice(y - _AROUND_PX, y + _AROUND_PX), slice(x - _AROUND_PX, x + _AROUND_PX)
    grey = cv2.resize(pixels[part], (_PANEL_PX, _PANEL_PX), interpolation=cv2.INTER_CUBIC)
    panel = np.repeat(grey[:, :, None], 3, axis=2)
    for masks, colour in ((found, BONE_COLOURS[bone]), (traced, (255, 255, 255))):
        mask = cv2.resize(masks.mask(bone)[part].astype(np.float32), (_PANEL_PX, _PANEL_PX)) > 0.5
        outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(panel, outlines, -1, colour, 2, cv2.LINE_AA)
    bar = np.zeros((34, _PANEL_PX, 3), np.uint8)
    text = f"{bone.label}: DSC {dsc:.2f}; white: traced by eye"
    cv2.putText(bar, text, (8, 23), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255, 255, 255), 1, cv2.LINE_AA)
    return np.vstack([bar, panel])


if __name__ == "__main__":
    main()
