import numpy as np
import pytest
import torch

from carpus.anatomy import Bone
from carpus.data.layout import Split
from carpus.data.torch_datasets import unpack_masks
from carpus.training.phantom_samples import ProjectedDataset, SampleDataset, expose
from carpus.training.recipe import named_recipe, with_settings
from carpus.training.samples import samples_of


def test_items_are_images_and_masks_and_the_key_decides_them() -> None:
    dataset = SampleDataset(10, image_size=96, mirror_left=True, seed=5)
    assert len(dataset) == 10
    image, plane = dataset[0, 3]
    masks = unpack_masks(plane[None])[0]
    assert image.shape == (1, 96, 96)
    assert image.min() == 0
    assert image.max() == 1
    assert masks.shape == (14, 96, 96)
    assert set(masks.unique().tolist()) == {0, 1}
    again, other, later = dataset[0, 3], dataset[0, 4], dataset[1, 3]
    assert torch.equal(again[0], image)
    assert torch.equal(again[1], plane)
    assert not torch.equal(other[1], plane)
    assert not torch.equal(later[1], plane)


def test_so_many_items_as_asked_for_are_decoys() -> None:
    carpal = 1 << Bone.CAPITATE.channel
    none, some, all_of_them = (
        SampleDataset(40, image_size=64, mirror_left=True, seed=5, decoys=share) for share in (0.0, 0.25, 1.0)
    )
    whole = [sum(bool((data[0, index][1] & carpal).any()) for index in range(40)) for data in (none, some, all_of_them)]
    assert whole[0] >= 39
    assert 22 <= whole[1] <= 36
    assert whole[2] == 0


def test_a_validation_has_no_decoys() -> None:
    recipe = with_settings(named_recipe("Unet", "shipped"), ["decoys=0.9", "image_size=64"])
    training, validation = (samples_of(recipe, None, split) for split in (Split.TRAIN, Split.VAL))
    carpal = 1 << Bone.CAPITATE.channel
    whole = []
    for data in (training, validation):
        assert isinstance(data, SampleDataset)
        whole.append(sum(bool((data[0, index][1] & carpal).any()) for index in range(20)))
    assert whole[0] <= 8
    assert whole[1] >= 19


@pytest.mark.parametrize("mirror_left", [True, False])
def test_thumbs_lie_to_the_left_if_left_hands_are_flipped(mirror_left: bool) -> None:
    dataset = SampleDataset(12, image_size=64, mirror_left=mirror_left)
    left = [
        _column(masks, Bone.METACARPAL_2) < _column(masks, Bone.METACARPAL_5)
        for masks in (unpack_masks(dataset[key][1][None])[0] for key in _keys(12))
    ]
    assert all(left) == mirror_left


def test_a_batch_of_attenuation_becomes_images_each_by_another_device() -> None:
    dataset = ProjectedDataset(4, image_size=128, mirror_left=True, seed=2)
    items = [dataset[0, 0]] * 4
    attenuation = torch.stack([item[0] for item in items])
    spacing_mm = torch.tensor([item[2] for item in items])
    images = expose(attenuation, spacing_mm, torch.Generator().manual_seed(1))
    assert images.shape == (4, 1, 128, 128)
    assert images.dtype == torch.float32
    assert images.amin(dim=(1, 2, 3)).tolist() == [0] * 4
    assert images.amax(dim=(1, 2, 3)).tolist() == [1] * 4
    assert torch.equal(images, expose(attenuation, spacing_mm, torch.Generator().manual_seed(1)))
    apart = (images[:, None] - images[None]).abs().mean(dim=(2, 3, 4))
    assert apart[~torch.eye(4, dtype=torch.bool)].min() > 0.01


def test_bone_stays_brighter_than_flesh_in_most_batches() -> None:
    dataset = ProjectedDataset(8, image_size=96, mirror_left=True, seed=3)
    items = [dataset[0, index] for index in range(8)]
    images = expose(
        torch.stack([item[0] for item in items]),
        torch.tensor([item[2] for item in items]),
        torch.Generator().manual_seed(4),
    )
    brighter = []
    for image, (_, masks, _) in zip(images, items, strict=True):
        bone = masks.amax(dim=0) > 0
        brighter.append(float(image[0][bone].mean()) > float(image[0][~bone].mean()))
    assert np.mean(brighter) >= 0.7


def _keys(count: int) -> list[tuple[int, int]]:
    return [(0, index) for index in range(count)]


def _column(masks: torch.Tensor, bone: Bone) -> float:
    return float(masks[bone.channel].nonzero()[:, 1].float().mean())


def test_a_validation_has_the_same_items_in_every_epoch() -> None:
    fixed = SampleDataset(4, image_size=64, mirror_left=True, seed=5, is_fixed=True)
    changing = SampleDataset(4, image_size=64, mirror_left=True, seed=5)
    assert torch.equal(fixed[3, 1][0], fixed[0, 1][0])
    assert torch.equal(fixed[3, 1][0], changing[0, 1][0])
    assert not torch.equal(changing[3, 1][0], changing[0, 1][0])
