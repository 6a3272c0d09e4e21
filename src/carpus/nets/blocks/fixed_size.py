"""Networks that take one input size only, the size they were built for."""

import torch
from torch import Tensor

from carpus.errors import InputError


def check_built_for(x: Tensor, image_size: int, *, net: str) -> None:
    """Refuses images `(b, c, h, w)` that are not squares of `image_size` pixels.

    Raises:
        InputError: Names the size to resize to.
    """
    height, width = x.shape[-2:]
    if torch.compiler.is_compiling() or (height == image_size and width == image_size):
        return
    raise InputError(
        f"{net} was built for {image_size} x {image_size} pixels, got {height} x {width}; "
        f"resize to {image_size} x {image_size} or build it with another image_size"
    )


def check_image_size(image_size: int, by: int, *, net: str) -> None:
    """Refuses an `image_size` to build for that is not a positive multiple of `by`.

    Raises:
        InputError: Names the next size that works.
    """
    if image_size < by or image_size % by:
        up = max(1, -(-image_size // by)) * by
        raise InputError(f"{net} needs an image_size divisible by {by}, got {image_size}; use {up}")
