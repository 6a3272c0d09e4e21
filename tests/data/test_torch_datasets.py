import multiprocessing
import pickle
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from carpus.anatomy import Joint, Side
from carpus.data.dataset import Case
from carpus.data.packing import open_packed
from carpus.data.reader import read_dataset, read_masks, read_radiograph, read_roi
from carpus.data.torch_datasets import (
    BoneDataset,
    EpochSampler,
    ErosionDataset,
    WholeBoneDataset,
    as_batch,
    as_lists,
    unpack_masks,
)
from carpus.errors import InputError
from carpus.imaging.geometry import mirror
from carpus.imaging.intensity import min_max
from carpus.training.augmentation import augment
from carpus.training.recipe import Augmentation


@pytest.fixture
def cases(tiny: Path) -> tuple[Case, ...]:
    return read_dataset(tiny).cases


def noise(
    _image: np.ndarray, _plane: np.ndarray, chance: np.random.Generator, grey: np.ndarray, labels: np.ndarray
) -> None:
    """An augmentation that is nothing but chance."""
    grey[:] = chance.random(grey.shape, np.float32)
    labels[:] = chance.integers(0, 2**14, labels.shape)


def test_a_bone_item_has_the_image_from_0_to_1_and_fourteen_masks_packed_until_asked_for(
    cases: tuple[Case, ...],
) -> None:
    dataset = BoneDataset(cases, image_size=48, mirror_left=True)
    assert len(dataset) == 12
    for index in range(len(dataset)):
        image, plane = dataset[0, index]
        assert (image.shape, image.dtype) == ((1, 48, 48), torch.float32)
        assert (plane.shape, plane.dtype) == ((48, 48), torch.int16)
        masks = unpack_masks(plane[None])[0]
        assert (masks.shape, masks.dtype) == ((14, 48, 48), torch.float32)
        assert (float(image.min()), float(image.max())) == (0, 1)
        assert masks.unique().tolist() == [0, 1]


@pytest.mark.parametrize("mirror_left", [True, False])
def test_only_left_hands_are_mirrored_image_and_masks_alike(cases: tuple[Case, ...], mirror_left: bool) -> None:
    dataset = BoneDataset(cases, image_size=64, mirror_left=mirror_left)
    for index, case in enumerate(cases):
        image, packed_masks = dataset[0, index]
        masks = unpack_masks(packed_masks[None], dtype=torch.bool)[0]
        pixels, plane = read_radiograph(case).pixels, read_masks(case)
        if mirror_left and case.id.side is Side.LEFT:
            pixels, plane = mirror(pixels), plane.mirrored()
        assert np.array_equal(image[0].numpy(), min_max(pixels))
        assert np.array_equal(masks.numpy(), plane.stack())


def test_the_same_key_gives_the_same_sample_in_any_order_and_another_key_another(cases: tuple[Case, ...]) -> None:
    keys = [(epoch, index) for epoch in range(2) for index in range(3)]
    first, second = (BoneDataset(cases, image_size=32, mirror_left=True, seed=5, augment=noise) for _ in range(2))
    one = {key: first[key] for key in keys}
    other = {key: second[key] for key in reversed(keys)}
    for key in keys:
        assert torch.equal(one[key][0], other[key][0])
        assert torch.equal(one[key][1], other[key][1])
    assert len({image.numpy().tobytes() for image, _ in one.values()}) == len(keys)
    reseeded = BoneDataset(cases, image_size=32, mirror_left=True, seed=6, augment=noise)
    assert not torch.equal(one[0, 0][0], reseeded[0, 0][0])


def test_a_sample_may_be_changed_without_changing_the_next_one(cases: tuple[Case, ...]) -> None:
    dataset = BoneDataset(cases, image_size=64, mirror_left=True)
    image, masks = dataset[0, 0]
    kept = image.clone()
    image += 1
    masks += 1
    assert torch.equal(dataset[0, 0][0], kept)


def test_masks_of_another_size_than_the_image_are_refused(cases: tuple[Case, ...]) -> None:
    assert cases[0].masks is not None
    np.save(cases[0].masks, np.zeros((14, 32, 64), np.uint8))
    with pytest.raises(InputError, match="64 x 64 pixels and its masks are 32 x 64; run `carpus data check`"):
        BoneDataset(cases, image_size=64, mirror_left=True)[0, 0]


def test_an_erosion_item_is_one_joint_with_its_score(cases: tuple[Case, ...]) -> None:
    dataset = ErosionDataset(cases, image_size=24, mirror_left=True)
    assert len(dataset) == 6 * len(cases)
    labels = []
    for index in range(len(dataset)):
        region, score, joint = dataset[0, index]
        assert (region.shape, region.dtype) == ((1, 24, 24), torch.float32)
        assert 0 <= region.min() < region.max() <= 1
        assert list(Joint)[joint] is dataset.joints[index][1]
        labels.append(score > 0)
    assert dataset.eroded.tolist() == labels
    truth = [score > 0 for case in cases for score in (case.scores or {}).values()]
    assert labels == truth
    assert sum(truth) == 60


def test_regions_of_left_hands_are_mirrored(cases: tuple[Case, ...]) -> None:
    left, right = cases[:2]
    dataset = ErosionDataset((left, right), image_size=20, mirror_left=True)
    plain = ErosionDataset((left, right), image_size=20, mirror_left=False)
    assert torch.equal(dataset[0, 0][0], plain[0, 0][0].flip(-1))
    assert torch.equal(dataset[0, 6][0], plain[0, 6][0])
    assert dataset.joints[0][1] is Joint.METACARPAL_1
    assert read_roi(left, Joint.METACARPAL_1).shape == (24, 20)


def test_erosion_samples_too_depend_on_their_key_alone(cases: tuple[Case, ...]) -> None:
    first, second = (ErosionDataset(cases, image_size=32, mirror_left=True, augment=noise) for _ in range(2))
    second[0, 4]
    assert torch.equal(first[1, 3][0], second[1, 3][0])
    assert not torch.equal(first[1, 3][0], first[2, 3][0])
    assert not torch.equal(first[1, 3][0], first[1, 4][0])


@pytest.mark.parametrize("mirror_left", [True, False])
def test_the_second_channel_is_the_same_joint_of_the_other_hand_mirrored(
    cases: tuple[Case, ...], mirror_left: bool
) -> None:
    left, right = cases[:2]
    assert (left.id.patient, left.id.study) == (right.id.patient, right.id.study)
    alone = ErosionDataset((left, right), image_size=20, mirror_left=False)
    both = ErosionDataset((left, right), image_size=20, mirror_left=mirror_left, contralateral=True)
    for joint in range(6):
        of_left, of_right = both[0, joint][0], both[0, 6 + joint][0]
        plain_left, plain_right = alone[0, joint][0][0], alone[0, 6 + joint][0][0]
        assert torch.equal(of_right, torch.stack([plain_right, plain_left.flip(-1)]))
        seen = torch.stack([plain_left, plain_right.flip(-1)])
        assert torch.equal(of_left, seen.flip(-1) if mirror_left else seen)


def test_without_another_hand_at_the_same_visit_the_second_channel_is_empty(cases: tuple[Case, ...]) -> None:
    left, right = cases[:2]
    later = replace(right, id=replace(right.id, study="0009"))
    dataset = ErosionDataset((left, later), image_size=20, mirror_left=True, contralateral=True)
    assert not dataset[0, 0][0][1].any()
    assert dataset[0, 0][0][0].any()


def test_training_hides_the_other_hand_now_and_then_and_moves_it_by_itself(cases: tuple[Case, ...]) -> None:
    dataset = ErosionDataset(cases[:2], image_size=20, mirror_left=True, contralateral=True, augment=noise)
    channels = [dataset[epoch, 0][0] for epoch in range(60)]
    hidden = [not each[1].any() for each in channels]
    assert 5 < sum(hidden) < 30
    again = ErosionDataset(cases[:2], image_size=20, mirror_left=True, contralateral=True, augment=noise)
    assert torch.equal(again[7, 0][0], channels[7])
    plain = ErosionDataset(cases[:2], image_size=20, mirror_left=True, augment=noise)
    assert torch.equal(plain[7, 0][0][0], channels[7][0])


def test_the_last_six_channels_say_which_joint(cases: tuple[Case, ...]) -> None:
    dataset = ErosionDataset(cases[:1], image_size=8, mirror_left=True, contralateral=True, joint_input=True)
    for index in range(6):
        planes = dataset[0, index][0][2:]
        assert planes.shape == (6, 8, 8)
        assert (planes == 0.1 * torch.eye(6)[index][:, None, None]).all()


def test_unscored_cases_have_no_erosion_items(cases: tuple[Case, ...]) -> None:
    assert len(ErosionDataset((replace(cases[0], scores=None),), image_size=8, mirror_left=True)) == 0


def test_an_epoch_holds_every_item_once_in_an_order_of_its_own() -> None:
    sampler = EpochSampler(20, seed=1, shuffle=True)
    first = list(sampler)
    assert list(sampler) == first == list(EpochSampler(20, seed=1, shuffle=True))
    assert sorted(first) == [(0, index) for index in range(20)] != first
    sampler.set_epoch(1)
    second = list(sampler)
    assert sorted(second) == [(1, index) for index in range(20)]
    assert [index for _, index in first] != [index for _, index in second]
    assert first != list(EpochSampler(20, seed=2, shuffle=True))
    assert len(sampler) == 20


def test_without_shuffling_items_come_in_their_order() -> None:
    assert list(EpochSampler(3, seed=1, shuffle=False)) == [(0, 0), (0, 1), (0, 2)]


@pytest.mark.parametrize("length", [20, 21])
def test_a_balanced_epoch_alternates_between_common_and_rare_and_repeats_with_other_chance(length: int) -> None:
    rare = np.zeros(length, bool)
    rare[[2, 5, 11]] = True
    sampler = EpochSampler(length, seed=1, shuffle=True, rare=rare)
    keys = list(sampler)
    assert list(sampler) == keys
    assert len(keys) == len(set(keys)) == length
    assert [bool(rare[index]) for _, index in keys] == [place % 2 == 1 for place in range(length)]
    assert {index for _, index in keys} >= {2, 5, 11}
    common = [index for _, index in keys[::2]]
    assert len(set(common)) == len(common)
    sampler.set_epoch(1)
    assert not set(sampler) & set(keys)


@pytest.mark.parametrize("start", ["fork", "spawn"])
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_worker_processes_give_the_same_samples(tiny: Path, start: str) -> None:
    if start not in multiprocessing.get_all_start_methods():
        pytest.skip("there is no fork here")
    dataset = read_dataset(tiny)
    packed = open_packed(dataset, "bones")
    change = partial(augment, settings=Augmentation())
    samples = BoneDataset(dataset.cases, image_size=32, mirror_left=True, seed=3, augment=change, packed=packed)
    sampler = EpochSampler(len(samples), seed=3, shuffle=True)
    sampler.set_epoch(2)
    alone = list(DataLoader(samples, batch_size=5, sampler=sampler))
    workers = DataLoader(
        samples, batch_size=5, sampler=sampler, collate_fn=as_batch, num_workers=2, multiprocessing_context=start
    )
    for mine, theirs in zip(alone, workers, strict=True):
        assert torch.equal(mine[0], theirs[0])
        assert torch.equal(mine[1], theirs[1])


def test_the_cache_gives_the_samples_that_the_files_give_and_keeps_nothing(tiny: Path) -> None:
    dataset = read_dataset(tiny)
    bones, erosion = (
        [kind(dataset.cases, image_size=24, mirror_left=True, packed=cache) for cache in (packed, None)]
        for kind, packed in (
            (BoneDataset, open_packed(dataset, "bones")),
            (ErosionDataset, open_packed(dataset, "erosion")),
        )
    )
    for from_cache, from_files in (bones, erosion):
        size = len(pickle.dumps(from_cache)), len(pickle.dumps(from_files))
        for index in range(len(from_files)):
            one, other = from_files[0, index], from_cache[0, index]
            assert torch.equal(one[0], other[0])
            assert torch.equal(torch.as_tensor(one[1]), torch.as_tensor(other[1]))
        assert (len(pickle.dumps(from_cache)), len(pickle.dumps(from_files))) == size


def test_whole_wrists_come_as_lists_with_their_keys(tiny: Path) -> None:
    dataset = read_dataset(tiny)
    samples = WholeBoneDataset(dataset.cases, mirror_left=True, packed=open_packed(dataset, "bones"))
    sampler = EpochSampler(len(samples), seed=3, shuffle=True)
    images, planes, keys = next(iter(DataLoader(samples, batch_size=3, sampler=sampler, collate_fn=as_lists)))
    assert keys == list(sampler)[:3]
    plain = BoneDataset(dataset.cases, image_size=64, mirror_left=True)
    for image, plane, key in zip(images, planes, keys, strict=True):
        assert np.array_equal(min_max(image.numpy()), plain[key][0][0].numpy())
        assert torch.equal(plane, plain[key][1])
