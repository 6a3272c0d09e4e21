"""How fast the bone metrics are beside the benchmark authors' way, on phantom masks, and whether both agree.

The authors' way is MONAI's metrics called for each bone and each pair, and a line of Python for the RAVD. Both sides
start from the same arrays, in one process, on one thread, with everything compiled and warm. An image is scored again
and again, so its masks are in the cache, as they are just after a network made them; its time is the median of the
repeats, and the mean over the images is printed.

Example:
    python benchmarks/bone_metrics.py
    python benchmarks/bone_metrics.py --prediction visit --size 600
"""

import argparse
import statistics
import time
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import cv2
import monai.metrics
import numpy as np
import torch
from jaxtyping import Bool, Float64

from carpus.anatomy import OVERLAP_PAIRS
from carpus.imaging import BoneMasks, Box
from carpus.metrics import STRUCTURES, measure_bones, measure_many, measure_stacks
from carpus.phantom import draw, plan_cohort

FILM = (2010, 1670)
PREDICTIONS = {
    "moved": "dilated by one pixel and moved by (2, 1): most distances are 1 to 3 px",
    "visit": "another wrist of the cohort: distances of many pixels",
}


def main() -> None:
    """Times both ways and prints what came out."""
    arguments = _arguments()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    warnings.simplefilter("ignore")  # MONAI warns of empty masks and of its own deprecations

    pairs = phantoms(arguments.size, prediction=arguments.prediction, images=arguments.images)
    print(f"{len(pairs)} phantoms of {arguments.size} x {arguments.size}, prediction: {arguments.prediction}")
    start = time.perf_counter()
    measure_bones(*pairs[0])
    measure_stacks(*(masks.stack() for masks in pairs[0]))
    print(f"first call, loading or compiling: {time.perf_counter() - start:.1f} s")
    compare_ways(pairs, repeats=arguments.repeats)
    compare_threads(pairs, repeats=arguments.repeats)

    height, width = FILM
    visit = plan_cohort(patients=8, seed=0)[0]
    whole = draw(visit, size_px=height).masks
    whole = whole.cropped(Box((height - width) // 2, 0, width, height))
    print(f"one phantom of {height} x {width}, prediction: moved")
    compare_ways([(whole, moved(whole))], repeats=max(1, arguments.repeats // 10))


def phantoms(size: int, *, prediction: str, images: int) -> list[tuple[BoneMasks, BoneMasks]]:
    """Reference and prediction of some phantoms."""
    visits = plan_cohort(patients=max(8, images), seed=0)
    masks = [draw(visit, size_px=size).masks for visit in visits[: images + 1]]
    predicted = masks[1:] if prediction == "visit" else [moved(one) for one in masks[:-1]]
    return list(zip(masks[:-1], predicted, strict=True))


def moved(masks: BoneMasks) -> BoneMasks:
    """The bones dilated by one pixel and moved by two rows and one column."""
    shifted = np.zeros_like(masks.plane)
    shifted[2:, 1:] = masks.plane[:-2, :-1]
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    stack = [cv2.dilate(mask.astype(np.uint8), cross) > 0 for mask in BoneMasks(shifted).stack()]
    return BoneMasks.from_stack(np.stack(stack))


def compare_ways(pairs: list[tuple[BoneMasks, BoneMasks]], *, repeats: int) -> None:
    """Prints the time an image of each way, and the largest difference of any value."""
    metrics = _monai_metrics()
    seconds, largest = [], []
    for pair in pairs:
        reference, predicted = (masks.stack() for masks in pair)
        authors, expected = timed(partial(authors_way, reference, predicted, metrics), repeats=max(1, repeats // 50))
        arrays, from_arrays = timed(partial(measure_stacks, reference, predicted), repeats=repeats)
        planes, from_planes = timed(partial(measure_bones, *pair), repeats=repeats)
        seconds.append((authors, arrays, planes))
        largest.append([difference(found.values, expected) for found in (from_arrays, from_planes)])
    authors, arrays, planes = np.mean(seconds, axis=0) * 1e3
    print(f"  authors {authors:10.3f} ms an image")
    for name, ours, apart in (("arrays", arrays, 0), ("planes", planes, 1)):
        most = max(one[apart] for one in largest)
        print(f"  {name} {ours:11.3f} ms an image, {authors / ours:.0f} x, largest relative difference {most:.1e}")


def compare_threads(pairs: list[tuple[BoneMasks, BoneMasks]], *, repeats: int) -> None:
    """Prints the time of a batch on one thread and on two."""
    batch = pairs * max(1, 256 // len(pairs))
    one, _ = timed(lambda: measure_many(batch, threads=1), repeats=max(1, repeats // 20))
    two, _ = timed(lambda: measure_many(batch, threads=2), repeats=max(1, repeats // 20))
    print(f"  {len(batch)} images: {one * 1e3:.1f} ms on one thread, {two * 1e3:.1f} ms on two, {one / two:.2f} x")


def authors_way(
    reference_stack: Bool[np.ndarray, "14 h w"], predicted_stack: Bool[np.ndarray, "14 h w"], metrics: list[Any]
) -> Float64[np.ndarray, "28 5"]:
    """The five metrics of each structure of one image; metrics are dsc, nsd, voe and msd."""
    rows = []
    for one, other in zip(structures(reference_stack), structures(predicted_stack), strict=True):
        reference, predicted = _tensor(one), _tensor(other)
        values = []
        for metric in metrics:
            metric(y_pred=predicted, y=reference)
            values.append(metric.aggregate().item())
            metric.reset()
        area = reference.sum().item()
        ravd = abs(predicted.sum().item() - area) / area if area else np.nan
        rows.append([*values[:2], 1 - values[2], values[3], ravd])
    return np.array(rows)


def difference(values: Float64[np.ndarray, "28 5"], expected: Float64[np.ndarray, "28 5"]) -> float:
    """The largest of the defined values, relative above 1; MONAI computes in 32 bits."""
    # Without a reference MONAI leaves Dice and IoU out, and means over no image come out as 0.
    defined = np.isfinite(expected) & np.isfinite(values) & ~np.isnan(expected[:, 4:])
    assert np.array_equal(np.isinf(values), np.isinf(expected) & ~np.isnan(values))
    return float((np.abs(values - expected) / np.maximum(1, np.abs(expected)))[defined].max())


def structures(stack: Bool[np.ndarray, "14 h w"]) -> list[Bool[np.ndarray, "h w"]]:
    """The masks of `STRUCTURES`."""
    masks = [*stack, *(stack[one.channel] & stack[other.channel] for one, other in OVERLAP_PAIRS)]
    assert len(masks) == len(STRUCTURES)
    return masks


def timed(work: Callable[[], Any], *, repeats: int) -> tuple[float, Any]:
    """Seconds, the median of the repeats after one to warm up, and the result."""
    result = work()
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        result = work()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds), result


def _tensor(mask: Bool[np.ndarray, "h w"]) -> torch.Tensor:
    return torch.from_numpy(mask.astype(np.float32))[None, None]


def _monai_metrics() -> list[Any]:
    whole = {"include_background": True}
    return [
        monai.metrics.DiceMetric(**whole),
        monai.metrics.SurfaceDiceMetric(class_thresholds=[2.0], **whole),
        monai.metrics.MeanIoU(**whole),
        monai.metrics.SurfaceDistanceMetric(symmetric=True, **whole),
    ]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    predictions = "; ".join(f"{name}: {meaning}" for name, meaning in PREDICTIONS.items())
    parser.add_argument(
        "--size", type=int, default=512, help="edge of the images in pixels (default: 512, the paper's)"
    )
    parser.add_argument("--images", type=int, default=4, help="how many phantoms (default: 4)")
    parser.add_argument("--repeats", type=int, default=200, help="of ours; MONAI has a fiftieth (default: 200)")
    parser.add_argument("--prediction", choices=PREDICTIONS, default="moved", help=f"{predictions} (default: moved)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
