from functools import cache

import numpy as np
import pytest

from carpus.anatomy import OVERLAP_PAIRS, Bone, Joint, Side, pair_name
from carpus.errors import InputError
from carpus.imaging.masks import BoneMasks
from carpus.phantom.samples import FIELDS_MM, Sample, draw_decoy, draw_film, draw_visits, sample
from carpus.phantom.samples.decoy import draw_decoy_hand

COUNT = 24


@cache
def _drawn() -> tuple[Sample, ...]:
    generator = np.random.default_rng(7)
    return tuple(sample(generator, size_px=256) for _ in range(COUNT))


def test_a_sample_is_a_square_radiograph_with_a_packed_plane_on_its_grid() -> None:
    drawn = sample(np.random.default_rng(1))
    assert drawn.pixels.shape == drawn.plane.shape == (512, 512)
    assert drawn.pixels.dtype == np.uint8
    assert drawn.plane.dtype == np.uint16
    assert BoneMasks(drawn.plane).plane.any()
    assert FIELDS_MM[0] <= drawn.spacing_mm * 512 <= FIELDS_MM[1]
    assert list(drawn.scores) == list(Joint)
    assert drawn.pixels.flags.c_contiguous
    assert drawn.plane.flags.c_contiguous


def test_the_same_generator_gives_the_same_bytes_and_another_one_others() -> None:
    first, again, other = (sample(np.random.default_rng(seed), size_px=128) for seed in (3, 3, 4))
    assert np.array_equal(first.pixels, again.pixels)
    assert np.array_equal(first.plane, again.plane)
    assert (first.spacing_mm, first.side, first.scores) == (again.spacing_mm, again.side, again.scores)
    assert not np.array_equal(first.pixels, other.pixels)
    assert not np.array_equal(first.plane, other.plane)


def test_no_two_samples_are_alike_in_anatomy_scale_or_grey_values() -> None:
    assert len({drawn.plane.tobytes() for drawn in _drawn()}) == COUNT
    assert np.std([drawn.spacing_mm * 256 for drawn in _drawn()]) > 8
    grey = np.array([np.percentile(drawn.pixels, [5, 50, 95]) for drawn in _drawn()])
    assert (grey.std(axis=0) > 15).all()


def test_nearly_every_sample_shows_all_fourteen_bones() -> None:
    complete = [all(BoneMasks(drawn.plane).mask(bone).any() for bone in Bone) for drawn in _drawn()]
    assert np.mean(complete) >= 0.9


def test_grey_values_are_spread_over_every_image() -> None:
    for drawn in _drawn():
        assert drawn.pixels.std() > 3
        assert int(np.ptp(drawn.pixels)) > 30


def test_a_decoy_has_no_carpal_bone_to_outline_and_long_bones_only_in_a_jumble() -> None:
    long = {bone for bone in Bone if bone.name.startswith(("METACARPAL", "DISTAL"))}
    seen = []
    for seed in range(12):
        drawn = draw_decoy(np.random.default_rng(seed), size_px=160)
        assert drawn.pixels.std() > 3
        seen.append({bone for bone in Bone if BoneMasks(drawn.plane).mask(bone).any()})
        eroded = {joint.bone for bit, joint in enumerate(Joint) if (drawn.eroded >> bit & 1).any()}
        assert eroded <= seen[-1]
    assert all(bones <= long for bones in seen)
    assert sum(not bones for bones in seen) >= 3
    assert sum(len(bones) >= 5 for bones in seen) >= 3
    again = [draw_decoy(np.random.default_rng(2), size_px=160, side=Side.LEFT) for _ in range(2)]
    assert np.array_equal(again[0].pixels, again[1].pixels)
    assert again[0].side is Side.LEFT
    with pytest.raises(InputError, match="too small"):
        draw_decoy(np.random.default_rng(1), size_px=32)


def test_a_hand_on_its_edge_is_narrower_and_a_jumble_moves_no_metacarpal() -> None:
    breadth = []
    for seed in range(16):
        hand = draw_decoy_hand(np.random.default_rng(seed))
        names = [part.name for part in hand.parts]
        second, fifth = (hand.ends[names.index(f"metacarpal{number}")] for number in (2, 5))
        breadth.append((abs(fifth[0] - second[0]), any(part.bone for part in hand.parts)))
    edge, jumble = (np.mean([wide for wide, is_jumble in breadth if is_jumble is kind]) for kind in (False, True))
    assert edge < 0.6 * jumble
    assert 26 < jumble < 36


def test_neighbours_overlap_as_in_projections_and_strangers_do_not() -> None:
    masks = [BoneMasks(drawn.plane) for drawn in _drawn()]
    for pair in OVERLAP_PAIRS:
        often = np.mean([each.overlap(*pair).any() for each in masks])
        assert often > 0.4, pair_name(pair)
    shares = [
        each.overlap(Bone.TRAPEZIUM, Bone.TRAPEZOID).sum() / max(each.mask(Bone.TRAPEZOID).sum(), 1) for each in masks
    ]
    assert 0.2 < np.median(shares) < 0.65
    for pair in [(Bone.DISTAL_RADIUS, Bone.METACARPAL_3), (Bone.DISTAL_ULNA, Bone.TRAPEZIUM)]:
        assert not any(each.overlap(*pair).any() for each in masks)


def test_the_bones_are_as_large_as_an_adults() -> None:
    least_and_most_mm2 = {Bone.CAPITATE: (150, 420), Bone.LUNATE: (70, 280), Bone.SCAPHOID: (110, 380)}
    for bone, (least, most) in least_and_most_mm2.items():
        areas = [BoneMasks(drawn.plane).mask(bone).sum() * drawn.spacing_mm**2 for drawn in _drawn()]
        assert least < np.median(areas) < most


@pytest.mark.parametrize("seed", [11, 12])
def test_a_left_hand_is_the_mirror_image_of_a_right_one(seed: int) -> None:
    right, left = (sample(np.random.default_rng(seed), size_px=128, side=side) for side in (Side.RIGHT, Side.LEFT))
    assert (right.side, left.side) == (Side.RIGHT, Side.LEFT)
    turned = left.plane[:, ::-1]
    # A collimator's blade cuts off the same side of both.
    seen = (turned > 0) & (right.plane > 0)
    assert seen.sum() > 0.8 * (right.plane > 0).sum()
    assert np.array_equal(turned[seen], right.plane[seen])
    thumb, little = (
        np.argwhere(BoneMasks(right.plane).mask(bone))[:, 1].mean() for bone in (Bone.METACARPAL_1, Bone.METACARPAL_5)
    )
    assert thumb < little


def test_both_sides_come_if_none_is_asked_for() -> None:
    assert {drawn.side for drawn in _drawn()} == set(Side)


def test_bone_is_brighter_than_the_flesh_beside_it_in_most_samples_and_darker_in_a_few() -> None:
    brighter = []
    for drawn in _drawn():
        bone = drawn.plane > 0
        flesh = ~bone
        middle = (slice(64, 192), slice(64, 192))
        brighter.append(drawn.pixels[middle][bone[middle]].mean() > drawn.pixels[middle][flesh[middle]].mean())
    assert 0.75 <= np.mean(brighter) <= 1.0


def test_a_film_shows_the_whole_hand() -> None:
    film = draw_film(np.random.default_rng(2), spacing_mm=0.6)
    height, width = film.pixels.shape
    assert film.plane.shape == (height, width)
    assert 220 < height * film.spacing_mm < 275
    assert 160 < width * film.spacing_mm < 220
    rows = np.flatnonzero((film.plane > 0).any(axis=1))
    assert rows[0] > 0.35 * height
    assert rows[-1] > 0.9 * height


def test_many_samples_raise_nothing_and_keep_their_types() -> None:
    generator = np.random.default_rng(99)
    for _ in range(60):
        drawn = sample(generator, size_px=64)
        assert drawn.pixels.dtype == np.uint8
        assert int(drawn.plane.max()) < 1 << len(Bone)


def test_a_sample_too_small_for_bones_is_refused() -> None:
    with pytest.raises(InputError, match="32 px"):
        sample(np.random.default_rng(1), size_px=32)


def test_disease_goes_on_over_visits_and_never_back() -> None:
    rising = 0
    for seed in range(12):
        visits = draw_visits(np.random.default_rng(seed), visits=4, size_px=128)
        scores = np.array([list(visit.scores.values()) for visit in visits])
        assert (np.diff(scores, axis=0) >= 0).all()
        rising += int(scores[-1].sum() > scores[0].sum())
        assert len({visit.side for visit in visits}) == 1
        assert len({visit.pixels.tobytes() for visit in visits}) == 4
    assert rising > 3
    with pytest.raises(InputError, match="0 visits"):
        draw_visits(np.random.default_rng(0), visits=0)
