from dataclasses import replace

import numpy as np
import pytest

from carpus.anatomy import Bone
from carpus.phantom import Centre
from carpus.phantom.centres import ACQUISITIONS
from carpus.phantom.projection import (
    bone_attenuation,
    expose,
    merged,
    rasterise,
    soft_attenuation,
    spongy_texture,
)
from carpus.phantom.shapes import Anatomy, Pose, shape_wrist

NEUTRAL = Pose(deviation=0, thumb=0, spread=0, turn=0, shift_mm=(0, 0), narrowing_mm=0)
SHAPES = {shape.part.bone: shape for shape in shape_wrist(Anatomy(size=1, breadth=1, seed=1), NEUTRAL)[0]}
SQUARE = np.array([[-10, -5], [10, -5], [10, 5], [-10, 5]], float)
SMOOTH = np.zeros((300, 300), np.float32)


def test_a_contour_covers_the_pixels_within_it_around_the_middle_of_the_image() -> None:
    mask = rasterise(SQUARE, spacing_mm=0.5, size_px=100)
    assert mask.sum() == pytest.approx(40 * 20, rel=0.1)
    rows, columns = mask.nonzero()
    assert (rows.mean() + 0.5, columns.mean() + 0.5) == pytest.approx((50, 50), abs=0.5)
    assert np.ptp(columns) > 1.8 * np.ptp(rows)


def test_merged_is_the_union() -> None:
    beside = SQUARE + np.array([12, 0])
    both = merged([SQUARE, beside], spacing_mm=0.5, size_px=100)
    alone = [rasterise(contour, spacing_mm=0.5, size_px=100) for contour in (SQUARE, beside)]
    assert np.array_equal(both, alone[0] | alone[1])
    assert not merged([], spacing_mm=0.5, size_px=100).any()


@pytest.mark.parametrize("bone", Bone)
def test_a_bone_attenuates_inside_its_contour_only_and_in_proportion_to_its_density(bone: Bone) -> None:
    body = rasterise(SHAPES[bone].contour, spacing_mm=0.3, size_px=300)
    added = bone_attenuation(SHAPES[bone], body, SMOOTH, spacing_mm=0.3)
    assert np.array_equal(added > 0, body)
    assert 0.1 < added[body].mean() < 3
    thinner = bone_attenuation(SHAPES[bone], body, SMOOTH, spacing_mm=0.3, density=0.5)
    assert np.allclose(thinner, added / 2)


def test_a_bone_beyond_the_image_adds_nothing() -> None:
    away = replace(SHAPES[Bone.LUNATE], contour=SHAPES[Bone.LUNATE].contour + 500)
    body = rasterise(away.contour, spacing_mm=0.3, size_px=300)
    assert not bone_attenuation(away, body, SMOOTH, spacing_mm=0.3).any()


def test_the_shaft_of_a_long_bone_has_bright_walls_and_a_dark_canal() -> None:
    body = rasterise(SHAPES[Bone.DISTAL_RADIUS].contour, spacing_mm=0.15, size_px=600)
    added = bone_attenuation(SHAPES[Bone.DISTAL_RADIUS], body, np.zeros((600, 600), np.float32), spacing_mm=0.15)
    shaft = added[590, body[590]]
    wall, canal = shaft[: round(4 / 0.15)].max(), shaft[len(shaft) // 2]
    assert wall > 1.2 * canal


def test_skin_is_thickest_in_the_middle_and_nothing_outside() -> None:
    skin = rasterise(SQUARE * 3, spacing_mm=0.5, size_px=200)
    added = soft_attenuation(skin, spacing_mm=0.5)
    assert np.array_equal(added > 0, skin)
    assert added[100, 100] == added.max()
    assert np.all(np.diff(added[72:100, 100]) >= 0)


@pytest.mark.parametrize("centre", Centre)
def test_more_attenuation_is_brighter_and_the_logarithm_gives_it_back(centre: Centre) -> None:
    acquisition = ACQUISITIONS[centre]
    signals = []
    for attenuation in (0.0, 0.5, 1.5):
        even = np.full((200, 200), attenuation, np.float32)
        signals.append(float(expose(even, acquisition, np.random.default_rng(1)).mean()))
    assert signals == pytest.approx([0, 0.5, 1.5], abs=0.01)


def test_noise_grows_with_attenuation_and_with_fewer_quanta() -> None:
    acquisition = replace(ACQUISITIONS[Centre.DHA], quanta=4000)

    def noise(attenuation: float, quanta: float) -> float:
        even = np.full((200, 200), attenuation, np.float32)
        return float(expose(even, replace(acquisition, quanta=quanta), np.random.default_rng(1)).std())

    assert noise(0, 4000) == pytest.approx(1 / np.sqrt(4000), rel=0.05)
    assert noise(2, 4000) == pytest.approx(np.sqrt(np.exp(2) / 4000), rel=0.05)
    assert noise(0, 1000) == pytest.approx(2 * noise(0, 4000), rel=0.05)


def test_trabeculae_have_mean_0_and_run_along_the_forearm() -> None:
    texture = spongy_texture(300, spacing_mm=0.15, generator=np.random.default_rng(1))
    assert float(texture.mean()) == pytest.approx(0, abs=0.01)
    assert float(texture.std()) == pytest.approx(0.25, abs=0.01)
    assert np.diff(texture, axis=0).std() < 0.8 * np.diff(texture, axis=1).std()
