import numpy as np
import torch
from scipy.interpolate import BSpline
from torch.nn import functional

from carpus.nets.blocks.b_splines import cubic_b_splines
from carpus.nets.blocks.kan_linear import KANLinear


def test_an_output_is_the_sum_of_the_functions_of_the_inputs() -> None:
    torch.manual_seed(0)
    layer = KANLinear(2, 3).double()
    x = torch.rand(5, 2, dtype=torch.float64) * 2 - 1
    knots = -1 + 0.4 * np.arange(-3, 9)
    expected = torch.zeros(5, 3, dtype=torch.float64)
    with torch.no_grad():
        for i in range(2):
            for j in range(3):
                curve = BSpline(knots, layer.spline_weight[j, i].numpy(), 3)(x[:, i].numpy())
                expected[:, j] += layer.spline_scale[j, i] * torch.from_numpy(curve)
                expected[:, j] += layer.base_weight[j, i] * functional.silu(x[:, i])
        torch.testing.assert_close(layer(x), expected)


def test_leading_axes_are_kept() -> None:
    torch.manual_seed(0)
    layer = KANLinear(4, 6)
    x = torch.randn(2, 3, 5, 4)
    torch.testing.assert_close(layer(x)[1, 2], layer(x[1, 2]))


def test_the_curves_start_within_a_hundredth_of_zero_at_the_inner_knots() -> None:
    torch.manual_seed(0)
    layer = KANLinear(16, 16)
    at_knots = layer.spline_weight @ cubic_b_splines(torch.linspace(-1, 1, 6), dim=0)
    assert at_knots.abs().max() <= 0.0101
    assert 0.004 < at_knots.std() < 0.007
