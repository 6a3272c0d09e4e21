"""A layer of a Kolmogorov-Arnold network: each output is a sum of learned functions, one for each input.

A function is `w silu(x) + s sum_i c_i B_i(x)`: a smooth base and eight cubic B-splines (equation 2.10 of the paper).

Kept from the implementation that U-KAN uses:

- The scale s of the splines is a weight of its own for each pair of input and output, started like w.
- There is no bias, and the grid of the splines never moves.
- The coefficients c start as the smallest that pass through noise of +-0.01 at the six inner knots.

References:
    Liu Z et al. KAN: Kolmogorov-Arnold networks. https://arxiv.org/abs/2404.19756
"""

from math import sqrt

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from carpus.nets.blocks.b_splines import HIGH, INTERVALS, LOW, cubic_b_splines

_NOISE = 0.1


class KANLinear(nn.Module):
    """Learned functions in place of the weights of a linear layer."""

    def __init__(self, inputs: int, outputs: int) -> None:
        """Starts the weights from torch's global generator.

        Args:
            inputs: Length of the last axis of the input.
            outputs: Length of the last axis of the output.
        """
        super().__init__()
        self.base_weight = nn.Parameter(torch.empty(outputs, inputs))
        self.spline_weight = nn.Parameter(_smallest_through_noise(inputs, outputs))
        self.spline_scale = nn.Parameter(torch.empty(outputs, inputs))
        nn.init.kaiming_uniform_(self.base_weight, a=sqrt(5))
        nn.init.kaiming_uniform_(self.spline_scale, a=sqrt(5))

    def forward(self, x: Float[Tensor, "... inputs"]) -> Float[Tensor, "... outputs"]:
        """The sums of the functions of each input."""
        base = functional.linear(functional.silu(x), self.base_weight)
        coefficients = self.spline_weight * self.spline_scale[..., None]
        splines = cubic_b_splines(x, dim=-1).flatten(start_dim=-2)
        sums: Tensor = base + functional.linear(splines, coefficients.flatten(start_dim=1))
        return sums


def _smallest_through_noise(inputs: int, outputs: int) -> Float[Tensor, "outputs inputs splines"]:
    knots = torch.linspace(LOW, HIGH, INTERVALS + 1, dtype=torch.float64)
    noise = (torch.rand(outputs, inputs, INTERVALS + 1) - 0.5) * (_NOISE / INTERVALS)
    solve = torch.linalg.pinv(cubic_b_splines(knots, dim=-1)).to(noise.dtype)
    coefficients: Tensor = noise @ solve.T
    return coefficients
