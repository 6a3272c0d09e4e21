import numpy as np
import pytest

from carpus.imaging import BoneMasks
from carpus.training.augmentation import augment
from carpus.training.recipe import Augmentation

NOTHING = Augmentation(scale=0, rotate_deg=0, shift=0, gamma=0, contrast=0, noise=0)


def _augmented(
    image: np.ndarray, plane: np.ndarray, seed: int, *, settings: Augmentation, size: int
) -> tuple[np.ndarray, np.ndarray]:
    grey, labels = np.empty((size, size), np.float32), np.empty((size, size), np.uint16)
    augment(image, plane, np.random.default_rng(seed), grey, labels, settings=settings)
    return grey, labels


def _disc() -> tuple[np.ndarray, np.ndarray]:
    y, x = np.mgrid[:120, :120]
    disc = (x - 75) ** 2 + (y - 45) ** 2 < 20**2
    return (disc * 200 + 20).astype(np.uint8), disc.astype(np.uint16) << 4


def test_without_any_change_the_image_is_only_resized() -> None:
    image, plane = _disc()
    grey, labels = _augmented(image, plane, 0, settings=NOTHING, size=60)
    assert (labels == plane[1::2, 1::2]).mean() > 0.99
    assert ((grey > 0.5) == (labels > 0)).mean() > 0.98
    assert (grey.min(), grey.max()) == (0, 1)


@pytest.mark.parametrize("seed", range(8))
def test_image_and_masks_move_together(seed: int) -> None:
    image, plane = _disc()
    settings = Augmentation(scale=0.2, rotate_deg=30, shift=0.1, gamma=0, contrast=0, noise=0)
    grey, labels = _augmented(image, plane, seed, settings=settings, size=96)
    assert ((grey > 0.5) == (labels > 0)).mean() > 0.99
    assert BoneMasks(labels).plane.any()


def test_the_same_generator_gives_the_same_sample_and_another_does_not() -> None:
    image, plane = _disc()
    first, again, other = (_augmented(image, plane, seed, settings=Augmentation(), size=64)[0] for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_grey_values_stay_between_0_and_1() -> None:
    image, plane = _disc()
    settings = Augmentation(contrast=1.0, noise=1.0, gamma=1.0)
    for seed in range(5):
        grey, _ = _augmented(image, plane, seed, settings=settings, size=32)
        assert grey.dtype == np.float32
        assert grey.min() >= 0
        assert grey.max() <= 1
