"""The 2-D selective scan layer, SS2D.

An image is projected to a wider one and to a gate; the wide one goes through a depthwise convolution and is scanned in
four directions, each with its own projections and state dynamics. The sum of the four is normalised, gated and
projected back.

References:
    Liu Y, et al. VMamba: visual state space model. https://arxiv.org/abs/2401.10166; the layer of the
    paper's first form, with the gate.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from carpus.nets.blocks.cross_scan import DIRECTIONS, cross_merge, cross_scan
from carpus.nets.blocks.selective_scan import selective_scan

STEP_AT_START = (0.001, 0.1)


class SelectiveScan2d(nn.Module):
    """SS2D: `(b, h, w, channels)` to the same shape, channels last.

    The parameters of the four directions lie stacked, in the order of `cross_scan`. Under autocast the projections
    run in the lower precision and the scan in that of the parameters.

    Args:
        channels: Of the input and the output.
        states: Of each inner channel's recurrence.
        expand: Inner channels for each channel.
    """

    def __init__(self, channels: int, *, states: int = 16, expand: int = 2) -> None:
        super().__init__()
        inner = expand * channels
        self.rank = math.ceil(channels / 16)
        self.states = states
        self.in_proj = nn.Linear(channels, 2 * inner, bias=False)
        self.depthwise = nn.Conv2d(inner, inner, 3, padding=1, groups=inner)
        self.x_proj = nn.Parameter(torch.empty(DIRECTIONS, self.rank + 2 * states, inner))
        self.dt_proj = nn.Parameter(torch.empty(DIRECTIONS, inner, self.rank))
        self.dt_bias = nn.Parameter(torch.empty(DIRECTIONS, inner))
        self.a_log = nn.Parameter(torch.empty(DIRECTIONS * inner, states))
        self.d = nn.Parameter(torch.ones(DIRECTIONS * inner))
        self.norm = nn.LayerNorm(inner)
        self.out_proj = nn.Linear(inner, channels, bias=False)
        self._initialise()

    def forward(self, x: Float[Tensor, "b h w channels"]) -> Float[Tensor, "b h w channels"]:
        """The layer's output, without residual."""
        wide, gate = self.in_proj(x).chunk(2, dim=-1)
        wide = functional.silu(self.depthwise(wide.permute(0, 3, 1, 2)))
        y = self._scan(wide).permute(0, 2, 3, 1)
        out: Tensor = self.out_proj(self.norm(y) * functional.silu(gate))
        return out

    def _scan(self, x: Float[Tensor, "b inner h w"]) -> Float[Tensor, "b inner h w"]:
        sequences = cross_scan(x)
        step, b, c = (self.x_proj @ sequences).split([self.rank, self.states, self.states], dim=2)
        delta = self.dt_proj @ step
        precision = self.a_log.dtype
        y = selective_scan(
            sequences.flatten(1, 2).to(precision),
            delta.flatten(1, 2).to(precision),
            -self.a_log.exp(),
            b.to(precision),
            c.to(precision),
            self.d,
            delta_bias=self.dt_bias.flatten(),
        )
        return cross_merge(y.unflatten(1, (DIRECTIONS, -1)), height=x.shape[2], width=x.shape[3])

    @torch.no_grad()
    def _initialise(self) -> None:
        """State k decays at rate k (S4D-real); steps start log-uniformly between 0.001 and 0.1."""
        nn.init.uniform_(self.x_proj, -(self.x_proj.shape[2] ** -0.5), self.x_proj.shape[2] ** -0.5)
        nn.init.uniform_(self.dt_proj, -(self.rank**-0.5), self.rank**-0.5)
        least, most = (math.log(step) for step in STEP_AT_START)
        step = torch.empty_like(self.dt_bias).uniform_(least, most).exp()
        self.dt_bias.copy_(step.expm1().log())  # the inverse of softplus
        self.a_log.copy_(torch.arange(1, self.states + 1).log().expand_as(self.a_log))
