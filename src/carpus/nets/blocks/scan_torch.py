"""The selective scan in plain PyTorch, on any device.

The sequence is cut into chunks of `STEPS` positions. A first pass runs through the positions of a chunk, all chunks
side by side, and finds what each chunk adds to the state. The states at the borders follow by doubling: after k rounds
every chunk knows the 2^k chunks before it. A second pass starts from those states and gives the output. Decays are
only ever multiplied, never divided by, so that one that underflows to 0 does no harm.

`scan_chunks` is a fixed graph of about 300 nodes for a given length, which can be traced and exported. `scan_blocks`
applies it to a few channels at a time and computes them anew for the gradient, so that the states of the whole
sequence, `states` times as large as the input, never lie in memory at once.
"""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

STEPS = 16
# States worked on together: enough to make calls worth their while, few enough for the cache of a CPU.
CPU_BLOCK = 2**17
GPU_BLOCK = 2**24


def scan_chunks(
    x: Float[Tensor, "batch channels length"],
    delta: Float[Tensor, "batch channels length"],
    a: Float[Tensor, "channels states"],
    b: Float[Tensor, "batch groups states length"],
    c: Float[Tensor, "batch groups states length"],
    d: Float[Tensor, " channels"],
    delta_bias: Float[Tensor, " channels"],
) -> Float[Tensor, "batch channels length"]:
    """The output sequence, by operations that can be differentiated and traced. Arguments as `selective_scan`."""
    batch, channels, length = x.shape
    groups, states = b.shape[1:3]
    chunks = -(-length // STEPS)
    rates = a.reshape(groups, channels // groups, states).transpose(1, 2)[..., None]
    dt = functional.softplus(delta + delta_bias[:, None])
    steps = _by_position(dt.reshape(batch, groups, 1, -1, length), chunks)
    pushes = _by_position((dt * x).reshape(batch, groups, 1, -1, length), chunks)
    enter = _by_position(b[:, :, :, None], chunks)
    leave = _by_position(c[:, :, :, None], chunks)

    state = enter[0] * pushes[0]
    for t in range(1, STEPS):
        state = (rates * steps[t]).exp() * state + enter[t] * pushes[t]
    state = _states_before(state, (rates * torch.stack(steps).sum(dim=0)).exp(), chunks)
    outputs = []
    for t in range(STEPS):
        state = (rates * steps[t]).exp() * state + enter[t] * pushes[t]
        outputs.append((leave[t] * state).sum(dim=2))
    y = torch.stack(outputs, dim=-1).reshape(batch, channels, chunks * STEPS)[..., :length]
    return y + d[:, None] * x


def scan_blocks(
    x: Float[Tensor, "batch channels length"],
    delta: Float[Tensor, "batch channels length"],
    a: Float[Tensor, "channels states"],
    b: Float[Tensor, "batch groups states length"],
    c: Float[Tensor, "batch groups states length"],
    d: Float[Tensor, " channels"],
    delta_bias: Float[Tensor, " channels"],
) -> Float[Tensor, "batch channels length"]:
    """The same a few channels at a time, in little memory; differentiable once. Arguments as `selective_scan`."""
    y: Tensor = _Blocks.apply(x, delta, a, b, c, d, delta_bias)
    return y


class _Blocks(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, *inputs: Tensor) -> Tensor:
        ctx.save_for_backward(*inputs)
        y = torch.empty_like(inputs[0], memory_format=torch.contiguous_format)
        for rows, channels, groups in _blocks(inputs[0], inputs[3]):
            y[rows, channels] = scan_chunks(*_select(inputs, rows, channels, groups))
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, ...]:
        inputs: tuple[Tensor, ...] = ctx.saved_tensors
        grads = tuple(torch.zeros_like(item) for item in inputs)
        for rows, channels, groups in _blocks(inputs[0], inputs[3]):
            parts = [item.detach().requires_grad_() for item in _select(inputs, rows, channels, groups)]
            with torch.enable_grad():
                y = scan_chunks(*parts)
            found = torch.autograd.grad(y, parts, grad[rows, channels])
            for total, part in zip(_select(grads, rows, channels, groups), found, strict=True):
                total.add_(part)
        return grads


def _by_position(sequence: Tensor, chunks: int) -> tuple[Tensor, ...]:
    """What stands at each position of the chunks, `(..., chunks)` each; after the end 0, where states stay."""
    padded = functional.pad(sequence, (0, chunks * STEPS - sequence.shape[-1]))
    positions: tuple[Tensor, ...] = padded.unflatten(-1, (chunks, STEPS)).movedim(-1, 0).contiguous().unbind(0)
    return positions


def _states_before(added: Tensor, decay: Tensor, chunks: int) -> Tensor:
    """The state before each chunk, from what each adds and what it leaves of the state before it."""
    reach = 1
    while reach < chunks:
        added = added + decay * functional.pad(added[..., :-reach], (reach, 0))
        decay = decay * functional.pad(decay[..., :-reach], (reach, 0), value=1.0)
        reach *= 2
    return functional.pad(added[..., :-1], (1, 0))


def _blocks(x: Tensor, b: Tensor) -> list[tuple[slice, slice, slice]]:
    """Which rows of the batch, channels and group belong to each block."""
    batch, channels, length = x.shape
    groups, states = b.shape[1:3]
    size = CPU_BLOCK if x.device.type == "cpu" else GPU_BLOCK
    width = max(1, size // (states * -(-length // STEPS)))
    per_group = channels // groups
    return [
        (slice(row, row + 1), slice(start, min(start + width, (group + 1) * per_group)), slice(group, group + 1))
        for row in range(batch)
        for group in range(groups)
        for start in range(group * per_group, (group + 1) * per_group, width)
    ]


def _select(inputs: tuple[Tensor, ...], rows: slice, channels: slice, groups: slice) -> list[Tensor]:
    x, delta, a, b, c, d, delta_bias = inputs
    return [
        x[rows, channels],
        delta[rows, channels],
        a[channels],
        b[rows, groups],
        c[rows, groups],
        d[channels],
        delta_bias[channels],
    ]
