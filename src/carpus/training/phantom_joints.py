"""Joints of wrists drawn on the fly as a PyTorch dataset: the six regions of each, as a reading cuts them from a film.

A reading windows the wrist, finds the bones, cuts a region of fixed size around each joint, and brings it to the
network's size. So does this, with the bones as drawn; each region is moved a little, as the outlines that a network
finds would move it, and larger or smaller, as on films whose scale is only guessed.

What is drawn is known: with each region come the outlines of its bone and of what erosions took of it. A network that
has to outline both (`supervised_planes` of `ResNet`) learns what an erosion looks like from far fewer wrists.
"""

import copy
from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor
from torch.utils.data import Dataset

from carpus.anatomy import Joint, Side, is_eroded
from carpus.data.erosion_inputs import erosion_input, input_channels, joint_region, resized_region
from carpus.data.torch_datasets import Key
from carpus.imaging.intensity import to_8_bits
from carpus.imaging.joints import joint_boxes
from carpus.imaging.masks import BoneMasks
from carpus.imaging.wrist_crop import WINDOW
from carpus.phantom.samples import Sample, sample
from carpus.phantom.samples.damage import draw_damage
from carpus.phantom.samples.hand import draw_hand
from carpus.training.phantom_samples import Phantoms

SIZE_PX = 384
"""Edge of a drawn wrist: a region then has more pixels than the network sees, and drawing is not slow."""

SCALE_SPREAD = 0.08
"""Standard deviation of the logarithm of a region's size against the size that it should have."""

PLANES = 2
"""The planes that come with each region: its bone, and what erosions took of it."""

JITTER_MM = 0.5
"""Standard deviation by which a region is moved along each axis. Outlines of the network that comes along moved the
regions of 60 drawn wrists by 0.2 mm at the median and, by joint, by 0.5 to 1.1 mm at the ninth decile."""

HEALTHY_KEPT = 0.25
"""The part of the wrists without any erosion that is drawn: half of all have none, and little is learnt from them."""

BALANCED = 0.5
"""The prevalence for which a network learns, where eroded and healthy joints count alike."""

_COUNTED = 4000


Item = tuple[Tensor, Tensor, Tensor, Tensor]


class JointSampleDataset(Phantoms, Dataset[Item]):
    """Items are wrists, `(channels, scores, joints, planes)`.

    Channels are float32 `(j, c, s, s)` in 0 to 1, scores those of SvdH, joints their places in `Joint`, and planes
    float32 `(j, 2, s, s)`, 0 to 1: the joint's bone, and what erosions took of it. j is 6, or less where a bone lies
    outside of the picture. Keys are `(epoch, index)`; the same key gives the same item in any worker. Items that are
    the same in every epoch are kept.

    Args:
        length: Items an epoch.
        image_size: Edge s in pixels.
        mirror_left: Whether left hands are flipped to right.
        joint_input: Whether channels say which joint it is, see `carpus.data.erosion_inputs`.
        seed: Of everything.
        is_fixed: Whether every epoch has the same items, as a validation needs.
    """

    def __init__(
        self,
        length: int,
        *,
        image_size: int,
        mirror_left: bool,
        joint_input: bool = False,
        seed: int = 0,
        is_fixed: bool = False,
    ) -> None:
        super().__init__(length, image_size=image_size, mirror_left=mirror_left, seed=seed, is_fixed=is_fixed)
        self.joint_input = joint_input
        self.kept: dict[int, Item] = {}

    @property
    def prevalence(self) -> float:
        """How often a drawn joint is eroded, whichever it is, 0 to 1."""
        return _prevalence()

    def __getitem__(self, key: Key) -> Item:
        if key[1] in self.kept:
            return self.kept[key[1]]
        item = self._drawn(self.chance(key))
        if self.is_fixed:
            self.kept[key[1]] = item
        return item

    def _drawn(self, chance: np.random.Generator) -> Item:
        drawn = _wrist(chance)
        wrist, masks = seen(drawn.pixels), BoneMasks(drawn.plane)
        boxes = joint_boxes(masks, spacing_mm=drawn.spacing_mm * float(np.exp(chance.normal(0, SCALE_SPREAD))))
        flip = self.mirror_left and drawn.side is Side.LEFT
        edge, count = self.image_size, input_channels(contralateral=False, joint_input=self.joint_input)
        channels = np.empty((len(boxes), count, edge, edge), np.float32)
        planes = np.empty((len(boxes), PLANES, edge, edge), np.float32)
        for place, (joint, box) in enumerate(boxes.items()):
            right, down = chance.normal(0, JITTER_MM / drawn.spacing_mm, 2)
            found = replace(box, x=box.x + right, y=box.y + down).inside(height=SIZE_PX, width=SIZE_PX)
            region = joint_region(wrist, found, image_size=edge, flip=flip)
            channels[place] = erosion_input(region, None, joint, contralateral=False, joint_input=self.joint_input)
            eroded = drawn.eroded >> list(Joint).index(joint) & 1
            for own, plane in zip((masks.mask(joint.bone), eroded), planes[place], strict=True):
                plane[:] = resized_region(own.astype(np.float32), found, image_size=edge, flip=flip)
        which = [list(Joint).index(joint) for joint in boxes]
        scores = [drawn.scores[joint] for joint in boxes]
        return (
            torch.from_numpy(channels),
            torch.tensor(scores, dtype=torch.int64),
            torch.tensor(which, dtype=torch.int64),
            torch.from_numpy(planes),
        )


def seen(pixels: UInt8[np.ndarray, "h w"]) -> UInt8[np.ndarray, "h w"]:
    """A drawn wrist in the window in which a reading sees it."""
    return to_8_bits(pixels, percentiles=WINDOW)


def as_joints(wrists: Sequence[Item]) -> Item:
    """What comes of all wrists of a batch in one row each, for `DataLoader(collate_fn=as_joints)`."""
    channels, scores, joints, planes = (torch.cat(parts) for parts in zip(*wrists, strict=True))
    return channels, scores, joints, planes


def _wrist(chance: np.random.Generator) -> Sample:
    """A drawn wrist, of those without any erosion only some."""
    while True:
        own = chance.spawn(1)[0]
        hand = draw_hand(copy.deepcopy(own))
        if any(map(is_eroded, hand.scores.values())) or chance.random() < HEALTHY_KEPT:
            return sample(own, size_px=SIZE_PX)


@cache
def _prevalence() -> float:
    generator = np.random.default_rng(0)
    eroded = np.array([list(draw_damage(generator).scores.values()) for _ in range(_COUNTED)]) > 0
    drawn = np.where(eroded.any(axis=1), 1.0, HEALTHY_KEPT)
    return float(np.average(eroded.mean(axis=1), weights=drawn))
