"""What networks of 2-D selective scans share."""

import pytest
import torch
from torch import nn

from carpus.nets.blocks.vssm import PatchMerging, ScanBranch, drop_rates


def test_merging_joins_the_four_pixels_down_the_columns_first() -> None:
    merging = PatchMerging(1)
    merging.norm = merging.reduce = nn.Identity()  # type: ignore[assignment]
    image = torch.tensor([[1.0, 2, 3, 4], [5, 6, 7, 8]])[None, :, :, None]
    assert merging(image)[0, 0].tolist() == [[1, 5, 2, 6], [3, 7, 4, 8]]


def test_merging_cuts_off_a_last_odd_row_and_column() -> None:
    merging = PatchMerging(3)
    image = torch.randn(1, 5, 7, 3)
    torch.testing.assert_close(merging(image), merging(image[:, :4, :6]))


def test_drop_rates_grow_evenly_over_all_stages() -> None:
    rates = drop_rates([2, 1, 2], last=0.4)
    assert [len(stage) for stage in rates] == [2, 1, 2]
    assert [rate for stage in rates for rate in stage] == pytest.approx([0, 0.1, 0.2, 0.3, 0.4])


def test_a_branch_is_left_out_in_training_only() -> None:
    torch.manual_seed(0)
    branch = ScanBranch(16, drop=1.0)
    image = torch.randn(2, 3, 3, 16)
    assert not branch.train()(image).any()
    assert branch.eval()(image).all()
