"""Reading with the weights that come along, on phantoms and on the real film of the examples."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from carpus.anatomy import Bone, Side
from carpus.errors import InputError
from carpus.imaging import Radiograph
from carpus.inference.film import read_film
from carpus.inference.grading import PREVALENCE
from carpus.inference.model import Model, load_model
from carpus.inference.reading import WristReading, read_radiograph
from carpus.inference.weights import bundled_weights
from carpus.metrics import auroc
from carpus.metrics.overlap import dsc
from carpus.phantom import Phantom, draw, plan_cohort
from carpus.training.phantom_joints import JointSampleDataset
from carpus.training.predict import judge_drawn

EXAMPLE = Path(__file__).parents[2] / "examples" / "hand-right-pa.dcm"


@pytest.fixture(scope="module")
def models() -> tuple[Model, Model]:
    return tuple(load_model(bundled_weights(task), task=task) for task in ("bones", "erosion"))  # type: ignore[return-value]


@pytest.fixture(scope="module")
def left_wrist() -> Phantom:
    return draw(next(visit for visit in plan_cohort(patients=8, seed=99) if visit.side is Side.LEFT))


@pytest.fixture(scope="module")
def real(models: tuple[Model, Model]) -> WristReading:
    return read_radiograph(read_film(EXAMPLE), bones=models[0], erosion=models[1])


def _mean_dsc(reading: WristReading, phantom: Phantom) -> float:
    return float(np.mean([dsc(phantom.masks.mask(bone), reading.masks.mask(bone)) for bone in Bone]))


def test_a_phantom_that_was_never_trained_on_is_outlined_well(models: tuple[Model, Model], left_wrist: Phantom) -> None:
    reading = read_radiograph(left_wrist.radiograph, bones=models[0], erosion=models[1])
    assert _mean_dsc(reading, left_wrist) > 0.93
    assert reading.side is Side.LEFT
    assert len(reading.joints) == 6


def test_without_a_side_the_network_tells_it_from_the_bones(models: tuple[Model, Model], left_wrist: Phantom) -> None:
    unknown = dataclasses.replace(left_wrist.radiograph, side=None)
    reading = read_radiograph(unknown, bones=models[0], erosion=models[1])
    assert reading.side is Side.LEFT
    assert _mean_dsc(reading, left_wrist) > 0.93


def test_areas_need_a_scale(models: tuple[Model, Model], left_wrist: Phantom) -> None:
    known = read_radiograph(left_wrist.radiograph, bones=models[0], erosion=models[1]).as_dict()
    radius = float(left_wrist.masks.mask(Bone.DISTAL_RADIUS).sum()) * 0.15**2
    areas = {bone["bone"]: bone["area_mm2"] for bone in known["bones"]}
    assert areas["Radius"] == pytest.approx(radius, rel=0.1)
    unscaled = dataclasses.replace(left_wrist.radiograph, spacing_mm=None)
    unknown = read_radiograph(unscaled, bones=models[0], erosion=models[1]).as_dict()
    assert {bone["area_mm2"] for bone in unknown["bones"]} == {None}


def test_the_real_film_is_read_with_its_wrist_in_the_middle(real: WristReading) -> None:
    x, y = real.box.centre
    assert np.hypot(x - 1063, y - 1957) * 0.115 < 12
    assert real.side is Side.RIGHT
    assert any("have seen no patient" in warning for warning in real.warnings)
    assert real.doubts == ()
    assert real.as_dict()["trusted"] is True


def test_a_mirrored_film_is_read_alike_and_its_side_is_doubted(models: tuple[Model, Model], real: WristReading) -> None:
    mirrored = read_radiograph(read_film(EXAMPLE).mirrored(), bones=models[0], erosion=models[1])
    assert mirrored.as_dict()["trusted"] is False
    assert any("may be mirrored or mislabelled" in warning for warning in mirrored.doubts)
    overlap = [dsc(real.masks.mask(bone), mirrored.masks.mirrored().mask(bone)) for bone in Bone]
    assert np.nanmean(overlap) > 0.8


def test_a_film_on_its_side_is_turned_first(models: tuple[Model, Model], real: WristReading) -> None:
    film = read_film(EXAMPLE)
    lying = dataclasses.replace(film, pixels=np.ascontiguousarray(np.rot90(film.pixels)))
    reading = read_radiograph(lying, bones=models[0], erosion=models[1])
    assert any("turned by 90 degrees" in warning for warning in reading.warnings)
    assert reading.box == real.box
    assert reading.masks == real.masks


def test_joints_lie_on_the_wrist(real: WristReading) -> None:
    for item in real.joints:
        x, y = item.box.centre
        assert real.box.x < x < real.box.x + real.box.width
        assert real.box.y < y < real.box.y + real.box.height
        assert 0 <= item.erosion_probability <= 1


def test_a_healthy_hand_has_no_eroded_joint_and_probabilities_are_those_of_patients(real: WristReading) -> None:
    assert len(real.joints) == 6
    for item in real.joints:
        assert not item.eroded
        assert item.score == 0
        assert item.prevalence == PREVALENCE[item.joint]
        assert item.score_range is not None
        assert sum(item.score_probabilities) == pytest.approx(1)


def test_the_weights_tell_eroded_joints_of_wrists_they_never_saw(models: tuple[Model, Model]) -> None:
    info = models[1].info
    drawn = JointSampleDataset(40, image_size=info.image_size, mirror_left=True, seed=77)
    scores, beyond = judge_drawn(models[1].network, drawn, head=info.head)
    assert auroc(scores > 0, beyond[:, 0]) > 0.75
    # The expected score is the sum of the probabilities of reaching each.
    assert np.corrcoef(scores, beyond.sum(axis=1))[0, 1] > 0.5


def test_noise_is_no_wrist(models: tuple[Model, Model]) -> None:
    noise = Radiograph(np.random.default_rng(0).integers(0, 256, (600, 600), np.uint8), source="noise.png")
    with pytest.raises(InputError, match=r"noise\.png shows no wrist that can be recognised"):
        read_radiograph(noise, bones=models[0], erosion=models[1])


def test_weights_for_the_other_task_are_refused() -> None:
    with pytest.raises(InputError, match="was trained for erosion, expected bones"):
        load_model(bundled_weights("erosion"), task="bones")
