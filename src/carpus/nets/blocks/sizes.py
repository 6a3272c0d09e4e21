"""Which input sizes a network takes."""

import torch
from torch import Tensor

from carpus.errors import InputError


def check_divisible(x: Tensor, by: int, *, net: str) -> None:
    """Refuses images `(b, c, h, w)` whose height or width is not a multiple of `by`.

    Raises:
        InputError: Names the size to pad to.
    """
    height, width = x.shape[-2:]
    if torch.compiler.is_compiling() or (height % by == 0 and width % by == 0):
        return
    up = [-(-int(length) // by) * by for length in (height, width)]
    raise InputError(
        f"{net} needs height and width divisible by {by}, got {height} x {width}; pad to {up[0]} x {up[1]}"
    )
