"""An image read as four sequences, and the four sequences laid over one another again.

The four directions, in the order of their dimension:

    0  row by row                      2  direction 0 from its end to its start
    1  column by column                3  direction 1 from its end to its start

References:
    Liu Y, et al. VMamba: visual state space model. https://arxiv.org/abs/2401.10166; its
    2-D selective scan.
"""

import torch
from jaxtyping import Shaped
from torch import Tensor

DIRECTIONS = 4


def cross_scan(x: Shaped[Tensor, "b c h w"]) -> Shaped[Tensor, "b 4 c h*w"]:
    """The pixels of each image in the order of each direction."""
    rows = x.flatten(2)
    columns = x.transpose(2, 3).flatten(2)
    return torch.stack([rows, columns, rows.flip(-1), columns.flip(-1)], dim=1)


def cross_merge(sequences: Shaped[Tensor, "b 4 c h*w"], *, height: int, width: int) -> Shaped[Tensor, "b c h w"]:
    """The sum over the directions, each put back in its place; the transpose of `cross_scan`.

    `cross_merge(cross_scan(x))` is 4 x.

    Args:
        sequences: One a direction, as `cross_scan` orders them.
        height: Of the image in pixels.
        width: Of the image in pixels.
    """
    rows, columns = (sequences[:, :2] + sequences[:, 2:].flip(-1)).unbind(1)
    b, c, _ = rows.shape
    return rows.reshape(b, c, height, width) + columns.reshape(b, c, width, height).transpose(2, 3)
