from io import BytesIO

import cv2
import numpy as np
import pytest
from PIL import Image

from carpus.data.likeness import ALIKE, alike, perceptual_hash
from carpus.phantom import draw, plan_cohort


@pytest.fixture(scope="module")
def images() -> list[np.ndarray]:
    """One wrist of each of 12 patients."""
    visits = {visit.patient: visit for visit in plan_cohort(patients=12, seed=1)}
    return [draw(visit, size_px=300).radiograph.pixels for visit in visits.values()]


def compressed(pixels: np.ndarray) -> np.ndarray:
    file = BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=40)
    return np.asarray(Image.open(file))


COPIES = {
    "compressed": compressed,
    "brighter": lambda pixels: np.clip(0.8 * pixels + 40, 0, 255).astype(np.uint8),
    "with another gamma": lambda pixels: (255 * (pixels / 255.0) ** 1.6).astype(np.uint8),
    "smaller": lambda pixels: cv2.resize(pixels, (221, 221), interpolation=cv2.INTER_AREA),
    "negative": lambda pixels: 255 - pixels,
    "moved": lambda pixels: np.roll(pixels, (1, -2), (0, 1)),
    "16 bits": lambda pixels: pixels.astype(np.uint16) * 200,
}


@pytest.mark.parametrize("copy", COPIES.values(), ids=COPIES)
@pytest.mark.parametrize("is_mirrored", [False, True])
def test_a_copy_is_found_and_nobody_else(images: list[np.ndarray], copy, is_mirrored: bool) -> None:
    other = copy(images[3][:, ::-1] if is_mirrored else images[3])
    (found,) = alike([perceptual_hash(each) for each in (*images, other)])
    assert (found.first, found.second, found.is_mirrored) == (3, 12, is_mirrored)
    assert found.correlation >= ALIKE


def test_pairs_are_found_across_the_blocks_that_are_compared_at_a_time() -> None:
    chance = np.random.default_rng(0)
    hashes = [perceptual_hash(chance.normal(size=(40, 40))) for _ in range(2100)]
    hashes[2050] = hashes[7]
    hashes[1500] = hashes[1499]
    assert [(each.first, each.second) for each in alike(hashes)] == [(7, 2050), (1499, 1500)]


def test_blank_images_are_not_alike() -> None:
    blank = np.full((50, 50), 7, np.uint8)
    assert not perceptual_hash(blank).any()
    assert alike([perceptual_hash(blank)] * 2) == []
    assert alike([]) == []
