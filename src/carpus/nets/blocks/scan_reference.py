"""The selective scan by its formula, for comparison."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional


def selective_scan_reference(
    x: Float[Tensor, "batch channels length"],
    delta: Float[Tensor, "batch channels length"],
    a: Float[Tensor, "channels states"],
    b: Float[Tensor, "batch groups states length"],
    c: Float[Tensor, "batch groups states length"],
    d: Float[Tensor, " channels"] | None = None,
    *,
    delta_bias: Float[Tensor, " channels"] | None = None,
) -> Float[Tensor, "batch channels length"]:
    """The output by the formula, a step at a time; the oracle of the tests. Arguments as `selective_scan`."""
    dt = functional.softplus(delta if delta_bias is None else delta + delta_bias[:, None])
    repeats = x.shape[1] // b.shape[1]
    b, c = (part.repeat_interleave(repeats, dim=1) for part in (b, c))
    state = x.new_zeros(x.shape[0], *a.shape)
    outputs = []
    for t in range(x.shape[2]):
        state = (dt[:, :, t, None] * a).exp() * state + (dt[:, :, t] * x[:, :, t])[..., None] * b[..., t]
        outputs.append((state * c[..., t]).sum(dim=-1))
    y = torch.stack(outputs, dim=-1)
    return y if d is None else y + d[:, None] * x
