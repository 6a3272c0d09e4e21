"""Draws every figure of the report from phantoms and made-up predictions, to see what they look like.

Run it from the repository: `uv run docs/pictures/figures.py FOLDER`. Nothing in these figures was measured.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from matplotlib.figure import Figure

from carpus.anatomy import Bone, Side
from carpus.imaging import BoneMasks
from carpus.metrics import dsc
from carpus.phantom import Phantom, draw, plan_cohort
from carpus.report import figures
from carpus.report.figures import SegmentationCase

SEGMENTERS = {
    "Unet": 1.3, "DeepLabV3": 1.2, "FPN": 1.3, "PSPNet": 1.6, "DeepLabV3+": 1.1, "SegResNet": 1.4, "Unet++": 1.0,
    "SegFormer": 1.1, "TransUNet": 0.8, "UKAN": 1.1, "UMambaBot": 0.8, "UMambaEnc": 0.75, "SwinUMamba": 0.6,
}  # fmt: skip
"""How wrong each network's made-up masks are."""


def main(folder: Path) -> None:
    """Writes each figure as SVG, PDF and PNG."""
    visits = [visit for visit in plan_cohort(patients=40, seed=3407) if visit.scores]
    visits.sort(key=lambda visit: -max(visit.scores.values()))
    phantoms = [draw(visit) for visit in visits[:3]]
    made: dict[str, Callable[[], Figure]] = {
        "segmentation": lambda: figures.segmentation_errors(
            [_case(p, list(SEGMENTERS)[-5:], n) for n, p in enumerate(phantoms)], is_phantom=True
        ),
        "segmentation_all": lambda: figures.segmentation_errors(
            [_case(phantoms[0], list(SEGMENTERS), 9)], is_phantom=True
        ),
    }
    for name, drawing in made.items():
        if len(sys.argv) > 2 and name not in sys.argv[2:]:
            continue
        figure = drawing()
        for suffix in ("svg", "pdf", "png"):
            figures.write_figure(folder / f"{name}.{suffix}", figure)
        print(folder / name)


def _case(phantom: Phantom, models: list[str], seed: int) -> SegmentationCase:
    predicted = {
        model: _perturbed(phantom.masks, SEGMENTERS[model], np.random.default_rng([seed, number]))
        for number, model in enumerate(models)
    }
    means = {
        model: float(np.mean([dsc(phantom.masks.mask(bone), masks.mask(bone)) for bone in Bone]))
        for model, masks in predicted.items()
    }
    return SegmentationCase(f"wrist {seed + 1}", phantom.radiograph.pixels, phantom.masks, predicted, means)


def _perturbed(masks: BoneMasks, amount: float, generator: np.random.Generator) -> BoneMasks:
    """Bones whose outlines waver, and one with a bite or a bump."""
    height, width = masks.shape
    stack = masks.stack()
    for bone in Bone:
        noise = generator.normal(size=(2, 14, 14)).astype(np.float32) * 4 * amount
        x, y = (cv2.resize(field, (width, height), interpolation=cv2.INTER_CUBIC) for field in noise)
        columns, rows = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
        moved = cv2.remap(stack[bone.channel].astype(np.uint8), columns + x, rows + y, cv2.INTER_NEAREST)
        outline = np.argwhere(cv2.morphologyEx(moved, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)))
        if len(outline) and generator.random() < 0.3:
            row, column = map(int, outline[generator.integers(len(outline))])
            radius = int(generator.uniform(6, 22) * amount)
            cv2.circle(moved, (column, row), radius, (int(generator.integers(2)),), -1)
        stack[bone.channel] = moved > 0
    return BoneMasks.from_stack(stack)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
