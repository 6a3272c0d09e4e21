"""The networks that are written here for the sake of memory, against MONAI's."""

import pytest
import torch
from monai.networks.nets import DynUNet, ResNet
from torch import nn

from carpus.nets.cls.resnet import resnet
from carpus.nets.seg.unet import unet


def monai_unet(classes: int, filters: tuple[int, ...]) -> nn.Module:
    stages = len(filters)
    network: nn.Module = DynUNet(
        spatial_dims=2,
        in_channels=1,
        out_channels=classes,
        kernel_size=[3] * stages,
        strides=[1] + [2] * (stages - 1),
        upsample_kernel_size=[2] * (stages - 1),
        filters=list(filters),
        norm_name="batch",
        res_block=True,
    )
    return network


def monai_resnet() -> nn.Module:
    network: nn.Module = ResNet(
        block="basic",
        layers=[2, 2, 2, 2],
        block_inplanes=[16, 32, 64, 128],
        spatial_dims=2,
        n_input_channels=3,
        conv1_t_stride=1,
        shortcut_type="B",
        num_classes=5,
        bias_downsample=True,
    )
    return network


@pytest.mark.parametrize("net", ["Unet", "Unet of three stages", "ResNet"])
def test_the_same_seed_gives_the_same_weights_names_answers_and_gradients(net: str) -> None:
    filters = (4, 8, 16) if "three" in net else (4, 8, 16, 24, 32)
    channels, size = (3, 40) if net == "ResNet" else (1, 48)
    torch.manual_seed(7)
    theirs = monai_resnet() if net == "ResNet" else monai_unet(14, filters)
    theirs_next = torch.rand(3)
    torch.manual_seed(7)
    ours = resnet(in_channels=3, classes=5) if net == "ResNet" else unet(classes=14, filters=filters)
    assert torch.equal(torch.rand(3), theirs_next)
    own = {name.removeprefix("network."): tensor for name, tensor in ours.named_parameters()}
    other = dict(theirs.named_parameters())
    assert list(own) == list(other)
    assert all(torch.equal(own[name], other[name]) for name in own)
    buffers = [name.removeprefix("network.") for name, _ in ours.named_buffers()]
    assert buffers == [name for name, _ in theirs.named_buffers()]

    images = torch.rand(2, channels, size, size)
    for training in (True, False):
        answers = [network.train(training)(images) for network in (ours, theirs)]
        assert torch.equal(*answers)
        for answer in answers:
            answer.square().mean().backward()
        for name in own:
            first, second = own[name].grad, other[name].grad
            assert first is not None
            assert second is not None
            assert torch.equal(first, second)
