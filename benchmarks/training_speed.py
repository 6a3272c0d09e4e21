"""Images a second in training: carpus by its recipe `carpus`, beside a plain loop that does what the authors' does.

Both in one process, in turn, step by step. Ours is `carpus.training.fit.train`, all of it: packed dataset,
augmentation, Lightning, loss, clipping, AdamW, schedule, running average, checks. Theirs: files through their loader
(`loading.py`), masks held in memory, autocast with float16 and a scaler of gradients, Dice without a sigmoid or
weighted cross-entropy, AdamW, and two times `.item()` a step. On a CPU their autocast does nothing, so that they
compute in float32; float16 is tried there once, on a small batch, and joins in if it is faster. mamba_ssm has no scan
for CPUs, so there they have its reference scan; a line with our scan in its place shows what comes from the scan and
what from the loop.

Counted are medians over the steps, of time on the clock and, on a CPU, of time of the processor, which other work on
the machine hardly changes. On a GPU the two take turns once, because our loader would work ahead in their turn.

Writes `benchmarks/results/training_speed.csv`, a row a network and side; networks that are not timed now keep their
rows. PHANTOM. The recipes' own sizes take a GPU; on a CPU choose smaller ones:

    python benchmarks/training_speed.py --image-size 256 --batch-size 2
"""

import argparse
import dataclasses
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext, suppress
from importlib.metadata import version
from pathlib import Path

import cv2
import monai
import numpy as np
import pandas as pd
import torch
import yaml
from torch import Tensor, nn
from torch.autograd import DeviceType
from torch.profiler import ProfilerActivity, profile
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset

from carpus.anatomy import is_eroded
from carpus.data.dataset import Case, Dataset
from carpus.data.layout import Split
from carpus.data.phantom_dataset import write_phantom_dataset
from carpus.data.reader import read_dataset
from carpus.files import new_file
from carpus.nets.cards import CARDS
from carpus.nets.checkpoint import build_network
from carpus.training.cases import task_cases
from carpus.training.fit import train
from carpus.training.network_info import network_info
from carpus.training.provenance import commit, machine
from carpus.training.recipe import Recipe, named_recipe
from loading import Theirs, plain, resize, warp
from mamba_networks import reference_in_place

NETS = ("Unet", "DeepLabV3+", "SegFormer", "SwinUMamba", "MedMamba")
OURS = "carpus"
RESULTS = Path(__file__).parent / "results" / "training_speed.csv"
ON_GPU = torch.cuda.is_available()
DEVICE = torch.device("cuda" if ON_GPU else "cpu")
WARM_UP = 20 if ON_GPU else 1  # On a GPU, until what the loader has ready from the start is used up.
BUSY_STEPS = 20
SMALL = 64
PATIENTS = 500 if ON_GPU else 40  # Enough for one epoch, so that no validation falls in between.


def main() -> None:
    """Times, prints and writes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nets", nargs="*", default=NETS, help=f"default: {' '.join(NETS)}")
    parser.add_argument(
        "--steps", type=int, default=40 if ON_GPU else 5, help="timed of each side, default: %(default)s"
    )
    parser.add_argument("--batch-size", type=int, help="of both sides; default: the recipe's")
    parser.add_argument("--image-size", type=int, help="of bones, both sides; default: the recipe's")
    parser.add_argument("--patients", type=int, default=PATIENTS, help="phantoms to draw, default: %(default)s")
    parser.add_argument("--out", type=Path, default=RESULTS, help="default: %(default)s")
    options = parser.parse_args()
    old = pd.read_csv(options.out).to_dict("records") if options.out.exists() else []
    with tempfile.TemporaryDirectory() as folder:
        write_phantom_dataset(Path(folder) / "data", patients=options.patients)
        dataset = read_dataset(Path(folder) / "data")
        half = not ON_GPU and half_pays(named_recipe("Unet", "paper"), dataset)
        for net in options.nets:
            rows = compare(net, dataset, Path(folder) / net, options, half=half)
            print(pd.DataFrame(rows).to_string(index=False), flush=True)
            old = [row for row in old if row["network"] != net] + rows
            with new_file(options.out) as draft:
                pd.DataFrame(old).to_csv(draft, index=False)
    with new_file(options.out.with_suffix(".yaml")) as draft:
        draft.write_text(yaml.safe_dump(conditions(), sort_keys=False), "utf-8")


def compare(
    net: str, dataset: Dataset, run: Path, options: argparse.Namespace, *, half: bool
) -> list[dict[str, object]]:
    """A row a side; with `half`, one of theirs computes in float16 on the CPU."""
    recipe, authors = (_sized(named_recipe(net, flavour), options) for flavour in ("carpus", "paper"))
    items = len(task_cases(dataset, recipe.task, Split.TRAIN)) * (1 if recipe.task == "bones" else 6)
    if (wanted := (WARM_UP + options.steps + ON_GPU * BUSY_STEPS) * recipe.batch_size) > items:
        raise SystemExit(f"{net}: {items} samples are fewer than the {wanted} of an epoch; give more --patients")
    sides = {"authors' loop": PlainLoop(authors, dataset)}
    if not ON_GPU and CARDS[net].scans:
        sides = {"authors' loop, reference scan": PlainLoop(authors, dataset, scan=reference_in_place)}
        sides["authors' loop, our scan"] = PlainLoop(authors, dataset)
    if half:
        sides["authors' loop, float16"] = PlainLoop(authors, dataset, half=True)
    turns = Turns(sides, options.steps)
    with suppress(Enough):
        train(recipe, dataset, run, tell=turns)
    ours = {clock: statistics.median(times) for clock, times in turns.times[OURS].items()}
    rows: list[dict[str, object]] = []
    for side, clocks in turns.times.items():
        row: dict[str, object] = {"network": net, "side": side, "image_size": recipe.image_size}
        row |= {"batch_size": recipe.batch_size, "steps": len(clocks["clock"])}
        for clock, times in clocks.items():
            median = statistics.median(times)
            row[f"images_a_second_{clock}"] = round(recipe.batch_size / median, 3)
            row[f"ours_times_faster_{clock}"] = round(median / ours[clock], 2)
        rows.append({**row, "gpu_busy": turns.busy if side == OURS else None, "commit": commit()})
    return rows


class Enough(Exception):  # noqa: N818
    """Ends a training of which enough was seen."""


class Turns:
    """Told after each of our steps: notes its time and lets the other sides make theirs."""

    def __init__(self, sides: dict[str, "PlainLoop"], steps: int) -> None:
        self.sides = sides
        self.steps = steps
        self.times: dict[str, dict[str, list[float]]] = {name: {} for name in (OURS, *sides)}
        self.busy: float | None = None
        self.profile = profile(activities=[ProfilerActivity.CUDA])
        self.started = _now()

    def __call__(self, done: int, _total: int, _words: str) -> None:
        """After our step number `done`."""
        timed = done - WARM_UP
        if 0 < timed <= self.steps:
            self._note(OURS)
        if not ON_GPU:
            for name, side in self.sides.items():
                self.started = _now()
                side.step()
                if timed > 0:
                    self._note(name)
        elif timed == self.steps:
            self.profile.start()
        elif timed == self.steps + BUSY_STEPS:
            self._end_on_gpu()
        if timed >= self.steps and not ON_GPU:
            raise Enough
        self.started = _now()

    def _end_on_gpu(self) -> None:
        """The part of the time in which the GPU computed or copied, then the other sides' turn."""
        self.profile.stop()
        work = [e for e in self.profile.events() if e.device_type == DeviceType.CUDA and not e.is_user_annotation]
        first, last = min(e.time_range.start for e in work), max(e.time_range.end for e in work)
        self.busy = round(sum(e.time_range.elapsed_us() for e in work) / (last - first), 3)
        for name, side in self.sides.items():
            for step in range(WARM_UP + self.steps):
                self.started = _now()
                side.step()
                if step >= WARM_UP:
                    self._note(name)
        raise Enough

    def _note(self, name: str) -> None:
        for clock, now in _now().items():
            self.times[name].setdefault(clock, []).append(now - self.started[clock])


class PlainLoop:
    """The authors' trainer, a step at a time."""

    def __init__(
        self, recipe: Recipe, dataset: Dataset, *, half: bool = ON_GPU, scan: Callable[[], object] = nullcontext
    ) -> None:
        torch.manual_seed(recipe.seed)
        self.network = build_network(network_info(recipe, trained_on="phantom")).train().to(DEVICE)
        self.optimizer = torch.optim.AdamW(self.network.parameters(), lr=recipe.lr)
        self.loss: nn.Module = monai.losses.DiceLoss(sigmoid=False, squared_pred=True)
        if recipe.task == "erosion":
            self.loss = nn.CrossEntropyLoss(weight=torch.tensor([1.0, 6.0])).to(DEVICE)
        self.scaler = torch.amp.GradScaler(DEVICE.type, enabled=ON_GPU)
        self.half = half
        self.scan = scan
        self.batches = _for_ever(_their_samples(recipe, dataset), recipe.batch_size)
        self.total = 0.0

    def step(self) -> None:
        """One batch from loading to the new weights."""
        image, truth = next(self.batches)
        if truth.ndim > 1:
            truth[truth > 0.5] = 1
            truth[truth <= 0.5] = 0
        image, truth = image.to(DEVICE), truth.to(DEVICE)
        if truth.ndim > 1:
            truth = truth.float()  # MONAI's Dice has taken no whole numbers since
        with self.scan():  # type: ignore[attr-defined]
            with torch.autocast(DEVICE.type, torch.float16, enabled=self.half):
                loss = self.loss(self.network(image), truth)
            self.scaler.scale(loss).backward()
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.optimizer.zero_grad()
        self.total += loss.item()
        f"loss: {loss.item():.4f}"


class TheirJoints(TorchDataset[tuple[Tensor, int]]):
    """Joint regions as the authors' code makes them; nothing is flipped."""

    def __init__(self, cases: tuple[Case, ...], size: int) -> None:
        self.items = [
            (case.rois[joint], is_eroded(score)) for case in cases for joint, score in (case.scores or {}).items()
        ]
        self.size = size
        self.chance = np.random.default_rng(0)

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        path, eroded = self.items[index]
        pixels = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)[..., np.newaxis]
        image = ((pixels - np.min(pixels)) / (np.max(pixels) - np.min(pixels))).astype(np.float32)
        image = resize(plain(image), cv2.INTER_LINEAR, size=self.size)
        chance, middle = self.chance, self.size / 2 - 0.5
        if chance.random() < 0.5:
            matrix = cv2.getRotationMatrix2D((middle, middle), chance.uniform(-10, 10), 1 + chance.uniform(-0.1, 0.1))
            matrix[:, 2] += chance.uniform(-0.0625, 0.0625, 2) * self.size
            image = warp(image, cv2.INTER_LINEAR, matrix=matrix)
        if chance.random() < 0.5:
            gain, offset = 1 + chance.uniform(-0.2, 0.2), chance.uniform(-0.2, 0.2)
            image = np.clip(image * np.float32(gain) + np.float32(offset), 0, 1)
        return torch.from_numpy(plain(image.transpose(2, 0, 1))).float(), int(eroded)


def half_pays(recipe: Recipe, dataset: Dataset) -> bool:
    """Whether float16 is faster than float32 on this CPU, by one step on two small images after another."""
    small = dataclasses.replace(recipe, image_size=SMALL, batch_size=2)
    seconds = []
    for half in (False, True):
        loop = PlainLoop(small, dataset, half=half)
        loop.step()
        start = time.process_time()
        loop.step()
        seconds.append(time.process_time() - start)
    print(f"{recipe.net}, two images of {SMALL} px: float32 {seconds[0]:.2f} s, float16 {seconds[1]:.2f} s", flush=True)
    return seconds[1] < seconds[0]


def conditions() -> dict[str, object]:
    """What the figures were made with."""
    return {
        "data": "PHANTOM",
        "hardware": f"{os.cpu_count()} cores, {platform.machine()}, {torch.get_num_threads()} threads of PyTorch",
        "machine": machine(),
        "bfloat16 on the CPU": torch.cpu._is_avx512_bf16_supported(),
        "versions": {name: version(name) for name in ("carpus", "torch", "lightning", "monai")},
        "commit": commit(),
    }


def _sized(recipe: Recipe, options: argparse.Namespace) -> Recipe:
    size = options.image_size if recipe.task == "bones" else None
    return dataclasses.replace(
        recipe, image_size=size or recipe.image_size, batch_size=options.batch_size or recipe.batch_size
    )


def _their_samples(recipe: Recipe, dataset: Dataset) -> TorchDataset[tuple[Tensor, Tensor | int]]:
    cases = task_cases(dataset, recipe.task, Split.TRAIN)
    if recipe.task == "erosion":
        return TheirJoints(cases, recipe.image_size)
    held = {str(case.id): np.load(case.masks) for case in cases if case.masks is not None}
    return Theirs(cases, held, train=True, size=recipe.image_size)


def _for_ever(samples: TorchDataset[tuple[Tensor, Tensor | int]], batch_size: int) -> Iterator[list[Tensor]]:
    while True:
        yield from DataLoader(samples, batch_size=batch_size, shuffle=True, drop_last=True)


def _now() -> dict[str, float]:
    """Seconds by the clock, and of the processor where that is what computes, once all work so far is done."""
    if ON_GPU:
        torch.cuda.synchronize()
        return {"clock": time.perf_counter()}
    return {"clock": time.perf_counter(), "processor": time.process_time()}


if __name__ == "__main__":
    main()
