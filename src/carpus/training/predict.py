"""A trained network's answers for cases of a dataset."""

import numpy as np
import torch
from jaxtyping import Float64, Int64
from torch import nn

from carpus.anatomy import Side
from carpus.data.dataset import Case
from carpus.data.reader import read_radiograph
from carpus.data.torch_datasets import ErosionDataset
from carpus.imaging.geometry import mirror, resize
from carpus.imaging.intensity import min_max
from carpus.imaging.masks import BoneMasks
from carpus.nets.apply import classify, segment
from carpus.nets.checkpoint import CheckpointInfo
from carpus.training.phantom_joints import JointSampleDataset


def predict_bones(network: nn.Module, info: CheckpointInfo, case: Case, *, size: int) -> BoneMasks:
    """The fourteen bones of a case as the network sees them, in the image's own orientation.

    Args:
        network: In evaluation mode.
        info: Of its checkpoint.
        case: With an image.
        size: Edge of the result in pixels.
    """
    flip = info.mirror_left and case.id.side is Side.LEFT
    pixels = read_radiograph(case).pixels
    pixels = resize(mirror(pixels) if flip else pixels, height=info.image_size, width=info.image_size)
    masks = BoneMasks.from_stack(segment(network, min_max(pixels), height=size, width=size) > 0)
    return masks.mirrored() if flip else masks


def judge_drawn(
    network: nn.Module, samples: JointSampleDataset, *, head: str
) -> tuple[Int64[np.ndarray, " n"], Float64[np.ndarray, "n k"]]:
    """The scores of all joints of wrists drawn on the fly, and the probabilities as `predict_erosion` gives them.

    Args:
        network: In evaluation mode.
        samples: With the size and channels the network was trained on.
        head: Of its checkpoint.
    """
    wrists = [samples[0, index] for index in range(len(samples))]
    scores = np.concatenate([wrist[1].numpy() for wrist in wrists])
    return scores, np.concatenate([classify(network, wrist[0].numpy(), head=head) for wrist in wrists])


def predict_erosion(
    network: nn.Module, samples: ErosionDataset, *, head: str, batch_size: int = 32
) -> Float64[np.ndarray, "n k"]:
    """The probabilities of an SvdH score above 0 (erosion), above 1 and so on of every item, in the order of the items.

    Args:
        network: In evaluation mode.
        samples: Without augmentation, with the size and channels the network was trained on.
        head: Of its checkpoint.
        batch_size: Items at a time.
    """
    parts = []
    for start in range(0, len(samples), batch_size):
        stop = min(start + batch_size, len(samples))
        images = torch.stack([samples[0, index][0] for index in range(start, stop)])
        parts.append(classify(network, images.numpy(), head=head))
    return np.concatenate(parts)
