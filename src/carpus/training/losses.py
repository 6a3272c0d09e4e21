"""Losses of a batch, the same on one process as on many.

Each is written in sums over the batch. With several processes every one of them sees a part of the batch; `summed`
joins the parts, so that neither the value nor the step depends on how many processes there are.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int64
from torch import Tensor, distributed
from torch.nn import functional

Total = Callable[[Tensor], Tensor]
_SMOOTH = 1e-5


def own(part: Tensor) -> Tensor:
    """The sum as this process has it."""
    return part


def summed(part: Tensor) -> Tensor:
    """The sum over all processes of a distributed training, the part itself otherwise.

    Only the own part carries a gradient, times the number of processes, because the mean of all processes' gradients is
    what steps the weights.
    """
    if not (distributed.is_available() and distributed.is_initialized()):
        return part
    whole = part.detach().clone()
    distributed.all_reduce(whole)
    return whole + distributed.get_world_size() * (part - part.detach())


def bce_and_dice(logits: Float[Tensor, "b c h w"], masks: Float[Tensor, "b c h w"], *, total: Total = summed) -> Tensor:
    """Sigmoid cross-entropy plus soft Dice loss, 0 to infinity, lower is better; Dice over the batch as one image."""
    logits = logits.float()
    cross_entropy = functional.binary_cross_entropy_with_logits(logits, masks, reduction="sum")
    count = torch.full_like(cross_entropy, masks.numel())
    inside = logits.sigmoid()
    overlap, size = (total(part.sum((0, 2, 3))) for part in (inside * masks, inside + masks))
    dice = 1 - (2 * overlap + _SMOOTH) / (size + _SMOOTH)
    return total(cross_entropy) / total(count) + dice.mean()


def raw_dice(logits: Float[Tensor, "b c h w"], masks: Float[Tensor, "b c h w"], *, total: Total = summed) -> Tensor:
    """The authors' loss: soft Dice with squared sizes on outputs that no sigmoid bounds, image by image.

    Their outputs are cut at 0.5 and carpus's at 0, so theirs are carpus's plus 0.5.
    """
    output = logits.float() + 0.5
    overlap = (output * masks).sum((2, 3))
    size = (output.square() + masks).sum((2, 3))
    dice = 1 - (2 * overlap + _SMOOTH) / (size + _SMOOTH)
    return total(dice.sum()) / total(torch.full_like(dice[0, 0], dice.numel()))


def weighted_cross_entropy(
    logits: Float[Tensor, "b k"], truth: Int64[Tensor, " b"], weights: Float[Tensor, " k"], *, total: Total = summed
) -> Tensor:
    """Cross-entropy, each item counted by the weight of its class; 0 to infinity, lower is better."""
    losses = functional.cross_entropy(logits.float(), truth, weight=weights, reduction="sum")
    return total(losses) / total(weights[truth].sum())


BONE_LOSSES: dict[str, Callable[..., Tensor]] = {"bce_dice": bce_and_dice, "raw_dice": raw_dice}
"""By the recipe's field `loss`."""
