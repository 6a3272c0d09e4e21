import numpy as np
import pytest
import torch
from scipy.interpolate import BSpline

from carpus.nets.blocks.b_splines import HIGH, INTERVALS, LOW, ORDER, SPLINES, cubic_b_splines

STEP = (HIGH - LOW) / INTERVALS
KNOTS = LOW + STEP * np.arange(-ORDER, INTERVALS + ORDER + 1)


def _scipy(x: np.ndarray, derivative: int = 0) -> np.ndarray:
    columns = []
    for i in range(SPLINES):
        spline = BSpline.basis_element(KNOTS[i : i + ORDER + 2], extrapolate=False)
        columns.append(np.nan_to_num(spline.derivative(derivative)(x) if derivative else spline(x)))
    return np.stack(columns, axis=-1)


def test_the_splines_are_those_of_scipy() -> None:
    x = np.concatenate([np.linspace(-3, 3, 601), KNOTS])
    ours = cubic_b_splines(torch.from_numpy(x), dim=-1).numpy()
    np.testing.assert_allclose(ours, _scipy(x), rtol=0, atol=1e-14)


def test_within_the_range_the_splines_sum_to_one() -> None:
    x = torch.linspace(LOW, HIGH, 1001, dtype=torch.float64)
    torch.testing.assert_close(cubic_b_splines(x, dim=0).sum(dim=0), torch.ones_like(x))


def test_beyond_the_outermost_knots_the_splines_are_zero() -> None:
    x = torch.tensor([-1e6, KNOTS[0] - 1e-3, KNOTS[-1] + 1e-3, 1e6])
    assert not cubic_b_splines(x, dim=-1).any()


def test_gradients_are_the_derivatives_at_knots_too() -> None:
    x = torch.from_numpy(np.concatenate([np.linspace(-2, 2, 41), KNOTS[1:-1]])).requires_grad_()
    slopes = torch.stack(
        [torch.autograd.grad(spline.sum(), x, retain_graph=True)[0] for spline in cubic_b_splines(x, dim=0)], dim=-1
    )
    np.testing.assert_allclose(slopes.numpy(), _scipy(x.detach().numpy(), derivative=1), rtol=0, atol=1e-12)


@pytest.mark.parametrize("dim", [0, 2, -1])
def test_the_new_axis_lies_where_asked(dim: int) -> None:
    x = torch.randn(2, 3, 4)
    expected = cubic_b_splines(x, dim=-1).movedim(-1, dim)
    assert torch.equal(cubic_b_splines(x, dim=dim), expected)


def test_half_precision_comes_back_but_is_not_computed_with() -> None:
    x = torch.linspace(-1, 1, 101).to(torch.bfloat16)
    splines = cubic_b_splines(x, dim=-1)
    assert splines.dtype == torch.bfloat16
    assert torch.equal(splines, cubic_b_splines(x.float(), dim=-1).to(torch.bfloat16))
