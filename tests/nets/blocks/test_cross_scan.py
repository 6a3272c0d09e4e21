"""The laws of the cross scan and its merge."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from carpus.nets.blocks.cross_scan import cross_merge, cross_scan

SIDES = st.integers(1, 6)


def _numbered(height: int, width: int, *, channels: int = 2, batch: int = 2) -> torch.Tensor:
    return torch.arange(batch * channels * height * width).reshape(batch, channels, height, width)


def test_each_direction_is_the_order_it_says() -> None:
    image = torch.tensor([[1, 2, 3], [4, 5, 6]])[None, None]
    rows, columns, rows_back, columns_back = cross_scan(image)[0, :, 0].tolist()
    assert rows == [1, 2, 3, 4, 5, 6]
    assert columns == [1, 4, 2, 5, 3, 6]
    assert rows_back == rows[::-1]
    assert columns_back == columns[::-1]


@given(SIDES, SIDES)
def test_the_scan_agrees_with_a_walk_over_the_pixels(height: int, width: int) -> None:
    image = _numbered(height, width)
    rows = [(i, j) for i in range(height) for j in range(width)]
    columns = [(i, j) for j in range(width) for i in range(height)]
    for direction, path in enumerate([rows, columns, rows[::-1], columns[::-1]]):
        walked = torch.stack([image[:, :, i, j] for i, j in path], dim=-1)
        assert torch.equal(cross_scan(image)[:, direction], walked)


@given(SIDES, SIDES)
def test_scan_then_merge_gives_four_times_the_image(height: int, width: int) -> None:
    image = _numbered(height, width)
    assert torch.equal(cross_merge(cross_scan(image), height=height, width=width), 4 * image)


@given(SIDES, SIDES, st.integers(0, 3))
def test_merging_one_direction_puts_its_pixels_back_in_place(height: int, width: int, direction: int) -> None:
    image = _numbered(height, width)
    alone = torch.zeros_like(cross_scan(image))
    alone[:, direction] = cross_scan(image)[:, direction]
    assert torch.equal(cross_merge(alone, height=height, width=width), image)


@given(SIDES, SIDES)
def test_merge_is_the_transpose_of_scan(height: int, width: int) -> None:
    generator = torch.Generator().manual_seed(0)
    image = torch.randn(1, 2, height, width, generator=generator, dtype=torch.float64, requires_grad=True)
    sequences = torch.randn(1, 4, 2, height * width, generator=generator, dtype=torch.float64)
    (cross_scan(image) * sequences).sum().backward()
    torch.testing.assert_close(image.grad, cross_merge(sequences, height=height, width=width))


def test_gradients_flow_through_both() -> None:
    image = torch.randn(1, 1, 2, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: cross_merge(cross_scan(x) ** 2, height=2, width=3), image)


def test_both_can_be_exported_for_any_size() -> None:
    class RoundTrip(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return cross_merge(cross_scan(x), height=x.shape[2], width=x.shape[3])

    sizes = {2: torch.export.Dim("height", min=2, max=64), 3: torch.export.Dim("width", min=2, max=64)}
    exported = torch.export.export(RoundTrip(), (torch.randn(1, 2, 4, 6),), dynamic_shapes=(sizes,)).module()
    image = torch.randn(1, 2, 5, 3)
    torch.testing.assert_close(exported(image), 4 * image)


def test_a_merge_to_the_wrong_size_fails() -> None:
    with pytest.raises(RuntimeError):
        cross_merge(cross_scan(torch.zeros(1, 1, 2, 3)), height=2, width=2)
