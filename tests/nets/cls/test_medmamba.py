import pytest
import torch

from carpus.errors import InputError
from carpus.nets.cls.medmamba import medmamba


def _small() -> torch.nn.Module:
    return medmamba(classes=3, channels=(8, 16), depths=(1, 2)).eval()


@pytest.mark.parametrize("size", [(8, 8), (24, 16), (15, 21)])
def test_it_can_be_built_smaller_and_takes_every_size_from_the_least(size: tuple[int, int]) -> None:
    with torch.no_grad():
        assert _small()(torch.randn(2, 1, *size)).shape == (2, 3)


def test_an_image_too_small_to_merge_is_refused() -> None:
    message = "MedMamba needs height and width of at least 8, got 16 x 7; enlarge or pad the images"
    with pytest.raises(InputError, match=message):
        _small()(torch.zeros(1, 1, 16, 7))


@pytest.mark.parametrize(("channels", "depths"), [((8,), (1, 1)), ((8, 24), (1, 1)), ((7, 14), (1, 1))])
def test_stages_that_do_not_fit_are_refused(channels: tuple[int, ...], depths: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="even channels that double"):
        medmamba(channels=channels, depths=depths)


def test_it_can_be_exported() -> None:
    network, image = _small(), torch.randn(1, 1, 16, 8)
    with torch.no_grad():
        exported = torch.export.export(network, (image,)).module()
        torch.testing.assert_close(exported(image), network(image))
