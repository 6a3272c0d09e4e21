import torch

from carpus.nets.blocks.hybrid_resnet import HybridResNet, StandardisedConv2d


def test_neither_the_scale_nor_the_mean_of_a_kernel_matters() -> None:
    torch.manual_seed(0)
    conv = StandardisedConv2d(8, 4, kernel_size=3).double()
    x = torch.randn(1, 8, 6, 6, dtype=torch.float64)
    with torch.no_grad():
        conv.weight.mul_(100)
        before = conv(x)
        conv.weight.mul_(3).add_(7)
        torch.testing.assert_close(conv(x), before, rtol=1e-5, atol=1e-5)


def test_skips_have_an_eighth_a_quarter_and_half_the_size() -> None:
    torch.manual_seed(0)
    with torch.no_grad():
        features, skips = HybridResNet(1, width=32, depths=(1, 1, 1))(torch.randn(2, 1, 64, 96))
    assert features.shape == (2, 512, 4, 6)
    assert [tuple(skip.shape) for skip in skips] == [(2, 256, 8, 12), (2, 128, 16, 24), (2, 32, 32, 48)]


def test_the_quarter_skip_ends_in_zeros() -> None:
    torch.manual_seed(0)
    with torch.no_grad():
        _, (_, quarter, _) = HybridResNet(1, width=32, depths=(1, 1, 1))(torch.randn(1, 1, 64, 64))
    assert not quarter[..., -1, :].any()
    assert not quarter[..., :, -1].any()
    assert quarter[..., :-1, :-1].any()
