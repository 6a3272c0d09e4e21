"""How many training samples one core draws in a second, beside the phantoms of a cohort; and how bones overlap in them.

Both sides run in one thread and in turns. Seconds are those of the processor, so that other work on the machine counts
little; the clock's are printed as well. The overlaps are those of the fourteen pairs that the benchmark scores, over
crops of both sides.

Example:
    python benchmarks/phantom_samples.py
    python benchmarks/phantom_samples.py --samples 400
"""

import argparse
import time
from collections.abc import Callable

import cv2
import numpy as np

from carpus.anatomy import OVERLAP_PAIRS, Bone, pair_name
from carpus.imaging.masks import BoneMasks
from carpus.phantom import draw, plan_cohort
from carpus.phantom.samples import Sample, draw_film, sample

SIZE_PX = 512
ROUNDS = 5


def main() -> None:
    """Draws with both and prints what that took and what was drawn."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=200, help="training samples (default: 200)")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    each = max(arguments.samples // ROUNDS, 1)
    generator = np.random.default_rng(0)
    visits = plan_cohort(patients=24, seed=0)
    sample(generator), draw_film(generator), draw(visits[0], size_px=SIZE_PX)  # compiles

    drawn: list[Sample] = []
    ours, clock, cohort, films = 0.0, 0.0, 0.0, 0.0
    few = max(each // 4, 1)
    for turn in range(ROUNDS):
        start = time.perf_counter()
        ours += seconds(lambda: drawn.append(sample(generator, size_px=SIZE_PX)), each)
        clock += time.perf_counter() - start
        numbers = iter(range(turn * few, (turn + 1) * few))
        cohort += seconds(lambda numbers=numbers: draw(visits[next(numbers) % len(visits)], size_px=SIZE_PX), few)  # type: ignore[misc]
        films += seconds(lambda: draw_film(generator), 1)
    mine, theirs = ROUNDS * each / ours, ROUNDS * few / cohort
    print(f"training samples, {SIZE_PX} x {SIZE_PX}, one thread: {mine:.1f} a second of the processor")
    print(f"  by the clock, with what else ran: {ROUNDS * each / clock:.1f} a second")
    print(f"phantoms of a cohort, {SIZE_PX} x {SIZE_PX}, one thread: {theirs:.1f} a second of the processor")
    print(f"  ratio: {mine / theirs:.1f}")
    print(f"whole hands, about 1200 x 960: {ROUNDS / films:.1f} a second of the processor")
    print_overlaps(drawn)


def seconds(work: Callable[[], object], times: int) -> float:
    """Seconds of the processor that so many repetitions take."""
    start = time.process_time()
    for _ in range(times):
        work()
    return time.process_time() - start


def print_overlaps(drawn: list[Sample]) -> None:
    """Prints, pair by pair, how often and how much two bones cover each other."""
    masks = [BoneMasks(each.plane) for each in drawn]
    missing = [sum(not each.mask(bone).any() for each in masks) for bone in Bone]
    print(
        f"{len(drawn)} samples; all fourteen bones in {sum(_complete(each) for each in masks) / len(masks):.0%} of them"
    )
    print(f"  missing most often: {max(zip(missing, (bone.label for bone in Bone), strict=True))}")
    print("pair        overlap in   median mm2   10 to 90 %   of the smaller bone")
    for pair in OVERLAP_PAIRS:
        areas, shares = [], []
        for each, plane in zip(drawn, masks, strict=True):
            both = int(plane.overlap(*pair).sum())
            smaller = min(int(plane.mask(bone).sum()) for bone in pair)
            if smaller:
                areas.append(both * each.spacing_mm**2)
                shares.append(both / smaller)
        low, middle, high = np.percentile(areas, [10, 50, 90])
        often = float(np.mean(np.array(areas) > 0))
        print(f"{pair_name(pair):<12}{often:>9.0%}{middle:>13.1f}{low:>8.1f} to {high:<5.1f}{np.median(shares):>10.0%}")


def _complete(masks: BoneMasks) -> bool:
    return all(masks.mask(bone).any() for bone in Bone)


if __name__ == "__main__":
    main()
