import pytest
import torch

from carpus.errors import InputError
from carpus.nets.seg.swin_umamba import swin_umamba


def _small() -> torch.nn.Module:
    return swin_umamba(classes=3, channels=(4, 8, 16), depths=(1, 1)).eval()


def test_it_can_be_built_smaller() -> None:
    with torch.no_grad():
        assert _small()(torch.randn(1, 1, 24, 16)).shape == (1, 3, 24, 16)


def test_a_size_that_does_not_divide_is_refused_with_the_size_to_pad_to() -> None:
    message = "SwinUMamba needs height and width divisible by 8, got 20 x 16; pad to 24 x 16"
    with pytest.raises(InputError, match=message):
        _small()(torch.zeros(1, 1, 20, 16))


@pytest.mark.parametrize(("channels", "depths"), [((4, 8), (1, 1)), ((4, 8, 24), (1, 1))])
def test_stages_that_do_not_fit_are_refused(channels: tuple[int, ...], depths: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="channels that double"):
        swin_umamba(channels=channels, depths=depths)


def test_only_the_heads_of_deep_supervision_ask_for_no_gradient() -> None:
    frozen = [name for name, weights in _small().named_parameters() if not weights.requires_grad]
    assert frozen == ["spare_heads.0.conv.conv.weight", "spare_heads.0.conv.conv.bias"]


def test_it_can_be_exported() -> None:
    network, image = _small(), torch.randn(1, 1, 16, 8)
    with torch.no_grad():
        exported = torch.export.export(network, (image,)).module()
        torch.testing.assert_close(exported(image), network(image))
