import numpy as np
import pytest
import torch

from carpus.training.augmentation import augment, draw_change
from carpus.training.device_augmentation import augment_batch
from carpus.training.recipe import Augmentation

STRONG = Augmentation(scale=0.3, rotate_deg=40, shift=0.2, gamma=0.5, contrast=0.3, noise=0.1)


@pytest.mark.parametrize("size", [48, 96])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_batch_on_a_device_is_what_each_image_is_alone(size: int, dtype: type) -> None:
    chance = np.random.default_rng(3)
    shapes = [(96, 80), (70, 70), (120, 101)]
    images: list[np.ndarray] = [
        chance.integers(0, np.iinfo(dtype).max, shape, endpoint=True).astype(dtype) for shape in shapes
    ]
    planes = [chance.integers(0, 2**14, shape).astype(np.uint16) for shape in shapes]
    changes = [draw_change(STRONG, np.random.default_rng([7, index])) for index in range(3)]
    grey, labels = augment_batch(
        [torch.from_numpy(image) for image in images],
        [torch.from_numpy(plane.view(np.int16)) for plane in planes],
        changes,
        size=size,
    )
    assert (grey.shape, grey.dtype) == ((3, 1, size, size), torch.float32)
    assert (labels.shape, labels.dtype) == ((3, size, size), torch.int16)
    for index, (image, plane) in enumerate(zip(images, planes, strict=True)):
        alone, bones = np.empty((size, size), np.float32), np.empty((size, size), np.uint16)
        augment(image, plane, np.random.default_rng([7, index]), alone, bones, settings=STRONG)
        np.testing.assert_allclose(grey[index, 0].numpy(), alone, atol=0.012)  # the blur rounds to grey values
        assert np.abs(grey[index, 0].numpy() - alone).mean() < (0.004 if dtype is np.uint8 else 0.0001)
        assert (labels[index].numpy().view(np.uint16) == bones).mean() > 0.999
    assert len({change.noise_seed for change in changes}) == 3
