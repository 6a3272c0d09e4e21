"""Depthwise convolution over a sequence that looks back only, as Mamba has it before its scan.

Reference:
    Gu A, Dao T. Mamba: linear-time sequence modeling with selective state spaces. https://arxiv.org/abs/2312.00752
"""

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional


def causal_convolution(
    x: Float[Tensor, "batch channels length"],
    weight: Float[Tensor, "channels 1 taps"],
    bias: Float[Tensor, " channels"] | None = None,
) -> Float[Tensor, "batch channels length"]:
    """Each position's weighted sum of itself and the `taps - 1` positions before it, each channel by itself.

    Before the beginning there are zeros.

    Args:
        x: Sequence.
        weight: Of each channel, as `nn.Conv1d` has it; the last tap weighs the position itself.
        bias: Added to each channel.

    Example:
        >>> import torch
        >>> causal_convolution(torch.tensor([[[1.0, 2.0, 3.0]]]), torch.tensor([[[10.0, 1.0]]])).tolist()
        [[[1.0, 12.0, 23.0]]]
    """
    taps = weight.shape[2]
    # Padded on both sides and cut: faster on CPUs than padding a copy of the sequence on one side.
    y = functional.conv1d(x, weight, bias, padding=taps - 1, groups=weight.shape[0])
    return y[..., : x.shape[2]]
