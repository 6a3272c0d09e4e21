"""What named terms of the bone training bring, each alone and together, in one table, on phantoms drawn on the fly.

- `outline`: cross-entropy once more, in a band of three pixels along the reference's outlines;
- `overlaps`: soft Dice of the fourteen overlaps of two bones, from products of probabilities;
- `deep`: deep supervision, the loss of two coarser stages as well, with half and a quarter of the weight, which the
  recipe `carpus` has for `Unet`;
- `shifts`: at test time, the mean logits of the image and of four shifted by 1.5 % of its edge;
- `zooms and turns`: at test time, of the image, two other zooms and two turns, as `carpus read` does.

The first two did not earn their place, are not part of carpus and are written here. Every training has the
same recipe, samples and seeds; every network reads the same fresh wrists, scored at 600 x 600. The differences are
those of the same wrists and seeds, with 95 % intervals of a bootstrap over wrists.

An interrupted run goes on where it stopped. Run from the repository:

    python benchmarks/bones_ablation.py
"""

import argparse
import dataclasses
import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.nn import functional

from carpus.anatomy import OVERLAP_PAIRS, Bone, Side
from carpus.errors import InputError
from carpus.files import new_file
from carpus.imaging import BoneMasks, Box, Radiograph
from carpus.inference.looks import CROP_PX, SEVERAL, STRAIGHT, Placing, look_at
from carpus.inference.model import Model, load_model
from carpus.metrics import measure_bones
from carpus.phantom.samples import Sample, sample
from carpus.training.fit import train
from carpus.training.losses import BONE_LOSSES, Total, bce_and_dice, summed
from carpus.training.recipe import Recipe, named_recipe

RESULTS = Path(__file__).parent / "results"
FILTERS = (16, 32, 64, 128)
TEST_SEED, REPLICATES = 77, 10_000
LEAST_OVERLAP_PX = 20
SHIFT = 0.015
Loss = Callable[..., Tensor]


def main() -> None:
    """Trains, reads fresh phantoms, prints and writes the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=160, help="edge of the input in pixels, default: %(default)s")
    parser.add_argument("--epochs", type=int, default=8, help="of 256 wrists, default: %(default)s")
    parser.add_argument("--seeds", type=int, default=2, help="trainings of each, default: %(default)s")
    parser.add_argument("--wrists", type=int, default=96, help="fresh ones that are read, default: %(default)s")
    parser.add_argument("--out", type=Path, default=Path("bones-ablation"), help="folder of the trainings")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of the table")
    options = parser.parse_args()
    recipe = dataclasses.replace(
        named_recipe("Unet", "shipped"),
        image_size=options.size,
        epochs=options.epochs,
        epoch_items=256,
        net_options={"filters": list(FILTERS)},
    )
    generator = np.random.default_rng(TEST_SEED)
    wrists = [sample(generator, size_px=CROP_PX) for _ in range(options.wrists)]
    measured: dict[str, list[np.ndarray]] = {}
    for seed in range(recipe.seed, recipe.seed + options.seeds):
        for name, terms in TRAININGS.items():
            model = trained(dataclasses.replace(recipe, seed=seed), terms, options.out / f"{name}-{seed}")
            measured.setdefault(name, []).append(read(model, wrists))
            for label, places in TEST_TIME.items() if name == PLAIN else ():
                measured.setdefault(label, []).append(read(model, wrists, places=places))
            print(f"{name}, seed {seed} done", file=sys.stderr, flush=True)
    table = as_table({name: np.stack(runs) for name, runs in measured.items()})
    print(
        f"PHANTOM: Unet {FILTERS}, {options.size} px, {options.epochs} x 256 wrists, {options.seeds} seeds; "
        f"{options.wrists} fresh wrists"
    )
    print(table.to_string(index=False))
    with new_file(options.results / "bones_ablation.csv") as draft:
        table.to_csv(draft, index=False)
    with new_file(options.results / "bones_ablation.json") as draft:
        draft.write_text(json.dumps(conditions(options), indent=2) + "\n", "utf-8")


def outline(logits: Tensor, masks: Tensor, *, total: Total = summed) -> Tensor:
    """Cross-entropy in a band along the outlines, 0 to infinity, lower is better."""
    band = functional.max_pool2d(masks, 3, 1, 1) + functional.max_pool2d(-masks, 3, 1, 1)
    losses = functional.binary_cross_entropy_with_logits(logits, masks, reduction="none")
    return total((band * losses).sum()) / total(band.sum()).clamp(min=1)


def overlaps(logits: Tensor, masks: Tensor, *, total: Total = summed) -> Tensor:
    """Soft Dice loss of the overlaps of two bones, 0 to 1, lower is better; over the batch as one image."""
    one, other = ([pair[place].channel for pair in OVERLAP_PAIRS] for place in (0, 1))
    inside = logits.sigmoid()
    predicted, drawn = inside[:, one] * inside[:, other], masks[:, one] * masks[:, other]
    common, size = (total(part.sum((0, 2, 3))) for part in (predicted * drawn, predicted + drawn))
    return (1 - (2 * common + 1) / (size + 1)).mean()


def with_terms(*terms: Loss) -> Loss:
    """The usual loss plus terms."""

    def loss(logits: Tensor, masks: Tensor, *, total: Total = summed) -> Tensor:
        logits = logits.float()
        return bce_and_dice(logits, masks, total=total) + sum(term(logits, masks, total=total) for term in terms)

    return loss


@dataclasses.dataclass(frozen=True)
class Terms:
    """What a training has beside the recipe."""

    loss: Loss = bce_and_dice
    supervised_stages: int = 0


PLAIN = "plain"
TRAININGS = {
    PLAIN: Terms(),
    "outline": Terms(with_terms(outline)),
    "overlaps": Terms(with_terms(overlaps)),
    "deep": Terms(supervised_stages=2),
    "outline + overlaps + deep": Terms(with_terms(outline, overlaps), supervised_stages=2),
}
SHIFTED = (*STRAIGHT, *(Placing(x=x, y=y) for x in (-SHIFT, SHIFT) for y in (-SHIFT, SHIFT)))


TEST_TIME = {"shifts": SHIFTED, "zooms and turns": SEVERAL}


def trained(recipe: Recipe, terms: Terms, run: Path) -> Model:
    """The network, ready to read."""
    options = {**recipe.net_options, "supervised_stages": terms.supervised_stages}
    with patch.dict(BONE_LOSSES, bce_dice=terms.loss):
        return load_model(train(dataclasses.replace(recipe, net_options=options), None, run), task="bones")


def read(model: Model, wrists: list[Sample], *, places: tuple[Placing, ...] = STRAIGHT) -> np.ndarray:
    """`(wrists, 4)`: mean DSC of bones, of overlaps, mean NSD and mean surface distance in mm of bones."""
    rows = []
    for wrist in wrists:
        whole, thumb_left = Box(0, 0, CROP_PX, CROP_PX), wrist.side is Side.RIGHT
        look = look_at(model, Radiograph(wrist.pixels), whole, thumb_left=thumb_left, places=places)
        measured = measure_bones(BoneMasks(wrist.plane), look.masks)
        bones, pairs = measured.values[: len(Bone)], measured.values[len(Bone) :]
        drawn = measured.areas[len(Bone) :, 0] >= LEAST_OVERLAP_PX
        distance = np.minimum(bones[:, 3], CROP_PX / 10) * wrist.spacing_mm
        rows.append([*(np.nanmean(part) for part in (bones[:, 0], pairs[drawn, 0], bones[:, 1])), np.nanmean(distance)])
    return np.array(rows)


def as_table(measured: dict[str, np.ndarray]) -> pd.DataFrame:
    """A row a training: the figures, and how much they differ from those of the plain one."""
    generator = np.random.default_rng(0)
    names = ("DSC", "DSC of overlaps", "NSD", "MSD mm")
    rows = []
    for name, values in measured.items():
        row: dict[str, object] = {"training": name}
        own, gain = values.mean(axis=0), (values - measured[PLAIN]).mean(axis=0)
        drawn = generator.integers(0, len(own), (REPLICATES, len(own)))
        for column, label in enumerate(names):
            row[label] = f"{np.nanmean(own[:, column]):.4f}"
            if name != PLAIN:
                low, high = np.percentile(np.nanmean(gain[drawn, column], axis=1), (2.5, 97.5))
                row[f"{label}, gain"] = f"{np.nanmean(gain[:, column]):+.4f} [{low:+.4f}, {high:+.4f}]"
        rows.append(row)
    return pd.DataFrame(rows).fillna("")


def conditions(options: argparse.Namespace) -> dict[str, object]:
    """What the figures were made with."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True)  # noqa: S607
    return {
        "data": f"PHANTOM, drawn on the fly; test seed {TEST_SEED}",
        "net": f"Unet {FILTERS}",
        **{name: getattr(options, name) for name in ("size", "epochs", "seeds", "wrists")},
        "commit": commit.stdout.strip(),
        "hardware": f"{os.cpu_count()} cores, {platform.machine()}, {torch.get_num_threads()} threads of PyTorch",
        "versions": {name: version(name) for name in ("carpus", "torch", "monai")},
    }


if __name__ == "__main__":
    try:
        main()
    except InputError as error:
        sys.exit(f"error: {error}")
