"""How fast samples of a training come, beside the loader of RAM-W600's authors, and how long it takes to begin.

Both sides in one process on one thread, batches of 8 through a `DataLoader` without workers, the fourteen masks
spread out, image from 0 to 1, 512 x 512. Counted is processor time, so that other work on the machine matters little;
all files have been read once.

The authors' side does what their code does, step by step and with the same OpenCV calls: the BMP read and scaled to
0 to 1 in double precision, left hands flipped, image and masks resized, half of them enlarged to 2.0 to 2.1 times and
cut back to the middle, half of them shifted, scaled and turned, half of them changed in brightness and contrast; each
step makes its result contiguous, and masks go through OpenCV four channels at a time. Their code holds the masks of
all wrists in memory (5 MB each); the second line is the same with masks read when they are needed.

Example:
    python benchmarks/loading.py
    python benchmarks/loading.py --images 200
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from carpus.anatomy import Bone, Side
from carpus.data.case import CaseId
from carpus.data.dataset import Case
from carpus.data.layout import Split, bone_images, bone_masks
from carpus.data.packed import Packed
from carpus.data.packing import CACHE_FOLDER, open_packed
from carpus.data.reader import read_dataset
from carpus.data.torch_datasets import BoneDataset, EpochSampler, as_batch, unpack_masks
from carpus.data.writer import StudyRow, write_bones, write_metadata
from carpus.phantom import draw, plan_cohort
from carpus.training.augmentation import augment
from carpus.training.recipe import Augmentation

DRAWN = 24
SIZE = 512
BATCH = 8
Batch = tuple[torch.Tensor, torch.Tensor]


def main() -> None:
    """Writes the dataset, loads from it both ways, and prints samples a second."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=1000, help="wrists in the dataset (default: 1000)")
    parser.add_argument("--theirs", type=int, default=96, help="samples timed of the authors' side (default: 96)")
    parser.add_argument("--rounds", type=int, default=3, help="each side in turn; the best counts (default: 3)")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "dataset"
        write(root, arguments.images)
        started = time.perf_counter()
        open_packed(read_dataset(root), "bones")
        size = sum(path.stat().st_size for path in (root / CACHE_FOLDER).iterdir())
        print(f"{arguments.images} wrists packed once in {time.perf_counter() - started:.1f} s, {size / 1e6:.0f} MB")
        compare(root, theirs=arguments.theirs, rounds=arguments.rounds)


def compare(root: Path, *, theirs: int, rounds: int) -> None:
    """Prints start-up, memory, and samples a second of both sides."""
    started = time.perf_counter()
    dataset = read_dataset(root)
    packed = open_packed(dataset, "bones")
    assert packed is not None
    samples = BoneDataset(dataset.cases, image_size=SIZE, mirror_left=True, packed=packed)
    print(f"start-up with {len(samples)} wrists (index read, cache opened): {time.perf_counter() - started:.2f} s")

    cases = dataset.cases
    ours = {
        True: partial(our_batches, cases, packed, train=True),
        False: partial(our_batches, cases, packed, train=False),
    }
    for batches in ours.values():
        next(batches())  # compiled, or read from the disk's copy
    before = anonymous_mb()
    sum(len(image) for image, _ in ours[True]())
    print(f"memory that an epoch of {len(samples)} wrists leaves behind: {anonymous_mb() - before:.0f} MB")
    few = cases[:theirs]
    before = anonymous_mb()
    held = {str(case.id): np.load(case.masks) for case in few if case.masks is not None}
    print(f"the authors' masks in memory: {anonymous_mb() - before:.0f} MB for {len(few)} wrists")

    for train in (True, False):
        sides: dict[str, Callable[[], Iterator[Batch]]] = {
            "carpus, masks spread out": ours[train],
            "carpus, masks left packed for the device": partial(ours[train], unpacked=False),
            "authors' loader, masks in memory": partial(their_batches, few, held, train=train),
            "authors' loader, masks read from disk": partial(their_batches, few, None, train=train),
        }
        best = dict.fromkeys(sides, 0.0)
        for _ in range(rounds):
            for name, batches in sides.items():
                best[name] = max(best[name], speed(batches))
        fast, packed_fast, slow, _ = best.values()
        print(f"{'training' if train else 'validation'} samples a second and core")
        for name, figure in best.items():
            print(f"  {name:42} {figure:7.1f}")
        print(f"  ratio to the masks in memory: {fast / slow:.1f}, left packed {packed_fast / slow:.1f}")


def speed(batches: Callable[[], Iterator[Batch]]) -> float:
    """Samples a second of processor time."""
    start = time.process_time()
    count = sum(len(image) for image, _ in batches())
    return count / (time.process_time() - start)


def our_batches(cases: tuple[Case, ...], packed: Packed, *, train: bool, unpacked: bool = True) -> Iterator[Batch]:
    """An epoch of carpus."""
    change = partial(augment, settings=Augmentation()) if train else None
    samples = BoneDataset(cases, image_size=SIZE, mirror_left=True, augment=change, packed=packed)
    sampler = EpochSampler(len(samples), seed=0, shuffle=train)
    memory = torch.empty((BATCH, len(Bone), SIZE, SIZE), dtype=torch.bool)
    for image, planes in DataLoader(samples, batch_size=BATCH, sampler=sampler, collate_fn=as_batch):
        yield image, unpack_masks(planes, out=memory[: len(planes)]) if unpacked else planes


def their_batches(cases: tuple[Case, ...], held: dict[str, np.ndarray] | None, *, train: bool) -> Iterator[Batch]:
    """An epoch of the authors' side."""
    yield from DataLoader(Theirs(cases, held, train=train), batch_size=BATCH, shuffle=train)


class Theirs(Dataset[Batch]):
    """Items as the authors' code makes them."""

    def __init__(
        self, cases: tuple[Case, ...], held: dict[str, np.ndarray] | None, *, train: bool, size: int = SIZE
    ) -> None:
        self.cases = cases
        self.held = held
        self.size = size
        self.train = train
        self.chance = np.random.default_rng(0)

    def __len__(self) -> int:
        return len(self.cases)

    def __getitem__(self, index: int) -> Batch:
        case = self.cases[index]
        assert case.masks is not None
        masks = np.load(case.masks) if self.held is None else self.held[str(case.id)]
        pixels = cv2.imread(str(case.image), cv2.IMREAD_GRAYSCALE)
        if case.id.side is Side.LEFT:
            pixels, masks = cv2.flip(pixels, 1), masks[:, :, ::-1]
        masks = masks.transpose(1, 2, 0)
        pixels = pixels[..., np.newaxis]
        image = ((pixels - np.min(pixels)) / (np.max(pixels) - np.min(pixels))).astype(np.float32)
        image, masks = both(image, masks, partial(resize, size=self.size))
        if self.train:
            image, masks = self.changed(image, masks)
        return torch.from_numpy(plain(image.transpose(2, 0, 1))).float(), torch.from_numpy(masks).permute(2, 0, 1)

    def changed(self, image: np.ndarray, masks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The four random steps, with the limits of the authors' code and the library's defaults."""
        chance, size = self.chance, self.size
        if chance.random() < 0.5:
            image, masks = both(image, masks, partial(resize, size=int(size * (1 + chance.uniform(1.0, 1.1)))))
        start = (image.shape[0] - size) // 2
        middle = slice(start, start + size)
        image, masks = plain(image[middle, middle]), plain(masks[middle, middle])
        if chance.random() < 0.5:
            centre = (size / 2 - 0.5, size / 2 - 0.5)
            matrix = cv2.getRotationMatrix2D(centre, chance.uniform(-10, 10), 1 + chance.uniform(-0.1, 0.1))
            matrix[:, 2] += chance.uniform(-0.0625, 0.0625, 2) * size
            image, masks = both(image, masks, partial(warp, matrix=matrix))
        if chance.random() < 0.5:
            gain, offset = 1 + chance.uniform(-0.2, 0.2), chance.uniform(-0.2, 0.2)
            image = np.clip(image * np.float32(gain) + np.float32(offset), 0, 1)
        return image, masks


def both(
    image: np.ndarray, masks: np.ndarray, step: Callable[[np.ndarray, int], np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """One step on the image, bilinear, and on the masks, nearest."""
    return plain(step(plain(image), cv2.INTER_LINEAR)), plain(step(plain(masks), cv2.INTER_NEAREST))


def plain(array: np.ndarray) -> np.ndarray:
    """Contiguous, as every step gets and leaves it."""
    return np.ascontiguousarray(array)


def resize(array: np.ndarray, how: int, *, size: int) -> np.ndarray:
    """To size x size; nothing is done to what has that size."""
    if array.shape[:2] == (size, size):
        return array
    return by_channels(array, lambda part: cv2.resize(part, (size, size), interpolation=how))


def warp(array: np.ndarray, how: int, *, matrix: np.ndarray) -> np.ndarray:
    """Moved by an affine matrix."""
    height, width = array.shape[:2]
    return by_channels(array, lambda part: cv2.warpAffine(part, matrix, (width, height), flags=how))


def by_channels(array: np.ndarray, step: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """The step on at most four channels at a time, as OpenCV takes them."""
    channels = array.shape[2]
    if channels <= 4:
        done = step(array)
        return done[..., np.newaxis] if done.ndim == 2 else done
    return np.dstack([step(array[:, :, first : first + 4]) for first in range(0, channels, 4)])


def anonymous_mb() -> float:
    """Memory of this process that no file stands behind; mapped pages of the cache can be dropped at any time."""
    if not sys.platform.startswith("linux"):
        return float("nan")
    status = Path("/proc/self/status").read_text("ascii")
    return int(status.split("RssAnon:")[1].split()[0]) / 1e3


def write(root: Path, images: int) -> None:
    """Writes a dataset of phantoms: some are drawn, and the rest are links to their files under other names."""
    visits = plan_cohort(patients=12, seed=0)[:DRAWN]
    first: list[CaseId] = []
    studies = []
    for number in range(images):
        visit = visits[number % len(visits)]
        case = CaseId(f"{number:04}", "0001", visit.side.value)
        studies.append(StudyRow(case.patient, case.study, "F", 60, "HMCRD", 1))
        if number < len(visits):
            phantom = draw(visit)
            write_bones(root, case, phantom.radiograph, phantom.masks, split=Split.TRAIN)
            first.append(case)
            continue
        like = first[number % len(visits)]
        link(bone_images(root) / f"{like}.bmp", bone_images(root) / f"{case}.bmp")
        link(bone_masks(root) / "train" / f"{like}.npy", bone_masks(root) / "train" / f"{case}.npy")
    write_metadata(root, studies)


def link(source: Path, target: Path) -> None:
    """A second name for a file, or a copy where there are no links."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy(source, target)


if __name__ == "__main__":
    main()
