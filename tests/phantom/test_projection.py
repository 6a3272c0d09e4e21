from dataclasses import replace

import numpy as np
import pytest

from carpus.anatomy import OVERLAP_PAIRS, Bone
from carpus.phantom.projection import Canvas, bone_attenuation, canvas, rasterise, soft_attenuation
from carpus.phantom.shapes import Anatomy, Pose, Wrist, shape_wrist

NEUTRAL = Pose(deviation=0, thumb=0, spread=0, turn=0, shift_mm=(0, 0), narrowing_mm=0, seed=1)
WRIST = shape_wrist(Anatomy(size=1, breadth=1, seed=1, hand_seed=1), NEUTRAL)
SHAPES = {shape.part.bone: shape for shape in WRIST.bones}
SQUARE = np.array([[-10, -5], [10, -5], [10, 5], [-10, 5]], float)


def test_a_contour_covers_its_area_around_the_middle_of_the_image() -> None:
    coverage = rasterise(SQUARE + 0.2, _plain(100, 0.5))
    assert coverage.sum() == pytest.approx(40 * 20, rel=0.02)
    assert coverage.min() == 0
    assert coverage.max() == 1
    assert ((coverage > 0) & (coverage < 1)).any()
    rows, columns = np.indices(coverage.shape) + 0.5
    assert (coverage * rows).sum() / coverage.sum() == pytest.approx(50.4, abs=0.1)
    assert (coverage * columns).sum() / coverage.sum() == pytest.approx(50.4, abs=0.1)


def test_a_contour_beyond_the_image_covers_what_is_within() -> None:
    coverage = rasterise(SQUARE + np.array([25, 0]), _plain(100, 0.5))
    assert coverage.sum() == pytest.approx(20 * 20, rel=0.03)
    assert not rasterise(SQUARE + 500, _plain(100, 0.5)).any()


@pytest.mark.parametrize("bone", Bone)
def test_a_bone_attenuates_inside_its_contour_only_and_in_proportion_to_its_density(bone: Bone) -> None:
    grid = _plain(300, 0.3)
    body = rasterise(SHAPES[bone].contour, grid)
    added = bone_attenuation(SHAPES[bone], body, grid)
    assert np.array_equal(added > 0, body > 0)
    assert 0.1 < added[body == 1].mean() < 2
    assert np.allclose(bone_attenuation(SHAPES[bone], body, grid, density=0.5), added / 2)


def test_a_bone_beyond_the_image_adds_nothing() -> None:
    grid = _plain(300, 0.3)
    away = replace(SHAPES[Bone.LUNATE], contour=SHAPES[Bone.LUNATE].contour + 500)
    assert not bone_attenuation(away, rasterise(away.contour, grid), grid).any()


def test_a_carpal_bone_has_a_bright_outline() -> None:
    grid = _plain(600, 0.15)
    plain = replace(SHAPES[Bone.PISIFORM_TRIQUETRUM], lines=())
    plain = replace(plain, part=replace(plain.part, lines=()))
    added = bone_attenuation(plain, rasterise(plain.contour, grid), grid)
    middle = np.rint(plain.contour.mean(axis=0) / 0.15 + 300).astype(int)
    across = added[middle[1]]
    first = int(np.flatnonzero(across)[0])
    assert across[first + 1 : first + 5].max() > across[first + 6 : first + 9].min()


def test_the_shaft_of_a_long_bone_has_bright_walls_and_a_dark_canal() -> None:
    grid = _plain(600, 0.15)
    body = rasterise(SHAPES[Bone.METACARPAL_3].contour, grid)
    row = bone_attenuation(SHAPES[Bone.METACARPAL_3], body, grid)[5]
    shaft = row[row > 0]
    wall, canal = shaft[: round(3 / 0.15)].max(), shaft[len(shaft) // 2]
    assert wall > 1.4 * canal


def test_the_radius_is_densest_below_its_joint() -> None:
    grid = _plain(600, 0.15)
    shape = SHAPES[Bone.DISTAL_RADIUS]
    added = bone_attenuation(shape, rasterise(shape.contour, grid), grid)
    plate = rasterise(np.vstack([shape.lines[0], shape.lines[1][::-1]]), grid) > 0
    assert added[plate].mean() > 1.4 * added[400:, :][added[400:, :] > 0].mean()


def test_muscle_adds_to_the_soft_tissue_inside_the_skin_only() -> None:
    grid = _plain(200, 0.5)
    bare = Wrist((), SQUARE * 3, ())
    added = soft_attenuation(bare, grid)
    inside = rasterise(bare.skin, grid) >= 0.5
    assert (added[inside] > 0).mean() > 0.99
    assert added[~inside].max() < 0.1 * added.max()
    assert added[100, 100] == added.max()
    fleshy = soft_attenuation(replace(bare, muscles=(SQUARE,)), grid)
    assert fleshy[100, 100] > added[100, 100] + 0.05
    assert fleshy[75, 60] == pytest.approx(added[75, 60])


@pytest.mark.parametrize("pair", OVERLAP_PAIRS)
def test_the_template_overlaps_where_overlap_is_scored(pair: tuple[Bone, Bone]) -> None:
    # One wrist of its own shape can lack a small one; on average none is missing.
    grid, areas = _plain(300, 0.3), []
    for seed in range(6):
        wrist = shape_wrist(Anatomy(size=1, breadth=1, seed=seed, hand_seed=seed), NEUTRAL)
        contours = {shape.part.bone: shape.contour for shape in wrist.bones}
        first, second = (rasterise(contours[bone], grid) >= 0.5 for bone in pair)
        areas.append((first & second).sum() * 0.3**2)
    assert np.mean(areas) > 0.5


def test_trabeculae_have_mean_0_and_run_along_long_bones_only() -> None:
    grid = canvas(300, spacing_mm=0.15, generator=np.random.default_rng(1))
    assert float(grid.network.mean()) == pytest.approx(0, abs=0.01)
    assert float(grid.strands.mean()) == pytest.approx(0, abs=0.01)
    down, across = (np.diff(grid.strands, axis=axis).std() for axis in (0, 1))
    assert down < 0.8 * across
    down, across = (np.diff(grid.network, axis=axis).std() for axis in (0, 1))
    assert down == pytest.approx(across, rel=0.05)


def _plain(size_px: int, spacing_mm: float) -> Canvas:
    smooth = np.zeros((size_px, size_px), np.float32)
    return Canvas(size_px, spacing_mm, smooth, smooth)
