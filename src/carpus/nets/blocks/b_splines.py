"""Cubic B-splines on equally spaced knots, the learnable functions of Kolmogorov-Arnold networks.

The range from -1 to 1 is cut into five intervals; knots go on for three more intervals on either side, so that eight
splines have a part in the range. All are one bump, shifted: with v the distance from its middle in intervals,

    B(v) = ((2 - |v|)+^3 - 4 (1 - |v|)+^3) / 6

This closed form gives what the recursion of Cox and de Boor gives on such knots. It needs no division by lengths of
intervals and no comparison, hence exports to ONNX as it is.

Undefined cases: none. Beyond the outermost knots, at -2.2 and 2.2, every spline is 0.

References:
    de Boor C. A practical guide to splines. Springer 1978.
    Liu Z et al. KAN: Kolmogorov-Arnold networks. https://arxiv.org/abs/2404.19756
"""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

LOW, HIGH, INTERVALS, ORDER = -1.0, 1.0, 5, 3
SPLINES = INTERVALS + ORDER


def cubic_b_splines(x: Float[Tensor, "..."], *, dim: int) -> Float[Tensor, "..."]:
    """The eight splines at each x, 0 to 2/3, along a new axis; from -1 to 1 they sum to 1.

    Computed in float32 at least, and returned in the dtype of x.

    Args:
        x: Where to evaluate.
        dim: Place of the new axis in the result.

    Example:
        >>> cubic_b_splines(torch.tensor([-1.0, 0.0, 9.0]), dim=-1).sum(dim=-1).round(decimals=6).tolist()
        [1.0, 1.0, 0.0]
    """
    exact = torch.promote_types(x.dtype, torch.float32)
    shape = [1] * (x.dim() + 1)
    shape[dim] = SPLINES
    middles = torch.arange(SPLINES, dtype=exact, device=x.device).reshape(shape) - 1
    intervals = (x.to(exact) - LOW) * (INTERVALS / (HIGH - LOW))
    away = (intervals.unsqueeze(dim) - middles).abs()
    outer, inner = functional.relu(2 - away), functional.relu(1 - away)
    return ((outer.pow(3) - 4 * inner.pow(3)) / 6).to(x.dtype)
