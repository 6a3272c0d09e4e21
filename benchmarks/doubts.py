"""How often `carpus read` refuses or doubts drawn wrists, where it should and where it should not.

Wrists of each kind are drawn anew: as they are, without metal and fused bones; with fused carpal bones; with a pin or a
plate of metal; cut off by the film through the carpus; and decoys, on their edge or a jumble of bones. A refusal or a
doubt is right in all but the first, and in the first it is right where the outlines are poor (mean DSC below 0.85).

Run from the repository:

    python benchmarks/doubts.py
"""

import argparse
import csv
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from unittest.mock import patch

import numpy as np

import carpus.phantom.samples
import carpus.phantom.samples.hand
from carpus.anatomy import Bone, Side
from carpus.errors import InputError
from carpus.files import new_file
from carpus.imaging import BoneMasks, Box, Radiograph
from carpus.inference.atlas import place_bones
from carpus.inference.looks import CROP_PX, CROP_SPACING_MM, SEVERAL, look_at
from carpus.inference.model import Model, load_model
from carpus.inference.outline import OutlinedWrist
from carpus.inference.trust import doubts, refuse_no_adult_wrist
from carpus.inference.weights import bundled_weights
from carpus.metrics import measure_bones
from carpus.phantom.samples import Sample, draw_decoy, sample
from carpus.phantom.samples.damage import Damage, draw_damage
from carpus.phantom.samples.kernels import add_line

RESULTS = Path(__file__).parent / "results"
POOR_DSC = 0.85
FEWEST_BONES = 3
"""Of which it can be said how they lie; a film with fewer is refused."""

SEED = 9


@dataclass(frozen=True)
class Judged:
    """One wrist: mean DSC of its outlines (0 of none on a film that shows none), and what was said against it."""

    dsc: float
    said: tuple[str, ...]


def main() -> None:
    """Draws, reads, counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wrists", type=int, default=60, help="of each kind, default: %(default)s")
    parser.add_argument("--bones", type=Path, help="checkpoint of the bone network, default: the one that comes along")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of the table")
    options = parser.parse_args()
    model = load_model(options.bones or bundled_weights("bones"), task="bones")
    rows = []
    for kind, draw in KINDS.items():
        judged = [judge(draw(np.random.default_rng([SEED, i])), model) for i in range(options.wrists)]
        rows += [
            row(kind, [one for one in judged if (one.dsc < POOR_DSC) == is_poor], is_poor) for is_poor in (False, True)
        ]
    header = list(rows[0])
    print(f"PHANTOM, seed {SEED}, {options.wrists} wrists of each kind")
    print("\n".join("\t".join(map(str, each.values())) for each in [dict(zip(header, header, strict=True)), *rows]))
    with new_file(options.results / "doubts.csv") as draft, draft.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, header)
        writer.writeheader()
        writer.writerows(rows)


def plain(generator: np.random.Generator) -> Sample:
    """A wrist without metal and without fused bones."""
    return drawn(generator, damage=lambda own: replace(own, ankylosis=False))


def fused(generator: np.random.Generator) -> Sample:
    """A wrist whose carpal bones have grown together."""
    return drawn(generator, damage=lambda own: replace(own, ankylosis=True, narrowing_mm=1.5))


def pinned(generator: np.random.Generator) -> Sample:
    """A wrist with a pin or a plate of 12 to 40 mm."""

    def put(attenuation: np.ndarray, generator: np.random.Generator, *, spacing_mm: float, side: Side) -> None:  # noqa: ARG001
        height, width = attenuation.shape
        start = np.array([width, height]) * generator.uniform(0.3, 0.7, 2)
        angle, length = generator.uniform(0, 2 * np.pi), generator.uniform(12, 40) / spacing_mm
        ends = np.stack([start, start + length * np.array([np.cos(angle), np.sin(angle)])])
        add_line(attenuation, ends, False, spacing_mm, generator.uniform(0.5, 4), generator.uniform(2, 6))

    return drawn(generator, damage=lambda own: replace(own, ankylosis=False), metal=put)


def cut_off(generator: np.random.Generator) -> Sample:
    """A wrist of which the film shows only what lies to one side of the capitate's middle."""
    whole = plain(generator)
    columns = np.nonzero(whole.plane & (1 << Bone.CAPITATE.channel))[1]
    end = int(np.median(columns)) if len(columns) else CROP_PX // 2
    return replace(whole, pixels=whole.pixels[:, :end], plane=whole.plane[:, :end])


def decoy(generator: np.random.Generator) -> Sample:
    """A hand on its edge, or a jumble of bones."""
    return draw_decoy(generator, size_px=CROP_PX)


KINDS: dict[str, Callable[[np.random.Generator], Sample]] = {
    "as it is": plain,
    "fused": fused,
    "metal": pinned,
    "cut off": cut_off,
    "decoy": decoy,
}


def no_metal(*_: object, **_more: object) -> None:
    """In the place of what puts metal on films at times."""


def drawn(
    generator: np.random.Generator,
    *,
    damage: Callable[[Damage], Damage],
    metal: Callable[..., None] = no_metal,
) -> Sample:
    """A wrist whose damage and metal are chosen."""
    with (
        patch.object(carpus.phantom.samples.hand, "draw_damage", lambda chance: damage(draw_damage(chance))),
        patch.object(carpus.phantom.samples, "put_metal", metal),
    ):
        return sample(generator, size_px=CROP_PX)


def judge(wrist: Sample, model: Model) -> Judged:
    """What is said against a wrist whose place is known."""
    film, thumb_left = Radiograph(np.ascontiguousarray(wrist.pixels)), wrist.side is Side.RIGHT
    box = Box(0, 0, CROP_PX, CROP_PX)
    look = look_at(model, film, box, thumb_left=thumb_left, places=SEVERAL)
    if sum(look.masks.mask(bone).any() for bone in Bone) < FEWEST_BONES:
        return Judged(0.0, ("refused",))
    placement = place_bones(look.masks, spacing_mm=CROP_SPACING_MM, thumb_left=thumb_left)
    outlined = OutlinedWrist(
        film=film,
        turns=0,
        box=box,
        pixels=look.pixels,
        masks=look.masks,
        confidence=look.confidence,
        placement=placement,
        thumb_left=thumb_left,
        thumb_seen=True,
        is_crop=True,
        notes=(),
    )
    shown = look.masks.cropped(Box(0, 0, wrist.plane.shape[1], CROP_PX))
    values = measure_bones(BoneMasks(np.ascontiguousarray(wrist.plane)), shown).values[: len(Bone), 0]
    dsc = float(np.nanmean(values)) if np.isfinite(values).any() else 0.0
    try:
        refuse_no_adult_wrist(outlined)
    except InputError:
        return Judged(dsc, ("refused",))
    return Judged(dsc, doubts(outlined))


WORDS = {
    "bones astray": "Not outlined",
    "leaning": "leans",
    "cut off": "Cut off",
    "metal": "denser",
    "fused": "may be fused",
    "unsure": "unsure",
}


def row(kind: str, judged: list[Judged], is_poor: bool) -> dict[str, object]:
    """How many were refused, doubted at all, and doubted for each reason."""

    def count(word: str) -> int:
        return sum(any(word in text for text in one.said) for one in judged)

    return {
        "kind": kind,
        "outlines": "poor" if is_poor else "good",
        "wrists": len(judged),
        "refused": count("refused"),
        "doubted": sum(bool(one.said) for one in judged) - count("refused"),
        **{label: count(word) for label, word in WORDS.items()},
    }


if __name__ == "__main__":
    main()
