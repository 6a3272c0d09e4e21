"""How many drawn films `carpus read` would find the wrist on, of whole hands and of wrists, with and without a scale.

A film counts as refused where the reading would refuse it, and as found where it is read and the bones are outlined;
the mean DSC is that of the films found, inside the square that the reading calls the wrist. PHANTOM: nothing here says
anything of patients. Run from the repository:

    python benchmarks/drawn_films.py
"""

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from carpus.anatomy import Bone, Side
from carpus.errors import InputError
from carpus.files import new_file
from carpus.imaging import BoneMasks, Radiograph
from carpus.inference.looks import CROP_PX
from carpus.inference.model import Model, load_model
from carpus.inference.outline import outline_wrist
from carpus.inference.trust import doubts, refuse_no_adult_wrist
from carpus.inference.weights import bundled_weights
from carpus.metrics import measure_bones
from carpus.phantom.samples import Sample, draw_film, sample

RESULTS = Path(__file__).parent / "results"
SEED = 123
KINDS: dict[str, tuple[Callable[[np.random.Generator], Sample], bool]] = {
    "whole hand": (draw_film, True),
    "whole hand, no scale": (draw_film, False),
    "wrist, no scale": (partial(sample, size_px=CROP_PX), False),
}
"""How each is drawn, and whether its scale is told."""


def main() -> None:
    """Draws, finds, counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--films", type=int, default=60, help="of each kind, default: %(default)s")
    parser.add_argument("--bones", type=Path, help="checkpoint of the bone network, default: the one that comes along")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of the table")
    options = parser.parse_args()
    model = load_model(options.bones or bundled_weights("bones"), task="bones")
    print(f"PHANTOM, seed {SEED}, {options.films} films of each kind")
    table = pd.DataFrame([counted(kind, options.films, model) for kind in KINDS])
    print(table.to_string(index=False))
    with new_file(options.results / "drawn_films.csv") as draft:
        table.to_csv(draft, index=False)


def counted(kind: str, films: int, model: Model) -> dict[str, object]:
    """One kind's row."""
    draw, is_scaled = KINDS[kind]
    refused, wrong_side, doubted, dsc = 0, 0, 0, []
    for number in range(films):
        drawn = draw(np.random.default_rng([SEED, number]))
        try:
            wrist = outline_wrist(Radiograph(drawn.pixels, drawn.spacing_mm if is_scaled else None), bones=model)
            refuse_no_adult_wrist(wrist)
        except InputError:
            refused += 1
            continue
        truth = BoneMasks(np.ascontiguousarray(np.rot90(drawn.plane, wrist.turns))).cropped(wrist.box)
        values = measure_bones(truth.resized(height=CROP_PX, width=CROP_PX), wrist.masks).values[: len(Bone), 0]
        dsc.append(float(np.nanmean(values)))
        wrong_side += wrist.thumb_left != (drawn.side is Side.RIGHT)
        doubted += bool(doubts(wrist))
    least, mean = (round(float(of(dsc)), 3) for of in (np.min, np.mean))
    return {
        "kind": kind,
        "films": films,
        "refused": refused,
        "wrong side": wrong_side,
        "doubted": doubted,
        "mean DSC": mean,
        "least DSC": least,
    }


if __name__ == "__main__":
    main()
