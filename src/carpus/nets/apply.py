"""Networks applied to grey images: NumPy in, NumPy out."""

import numpy as np
import torch
from jaxtyping import Float, Float32, Float64, Int64
from torch import Tensor, nn
from torch.nn import functional


@torch.inference_mode()
def segment(
    network: nn.Module, image: Float32[np.ndarray, "s s"], *, height: int, width: int
) -> Float32[np.ndarray, "classes height width"]:
    """The logits of one image, interpolated to another size; above 0 means inside.

    Args:
        network: From `SEGMENTERS`, in evaluation mode, for one input channel.
        image: Grey values in 0 to 1, at the size the network was trained on.
        height: Of the result in pixels.
        width: Of the result in pixels.
    """
    logits = network(torch.from_numpy(image)[None, None])
    logits = functional.interpolate(logits, (height, width), mode="bilinear", align_corners=False)
    result: Float32[np.ndarray, "classes height width"] = logits[0].float().numpy()
    return result


@torch.inference_mode()
def classify(network: nn.Module, images: Float32[np.ndarray, "b c s s"], *, head: str) -> Float64[np.ndarray, "b k"]:
    """The probabilities that the score of each image is above 0, above 1 and so on, 0 to 1, never rising.

    Args:
        network: From `CLASSIFIERS`, in evaluation mode.
        images: In the channels and at the size the network was trained on.
        head: `binary`: two classes, which gives one probability. `corn`: each output answers one conditional question,
            is the score above k if it is at least k.

    References:
        Shi X, Cao W, Raschka S. Deep neural networks for rank-consistent ordinal regression based on conditional
            probabilities. Pattern Anal Appl 2023;26:941-955. https://doi.org/10.1007/s10044-023-01181-9
    """
    conditional = margins(network(torch.from_numpy(images)), head=head).double().sigmoid()
    result: Float64[np.ndarray, "b k"] = conditional.cumprod(dim=1).numpy()
    return result


def margins(outputs: Float[Tensor, "b n"], *, head: str) -> Float[Tensor, "b k"]:
    """The logit of each conditional question, see `classify`."""
    return outputs[:, 1:] - outputs[:, :1] if head == "binary" else outputs


def graded(beyond: Float64[np.ndarray, "b k"], *, cut: float) -> Int64[np.ndarray, " b"]:
    """The score of each image: 0 below the cut, else the expected one of those above 0, rounded.

    So the score is above 0 just where the image is called positive, however rare that is in the population.

    Args:
        beyond: As `classify` gives it.
        cut: Probability of a score above 0 at or above which it is called so.

    Example:
        >>> graded(np.array([[0.9, 0.6, 0.3], [0.2, 0.1, 0.0]]), cut=0.5)
        array([2, 0])
    """
    positive = beyond[:, 0]
    expected = beyond.sum(axis=1) / np.where(positive > 0, positive, 1)
    return np.where(positive >= cut, np.rint(expected).clip(min=1), 0).astype(np.int64)
