"""The 2-D selective scan layer against its definition, a pixel at a time."""

import math

import pytest
import torch
from torch.nn import functional

from carpus.nets.blocks.ss2d import SelectiveScan2d


@pytest.fixture
def layer(filled) -> SelectiveScan2d:
    small: SelectiveScan2d = filled(SelectiveScan2d(6, states=3)).double()
    return small


def _softplus(value: float) -> float:
    return math.log1p(math.exp(value))


def _scanned(layer: SelectiveScan2d, wide: torch.Tensor) -> torch.Tensor:
    """The sum of the four scans of `(inner, h, w)`, in plain Python floats."""
    inner, height, width = wide.shape
    x_proj, dt_proj, dt_bias = (part.tolist() for part in (layer.x_proj, layer.dt_proj, layer.dt_bias))
    a_log, d = layer.a_log.tolist(), layer.d.tolist()
    rows = [(i, j) for i in range(height) for j in range(width)]
    columns = [(i, j) for j in range(width) for i in range(height)]
    total = torch.zeros_like(wide)
    for k, path in enumerate([rows, columns, rows[::-1], columns[::-1]]):
        state = [[0.0] * layer.states for _ in range(inner)]
        for i, j in path:
            x = wide[:, i, j].tolist()
            mixed = [sum(w * value for w, value in zip(row, x, strict=True)) for row in x_proj[k]]
            step, b, c = mixed[: layer.rank], mixed[layer.rank :][: layer.states], mixed[layer.rank + layer.states :]
            for n in range(inner):
                dt = _softplus(sum(w * s for w, s in zip(dt_proj[k][n], step, strict=True)) + dt_bias[k][n])
                rates = [-math.exp(value) for value in a_log[k * inner + n]]
                state[n] = [
                    math.exp(dt * rate) * before + dt * entry * x[n]
                    for rate, before, entry in zip(rates, state[n], b, strict=True)
                ]
                y = sum(value * weight for value, weight in zip(state[n], c, strict=True))
                total[n, i, j] += y + d[k * inner + n] * x[n]
    return total


@pytest.mark.parametrize(("height", "width"), [(3, 4), (4, 2), (1, 1)])
def test_the_layer_agrees_with_its_definition(layer: SelectiveScan2d, height: int, width: int) -> None:
    image = torch.randn(2, height, width, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    with torch.no_grad():
        wide, gate = (image @ layer.in_proj.weight.T).split(12, dim=-1)
        wide = functional.silu(layer.depthwise(wide.permute(0, 3, 1, 2)))
        scanned = torch.stack([_scanned(layer, one) for one in wide]).permute(0, 2, 3, 1)
        expected = (layer.norm(scanned) * functional.silu(gate)) @ layer.out_proj.weight.T
        torch.testing.assert_close(layer(image), expected)


def test_every_pixel_sees_every_other(layer: SelectiveScan2d) -> None:
    image = torch.randn(1, 5, 4, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64, requires_grad=True)
    layer(image)[0, 2, 1].sum().backward()
    assert image.grad is not None
    assert (image.grad.abs().sum(dim=-1) > 0).all()


def test_turning_the_image_exchanges_rows_and_columns(layer: SelectiveScan2d) -> None:
    """Transposing the image, the filters and the order of directions transposes the output."""
    image = torch.randn(1, 3, 5, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    with torch.no_grad():
        expected = layer(image).transpose(1, 2)
        exchanged = torch.tensor([1, 0, 3, 2])
        for name, parameter in layer.named_parameters():
            if name in ("x_proj", "dt_proj", "dt_bias", "a_log", "d"):
                stacked = parameter.unflatten(0, (4, -1))
                parameter.copy_(stacked[exchanged].flatten(0, 1))
        layer.depthwise.weight.copy_(layer.depthwise.weight.transpose(2, 3).clone())
        torch.testing.assert_close(layer(image.transpose(1, 2)), expected)


def test_a_new_layer_decays_at_rates_1_to_n_and_steps_between_a_thousandth_and_a_tenth() -> None:
    torch.manual_seed(0)
    layer = SelectiveScan2d(32)
    torch.testing.assert_close(layer.a_log.exp(), torch.arange(1.0, 17.0).expand(256, 16))
    steps = functional.softplus(layer.dt_bias)
    assert steps.min() > 0.00099
    assert steps.max() < 0.101
    assert torch.equal(layer.d, torch.ones(256))
    assert layer.dt_proj.abs().max() <= layer.rank**-0.5
    assert layer.x_proj.abs().max() <= 64**-0.5


def test_under_autocast_the_scan_keeps_full_precision(filled, monkeypatch: pytest.MonkeyPatch) -> None:
    layer = filled(SelectiveScan2d(16))
    dtypes: list[torch.dtype] = []

    def recorded(x: torch.Tensor, *others: torch.Tensor, **named: torch.Tensor) -> torch.Tensor:
        dtypes.extend(part.dtype for part in (x, *others, *named.values()))
        return x

    monkeypatch.setattr("carpus.nets.blocks.ss2d.selective_scan", recorded)
    with torch.autocast("cpu", torch.bfloat16):
        layer(torch.randn(1, 4, 4, 16))
    assert set(dtypes) == {torch.float32}
