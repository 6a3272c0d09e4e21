"""RAM-W600 as PyTorch datasets: the bones of a wrist, or one joint's region with its erosion.

An item's key is `(epoch, index)`, and all chance in it is drawn from `(seed, epoch, index)`: the same run
gives the same samples in any order, with any number of workers, and after any interruption.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from jaxtyping import Float32, UInt8, UInt16
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from carpus.anatomy import Joint, Side, is_eroded
from carpus.data.dataset import Case
from carpus.data.reader import read_masks, read_radiograph, read_roi
from carpus.errors import InputError
from carpus.imaging.geometry import mirror, resize, resize_labels
from carpus.imaging.intensity import min_max
from carpus.imaging.masks import BoneMasks

Augment = Callable[
    [UInt8[np.ndarray, "h w"], UInt16[np.ndarray, "h w"], np.random.Generator],
    tuple[Float32[np.ndarray, "s s"], UInt16[np.ndarray, "s s"]],
]
Key = tuple[int, int]


class EpochSampler(Sampler[Key]):
    """Keys `(epoch, index)` of every item once, in an order drawn from `(seed, epoch)`."""

    def __init__(self, length: int, *, seed: int, shuffle: bool) -> None:
        self.length = length
        self.seed = seed
        self.shuffle = shuffle
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Moves to another epoch; Lightning calls this."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[Key]:
        order = np.arange(self.length)
        if self.shuffle:
            np.random.default_rng([self.seed, self.epoch]).shuffle(order)
        return ((self.epoch, int(index)) for index in order)

    def __len__(self) -> int:
        return self.length


class BoneDataset(Dataset[tuple[Tensor, Tensor]]):
    """Items `(image, masks)`: float32 `(1, s, s)` in 0 to 1, and float32 `(14, s, s)` of 0 and 1.

    Files are read on first use and kept packed in memory, about 1 MB a wrist.

    Args:
        cases: With masks.
        image_size: Edge s in pixels.
        mirror_left: Whether left hands are flipped to right.
        seed: Of the augmentation.
        augment: Changes image and packed plane together and brings them to s x s; None only resizes.
    """

    def __init__(
        self,
        cases: Sequence[Case],
        *,
        image_size: int,
        mirror_left: bool,
        seed: int = 0,
        augment: Augment | None = None,
    ) -> None:
        self.cases = list(cases)
        self.image_size = image_size
        self.mirror_left = mirror_left
        self.seed = seed
        self.augment = augment
        self._kept: dict[int, tuple[np.ndarray, np.ndarray]] = {}

    def __len__(self) -> int:
        return len(self.cases)

    def __getitem__(self, key: Key) -> tuple[Tensor, Tensor]:
        epoch, index = key
        image, plane = self._load(index)
        grey, labels = _sample(image, plane, self.image_size, self.augment, [self.seed, epoch, index])
        masks = BoneMasks(labels).stack().astype(np.float32)
        return torch.from_numpy(grey)[None], torch.from_numpy(masks)

    def _load(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        if index not in self._kept:
            case = self.cases[index]
            image, plane = read_radiograph(case).pixels, read_masks(case).plane
            if image.shape != plane.shape:
                raise InputError(
                    f"{case.image} is {image.shape[0]} x {image.shape[1]} pixels and its masks are "
                    f"{plane.shape[0]} x {plane.shape[1]}; run `carpus data check`"
                )
            if self.mirror_left and case.id.side is Side.LEFT:
                image, plane = mirror(image), mirror(plane)
            self._kept[index] = image, plane
        return self._kept[index]


class ErosionDataset(Dataset[tuple[Tensor, int]]):
    """Items `(region, eroded)`: float32 `(1, s, s)` in 0 to 1, and 1 for an SvdH score above 0, else 0.

    Args:
        cases: With regions and scores; each contributes its six joints.
        image_size: Edge s in pixels.
        mirror_left: Whether left hands are flipped to right.
        seed: Of the augmentation.
        augment: Changes the region and brings it to s x s; None only resizes.
    """

    def __init__(
        self,
        cases: Sequence[Case],
        *,
        image_size: int,
        mirror_left: bool,
        seed: int = 0,
        augment: Augment | None = None,
    ) -> None:
        self.joints: list[tuple[Case, Joint, int]] = [
            (case, joint, score) for case in cases for joint, score in (case.scores or {}).items()
        ]
        self.image_size = image_size
        self.mirror_left = mirror_left
        self.seed = seed
        self.augment = augment
        self._kept: dict[int, np.ndarray] = {}

    @property
    def eroded(self) -> np.ndarray:
        """Whether each item is eroded, `(n,)` bool, in the order of the items."""
        return np.array([is_eroded(score) for _, _, score in self.joints], bool)

    def __len__(self) -> int:
        return len(self.joints)

    def __getitem__(self, key: Key) -> tuple[Tensor, int]:
        epoch, index = key
        case, joint, score = self.joints[index]
        if index not in self._kept:
            region = read_roi(case, joint)
            self._kept[index] = mirror(region) if self.mirror_left and case.id.side is Side.LEFT else region
        region = self._kept[index]
        nothing = np.zeros(region.shape, np.uint16)
        grey, _ = _sample(region, nothing, self.image_size, self.augment, [self.seed, epoch, index])
        return torch.from_numpy(grey)[None], int(is_eroded(score))


def _sample(
    image: np.ndarray, plane: np.ndarray, size: int, augment: Augment | None, chance: list[int]
) -> tuple[np.ndarray, np.ndarray]:
    if augment is not None:
        return augment(image, plane, np.random.default_rng(chance))
    return min_max(resize(image, height=size, width=size)), resize_labels(plane, height=size, width=size)
