"""Which square of a film becomes the wrist, with the weights that come along."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from carpus.anatomy import Bone, Side
from carpus.errors import InputError
from carpus.imaging import BoneMasks, Radiograph
from carpus.inference.film import read_film
from carpus.inference.model import Model, load_model
from carpus.inference.outline import OutlinedWrist, outline_wrist
from carpus.inference.weights import bundled_weights
from carpus.inference.wrist import NoHandSeenError, PalmSizeError, find_wrist
from carpus.metrics import measure_bones
from carpus.phantom import draw, plan_cohort
from carpus.phantom.samples import Sample, draw_film

EXAMPLE = Path(__file__).parents[2] / "examples" / "hand-right-pa.dcm"


@pytest.fixture(scope="module")
def bones() -> Model:
    return load_model(bundled_weights("bones"), task="bones")


@pytest.fixture(scope="module")
def hand_without_an_outline() -> Sample:
    """A drawn hand whose outline the film does not show well enough."""
    return draw_film(np.random.default_rng([5, 13]))


@pytest.mark.parametrize("is_scaled", [True, False])
def test_a_wrist_is_found_by_its_bones_where_no_outline_of_a_hand_is_seen(
    bones: Model, hand_without_an_outline: Sample, is_scaled: bool
) -> None:
    hand = hand_without_an_outline
    film = Radiograph(hand.pixels, hand.spacing_mm if is_scaled else None)
    with pytest.raises(NoHandSeenError):
        find_wrist(film)
    wrist = outline_wrist(film, bones=bones)
    assert _mean_dsc(wrist, hand) > 0.85
    assert wrist.thumb_left == (hand.side is Side.RIGHT)
    assert wrist.box.width * hand.spacing_mm == pytest.approx(90, rel=0.001 if is_scaled else 0.15)
    assert "found by its bones" in " ".join(wrist.notes)


@pytest.mark.parametrize("is_scaled", [True, False])
def test_a_wrist_is_found_by_its_bones_where_the_outline_leads_elsewhere(bones: Model, is_scaled: bool) -> None:
    hand = draw_film(np.random.default_rng([123, 23]))
    film = Radiograph(hand.pixels, hand.spacing_mm if is_scaled else None)
    if is_scaled:
        with pytest.raises(PalmSizeError, match="a palm 34 mm broad"):
            find_wrist(film)
    wrist = outline_wrist(film, bones=bones)
    assert _mean_dsc(wrist, hand) > 0.9
    assert "found by its bones" in " ".join(wrist.notes)


def test_a_palm_and_bones_too_small_for_an_adult_are_refused(bones: Model) -> None:
    hand = draw_film(np.random.default_rng([123, 1]))
    with pytest.raises(PalmSizeError, match="expected an adult hand"):
        outline_wrist(Radiograph(hand.pixels, 0.6 * hand.spacing_mm), bones=bones)


class OneBone(nn.Module):
    """Sees all bones on a whole film, and when it looks closer only one."""

    def __init__(self, whole: nn.Module, size: int) -> None:
        super().__init__()
        self.whole = whole
        self.size = size

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.whole(images)
        if images.shape[-2:] == (self.size, self.size):
            logits = torch.full_like(logits, -10)
            logits[:, 0, 60:120, 60:120] = 10
        return logits


def test_a_wrist_of_which_a_closer_look_shows_one_bone_is_none(bones: Model, hand_without_an_outline: Sample) -> None:
    model = replace(bones, network=OneBone(bones.network, bones.info.image_size))
    with pytest.raises(NoHandSeenError):
        outline_wrist(Radiograph(hand_without_an_outline.pixels), bones=model)


def test_two_hands_are_not_read_as_one(bones: Model) -> None:
    film = read_film(EXAMPLE)
    both = np.hstack([film.pixels[::2, ::2], film.mirrored().pixels[::2, ::2]])
    with pytest.raises(InputError, match="two hands"):
        outline_wrist(replace(film, pixels=both, spacing_mm=0.23, side=None), bones=bones)


def test_a_closer_crop_of_unknown_scale_is_seen_at_the_scale_that_was_learnt(bones: Model) -> None:
    phantom = draw(plan_cohort(patients=8, seed=4)[0])
    ys, xs = np.nonzero(phantom.masks.mask(Bone.CAPITATE))
    top, left = int(ys.mean()) - 210, int(xs.mean()) - 210
    close = np.ascontiguousarray(phantom.radiograph.pixels[top : top + 420, left : left + 420])
    wrist = outline_wrist(Radiograph(close), bones=bones)
    assert wrist.is_crop
    assert wrist.placement.size == pytest.approx(1, abs=0.12)
    assert wrist.box.width > 480


def _mean_dsc(wrist: OutlinedWrist, hand: Sample) -> float:
    truth = BoneMasks(hand.plane).cropped(wrist.box).resized(height=600, width=600)
    return float(np.nanmean(measure_bones(truth, wrist.masks).values[: len(Bone), 0]))
