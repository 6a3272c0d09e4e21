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


def of_stages(loss: Callable[..., Tensor], logits: Float[Tensor, "b ..."], masks: Float[Tensor, "b c h w"]) -> Tensor:
    """The loss of an answer; of one that is deeply supervised the mean of its stages, each half the one before.

    Args:
        loss: One of `BONE_LOSSES`.
        logits: `(b, c, h, w)`, or `(b, stages, c, h, w)` from the finest stage to the coarsest.
        masks: As drawn.

    References:
        Lee CY et al. Deeply-supervised nets. AISTATS 2015. https://arxiv.org/abs/1409.5185
        Isensee F et al. nnU-Net. Nat Methods 2021;18:203-211. https://doi.org/10.1038/s41592-020-01008-z
    """
    if logits.ndim == masks.ndim:
        return loss(logits, masks)
    stages = logits.unbind(1)
    weights = [0.5**depth for depth in range(len(stages))]
    total = torch.stack([weight * loss(stage, masks) for weight, stage in zip(weights, stages, strict=True)]).sum()
    return total / sum(weights)


def answer_and_planes(output: Tensor | tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor | None]:
    """What a network answers, and what it outlines besides while it is trained, if it does."""
    return output if isinstance(output, tuple) else (output, None)


def of_planes(logits: Float[Tensor, "b c h w"], planes: Float[Tensor, "b c h2 w2"]) -> Tensor:
    """`bce_and_dice` on a coarser grid, where each cell is to be as full as it is.

    Args:
        logits: On the coarser grid.
        planes: What is to be outlined, 0 to 1.
    """
    return bce_and_dice(logits, functional.adaptive_avg_pool2d(planes, (logits.shape[-2], logits.shape[-1])))


def conditional_cross_entropy(
    margins: Float[Tensor, "b k"], scores: Int64[Tensor, " b"], weights: Float[Tensor, " 2"], *, total: Total = summed
) -> Tensor:
    """Cross-entropy of the questions whether a score is above 0, above 1 and so on; 0 to infinity, lower is better.

    Each question is asked only where the answer to the one before it is yes. One question alone is the cross-entropy of
    two classes.

    Args:
        margins: Logits of yes.
        scores: Whole numbers from 0.
        weights: How much an item counts: with score 0, and above.
        total: Sums over all processes.

    References:
        Shi X, Cao W, Raschka S. Deep neural networks for rank-consistent ordinal regression based on conditional
            probabilities. Pattern Anal Appl 2023;26:941-955. https://doi.org/10.1007/s10044-023-01181-9
    """
    steps = torch.arange(margins.shape[1], device=scores.device)
    asked = scores[:, None] >= steps
    counted = weights[(scores > 0).long()][:, None] * asked
    above = (scores[:, None] > steps).float()
    losses = functional.binary_cross_entropy_with_logits(margins.float(), above, reduction="none")
    return total((counted * losses).sum()) / total(counted.sum())


BONE_LOSSES: dict[str, Callable[..., Tensor]] = {"bce_dice": bce_and_dice, "raw_dice": raw_dice}
"""By the recipe's field `loss`."""
