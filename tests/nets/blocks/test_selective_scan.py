"""The selective scan by each of its implementations against its formula in double precision."""

import importlib.util
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from carpus.nets.blocks import selective_scan as scan_module
from carpus.nets.blocks.scan_torch import scan_blocks, scan_chunks
from carpus.nets.blocks.selective_scan import scan_backend, selective_scan, selective_scan_reference

Scan = Callable[..., Tensor]
SCANS = [pytest.param(scan_chunks, id="chunks"), pytest.param(scan_blocks, id="blocks")]
if importlib.util.find_spec("numba"):
    from carpus.nets.blocks.scan_numba import scan_numba

    SCANS.append(pytest.param(scan_numba, id="numba"))
NAMES = ["y", "x", "delta", "a", "b", "c", "d", "delta_bias"]
# Batch, channels, length, states, groups: odd ones, more and fewer channels than a block of the compiled loops has.
SHAPES = [(1, 1, 1, 1, 1), (2, 3, 2, 5, 1), (1, 6, 3, 2, 3), (2, 80, 67, 16, 2), (3, 34, 131, 4, 1)]


def _inputs(
    batch: int, channels: int, length: int, states: int, groups: int, *, kind: torch.dtype = torch.float32
) -> list[Tensor]:
    generator = np.random.default_rng([batch, channels, length, states, groups])
    shapes = [(batch, channels, length)] * 2 + [(channels, states)] + [(batch, groups, states, length)] * 2
    inputs = [torch.from_numpy(generator.standard_normal(shape)) for shape in [*shapes, (channels,), (channels,)]]
    inputs[2] = -inputs[2].exp()
    return [item.to(kind).requires_grad_() for item in inputs]


def _reference(*inputs: Tensor) -> Tensor:
    return selective_scan_reference(*inputs[:-1], delta_bias=inputs[-1])


def _with_gradients(scan: Scan, inputs: list[Tensor]) -> list[Tensor]:
    y = scan(*inputs)
    weight = torch.from_numpy(np.random.default_rng(0).standard_normal(y.shape)).to(y.dtype)
    return [y.detach(), *torch.autograd.grad(y, inputs, weight)]


def _error(expected: Tensor, found: Tensor) -> float:
    return float((found - expected).abs().max() / expected.abs().max().clamp(min=1e-30))


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Small tensors gain nothing from several."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("scan", SCANS)
def test_output_and_gradients_are_those_of_the_formula(scan: Scan, shape: tuple[int, ...]) -> None:
    inputs = _inputs(*shape)
    expected = _with_gradients(_reference, [item.detach().double().requires_grad_() for item in inputs])
    for name, reference, found in zip(NAMES, expected, _with_gradients(scan, inputs), strict=True):
        assert found.dtype == torch.float32
        assert _error(reference, found.double()) < 2e-6, name


@pytest.mark.parametrize("length", [1, 2, 3, 17])
@pytest.mark.parametrize("scan", SCANS)
def test_gradients_pass_the_check_by_differences(scan: Scan, length: int) -> None:
    assert torch.autograd.gradcheck(scan, _inputs(2, 2, length, 2, 2, kind=torch.float64))


@pytest.mark.parametrize("missing", [(5,), (6,), (5, 6)], ids=["d", "delta_bias", "both"])
def test_what_is_missing_counts_as_zero(missing: tuple[int, ...]) -> None:
    inputs = _inputs(2, 4, 5, 3, 2, kind=torch.float64)
    given: list[Tensor | None] = [None if i in missing else item for i, item in enumerate(inputs)]
    zeros = [torch.zeros_like(item) if i in missing else item for i, item in enumerate(inputs)]
    y = selective_scan(*given[:-1], delta_bias=given[-1])  # type: ignore[arg-type]
    torch.testing.assert_close(y, _reference(*zeros))
    kept = [item for i, item in enumerate(inputs) if i not in missing]

    def scan(*parts: Tensor) -> Tensor:
        remaining = iter(parts)
        every = [None if i in missing else next(remaining) for i in range(7)]
        return selective_scan(*every[:-1], delta_bias=every[-1])  # type: ignore[arg-type]

    assert torch.autograd.gradcheck(scan, kept)


@pytest.mark.parametrize(
    ("shift", "rate"), [(-4, 1), (-7, 0.1), (2, 100), (30, 1), (1e4, 1), (-30, 1e-3)], ids=lambda value: f"{value:g}"
)
@pytest.mark.parametrize("scan", SCANS)
def test_long_sequences_slow_and_fast_decays_stay_exact(scan: Scan, shift: float, rate: float) -> None:
    x, delta, _, b, c, d, _ = _inputs(1, 2, 16384, 4, 1)
    a = -rate * torch.arange(1.0, 5.0).repeat(2, 1)
    inputs = [item.detach() for item in (x, delta / 2, a, b, c, d * 0, torch.full((2,), float(shift)))]
    with torch.no_grad():
        found = scan(*inputs)
    assert _error(_long_reference(*(item.double() for item in inputs)), found.double()) < 2e-6


def _long_reference(x: Tensor, delta: Tensor, a: Tensor, b: Tensor, c: Tensor, _: Tensor, bias: Tensor) -> Tensor:
    """The formula again, in NumPy, which has less to do for each of many steps."""
    step = nn.functional.softplus(delta + bias[:, None])[0].numpy().T
    push, rates, enter, leave = (step * x[0].numpy().T), a.numpy(), b[0, 0].numpy().T, c[0, 0].numpy().T
    decay = np.exp(step[..., None] * rates)
    state, y = np.zeros_like(rates), np.zeros_like(step)
    for t in range(len(y)):
        state = decay[t] * state + push[t, :, None] * enter[t]
        y[t] = state @ leave[t]
    return torch.from_numpy(y.T[None])


@pytest.mark.parametrize("scan", SCANS)
def test_nothing_overflows_or_turns_undefined_at_the_ends_of_delta(scan: Scan) -> None:
    inputs = _inputs(1, 2, 40, 3, 1)
    with torch.no_grad():
        inputs[1][:, :, 10:20] = -1e5
        inputs[1][:, :, 20:30] = 1e5
    results = _with_gradients(scan, inputs)
    expected = _with_gradients(_reference, [item.detach().double().requires_grad_() for item in inputs])
    assert all(bool(item.isfinite().all()) for item in results)
    assert max(_error(reference, item.double()) for reference, item in zip(expected, results, strict=True)) < 1e-5


@pytest.mark.parametrize("scan", SCANS)
def test_undefined_input_gives_undefined_output(scan: Scan) -> None:
    inputs = [item.detach() for item in _inputs(1, 2, 40, 3, 1)]
    inputs[0][0, 1, 7] = float("nan")
    undefined = scan(*inputs).isnan()
    assert undefined[0, 1, 7:].all()
    assert not undefined[0, 0].any()


def test_the_kind_of_the_input_comes_back_and_autocast_stays_outside() -> None:
    inputs = [item.detach() for item in _inputs(1, 4, 20, 3, 1)]
    exact = selective_scan(*inputs[:-1], delta_bias=inputs[-1])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        torch.testing.assert_close(selective_scan(*inputs[:-1], delta_bias=inputs[-1]), exact, rtol=0, atol=0)
    short = [item.to(torch.bfloat16) for item in inputs]
    assert selective_scan(*short[:-1], delta_bias=short[-1]).dtype == torch.bfloat16
    mixed = selective_scan(inputs[0], *(item.double() for item in inputs[1:-1]), delta_bias=inputs[-1])
    assert mixed.dtype == torch.float32
    torch.testing.assert_close(mixed, exact)


def test_the_layout_of_the_inputs_does_not_matter() -> None:
    inputs = [item.detach() for item in _inputs(2, 4, 9, 3, 2)]
    turned = [item.transpose(0, -1).contiguous().transpose(0, -1) for item in inputs]
    every_other = [item.repeat_interleave(2, dim=-1)[..., ::2] for item in inputs]
    expected = selective_scan(*inputs[:-1], delta_bias=inputs[-1])
    for other in (turned, every_other):
        torch.testing.assert_close(selective_scan(*other[:-1], delta_bias=other[-1]), expected)


def test_channels_that_cannot_be_shared_out_are_refused() -> None:
    x, b = torch.zeros(1, 5, 4), torch.zeros(1, 2, 3, 4)
    with pytest.raises(ValueError, match="channels divisible by groups, got 5 channels, 2 groups"):
        selective_scan(x, x, torch.zeros(5, 3), b, b)


def test_the_number_of_threads_changes_nothing_but_the_order_of_sums() -> None:
    inputs = _inputs(2, 80, 40, 4, 1)
    results = []
    for threads in (1, 3):
        torch.set_num_threads(threads)
        results.append(_with_gradients(lambda *i: selective_scan(*i[:-1], delta_bias=i[-1]), inputs))
    for one, several in zip(*results, strict=True):
        torch.testing.assert_close(one, several, rtol=1e-4, atol=1e-4)


class _Scanner(nn.Module):
    def forward(self, *inputs: Tensor) -> Tensor:
        return selective_scan(*inputs[:-1], delta_bias=inputs[-1])


def test_an_exported_graph_is_small_and_gives_the_same() -> None:
    inputs = tuple(item.detach() for item in _inputs(1, 4, 4096, 3, 2))
    exported = torch.export.export(_Scanner(), inputs, strict=False)
    assert len(exported.graph.nodes) < 400
    found = exported.module()(*inputs)
    torch.testing.assert_close(found, _Scanner()(*inputs), rtol=1e-4, atol=1e-4)


@pytest.mark.filterwarnings(
    "ignore::torch.jit.TracerWarning", "ignore:.torch.jit:FutureWarning", "ignore:.torch.jit:DeprecationWarning"
)
def test_a_traced_graph_gives_the_same() -> None:
    inputs = tuple(item.detach() for item in _inputs(1, 4, 40, 3, 2))
    traced = torch.jit.trace(_Scanner(), inputs)
    torch.testing.assert_close(traced(*inputs), _Scanner()(*inputs), rtol=1e-4, atol=1e-4)


def test_the_backend_can_be_asked_for_and_its_lack_is_said_once(caplog: Any, monkeypatch: Any) -> None:
    implementation = scan_module._implementation

    def lacking(backend: str) -> Scan:
        if backend != "torch":
            raise ImportError(f"No module named '{backend}'")
        return implementation(backend)

    assert scan_backend(torch.device("cpu")) == ("numba" if importlib.util.find_spec("numba") else "torch")
    assert scan_backend(torch.device("meta")) == "torch"
    monkeypatch.setattr(scan_module, "_implementation", lacking)
    scan_module._can_use.cache_clear()
    with caplog.at_level(logging.WARNING):
        assert [scan_backend(torch.device(name)) for name in ("cuda", "cpu", "cuda")] == ["torch"] * 3
    scan_module._can_use.cache_clear()
    assert [record.getMessage().split(": ")[-1] for record in caplog.records] == [
        "No module named 'triton'",
        "No module named 'numba'",
    ]


INTERPRETED = """
import sys, torch
sys.path.insert(0, sys.argv[1])
from test_selective_scan import NAMES, _error, _inputs, _reference, _with_gradients
from carpus.nets.blocks import scan_triton as launch
launch.TILE, launch.FORWARD_CHANNELS, launch.BACKWARD_CHANNELS = 8, 2, 4
for shape in [(1, 1, 1, 1, 1), (1, 3, 9, 3, 1), (2, 4, 17, 2, 2)]:
    inputs = _inputs(*shape)
    expected = _with_gradients(_reference, [item.detach().double().requires_grad_() for item in inputs])
    for name, one, other in zip(NAMES, expected, _with_gradients(launch.scan_triton, inputs)):
        assert _error(one, other.double()) < 2e-6, (shape, name)
"""


needs_triton = pytest.mark.skipif(
    not importlib.util.find_spec("triton"), reason="Triton comes with PyTorch's builds for CUDA only"
)


@needs_triton
@pytest.mark.parametrize("name", ["forward", "backward"])
def test_the_kernels_for_cuda_compile_for_a_device(name: str) -> None:
    triton = pytest.importorskip("triton")
    from carpus.nets.blocks import scan_triton as launch
    from carpus.nets.blocks import scan_triton_kernels as kernels

    kernel = getattr(kernels, name)
    width, warps = {
        "forward": (launch.FORWARD_CHANNELS, launch.FORWARD_WARPS),
        "backward": (launch.BACKWARD_CHANNELS, launch.BACKWARD_WARPS),
    }[name]
    constants = {"KEEP": True, "WIDTH": width, "TILE": launch.TILE, "PADDED": 16}
    numbers = {"groups": "i32", "width": "i32", "states": "i32", "length": "i32"}
    kinds = {key: "constexpr" if key in constants else numbers.get(key, "*fp32") for key in kernel.arg_names}
    given = {(kernel.arg_names.index(key),): value for key, value in constants.items() if key in kernel.arg_names}
    options = {"num_warps": warps, "enable_fp_fusion": True}
    source = triton.compiler.ASTSource(kernel, kinds, given)
    target = triton.backends.compiler.GPUTarget("cuda", 90, 32)
    compiled = triton.compile(source, target=target, options=options)
    assert ".target sm_90" in compiled.asm["ptx"]
    assert len(compiled.asm["cubin"]) > 0


@needs_triton
def test_the_kernels_for_cuda_give_the_same_when_interpreted() -> None:
    environment = {**os.environ, "TRITON_INTERPRET": "1"}
    command = [sys.executable, "-c", INTERPRETED, str(Path(__file__).parent)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
