import cv2
import numpy as np
import pytest

from carpus.phantom.samples.grain import tiles
from carpus.phantom.samples.kernels import NEAR_PX, add_bone, add_line, fill, to_grey

ANGLE = np.linspace(0, 2 * np.pi, 90, endpoint=False)
DISC = np.column_stack([20.3 + 12 * np.cos(ANGLE), 24.7 + 12 * np.sin(ANGLE)])
PROFILE = (6.0, 5.0, 0.5, 0.165, 0.05, 0.01, 4.0, 1.5, 0.0, 0.0)
NO_SHAFT = (0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 2.0)
PLAIN = (0.0, 9.0, 0.0, 0.0, 9.0, 0.0, 0.0, 0.5)


def test_filling_an_outline_sets_the_pixels_whose_middle_lies_within() -> None:
    inside, near = _filled(DISC, (48, 40))
    rows, columns = np.indices(inside.shape) + 0.5
    radius = np.hypot(columns - 20.3, rows - 24.7)
    assert np.array_equal(inside[np.abs(radius - 12) > 0.1], (radius < 12)[np.abs(radius - 12) > 0.1])
    band = np.abs(radius - 12) < NEAR_PX - 0.2
    assert np.abs(near[band] - np.abs(radius - 12)[band]).max() < 0.02
    assert (near[np.abs(radius - 12) > NEAR_PX + 0.2] > NEAR_PX).all()


def test_an_outline_that_leaves_the_window_fills_what_is_within() -> None:
    inside, _ = _filled(DISC - [15, 15], (48, 40))
    whole, _ = _filled(DISC, (48, 40))
    assert np.array_equal(inside[:33, :25], whole[15:, 15:])
    assert not _filled(DISC + 200, (48, 40))[0].any()


def test_a_spike_between_the_middles_of_pixels_covers_none() -> None:
    spike = np.array([[4.6, 2.0], [4.9, 2.0], [4.9, 12.0], [4.6, 12.0]])
    inside, near = _filled(spike, (16, 16))
    assert not inside.any()
    assert near[6, 4] == pytest.approx(0.1, abs=1e-4)


def test_a_bone_adds_to_what_is_there_inside_its_outline_and_is_brightest_near_it() -> None:
    total, plane = np.full((60, 60), 1, np.float32), np.full((60, 60), 4, np.uint16)
    _add(total, plane, DISC, (5, 3))
    rows, columns = np.indices(total.shape) + 0.5
    radius = np.hypot(columns - 25.3, rows - 27.7)
    assert np.array_equal(plane == 6, np.abs(radius) < 12)
    assert (total[radius > 12.6] == 1).all()
    assert (total[radius < 11] > 1.2).all()
    rim, middle = total[(radius > 8) & (radius < 11)].max(), total[radius < 4].mean()
    assert rim > middle + 0.05


def test_the_middle_of_a_bone_attenuates_as_its_cortex_and_spongy_bone_do() -> None:
    total, plane = np.zeros((60, 60), np.float32), np.zeros((60, 60), np.uint16)
    _add(total, plane, DISC * 1.2, (0, 0), spacing_mm=0.8)
    face = 0.6 * 0.5
    assert total[29, 24] == pytest.approx(face * 0.165 + (6 - face) * 0.05, rel=0.02)


def test_a_wedge_is_as_much_thicker_as_its_slope_says_and_never_gone() -> None:
    plain, wedge = np.zeros((2, 60, 60), np.float32)
    plane = np.zeros((60, 60), np.uint16)
    _add(plain, plane, DISC, (5, 3))
    _add(wedge, plane, DISC, (5, 3), wedge=(25.0, 27.0, 0.1, 0.0))
    bone = plain > 0.2
    columns = np.broadcast_to(np.arange(60), plain.shape)[bone]
    np.testing.assert_allclose(
        (wedge / np.where(bone, plain, 1))[bone], np.maximum(1 + 0.1 * (columns - 25), 0.1), rtol=1e-5
    )


def test_a_line_is_as_strong_in_its_course_as_asked_for_and_fades_beside_it() -> None:
    total = np.zeros((60, 80), np.float32)
    add_line(total, np.array([[10.0, 30.5], [35.0, 30.5], [70.0, 30.5]]), False, 0.5, 1.0, 2.0)
    assert total[30, 20:60] == pytest.approx(2.0, rel=0.03)
    assert total[32, 40] == pytest.approx(2.0 * np.exp(-0.5), rel=0.03)
    assert not total[:20].any()
    assert total[30, 5] < 0.2


def test_grey_values_follow_the_curve_and_stay_in_range() -> None:
    signal = np.linspace(-1, 3, 400, dtype=np.float32).reshape(20, 20)
    curve = np.linspace(10, 200, 65).astype(np.float32)
    out = np.empty(signal.shape, np.uint8)
    to_grey(signal, curve, 0.0, 2.0, out)
    expected = np.interp(signal, np.linspace(0, 2, 65), curve)
    assert np.abs(out - expected).max() <= 0.51
    to_grey(signal, curve * 3 - 100, 0.0, 2.0, out)
    assert out.min() == 0
    assert out.max() == 255


def test_the_tiles_repeat_without_a_seam() -> None:
    for tile in np.moveaxis(tiles(), 2, 0):
        seam = np.abs(tile[:, 0] - tile[:, -1]).mean()
        assert seam < 1.5 * np.abs(np.diff(tile, axis=1)).mean()
        assert abs(float(tile.mean())) < 0.05


def _filled(points: np.ndarray, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    inside, near = np.zeros(shape, np.uint8), np.empty(shape, np.float32)
    fill(points, inside, near)
    return inside, near


def _add(
    total: np.ndarray,
    plane: np.ndarray,
    points: np.ndarray,
    corner: tuple[int, int],
    spacing_mm: float = 0.3,
    wedge: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0),
) -> None:
    inside, near = _filled(points, (48, 40))
    deep = cv2.distanceTransform(inside, cv2.DIST_L2, 5)
    add_bone(
        total, plane, np.uint16(2), corner, spacing_mm, inside, near, deep, PROFILE, NO_SHAFT, PLAIN, wedge, tiles()
    )
