"""Networks applied to grey images: NumPy in, NumPy out."""

import numpy as np
import torch
from jaxtyping import Float32, Float64
from torch import nn
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
def classify(network: nn.Module, images: Float32[np.ndarray, "b s s"]) -> Float64[np.ndarray, " b"]:
    """The probability of the second of two classes for each image, 0 to 1.

    Args:
        network: From `CLASSIFIERS`, in evaluation mode, for one input channel and two classes.
        images: Grey values in 0 to 1, at the size the network was trained on.
    """
    logits = network(torch.from_numpy(images)[:, None])
    result: Float64[np.ndarray, " b"] = logits.double().softmax(dim=1)[:, 1].numpy()
    return result
