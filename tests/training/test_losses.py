import math

import pytest
import torch
from monai.losses import DiceLoss
from torch.nn import functional

from carpus.nets.apply import margins
from carpus.training.losses import bce_and_dice, conditional_cross_entropy, of_stages, raw_dice

CHANCE = torch.Generator().manual_seed(3)
LOGITS = torch.randn(3, 14, 9, 7, generator=CHANCE)
MASKS = (torch.rand(3, 14, 9, 7, generator=CHANCE) < 0.2).float()


def test_cross_entropy_and_dice_are_those_of_other_libraries() -> None:
    expected = functional.binary_cross_entropy_with_logits(LOGITS, MASKS)
    expected = expected + DiceLoss(sigmoid=True, batch=True)(LOGITS, MASKS)
    torch.testing.assert_close(bce_and_dice(LOGITS, MASKS), expected)


def test_the_authors_loss_is_monais_dice_on_outputs_cut_at_one_half() -> None:
    theirs = LOGITS + 0.5
    torch.testing.assert_close(raw_dice(LOGITS, MASKS), DiceLoss(sigmoid=False, squared_pred=True)(theirs, MASKS))


def test_one_question_is_pytorchs_weighted_cross_entropy_of_two_classes() -> None:
    logits, scores, weights = LOGITS[:, :2, 0, 0], torch.tensor([0, 3, 1]), torch.tensor([1.0, 6.0])
    expected = functional.cross_entropy(logits, (scores > 0).long(), weight=weights)
    found = conditional_cross_entropy(margins(logits, head="binary"), scores, weights)
    torch.testing.assert_close(found, expected)


def test_a_question_is_asked_only_after_a_yes() -> None:
    answers = torch.tensor([[0.3, 9.0, -9.0], [1.0, -2.0, 9.0], [0.5, 0.25, 2.0]])
    scores, weights = torch.tensor([0, 1, 3]), torch.tensor([1.0, 4.0])

    def cost(logit: float, *, yes: bool) -> float:
        return math.log1p(math.exp(-logit if yes else logit))

    healthy = cost(0.3, yes=False)
    one = cost(1.0, yes=True) + cost(-2.0, yes=False)
    three = cost(0.5, yes=True) + cost(0.25, yes=True) + cost(2.0, yes=True)
    expected = (healthy + 4 * (one + three)) / (1 + 4 * (2 + 3))
    assert float(conditional_cross_entropy(answers, scores, weights)) == pytest.approx(expected)


@pytest.mark.parametrize("loss", [bce_and_dice, raw_dice])
def test_right_outlines_cost_less_than_empty_ones_even_where_there_is_no_bone(loss) -> None:
    masks = MASKS.clone()
    masks[:, 3] = 0
    right, empty = (8 * masks - 4 if loss is bce_and_dice else masks - 0.5), torch.full_like(masks, -0.5)
    assert 0 <= loss(right, masks) < loss(empty, masks)


def test_the_loss_of_stages_is_their_mean_with_halving_weights() -> None:
    masks = (torch.rand(2, 14, 8, 8) > 0.5).float()
    stages = torch.randn(2, 3, 14, 8, 8)
    each = [bce_and_dice(stages[:, depth], masks) for depth in range(3)]
    assert torch.isclose(of_stages(bce_and_dice, stages, masks), (4 * each[0] + 2 * each[1] + each[2]) / 7)
    assert of_stages(bce_and_dice, stages[:, 0], masks) == each[0]
