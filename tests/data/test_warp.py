import cv2
import numpy as np
import pytest

from carpus.data.warp import TONES, resized, tone, unpack, warped
from carpus.imaging.geometry import resize, resize_labels
from carpus.imaging.intensity import min_max
from carpus.imaging.masks import BoneMasks

LINEAR = np.linspace(0, 1, TONES + 1, dtype=np.float32)


def wrist(height: int, width: int, dtype: type) -> tuple[np.ndarray, np.ndarray]:
    chance = np.random.default_rng([height, width])
    image: np.ndarray = chance.integers(0, np.iinfo(dtype).max, (height, width), endpoint=True).astype(dtype)
    return image, chance.integers(0, 2**14, (height, width)).astype(np.uint16)


def empty(size: int) -> tuple[np.ndarray, np.ndarray]:
    return np.empty((size, size), np.float32), np.empty((size, size), np.uint16)


def toned(grey: np.ndarray, curve: np.ndarray, *, noise: float, seed: int) -> np.ndarray:
    grey = grey.copy()
    tone(grey, curve, noise=noise, seed=seed)
    return grey


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("seed", range(6))
def test_a_warp_is_that_of_opencv_inside_and_beyond_the_image(dtype: type, seed: int) -> None:
    image, plane = wrist(70, 50, dtype)
    chance = np.random.default_rng(seed)
    inverse = np.column_stack([np.eye(2) + chance.uniform(-0.6, 0.6, (2, 2)), chance.uniform(-25, 25, 2)])
    grey, labels = empty(64)
    warped(image, plane, inverse, grey, labels)
    flags = cv2.WARP_INVERSE_MAP
    expected = cv2.warpAffine(image.astype(np.float32), inverse, (64, 64), flags=flags | cv2.INTER_LINEAR)
    nearest = cv2.warpAffine(plane, inverse, (64, 64), flags=flags | cv2.INTER_NEAREST)
    assert (grey == 0).any()  # some of it lies beyond
    np.testing.assert_allclose(grey, expected, atol=2e-4 * np.iinfo(dtype).max)
    assert (labels == nearest).mean() > 0.998


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(64, 64), (75, 64), (75, 70), (190, 128), (300, 301), (50, 40), (80, 40)])
def test_resizing_is_that_of_the_predictions_but_for_rounding(dtype: type, shape: tuple[int, int]) -> None:
    image, plane = wrist(*shape, dtype)
    grey, labels = empty(64)
    resized(image, plane, grey, labels)
    one_step = 1 / float(np.ptp(resize(image, height=64, width=64)))
    np.testing.assert_allclose(grey, min_max(resize(image, height=64, width=64)), atol=2 * one_step)
    assert np.array_equal(labels, resize_labels(plane, height=64, width=64))
    assert (grey.min(), grey.max()) == (0, 1)


def test_a_constant_image_is_black_and_finite() -> None:
    grey, labels = empty(20)
    resized(np.full((30, 30), 9, np.uint8), np.zeros((30, 30), np.uint16), grey, labels)
    assert not grey.any()
    assert not toned(np.full((20, 20), 9, np.float32), LINEAR, noise=0, seed=0).any()


def test_a_tone_curve_is_followed_between_its_steps() -> None:
    grey = np.random.default_rng(0).uniform(-3, 5, (40, 40)).astype(np.float32)
    expected = np.clip(min_max(grey) ** 1.5 * 1.2 - 0.1, 0, 1)
    np.testing.assert_allclose(toned(grey, LINEAR**1.5 * 1.2 - 0.1, noise=0, seed=0), expected, atol=1e-5)


def test_noise_has_its_size_and_no_pattern_and_follows_its_seed() -> None:
    def noise(seed: int) -> np.ndarray:
        grey = np.full((256, 256), 0.5, np.float32)
        grey[0, :2] = 0, 1
        return toned(grey, LINEAR, noise=0.05, seed=seed)[1:] - 0.5

    one, other = noise(1), noise(2)
    assert np.array_equal(one, noise(1))
    assert one.std() == pytest.approx(0.05, rel=0.02)
    assert abs(one.mean()) < 0.001
    pairs = [(one, other), (one[1:], one[:-1]), (one[:, 1:], one[:, :-1]), (one[:, 2:], one[:, :-2])]
    assert all(abs(np.corrcoef(a.ravel(), b.ravel())[0, 1]) < 0.02 for a, b in pairs)


@pytest.mark.parametrize("dtype", [np.bool_, np.uint8, np.float32])
def test_unpacked_planes_are_the_stacks(dtype: type) -> None:
    planes = np.stack([wrist(70, 90, np.uint8)[1], wrist(90, 70, np.uint8)[1].T])
    out: np.ndarray = np.ones((2, 14, 70, 90), dtype)
    unpack(planes, out)
    assert np.array_equal(out, [BoneMasks(plane.copy()).stack() for plane in planes])
