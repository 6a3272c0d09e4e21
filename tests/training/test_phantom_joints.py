"""Joints of wrists drawn on the fly: what a network learns from is what a reading shows it."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from carpus.anatomy import Bone, Joint, Side
from carpus.data.reader import read_dataset
from carpus.data.torch_datasets import unpack_masks
from carpus.errors import InputError
from carpus.imaging.geometry import crop, mirror, resize, resize_labels
from carpus.imaging.joints import joint_boxes
from carpus.imaging.masks import BoneMasks
from carpus.imaging.radiograph import Radiograph
from carpus.imaging.wrist_crop import WRIST_MM
from carpus.inference import outline
from carpus.inference.looks import STRAIGHT
from carpus.inference.model import Model
from carpus.inference.reading import read_radiograph
from carpus.nets.checkpoint import CheckpointInfo
from carpus.phantom.samples import Sample, sample
from carpus.training import phantom_joints
from carpus.training.fit import train
from carpus.training.phantom_joints import SIZE_PX, JointSampleDataset, as_joints
from carpus.training.recipe import named_recipe
from carpus.training.samples import TrainingData

SPACING_MM = WRIST_MM / SIZE_PX
INFO = CheckpointInfo(
    "bones", "Unet", {}, 14, SIZE_PX, mirror_left=True, cut=None, trained_on="phantom", recipe="", seed=0, head="corn"
)


class Drawn(nn.Module):
    """A network for bones that answers with the outlines as drawn."""

    def __init__(self, drawn: Sample) -> None:
        super().__init__()
        plane = mirror(drawn.plane) if drawn.side is Side.LEFT else drawn.plane
        small = resize_labels(plane, height=INFO.image_size, width=INFO.image_size)
        self.masks = unpack_masks(torch.from_numpy(small.astype(np.int16))[None])

    def forward(self, images: Tensor) -> Tensor:  # noqa: ARG002
        return 20 * self.masks - 10


class Seeing(nn.Module):
    """A network for erosion that keeps what it is shown."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Tensor] = []

    def forward(self, images: Tensor) -> Tensor:
        self.seen.append(images)
        return torch.zeros(len(images), 5)


@pytest.mark.parametrize("side", list(Side))
def test_a_network_learns_from_what_a_reading_shows_it(side: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    # Of a reading's size, so that it keeps its own grid; the network for bones answers the same wherever it looks.
    drawn = dataclasses.replace(sample(np.random.default_rng(11), size_px=SIZE_PX, side=side), spacing_mm=SPACING_MM)
    monkeypatch.setattr(phantom_joints, "sample", lambda *_args, **_more: drawn)
    monkeypatch.setattr(phantom_joints, "JITTER_MM", 0.0)
    monkeypatch.setattr(phantom_joints, "SCALE_SPREAD", 0.0)
    learnt, scores, joints, _ = JointSampleDataset(1, image_size=64, mirror_left=True)[0, 0]

    erosion = Model(Seeing(), dataclasses.replace(INFO, task="erosion", image_size=64, classes=5), sha256="")
    monkeypatch.setattr(outline, "SEVERAL", STRAIGHT)
    film = Radiograph(drawn.pixels, drawn.spacing_mm, side, "drawn.png")
    reading = read_radiograph(film, bones=Model(Drawn(drawn), INFO, sha256=""), erosion=erosion)
    assert [item.joint for item in reading.joints] == [list(Joint)[number] for number in joints]
    assert scores.tolist() == [drawn.scores[item.joint] for item in reading.joints]
    shown = torch.cat(erosion.network.seen)  # type: ignore[arg-type]
    assert shown.shape == learnt.shape == (6, 1, 64, 64)
    # A reading makes the picture larger first, which blurs its noise.
    for one, other in zip(*(functional.avg_pool2d(images, 4) for images in (learnt, shown)), strict=True):
        assert np.corrcoef(one.flatten(), other.flatten())[0, 1] > 0.98
        assert (one - other).abs().mean() < 0.04


def test_the_key_decides_an_item_and_fixed_ones_stay() -> None:
    dataset = JointSampleDataset(4, image_size=32, mirror_left=True, seed=3)
    first, again, later = dataset[0, 1], dataset[0, 1], dataset[1, 1]
    assert all(torch.equal(one, other) for one, other in zip(first, again, strict=True))
    assert not torch.equal(first[0], later[0])
    fixed = JointSampleDataset(4, image_size=32, mirror_left=True, seed=3, is_fixed=True)
    assert torch.equal(fixed[5, 1][0], fixed[0, 1][0])
    assert torch.equal(fixed[5, 1][0], first[0])


def test_regions_are_moved_by_chance_as_found_outlines_would_move_them(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = sample(np.random.default_rng(4), size_px=SIZE_PX, side=Side.RIGHT)
    monkeypatch.setattr(phantom_joints, "sample", lambda *_args, **_more: drawn)
    dataset = JointSampleDataset(2, image_size=32, mirror_left=True)
    assert not torch.equal(dataset[0, 0][0], dataset[0, 1][0])


def test_a_joint_outside_of_the_picture_is_left_out_of_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = sample(np.random.default_rng(4), size_px=SIZE_PX)
    cut = dataclasses.replace(drawn, plane=drawn.plane & ~np.uint16(1 << Bone.TRAPEZIUM.channel))
    monkeypatch.setattr(phantom_joints, "sample", lambda *_args, **_more: cut)
    dataset = JointSampleDataset(2, image_size=32, mirror_left=True, joint_input=True)
    channels, scores, joints, planes = as_joints([dataset[0, 0], dataset[0, 1]])
    # The first metacarpal is scored where it faces the trapezium.
    left = [Joint.SCAPHOID, Joint.LUNATE, Joint.DISTAL_RADIUS, Joint.DISTAL_ULNA] * 2
    assert [list(Joint)[number] for number in joints] == left
    assert scores.tolist() == [drawn.scores[joint] for joint in left]
    assert channels.shape == (8, 7, 32, 32)
    assert planes.shape == (8, 2, 32, 32)
    nothing = dataclasses.replace(drawn, plane=np.zeros_like(drawn.plane))
    monkeypatch.setattr(phantom_joints, "sample", lambda *_args, **_more: nothing)
    assert as_joints([dataset[1, 0], dataset[1, 1]])[0].shape == (0, 7, 32, 32)


@pytest.mark.parametrize("side", list(Side))
def test_the_planes_are_the_bone_of_the_region_and_what_erosions_took(
    side: Side, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = next(
        one
        for one in (sample(np.random.default_rng(seed), size_px=SIZE_PX, side=side) for seed in range(60))
        if max(one.scores.values()) > 2 and len(joint_boxes(BoneMasks(one.plane), spacing_mm=one.spacing_mm)) == 6
    )
    monkeypatch.setattr(phantom_joints, "sample", lambda *_args, **_more: drawn)
    monkeypatch.setattr(phantom_joints, "JITTER_MM", 0.0)
    monkeypatch.setattr(phantom_joints, "SCALE_SPREAD", 0.0)
    _, scores, _, planes = JointSampleDataset(1, image_size=64, mirror_left=True)[0, 0]
    boxes = joint_boxes(BoneMasks(drawn.plane), spacing_mm=drawn.spacing_mm)
    for number, joint in enumerate(Joint):
        masks = (BoneMasks(drawn.plane).mask(joint.bone), drawn.eroded >> number & 1)
        for plane, mask in zip(planes[number].numpy(), masks, strict=True):
            cut = resize(crop(mask.astype(np.float32), boxes[joint]), height=64, width=64)
            np.testing.assert_allclose(plane, mirror(cut) if side is Side.LEFT else cut, atol=1e-6)
        assert planes[number, 0].any()
        if not scores[number]:
            assert not planes[number, 1].any()
    assert planes[scores > 2, 1].any()


def test_planes_are_asked_of_drawn_wrists_only(phantoms: Path, tmp_path: Path) -> None:
    recipe = dataclasses.replace(named_recipe("ResNet", "shipped"), source="dataset", epochs=1)
    with pytest.raises(InputError, match="supervised_planes are known of drawn wrists only"):
        train(recipe, read_dataset(phantoms), tmp_path / "run")


def test_the_prevalence_is_that_of_the_drawn_wrists() -> None:
    dataset = JointSampleDataset(40, image_size=8, mirror_left=True)
    scores = torch.cat([dataset[0, index][1] for index in range(40)])
    assert (scores > 0).float().mean() == pytest.approx(dataset.prevalence, abs=0.12)


@pytest.mark.parametrize("field", [{"imbalance": "balanced"}, {"contralateral": True}])
def test_what_drawn_wrists_cannot_give_is_refused(field: dict[str, Any]) -> None:
    recipe = dataclasses.replace(named_recipe("ResNet", "shipped"), **field)
    with pytest.raises(InputError, match="source phantom draws one wrist at a time"):
        TrainingData(recipe, None, packed=None)


def test_decoys_have_no_joints_to_judge() -> None:
    recipe = dataclasses.replace(named_recipe("ResNet", "shipped"), decoys=0.1)
    with pytest.raises(InputError, match="leave decoys=0 for erosion"):
        TrainingData(recipe, None, packed=None)
