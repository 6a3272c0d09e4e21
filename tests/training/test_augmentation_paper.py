import numpy as np
import pytest

from carpus.training.augmentation_paper import augment_as_paper

SIZE = 64


def wrist() -> tuple[np.ndarray, np.ndarray]:
    image = np.zeros((96, 96), np.uint8)
    image[36:60, 36:60] = 200
    image[36:48, 36:48] = 255  # the brightest quarter tells a flip
    return image, (image > 0).astype(np.uint16)


def changed(image: np.ndarray, plane: np.ndarray, *, seed: int, zoom: bool) -> tuple[np.ndarray, np.ndarray]:
    grey, labels = np.empty((SIZE, SIZE), np.float32), np.empty((SIZE, SIZE), np.uint16)
    augment_as_paper(image, plane, np.random.default_rng(seed), grey, labels, zoom=zoom)
    return grey, labels


def many(*, zoom: bool) -> list[tuple[np.ndarray, np.ndarray]]:
    return [changed(*wrist(), seed=seed, zoom=zoom) for seed in range(200)]


def test_half_of_the_wrists_are_enlarged_twice_and_no_joint_region() -> None:
    side = 24 * SIZE / 96
    sides = np.sqrt([labels.sum() for _, labels in many(zoom=True)]) / side
    assert 0.4 < np.mean(sides > 1.5) < 0.6
    assert np.all((sides < 1.2) | ((sides > 1.75) & (sides < 2.4)))
    plain = np.sqrt([labels.sum() for _, labels in many(zoom=False)]) / side
    assert np.all((plain > 0.85) & (plain < 1.15))
    assert 0.2 < np.mean(np.abs(plain - 1) < 1e-6) < 0.8


def test_nothing_is_flipped_and_grey_values_stay_between_0_and_1() -> None:
    for grey, _ in many(zoom=False):
        assert grey.dtype == np.float32
        assert grey.shape == (SIZE, SIZE)
        assert 0 <= grey.min() <= grey.max() <= 1
        rows, columns = np.nonzero(grey >= grey.max() - 0.02)
        assert rows.mean() < (SIZE + 10) / 2
        assert columns.mean() < (SIZE + 10) / 2


def test_the_same_chance_gives_the_same_sample_and_a_constant_image_none_that_is_no_number() -> None:
    first, second = (changed(*wrist(), seed=3, zoom=True) for _ in range(2))
    np.testing.assert_array_equal(first[0], second[0])
    constant = np.full((50, 40), 7, np.uint8)
    for seed in range(10):
        grey, _ = changed(constant, np.zeros((50, 40), np.uint16), seed=seed, zoom=True)
        assert np.isfinite(grey).all()


@pytest.mark.parametrize("seed", range(3))
def test_image_and_masks_move_together(seed: int) -> None:
    grey, labels = changed(*wrist(), seed=seed, zoom=True)
    inside = grey > (grey.min() + grey.max()) / 2
    assert np.mean(inside == (labels > 0)) > 0.95
