"""RAM-W600 as PyTorch datasets: the bones of a wrist, or one joint's region with its erosion.

Pixels come from the packed cache (`packing.open_packed`), or without one from the files at every access. The fourteen
masks stay one packed plane until the batch is where it is needed; `unpack_masks` spreads them out there.

An item's key is `(epoch, index)`, and all chance in it is drawn from `(seed, epoch, index)`: the same run
gives the same samples in any order, with any number of workers, and after any interruption.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float32, Int16, Shaped, UInt16
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from carpus.anatomy import Bone, Joint, Side, is_eroded
from carpus.data import warp
from carpus.data.case import CaseId
from carpus.data.dataset import Case
from carpus.data.erosion_inputs import erosion_input
from carpus.data.packed import Packed, Pair, Source
from carpus.errors import InputError

Augment = Callable[
    [
        Shaped[np.ndarray, "h w"],
        UInt16[np.ndarray, "h w"],
        np.random.Generator,
        Float32[np.ndarray, "s s"],
        UInt16[np.ndarray, "s s"],
    ],
    None,
]
"""Writes a changed image, in 0 to 1, and the plane changed alike into the last two arguments."""
Key = tuple[int, int]
_HIDDEN = 0.25


class EpochSampler(Sampler[Key]):
    """Keys `(epoch, index)` of every item once, in an order drawn from `(seed, epoch)`.

    Args:
        length: Number of items.
        seed: Of the order.
        shuffle: Whether there is an order to draw; otherwise items come as they are.
        rare: For a balanced epoch, which items are rare, some but not all: every second key is then of a rare item,
            drawn again and again, and as many common ones are left out. A repeated item has another first number in its
            key, and with it other chance.
    """

    def __init__(self, length: int, *, seed: int, shuffle: bool, rare: Bool[np.ndarray, " n"] | None = None) -> None:
        self.length = length
        self.seed = seed
        self.shuffle = shuffle
        self.rare = rare
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Moves to another epoch; Lightning calls this."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[Key]:
        if self.rare is not None:
            return iter(self._balanced(self.rare))
        order = np.arange(self.length)
        if self.shuffle:
            np.random.default_rng([self.seed, self.epoch]).shuffle(order)
        return ((self.epoch, int(index)) for index in order)

    def __len__(self) -> int:
        return self.length

    def _balanced(self, rare: Bool[np.ndarray, " n"]) -> list[Key]:
        generator = np.random.default_rng([self.seed, self.epoch])
        keys: list[Key] = [(0, 0)] * self.length
        for first, items in enumerate((np.flatnonzero(~rare), np.flatnonzero(rare))):
            count = len(range(first, self.length, 2))
            rounds = -(-count // len(items))
            drawn = np.concatenate([generator.permutation(items) for _ in range(rounds)])[:count]
            keys[first::2] = [
                (self.epoch * rounds + place // len(items), int(index)) for place, index in enumerate(drawn)
            ]
        return keys


class BoneDataset(Dataset[tuple[Tensor, Tensor]]):
    """Items `(image, plane)`: float32 `(1, s, s)` in 0 to 1, and the packed masks, int16 `(s, s)`, bit i = bone i.

    Args:
        cases: With masks. Those that the cache leaves out as damaged are left out.
        image_size: Edge s in pixels.
        mirror_left: Whether left hands are flipped to right.
        seed: Of the augmentation.
        augment: Changes image and packed plane together and brings them to s x s; None only resizes.
        packed: The cache; None reads files.
    """

    def __init__(
        self,
        cases: Sequence[Case],
        *,
        image_size: int,
        mirror_left: bool,
        seed: int = 0,
        augment: Augment | None = None,
        packed: Packed | None = None,
    ) -> None:
        self.items = _usable(cases, packed)
        self.image_size = image_size
        self.mirror_left = mirror_left
        self.seed = seed
        self.augment = augment
        self.packed = packed

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, key: Key) -> tuple[Tensor, Tensor]:
        return self.__getitems__([key])[0]

    def __getitems__(self, keys: Sequence[Key]) -> "Batch":
        """The items of a batch, written into the batch's own memory; a `DataLoader` calls this."""
        size = self.image_size
        images, planes = (
            torch.empty((len(keys), 1, size, size)),
            torch.empty((len(keys), size, size), dtype=torch.int16),
        )
        grey, labels = images.numpy()[:, 0], planes.numpy().view(np.uint16)
        for place, (epoch, index) in enumerate(keys):
            case, source = self.items[index]
            pair = _read(source, self.packed, flip=self.mirror_left and case.id.side is Side.LEFT)
            _sample(pair, self.augment, [self.seed, epoch, index], grey[place], labels[place])
        return Batch(images, planes)


class Batch(list[tuple[Tensor, Tensor]]):
    """The items of a batch, and the batch itself, of which they are parts."""

    def __init__(self, images: Tensor, planes: Tensor) -> None:
        super().__init__(zip(images, planes, strict=True))
        self.images = images
        self.planes = planes


def as_batch(items: list[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    """Images and planes of a batch, for `DataLoader(collate_fn=as_batch)`; no copy where they are one already."""
    if isinstance(items, Batch):
        return items.images, items.planes
    images, planes = zip(*items, strict=True)
    return torch.stack(images), torch.stack(planes)


class WholeBoneDataset(Dataset[tuple[Tensor, Tensor, Key]]):
    """Items `(image, plane, key)` at their own size, to be augmented on the device; collate them by `as_lists`.

    Args:
        cases: With masks. Those that the cache leaves out as damaged are left out.
        mirror_left: Whether left hands are flipped to right.
        packed: The cache; None reads files.
    """

    def __init__(self, cases: Sequence[Case], *, mirror_left: bool, packed: Packed | None = None) -> None:
        self.items = _usable(cases, packed)
        self.mirror_left = mirror_left
        self.packed = packed

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, key: Key) -> tuple[Tensor, Tensor, Key]:
        case, source = self.items[key[1]]
        image, plane = _read(source, self.packed, flip=self.mirror_left and case.id.side is Side.LEFT)
        return torch.from_numpy(image.copy()), torch.from_numpy(plane.astype(np.int16)), key


def as_lists(items: Sequence[tuple[Tensor, Tensor, Key]]) -> tuple[list[Tensor], list[Tensor], list[Key]]:
    """A batch of images, planes and keys that differ in size, for `DataLoader(collate_fn=as_lists)`."""
    images, planes, keys = zip(*items, strict=True)
    return list(images), list(planes), list(keys)


class ErosionDataset(Dataset[tuple[Tensor, int, int]]):
    """Items `(channels, score, joint)`: float32 `(c, s, s)` in 0 to 1, the SvdH score, and which joint, from 0.

    Args:
        cases: With regions and scores; each contributes its six joints, without those the cache leaves out as damaged.
        image_size: Edge s in pixels.
        mirror_left: Whether left hands are flipped to right.
        contralateral: Whether the same joint of the other hand is a channel, see `carpus.data.erosion_inputs`. Where
            samples are augmented it is missing from every fourth, so that a network can do without it.
        joint_input: Whether channels say which joint it is.
        seed: Of the augmentation.
        augment: Changes the region and brings it to s x s; None only resizes.
        packed: The cache; None reads files.
    """

    def __init__(
        self,
        cases: Sequence[Case],
        *,
        image_size: int,
        mirror_left: bool,
        contralateral: bool = False,
        joint_input: bool = False,
        seed: int = 0,
        augment: Augment | None = None,
        packed: Packed | None = None,
    ) -> None:
        self.joints: list[tuple[Case, Joint, int]] = [
            (case, joint, score)
            for case in cases
            for joint, score in (case.scores or {}).items()
            if packed is None or (joint in case.rois and Source(case.rois[joint]) in packed)
        ]
        self.regions = {(case.id, joint): case.rois[joint] for case, joint, _ in self.joints if joint in case.rois}
        self.image_size = image_size
        self.mirror_left = mirror_left
        self.contralateral = contralateral
        self.joint_input = joint_input
        self.seed = seed
        self.augment = augment
        self.packed = packed

    @property
    def eroded(self) -> np.ndarray:
        """Whether each item is eroded, `(n,)` bool, in the order of the items."""
        return np.array([is_eroded(score) for _, _, score in self.joints], bool)

    @property
    def prevalence(self) -> float:
        """The part of the items that is eroded, 0 to 1."""
        return float(self.eroded.mean())

    def __len__(self) -> int:
        return len(self.joints)

    def __getitem__(self, key: Key) -> tuple[Tensor, int, int]:
        case, joint, score = self.joints[key[1]]
        if joint not in case.rois:
            raise InputError(f"case {case.id} has no region of {joint.value}; see `carpus data check`")
        flip = self.mirror_left and case.id.side is Side.LEFT
        chance = [self.seed, *key]
        region = self._region(case.rois[joint], chance, flip=flip)
        other = self._other(case.id, joint, [*chance, 1], flip=not flip) if self.contralateral else None
        channels = erosion_input(region, other, joint, contralateral=self.contralateral, joint_input=self.joint_input)
        return torch.from_numpy(channels), score, list(Joint).index(joint)

    def _other(self, case: CaseId, joint: Joint, chance: list[int], *, flip: bool) -> Float32[np.ndarray, "s s"] | None:
        """The same joint of the other hand, moved by chance of its own; None if there is none or chance hides it."""
        hidden = self.augment is not None and np.random.default_rng([*chance, 1]).random() < _HIDDEN
        path = self.regions.get((replace(case, side_letter=case.side.other.value), joint))
        return None if hidden or path is None else self._region(path, chance, flip=flip)

    def _region(self, path: Path, chance: list[int], *, flip: bool) -> Float32[np.ndarray, "s s"]:
        pair = _read(Source(path), self.packed, flip=flip)
        grey = np.empty((self.image_size, self.image_size), np.float32)
        nothing = np.empty((self.image_size, self.image_size), np.uint16)
        _sample(pair, self.augment, chance, grey, nothing)
        return grey


def unpack_masks(
    planes: Int16[Tensor, "b s s"], *, dtype: torch.dtype = torch.float32, out: Tensor | None = None
) -> Shaped[Tensor, "b 14 s s"]:
    """The fourteen masks of a batch of packed planes as 0 and 1, on the planes' device.

    Args:
        planes: Bit i = bone i.
        dtype: Of the result: float32 for a loss, or bool.
        out: Memory of an earlier result to use again: `(b, 14, s, s)`, contiguous; it decides the type.

    Example:
        >>> unpack_masks(torch.tensor([[[0, 80]]], dtype=torch.int16)).sum((2, 3))[0].tolist()[4:7]
        [1.0, 0.0, 1.0]
    """
    if out is None:
        out = torch.empty((len(planes), len(Bone), *planes.shape[1:]), dtype=dtype, device=planes.device)
    if planes.device.type == "cpu":
        warp.unpack(planes.contiguous().numpy(), out.numpy())
        return out
    bits = (1 << torch.arange(len(Bone), device=planes.device)).to(torch.int16)
    return out.copy_((planes[:, None] & bits[:, None, None]) != 0)


def _usable(cases: Sequence[Case], packed: Packed | None) -> list[tuple[Case, Source]]:
    """The cases with their files, without those that the cache leaves out."""
    items = [(case, _bones(case)) for case in cases]
    return [(case, source) for case, source in items if packed is None or source in packed]


def _bones(case: Case) -> Source:
    if case.masks is None:
        raise InputError(f"case {case.id} has no masks; choose cases with masks")
    return Source(case.image, case.masks)


def _read(source: Source, packed: Packed | None, *, flip: bool) -> Pair:
    image, plane = source.read() if packed is None else packed.read(source)
    return (cv2.flip(image, 1), cv2.flip(plane, 1)) if flip else (image, plane)


def _sample(
    pair: Pair,
    augment: Augment | None,
    chance: list[int],
    grey: Float32[np.ndarray, "s s"],
    labels: UInt16[np.ndarray, "s s"],
) -> None:
    if augment is not None:
        augment(*pair, np.random.default_rng(chance), grey, labels)
    else:
        warp.resized(*pair, grey, labels)
