"""The selective scan of Mamba, a linear recurrence whose coefficients depend on the input.

For every channel and state, with dt = softplus(delta + delta_bias):

    h_t = exp(dt_t A) h_(t-1) + dt_t B_t x_t,    y_t = C_t h_t + D x_t

Three implementations give the same numbers, and `scan_backend` says which one a device gets:

- `triton` on CUDA devices, where Triton is installed (PyTorch's own builds bring it);
- `numba` on CPUs, where Numba is installed, about five times as fast there as
- `torch`, which works everywhere. Graphs that are traced, compiled or exported always hold this one; they are for the
  length they were traced with.

Where the fast one for a device is missing, a line at level WARNING says so, once, and why. All work in float32, or in
float64 if any input is; autocast does not reach inside. Gradients can be taken once, in the traced form any number of
times.

References:
    Gu A, Dao T. Mamba: linear-time sequence modeling with selective state spaces. https://arxiv.org/abs/2312.00752
"""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import cache

import torch
from jaxtyping import Float
from torch import Tensor, nn

from carpus.nets.blocks.scan_reference import selective_scan_reference
from carpus.nets.blocks.scan_torch import scan_blocks, scan_chunks

__all__ = ["scan_backend", "selective_scan", "selective_scan_reference"]

log = logging.getLogger(__name__)


def selective_scan(
    x: Float[Tensor, "batch channels length"],
    delta: Float[Tensor, "batch channels length"],
    a: Float[Tensor, "channels states"],
    b: Float[Tensor, "batch groups states length"],
    c: Float[Tensor, "batch groups states length"],
    d: Float[Tensor, " channels"] | None = None,
    *,
    delta_bias: Float[Tensor, " channels"] | None = None,
) -> Float[Tensor, "batch channels length"]:
    """The output sequence y, in x's dtype.

    Args:
        x: Input sequence.
        delta: Step before bias and softplus.
        a: Decay of each state, at most 0.
        b: What enters the states; each group serves `channels / groups` neighbouring channels.
        c: What leaves the states.
        d: Weight of the input itself; none without it.
        delta_bias: Added to delta.

    Raises:
        ValueError: The channels cannot be shared out among the groups.

    Example:
        >>> x = torch.tensor([[[1.0, 0.0, 0.0]]])
        >>> ones = torch.ones(1, 1, 1, 3)
        >>> selective_scan(x, torch.full_like(x, 0.5413), -torch.ones(1, 1), ones, ones).mul(100).round().tolist()
        [[[100.0, 37.0, 14.0]]]
    """
    channels, groups = x.shape[1], b.shape[1]
    if channels % groups:
        raise ValueError(f"selective_scan needs channels divisible by groups, got {channels} channels, {groups} groups")
    if x.device.type == "meta":  # shapes alone, to count what a network costs
        return torch.empty_like(x)
    given = [part for part in (x, delta, a, b, c, d, delta_bias) if part is not None]
    kind = torch.float64 if any(part.dtype == torch.float64 for part in given) else torch.float32
    d = x.new_zeros(channels) if d is None else d
    delta_bias = x.new_zeros(channels) if delta_bias is None else delta_bias
    scan = scan_chunks if _is_traced(x) else _implementation(scan_backend(x.device))
    with _without_autocast(x.device.type):
        y = scan(*(part.to(kind) for part in (x, delta, a, b, c, d, delta_bias)))
    return y.to(x.dtype)


def scan_backend(device: torch.device) -> str:
    """Which implementation runs on a device outside of traced graphs: `triton`, `numba` or `torch`."""
    fast = {"cuda": "triton", "cpu": "numba"}.get(device.type)
    return fast if fast and _can_use(fast) else "torch"


def _without_autocast(device: str) -> AbstractContextManager[None]:
    # Only where it is on, to keep it out of exported graphs.
    return torch.autocast(device, enabled=False) if torch.is_autocast_enabled(device) else nullcontext()


def _implementation(backend: str) -> Callable[..., Tensor]:
    # Imported here, for they are optional and take a second to load.
    if backend == "triton":
        from carpus.nets.blocks.scan_triton import scan_triton

        return scan_triton
    if backend == "numba":
        from carpus.nets.blocks.scan_numba import scan_numba

        return scan_numba
    return scan_blocks


@cache
def _can_use(backend: str) -> bool:
    """Whether an optional implementation can be loaded; if not, says once what is missed."""
    try:
        _implementation(backend)
    except ImportError as error:
        log.warning("the selective scan runs on PyTorch alone, several times as slow as with %s: %s", backend, error)
        return False
    return True


def _is_traced(x: Tensor) -> bool:
    """Whether operations are being recorded rather than run, so that they must be PyTorch's own."""
    return (
        torch.compiler.is_compiling()
        or torch.jit.is_tracing()  # type: ignore[attr-defined]
        or torch.onnx.is_in_onnx_export()
        or type(x) not in (Tensor, nn.Parameter)  # a fake tensor
    )
