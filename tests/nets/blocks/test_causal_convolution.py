import pytest
import torch

from carpus.nets.blocks.causal_convolution import causal_convolution


@pytest.mark.parametrize("length", [1, 2, 3, 4, 11])
@pytest.mark.parametrize("taps", [1, 4])
def test_each_position_is_a_weighted_sum_of_itself_and_those_before(length: int, taps: int) -> None:
    torch.manual_seed(0)
    x, weight, bias = torch.randn(2, 3, length), torch.randn(3, 1, taps), torch.randn(3)
    expected = bias[:, None].repeat(2, 1, length)
    for t in range(length):
        for tap in range(taps):
            source = t - (taps - 1) + tap
            if source >= 0:
                expected[:, :, t] += weight[:, 0, tap] * x[:, :, source]
    torch.testing.assert_close(causal_convolution(x, weight, bias), expected)


def test_the_future_is_not_seen() -> None:
    torch.manual_seed(0)
    x, weight = torch.randn(1, 3, 9), torch.randn(3, 1, 4)
    changed = x.clone()
    changed[..., 5:] = 0
    before, after = (causal_convolution(item, weight)[..., :5] for item in (x, changed))
    torch.testing.assert_close(before, after)


def test_gradients_are_right() -> None:
    torch.manual_seed(0)
    shapes = [(2, 3, 5), (3, 1, 4), (3,)]
    inputs = [torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in shapes]
    assert torch.autograd.gradcheck(causal_convolution, inputs, fast_mode=True)
