import math

import numpy as np
import pytest

from carpus.anatomy import OVERLAP_PAIRS, Bone, pair_name
from carpus.errors import InputError
from carpus.imaging import BoneMasks
from carpus.metrics import (
    STRUCTURES,
    dsc,
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


def test_fourteen_bones_have_five_values_and_fourteen_pairs_two() -> None:
    masks = wrist(np.random.default_rng(0))
    found = set(scores(masks, masks))
    bones = {(bone.abbreviation, metric) for bone in Bone for metric in ("dsc", "nsd", "voe", "msd", "ravd")}
    pairs = {(pair_name(pair), metric) for pair in OVERLAP_PAIRS for metric in ("dsc", "nsd")}
    assert found == bones | pairs


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
    assert found["Lu", "msd"] == math.inf
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
