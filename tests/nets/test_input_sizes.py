"""Images of a size that a network cannot take are refused in one sentence."""

import pytest
import torch

from carpus.errors import InputError
from carpus.nets import CLASSIFIERS, SEGMENTERS

BUILD = {**SEGMENTERS, **CLASSIFIERS}
DIVISOR = {
    "DeepLabV3": 8,
    "FPN": 32,
    "PSPNet": 8,
    "DeepLabV3+": 16,
    "SegResNet": 8,
    "Unet++": 16,
    "SegFormer": 32,
    "UKAN": 32,
}
BUILT_FOR = {
    "TransUNet": {"image_size": 32, "layers": 1},
    "LeViT": {"image_size": 32},
    "EfficientFormer": {"image_size": 32},
}


@pytest.mark.parametrize(("name", "by"), DIVISOR.items())
def test_sizes_that_do_not_divide_are_refused(name: str, by: int) -> None:
    network = BUILD[name]().eval()
    needs = f"needs height and width divisible by {by}, got {by + 2} x {2 * by}; pad to {2 * by} x {2 * by}"
    with pytest.raises(InputError, match=needs):
        network(torch.zeros(1, 1, by + 2, 2 * by))
    with torch.no_grad():
        assert network(torch.zeros(1, 1, by, 3 * by)).shape == (1, 14, by, 3 * by)


@pytest.mark.parametrize(("name", "options"), BUILT_FOR.items())
def test_sizes_other_than_the_one_built_for_are_refused(name: str, options) -> None:
    network = BUILD[name](**options)
    with pytest.raises(InputError, match=f"{name} was built for 32 x 32 pixels, got 64 x 32; resize to 32 x 32 or"):
        network(torch.zeros(1, 1, 64, 32))


@pytest.mark.parametrize("name", BUILT_FOR)
def test_sizes_that_nothing_can_be_built_for_are_refused(name: str) -> None:
    with pytest.raises(InputError, match=r"needs an image_size divisible by (16|32), got 100; use (112|128)"):
        BUILD[name](image_size=100)


@pytest.mark.parametrize("name", ["ConvKAN", "MobileNet", "MobileViT"])
def test_the_other_classifiers_take_any_size(name: str) -> None:
    with torch.no_grad():
        assert BUILD[name]().eval()(torch.zeros(1, 1, 37, 50)).shape == (1, 2)


@pytest.mark.parametrize("channels", [1, 2, 3])
@pytest.mark.parametrize("name", ["TransUNet", "UKAN"])
def test_a_grey_image_counts_as_three_equal_channels(name: str, channels: int, filled) -> None:
    options = BUILT_FOR.get(name, {})
    network = filled(BUILD[name](in_channels=channels, **options)).eval()
    x = torch.randn(1, channels, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        output = network(x)
        if channels == 1:
            colour = BUILD[name](in_channels=3, **options).eval()
            colour.load_state_dict(network.state_dict())
            torch.testing.assert_close(colour(x.expand(-1, 3, -1, -1)), output)
    assert output.shape == (1, 14, 32, 32)
