"""The selective scan for CUDA devices: launches the kernels of `scan_triton_kernels`, forward and backward.

Every program takes some neighbouring channels of one group of one image through the whole sequence, in tiles of `TILE`
positions. If gradients will be wanted, the forward pass leaves the states before every tile; the backward pass starts
each tile from there, so that no state but these is ever written. Gradients of b and c come as one part for each
program and are summed afterwards, always in the same order: results are the same from run to run.

The sizes below were chosen so that registers suffice on compute capability 9.0, not by timing on a device; time them
with `benchmarks/selective_scan.py` before relying on their speed.

Interpreted (`TRITON_INTERPRET=1`) it runs on CPU tensors too, slowly, which is how it is tested without a GPU.
"""

from typing import Any

import torch
import triton  # type: ignore[import-untyped, import-not-found, unused-ignore]
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from carpus.nets.blocks import scan_triton_kernels as kernels

# States x channels x positions of a tile are spread over the threads of a program, 16 for each. More channels mean
# fewer parts of the gradients of b and c, but also fewer programs.
TILE = 32
FORWARD_CHANNELS, FORWARD_WARPS = 4, 4
BACKWARD_CHANNELS, BACKWARD_WARPS = 8, 8


def scan_triton(
    x: Float[Tensor, "batch channels length"],
    delta: Float[Tensor, "batch channels length"],
    a: Float[Tensor, "channels states"],
    b: Float[Tensor, "batch groups states length"],
    c: Float[Tensor, "batch groups states length"],
    d: Float[Tensor, " channels"],
    delta_bias: Float[Tensor, " channels"],
) -> Float[Tensor, "batch channels length"]:
    """The output sequence; all arguments of one type, float32 or float64. Differentiable once."""
    inputs = [part.contiguous() for part in (x, delta, a, b, c, d, delta_bias)]
    keep = torch.is_grad_enabled() and any(part.requires_grad for part in inputs)
    y: Tensor = _Scan.apply(keep, *inputs)
    return y


class _Scan(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, keep: bool, *inputs: Tensor) -> Tensor:
        x, _, a, b, *_ = inputs
        y = torch.empty_like(x)
        tiles = triton.cdiv(x.shape[2], TILE) if keep else 0
        before = x.new_empty(x.shape[0], x.shape[1], tiles, a.shape[1])
        with torch.cuda.device_of(x):
            kernels.forward[_grid(x, b, FORWARD_CHANNELS)](
                *inputs,
                y,
                before,
                *_sizes(x, b),
                KEEP=keep,
                WIDTH=FORWARD_CHANNELS,
                TILE=TILE,
                PADDED=triton.next_power_of_2(a.shape[1]),
                num_warps=FORWARD_WARPS,
                enable_fp_fusion=True,
            )
        ctx.save_for_backward(*inputs, before)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        *inputs, before = ctx.saved_tensors
        x, _, a, b, *_ = inputs
        grid = _grid(x, b, BACKWARD_CHANNELS)
        grad_x, grad_delta = torch.empty_like(x), torch.empty_like(x)
        # By image, resp. by program.
        grad_a, grad_d, grad_bias = (x.new_empty(x.shape[0], *part.shape) for part in (a, a[:, 0], a[:, 0]))
        grad_b, grad_c = x.new_empty(2, grid[0], *b.shape)
        with torch.cuda.device_of(x):
            kernels.backward[grid](
                *inputs,
                before,
                grad.contiguous(),
                grad_x,
                grad_delta,
                grad_a,
                grad_b,
                grad_c,
                grad_d,
                grad_bias,
                *_sizes(x, b),
                WIDTH=BACKWARD_CHANNELS,
                TILE=TILE,
                PADDED=triton.next_power_of_2(a.shape[1]),
                num_warps=BACKWARD_WARPS,
                enable_fp_fusion=True,
            )
        sums = (part.sum(dim=0) for part in (grad_a, grad_b, grad_c, grad_d, grad_bias))
        return None, grad_x, grad_delta, *sums


def _grid(x: Tensor, b: Tensor, width: int) -> tuple[int, int]:
    """Blocks of channels in a group; groups in all images."""
    return triton.cdiv(x.shape[1] // b.shape[1], width), b.shape[0] * b.shape[1]


def _sizes(x: Tensor, b: Tensor) -> tuple[int, int, int, int]:
    """Groups, channels in a group, states, length."""
    return b.shape[1], x.shape[1] // b.shape[1], b.shape[2], x.shape[2]
