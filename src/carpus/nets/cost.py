"""What a network costs: parameters, operations and time for one image of one channel."""

from collections.abc import Callable
from statistics import median
from time import perf_counter

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

Builder = Callable[..., nn.Module]


def count_parameters(build: Builder, *, classes: int) -> int:
    """The number of parameters. No memory is taken for them.

    Args:
        build: A builder from `SEGMENTERS` or `CLASSIFIERS`.
        classes: Number of classes.
    """
    with torch.device("meta"):
        return sum(weights.numel() for weights in build(in_channels=1, classes=classes).parameters())


def count_flops(build: Builder, *, classes: int, image_size: int) -> int:
    """The floating-point operations for one image, a multiply-add counted as two.

    Convolutions, matrix products and attention count; what works value by value, selective scans among it, does not.
    Nothing is computed: only shapes run through the network.

    Args:
        build: A builder from `SEGMENTERS` or `CLASSIFIERS`.
        classes: Number of classes.
        image_size: Edge of the image in pixels.
    """
    with torch.device("meta"):
        network, image = _network_and_image(build, classes, image_size)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(image)
    return int(counter.get_total_flops())


def cpu_latency_ms(build: Builder, *, classes: int, image_size: int, repeats: int = 5) -> float:
    """The time for one image in ms: the median after one warm-up, with PyTorch's threads as they are set.

    Args:
        build: A builder from `SEGMENTERS` or `CLASSIFIERS`.
        classes: Number of classes.
        image_size: Edge of the image in pixels.
        repeats: Number of timed runs.
    """
    network, image = _network_and_image(build, classes, image_size)
    with torch.inference_mode():
        network(image)
        return 1000 * median(_seconds(network, image) for _ in range(repeats))


def _network_and_image(build: Builder, classes: int, image_size: int) -> tuple[nn.Module, Tensor]:
    return build(in_channels=1, classes=classes).eval(), torch.zeros(1, 1, image_size, image_size)


def _seconds(network: nn.Module, image: Tensor) -> float:
    started = perf_counter()
    network(image)
    return perf_counter() - started
