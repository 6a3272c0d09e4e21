"""Times the selective scan against the reference scan of mamba_ssm, at the shapes that the four networks call it with.

On the CPU every shape is run by both, one after the other in this process; peak memory is measured in a process for
each, as what the call adds to the memory of the process. The error is the largest difference from a scan in double
precision, over its largest output, on a few channels of every group. Where a GPU is at hand a second table says how
long ours takes there, and how much of that any scan would need to read its input and write its output once at the
speed at which the GPU copies memory.

The reference scan is written here from its formula and does what `selective_scan_ref` of mamba_ssm does: it lays out
exp(delta A) and delta B x for the whole sequence, then walks along it.
"""

import argparse
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from carpus.nets.blocks.selective_scan import scan_backend, selective_scan, selective_scan_reference


@dataclass(frozen=True)
class Shape:
    """What a network calls the scan with on one image, and how often."""

    network: str
    calls: int
    channels: int
    length: int
    groups: int = 1
    states: int = 16


SHAPES = (
    Shape("UMambaBot", 1, 512, 4096),
    *(Shape("UMambaEnc", 1, 64 * 2**stage, 512**2 // 4**stage) for stage in range(4)),
    *(
        Shape("SwinUMamba", calls, 768 * 2**stage, 128**2 // 4**stage, groups=4)
        for stage, calls in enumerate((2, 2, 9, 2))
    ),
    *(
        Shape("MedMamba", calls, 384 * 2**stage, 56**2 // 4**stage, groups=4)
        for stage, calls in enumerate((2, 2, 4, 2))
    ),
)
NETWORKS = tuple(dict.fromkeys(shape.network for shape in SHAPES))


def reference_scan(
    x: Tensor,
    delta: Tensor,
    a: Tensor,
    b: Tensor,
    c: Tensor,
    d: Tensor | None = None,
    *,
    delta_bias: Tensor | None = None,
) -> Tensor:
    """The same as `selective_scan`, the way mamba_ssm's reference goes about it.

    Steps are taken apart all at once rather than one by one, which gives the same numbers and spares it gradients whose
    time grows with the square of the length.
    """
    kind = x.dtype
    x, delta, b, c = x.float(), delta.float(), b.float(), c.float()
    delta = functional.softplus(delta if delta_bias is None else delta + delta_bias[:, None].float())
    decays = torch.einsum("bdl,dn->bdln", delta, a).exp()
    if b.shape[1] == 1:  # mamba_ssm takes b and c without groups then
        pushes = torch.einsum("bdl,bnl,bdl->bdln", delta, b[:, 0], x)
        leave, product = c[:, 0], "bdn,bn->bd"
    else:
        b, c = (part.repeat_interleave(x.shape[1] // b.shape[1], dim=1) for part in (b, c))
        pushes = torch.einsum("bdl,bdnl,bdl->bdln", delta, b, x)
        leave, product = c, "bdn,bdn->bd"
    state = x.new_zeros(x.shape[0], *a.shape)
    outputs = []
    for decay, push, out in zip(decays.unbind(2), pushes.unbind(2), leave.unbind(-1), strict=True):
        state = decay * state + push
        outputs.append(torch.einsum(product, state, out))
    y = torch.stack(outputs, dim=2)
    return (y if d is None else y + x * d[:, None]).to(kind)


Scan = Callable[..., Tensor]
SIDES: dict[str, Scan] = {"reference": reference_scan, "ours": selective_scan}


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="*", help=f"some of {', '.join(NETWORKS)}; all by default")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="default: %(default)s")
    parser.add_argument("--repeat", type=int, default=5, help="runs of ours, the fastest counts (default: %(default)s)")
    parser.add_argument("--batch", type=int, default=8, help="images at once on the GPU (default: %(default)s)")
    options = parser.parse_args()
    if unknown := set(options.networks) - set(NETWORKS):
        parser.error(f"no shapes for {', '.join(sorted(unknown))}; choose from {', '.join(NETWORKS)}")
    shapes = [shape for shape in SHAPES if shape.network in (options.networks or NETWORKS)]
    torch.set_num_threads(options.threads)
    with torch.no_grad():
        _print_cpu(shapes, options.repeat, options.threads)
    if torch.cuda.is_available():
        _print_cuda(shapes, options.batch)


def _print_cpu(shapes: list[Shape], repeat: int, threads: int) -> None:
    print(f"CPU, {threads} threads, backend {scan_backend(torch.device('cpu'))}, forward, one image")
    print("network     calls  channels  length    ref ms   ours ms  ratio  ref MiB  ours MiB    error")
    selective_scan(*_inputs(Shape("", 1, 32, 64))[:6])  # compiles
    totals: dict[str, list[float]] = {}
    for shape in shapes:
        inputs = _inputs(shape)
        ours = min(_seconds(selective_scan, inputs) for _ in range(repeat))
        reference = _seconds(reference_scan, inputs)
        memory = [_in_own_process(shape, side, threads) for side in SIDES]
        row = f"{shape.network:11} {shape.calls:5} {shape.channels:9} {shape.length:7} {reference * 1e3:9.1f} "
        row += (
            f"{ours * 1e3:9.2f} {reference / ours:6.0f} {memory[0]:8.0f} {memory[1]:9.0f} {_error(shape, inputs):8.1e}"
        )
        print(row, flush=True)
        total = totals.setdefault(shape.network, [0.0, 0.0])
        total[0] += shape.calls * reference
        total[1] += shape.calls * ours
    for network, (reference, ours) in totals.items():
        print(f"{network}: {reference:.2f} s in all calls with the reference, {ours:.3f} s with ours")


def _inputs(shape: Shape, *, batch: int = 1, device: str = "cpu") -> tuple[Tensor, ...]:
    """x, delta, a, b, c, d, delta_bias as after Mamba's initialisation: dt about 0.001 to 0.1, a from -1 down."""
    generator = torch.Generator().manual_seed(0)
    sequence = (batch, shape.channels, shape.length)
    by_state = (batch, shape.groups, shape.states, shape.length)
    x, delta, b, c = (torch.randn(size, generator=generator) for size in (sequence, sequence, by_state, by_state))
    a = -torch.arange(1.0, shape.states + 1).repeat(shape.channels, 1)
    bias = torch.empty(shape.channels).uniform_(-7, -2.3, generator=generator)
    inputs = (x, delta / 4, a, b, c, torch.ones(shape.channels), bias)
    return tuple(item.to(device) for item in inputs)


def _seconds(scan: Scan, inputs: tuple[Tensor, ...]) -> float:
    start = time.perf_counter()
    scan(*inputs[:6], delta_bias=inputs[6])
    return time.perf_counter() - start


def _error(shape: Shape, inputs: tuple[Tensor, ...]) -> float:
    few = [group * (shape.channels // shape.groups) + i for group in range(shape.groups) for i in range(2)]
    x, delta, a, b, c, d, bias = (item.double() for item in inputs)
    exact = selective_scan_reference(x[:, few], delta[:, few], a[few], b, c, d[few], delta_bias=bias[few])
    y = selective_scan(*inputs[:6], delta_bias=inputs[6])[:, few]
    return float((y - exact).abs().max() / exact.abs().max())


def peak_mib() -> float:
    """The most memory this process has held, in MiB."""
    status = Path("/proc/self/status")
    if status.exists():  # what getrusage says there includes what the parent process held
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def forget_peak() -> None:
    """Lets `peak_mib` begin anew from what is held now, on Linux."""
    mark = Path("/proc/self/clear_refs")
    if mark.exists():
        mark.write_text("5")


def _in_own_process(shape: Shape, side: str, threads: int) -> float:
    """Peak memory that one call adds, in MiB."""
    with get_context("spawn").Pool(1) as pool:
        return pool.apply(_memory, (shape, side, threads))


@torch.no_grad()
def _memory(shape: Shape, side: str, threads: int) -> float:
    torch.set_num_threads(threads)
    SIDES[side](*_inputs(Shape("", 1, 32, 64))[:6])
    inputs = _inputs(shape)
    forget_peak()
    before = peak_mib()
    SIDES[side](*inputs[:6], delta_bias=inputs[6])
    return peak_mib() - before


def _print_cuda(shapes: list[Shape], batch: int) -> None:
    source = torch.empty(2**28, dtype=torch.uint8, device="cuda")
    target = torch.empty_like(source)
    bytes_per_ms = 2 * source.numel() / _cuda_ms(lambda: target.copy_(source))
    device = torch.device("cuda")
    print(
        f"{torch.cuda.get_device_name()}, backend {scan_backend(device)}, {batch} images, {bytes_per_ms / 1e6:.0f} GB/s"
    )
    print("network     channels  length  forward ms  of floor  both ms  of floor")
    for shape in shapes:
        inputs = [item.requires_grad_() for item in _inputs(shape, batch=batch, device="cuda")]
        x, _, _, b, _, _, _ = inputs
        sequence, by_state = (item.numel() * item.element_size() for item in (x, b))
        with torch.no_grad():
            forward = _cuda_ms(lambda inputs=inputs: selective_scan(*inputs[:6], delta_bias=inputs[6]))
        grad = torch.randn_like(x)

        def both(inputs: list[Tensor] = inputs, grad: Tensor = grad) -> None:
            torch.autograd.grad(selective_scan(*inputs[:6], delta_bias=inputs[6]), inputs, grad)

        total = _cuda_ms(both)
        # x, delta, b, c read, y written; then those and y's gradient read, four gradients written.
        floors = [(3 * sequence + 2 * by_state) / bytes_per_ms, (8 * sequence + 6 * by_state) / bytes_per_ms]
        print(
            f"{shape.network:11} {shape.channels:8} {shape.length:7} {forward:11.3f} {floors[0] / forward:9.0%} "
            f"{total:8.3f} {floors[1] / total:9.0%}",
            flush=True,
        )


def _cuda_ms(work: Callable[[], object], repeat: int = 20) -> float:
    """Median time in milliseconds, after warming up."""
    for _ in range(3):
        work()
    times = []
    for _ in range(repeat):
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        work()
        end.record()
        end.synchronize()
        times.append(start.elapsed_time(end))
    return sorted(times)[repeat // 2]


if __name__ == "__main__":
    main()
