import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from pycocotools import mask as coco

from carpus.errors import InputError
from carpus.imaging.rle import decode_rle, encode_rle, fill_polygons

# pycocotools decodes with NumPy's former protocol.
pytestmark = pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")
masks = npst.arrays(bool, st.tuples(st.integers(1, 40), st.integers(1, 40)))


@given(masks)
def test_encoding_loses_nothing(mask: np.ndarray) -> None:
    assert np.array_equal(decode_rle(encode_rle(mask)), mask)


@given(masks)
def test_long_runs_and_long_differences_are_read_as_pycocotools_writes_them(mask: np.ndarray) -> None:
    large = np.kron(mask, np.ones((37, 29), bool))
    runs = encode_rle(large)
    assert np.array_equal(decode_rle(runs), coco.decode(runs).astype(bool))
    assert np.array_equal(decode_rle(runs), large)


@given(masks)
def test_uncompressed_runs_mean_the_same(mask: np.ndarray) -> None:
    pixels = mask.T.ravel()
    changes = np.flatnonzero(np.diff(pixels)) + 1
    runs = np.diff(np.concatenate([[0], changes, [pixels.size]])).tolist()
    counts = [0, *runs] if pixels[0] else runs
    assert np.array_equal(decode_rle({"size": list(mask.shape), "counts": counts}), mask)


def test_runs_go_down_the_columns() -> None:
    mask = decode_rle({"size": [2, 3], "counts": [1, 2, 3]})
    assert mask.astype(int).tolist() == [[0, 1, 0], [1, 0, 0]]


@given(st.integers(0, 20), st.integers(0, 20), st.integers(1, 20), st.integers(1, 20))
def test_an_upright_rectangle_fills_its_pixels(x: int, y: int, width: int, height: int) -> None:
    expected = np.zeros((40, 40), bool)
    expected[y : y + height, x : x + width] = True
    corners = [x, y, x + width, y, x + width, y + height, x, y + height]
    assert np.array_equal(fill_polygons([corners], height=40, width=40), expected)


def test_several_polygons_are_one_mask() -> None:
    left, right = [0, 0, 2, 0, 2, 2, 0, 2], [4, 0, 6, 0, 6, 2, 4, 2]
    assert fill_polygons([left, right], height=3, width=7).sum() == 8
    assert fill_polygons([], height=3, width=7).sum() == 0


@settings(max_examples=300)
@given(st.text(alphabet=[chr(code) for code in range(44, 116)], max_size=12))
def test_any_text_is_read_as_pycocotools_reads_it_or_refused(counts: str) -> None:
    try:
        mask = decode_rle({"size": [3, 4], "counts": counts})
    except InputError:
        return
    assert np.array_equal(mask, coco.decode({"size": [3, 4], "counts": counts}).astype(bool))


@pytest.mark.parametrize(
    ("size", "said"),
    [
        ([10**9, 10**9], "expected at most 100000000"),
        ([0, 5], "expected .height, width."),
        ([5], "expected .height, width."),
        ([2.0, 2.0], "expected .height, width."),
        (None, "expected .height, width."),
    ],
)
def test_impossible_sizes_are_refused_before_memory_is_taken(size: object, said: str) -> None:
    with pytest.raises(InputError, match=said):
        decode_rle({"size": size, "counts": [4]})


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ([3], "do not add up to its size 2 x 2"),
        ([10**9], "neither text nor a list"),
        ([5, -1], "neither text nor a list"),
        ([2.5, 1.5], "neither text nor a list"),
        (None, "neither text nor a list"),
        ("", "do not add up"),
        ("oooooooooooo0", "not COCO's compressed form"),
        ("4o", "not COCO's compressed form"),
        ("é", "not COCO's compressed form"),
        ("40O", "do not add up"),
    ],
)
def test_runs_that_are_none_are_refused(counts: object, said: str) -> None:
    with pytest.raises(InputError, match=said):
        decode_rle({"size": [2, 2], "counts": counts})


@pytest.mark.parametrize(
    ("polygon", "said"),
    [
        ([0, 0, 1, 1], "fewer than three corners"),
        ([0, 0, 1, 1, 2, 0, 3], "half a corner"),
        ([0, 0, 1, 1, 2, float("nan")], "not a number"),
        ([0, 0, 1, 1, 2, "a"], "not a number"),
        ([0, 0, 1e9, 1, 2, 0], "far outside"),
        ([0, 0, 8, 8] * 200, "far outside"),
    ],
)
def test_polygons_that_are_none_are_refused(polygon: list[float], said: str) -> None:
    with pytest.raises(InputError, match=said):
        fill_polygons([polygon], height=8, width=8)
