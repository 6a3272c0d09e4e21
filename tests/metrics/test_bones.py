import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carpus.anatomy import OVERLAP_PAIRS, Bone, pair_name
from carpus.errors import InputError
from carpus.imaging import BoneMasks
from carpus.metrics import (
    STRUCTURES,
    assd,
    dsc,
    hd95,
    measure_bones,
    measure_many,
    measure_stacks,
    msd,
    nsd,
    ravd,
    score_bones,
    surface_distances,
    voe,
)


def wrist(generator: np.random.Generator, *, size: int = 96) -> BoneMasks:
    """Fourteen overlapping discs, some of which touch the border."""
    y, x = np.mgrid[:size, :size]
    centres = generator.uniform(0, size, (14, 2))
    radii = generator.uniform(6, 25, 14)
    distance_px = np.hypot(y - centres[:, 0, None, None], x - centres[:, 1, None, None])
    return BoneMasks.from_stack(distance_px < radii[:, None, None])


def scores(reference: BoneMasks, predicted: BoneMasks) -> dict[tuple[str, str], float]:
    rows = score_bones(reference, predicted)
    assert len(rows) == len({row[:2] for row in rows})
    return {(structure, metric): value for structure, metric, value in rows}


def test_bones_and_pairs_have_eight_values_and_four_in_millimetres_with_a_pixel_size() -> None:
    masks = wrist(np.random.default_rng(0))
    names = ("dsc", "nsd", "voe", "msd", "ravd", "assd", "hd95", "missed")
    in_mm = ("nsd_mm", "msd_mm", "assd_mm", "hd95_mm")
    found = [row[:2] for row in score_bones(masks, masks)]
    assert found == [(structure, name) for structure in STRUCTURES for name in names]
    found = [row[:2] for row in score_bones(masks, masks, spacing_mm=0.2)]
    assert found == [(structure, name) for structure in STRUCTURES for name in names + in_mm]


@given(st.integers(0, 2**32 - 1), st.floats(0.05, 2), st.floats(0, 4))
@settings(max_examples=20, deadline=None)
def test_every_value_is_that_of_the_function_of_its_name(seed: int, spacing_mm: float, tolerance_mm: float) -> None:
    generator = np.random.default_rng(seed)
    reference, predicted = wrist(generator), wrist(generator)
    rows = score_bones(reference, predicted, spacing_mm=spacing_mm, tolerance_mm=tolerance_mm)
    found = {(structure, metric): value for structure, metric, value in rows}
    for pair in OVERLAP_PAIRS:
        masks = reference.overlap(*pair), predicted.overlap(*pair)
        distances = surface_distances(*masks)
        expected = {
            "assd": assd(distances),
            "hd95": hd95(distances),
            "nsd_mm": nsd(distances, tolerance_px=tolerance_mm / spacing_mm),
            "msd_mm": msd(distances) * spacing_mm,
            "assd_mm": assd(distances) * spacing_mm,
            "hd95_mm": hd95(distances) * spacing_mm,
            "missed": float(not masks[1].any()) if masks[0].any() else math.nan,
        }
        for metric, value in expected.items():
            assert found[pair_name(pair), metric] == pytest.approx(value, nan_ok=True)


def test_a_distance_equal_to_a_tolerance_in_millimetres_is_within_it() -> None:
    # 0.7 / 0.1 is a little less than 7.
    bones = np.zeros((14, 20, 20), bool)
    bones[:, 5, 5] = True
    masks = BoneMasks.from_stack(bones), BoneMasks.from_stack(np.roll(bones, 7, axis=1))
    rows = score_bones(*masks, spacing_mm=0.1, tolerance_mm=0.7)
    assert {value for _, metric, value in rows if metric == "nsd_mm"} == {1.0}


@pytest.mark.parametrize("spacing_mm", [0.0, -0.1, math.nan, math.inf])
def test_a_pixel_size_that_is_none_is_refused(spacing_mm: float) -> None:
    masks = BoneMasks.empty(height=8, width=8)
    with pytest.raises(InputError, match="leave it out if it is unknown"):
        score_bones(masks, masks, spacing_mm=spacing_mm)


def test_a_value_does_not_depend_on_the_other_bones() -> None:
    generator = np.random.default_rng(1)
    reference, predicted = wrist(generator), wrist(generator)
    found = scores(reference, predicted)
    for bone in Bone:
        masks = reference.mask(bone), predicted.mask(bone)
        distances = surface_distances(*masks)
        expected = [dsc(*masks), nsd(distances), voe(*masks), msd(distances), ravd(*masks)]
        names = ["dsc", "nsd", "voe", "msd", "ravd"]
        assert [found[bone.abbreviation, name] for name in names] == pytest.approx(expected, nan_ok=True)
    for pair in OVERLAP_PAIRS:
        masks = reference.overlap(*pair), predicted.overlap(*pair)
        assert found[pair_name(pair), "dsc"] == pytest.approx(dsc(*masks), nan_ok=True)
        assert found[pair_name(pair), "nsd"] == pytest.approx(nsd(surface_distances(*masks)), nan_ok=True)


def test_a_missing_bone_and_an_overlap_that_only_the_prediction_has_are_the_worst_values() -> None:
    bones = np.zeros((14, 8, 8), bool)
    bones[Bone.DISTAL_RADIUS.channel, :5] = True
    bones[Bone.LUNATE.channel, 5:] = True
    predicted = bones.copy()
    predicted[Bone.LUNATE.channel] = False
    predicted[Bone.SCAPHOID.channel, 4:] = True
    found = scores(BoneMasks.from_stack(bones), BoneMasks.from_stack(predicted))

    assert found["Radius", "dsc"] == 1
    assert [found["Lu", name] for name in ("dsc", "nsd", "voe", "ravd")] == [0, 0, 1, 1]
    assert [found["Lu", name] for name in ("msd", "assd", "hd95")] == [math.inf] * 3
    assert [found[name, "missed"] for name in ("Radius", "Lu")] == [0, 1]
    assert math.isnan(found["Radius-Sca", "missed"])
    assert [found["Radius-Sca", name] for name in ("assd", "hd95")] == [math.inf] * 2
    assert found["Radius-Sca", "dsc"] == 0
    assert found["Radius-Sca", "nsd"] == 0


def test_what_neither_has_is_undefined() -> None:
    nothing = BoneMasks.empty(height=8, width=8)
    assert all(math.isnan(value) for value in scores(nothing, nothing).values())


def test_a_tolerance_reaches_bones_and_pairs() -> None:
    generator = np.random.default_rng(2)
    reference, predicted = wrist(generator), wrist(generator)
    rows = score_bones(reference, predicted, tolerance_px=1000)
    values = [value for _, metric, value in rows if metric == "nsd" and not math.isnan(value)]
    assert len(values) > 14
    assert set(values) <= {0.0, 1.0}


def test_masks_of_two_sizes_are_refused() -> None:
    with pytest.raises(InputError, match="resize the prediction"):
        score_bones(BoneMasks.empty(height=8, width=8), BoneMasks.empty(height=8, width=9))


def test_an_overlap_has_the_three_other_values_too() -> None:
    generator = np.random.default_rng(3)
    reference, predicted = wrist(generator), wrist(generator)
    measured = measure_bones(reference, predicted).values
    for pair in OVERLAP_PAIRS:
        masks = reference.overlap(*pair), predicted.overlap(*pair)
        expected = [voe(*masks), msd(surface_distances(*masks)), ravd(*masks)]
        assert measured[STRUCTURES.index(pair_name(pair)), 2:].tolist() == pytest.approx(expected, nan_ok=True)


def test_many_images_on_two_threads_give_the_same_as_one_after_another() -> None:
    generator = np.random.default_rng(4)
    pairs = [(wrist(generator), wrist(generator)) for _ in range(6)]
    alone = [measure_bones(*pair, tolerance_px=3).values for pair in pairs]
    for threads in (1, 2):
        found = measure_many(pairs, threads=threads, tolerance_px=3)
        assert np.array_equal([measured.values for measured in found], alone, equal_nan=True)


@pytest.mark.parametrize("shape", [(8, 8), (13, 8, 8), (1, 14, 8, 8)])
def test_stacks_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="one channel a bone"):
        measure_stacks(np.zeros(shape, bool), np.zeros(shape, bool))


def test_stacks_of_probabilities_or_two_sizes_are_refused() -> None:
    masks = np.zeros((14, 8, 8), bool)
    with pytest.raises(InputError, match=r"predicted masks are .* cut probabilities first"):
        measure_stacks(masks, masks.astype(np.float32))
    with pytest.raises(InputError, match="resize the prediction"):
        measure_stacks(masks, masks[:, 1:])
