"""The selective scan for CPUs, compiled by Numba.

Blocks of channels go through the sequence one after another, their states in the first-level cache (see
`scan_numba_kernels`). Threads share out the blocks. Numba's own thread pools are not used, for they quarrel with
PyTorch's and with forked processes.

The backward pass runs forward once more, keeps the state before each tile, then goes through the tiles from the last
to the first. Gradients of b and c are summed over the channels of a group in one buffer a thread, in a fixed order.

Compiling takes some seconds, once: the result is kept on disk where the package's or the user's cache folder can be
written. It is logged at level INFO.
"""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from carpus.nets.blocks import scan_numba_kernels as kernels

Result = TypeVar("Result")

log = logging.getLogger(__name__)


def scan_numba(
    x: Float[Tensor, "batch channels length"],
    delta: Float[Tensor, "batch channels length"],
    a: Float[Tensor, "channels states"],
    b: Float[Tensor, "batch groups states length"],
    c: Float[Tensor, "batch groups states length"],
    d: Float[Tensor, " channels"],
    delta_bias: Float[Tensor, " channels"],
) -> Float[Tensor, "batch channels length"]:
    """The output sequence; all arguments of one type, float32 or float64. Differentiable once."""
    groups = b.shape[1]
    by_row = [part.unflatten(1, (groups, -1)).flatten(0, 1) for part in (x, delta)]
    turned = [part.flatten(0, 1).transpose(1, 2) for part in (b, c)]
    by_group = [part.unflatten(0, (groups, -1)) for part in (a, d, delta_bias)]
    inputs = [*by_row, by_group[0], *turned, *by_group[1:]]
    y: Tensor = _Scan.apply(*(part.contiguous() for part in inputs))
    return y.view_as(x)


class _Scan(torch.autograd.Function):
    """Inputs as the kernels take them: a row is a group of one image."""

    @staticmethod
    def forward(ctx: Any, *inputs: Tensor) -> Tensor:
        ctx.save_for_backward(*inputs)
        y = torch.empty_like(inputs[0])
        arrays = [part.detach().numpy() for part in (*inputs, y)]
        _say_if_compiling(kernels.forward)
        _share_out(y, lambda start, stop: kernels.forward(*arrays, start, stop))
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, ...]:
        inputs = ctx.saved_tensors
        x, _, a, b, _, d, bias = inputs
        rows_per_image = a.shape[0]
        # Sums over the length, for each image; in double precision, for they can have many terms.
        sums = [b.new_empty((len(x), *part.shape[1:]), dtype=torch.float64) for part in (a, d, bias)]
        grad_x, grad_delta = torch.empty_like(x), torch.empty_like(x)
        arrays = [part.detach().numpy() for part in (*inputs, grad.contiguous(), grad_x, grad_delta, *sums)]
        per_row = _blocks_per_row(x)

        def work(start: int, stop: int) -> tuple[slice, Tensor]:
            rows = slice(start // per_row, -(-stop // per_row))
            shared = b.new_zeros(2, rows.stop - rows.start, *b.shape[1:])
            kernels.backward(*arrays, *shared.numpy(), rows.start, start, stop)
            return rows, shared

        _say_if_compiling(kernels.backward)
        grads_b_c = b.new_zeros(2, *b.shape)
        for rows, shared in _share_out(x, work):
            grads_b_c[:, rows] += shared
        grad_a, grad_d, grad_bias = (part.unflatten(0, (-1, rows_per_image)).sum(dim=0).to(x.dtype) for part in sums)
        return grad_x, grad_delta, grad_a, grads_b_c[0], grads_b_c[1], grad_d, grad_bias


def _blocks_per_row(x: Tensor) -> int:
    """Blocks of channels in a row, the last of them perhaps narrower than the others."""
    return -(-x.shape[1] // kernels.LANES)


def _share_out(x: Tensor, work: Callable[[int, int], Result]) -> list[Result]:
    """Calls `work(start, stop)` for equal shares of the blocks, one a thread, as many as PyTorch uses."""
    blocks = len(x) * _blocks_per_row(x)
    threads = max(1, min(torch.get_num_threads(), blocks))
    shares = [(blocks * i // threads, blocks * (i + 1) // threads) for i in range(threads)]
    if threads == 1:
        return [work(*shares[0])]
    # A pool for this call alone costs a tenth of a millisecond, and there is none to be lost in a forked process.
    with ThreadPoolExecutor(threads - 1) as pool:
        others = [pool.submit(work, *share) for share in shares[1:]]
        return [work(*shares[0]), *(other.result() for other in others)]


def _say_if_compiling(kernel: Any) -> None:
    """Logs that this call may take seconds, and why."""
    if not kernel.signatures:
        log.info("loading or compiling the %s pass of the selective scan", kernel.__name__)
