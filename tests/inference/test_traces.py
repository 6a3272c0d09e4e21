"""The traces of real films: whole, plausible, and of the film they claim to be of."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from film_traces import FilmTrace, read_traces

from carpus.anatomy import OVERLAP_PAIRS, Bone, Side
from carpus.imaging import BoneMasks
from carpus.metrics.overlap import dsc

EXAMPLE = Path(__file__).parents[2] / "examples" / "hand-right-pa.dcm"
CARPALS = [bone for bone in Bone if bone.value[0] != "m" and not bone.name.startswith("DISTAL")]
TRACES = {trace.film: trace for trace in read_traces()}


@pytest.fixture(scope="module", params=list(TRACES))
def traced(request: pytest.FixtureRequest) -> tuple[FilmTrace, BoneMasks]:
    trace = TRACES[request.param]
    return trace, trace.masks()


def test_there_are_three_films() -> None:
    assert set(TRACES) == {"hand-left-pa.jpg", "hand-right-pa.dcm", "wrist-right-pa-crop.jpg"}


def test_every_bone_is_there_and_inside_the_film(traced: tuple[FilmTrace, BoneMasks]) -> None:
    trace, _ = traced
    assert set(trace.outlines) == set(trace.sure) == set(Bone)
    assert set(trace.sure.values()) <= {"high", "medium", "low"}
    corners = np.array([corner for outline in trace.outlines.values() for one in outline for corner in one])
    assert (corners >= 0).all()
    assert (corners <= [trace.width, trace.height]).all()


def test_the_carpal_bones_have_the_size_of_an_adult(traced: tuple[FilmTrace, BoneMasks]) -> None:
    trace, masks = traced
    for bone in CARPALS:
        assert 80 < masks.mask(bone).sum() * trace.spacing_mm**2 < 320, bone.label


def test_only_neighbours_overlap_and_no_bone_lies_in_another(traced: tuple[FilmTrace, BoneMasks]) -> None:
    _, masks = traced
    neighbours = {frozenset(pair) for pair in OVERLAP_PAIRS} | {
        frozenset(pair)
        for pair in [
            (Bone.METACARPAL_4, Bone.METACARPAL_5),
            (Bone.METACARPAL_1, Bone.METACARPAL_2),
            (Bone.CAPITATE, Bone.METACARPAL_4),
            (Bone.CAPITATE, Bone.HAMATE),
            (Bone.CAPITATE, Bone.LUNATE),
            (Bone.METACARPAL_3, Bone.METACARPAL_4),
        ]
    }
    area = {bone: int(masks.mask(bone).sum()) for bone in Bone}
    for bone in Bone:
        for other in list(Bone)[bone.channel + 1 :]:
            both = int(masks.overlap(bone, other).sum())
            assert both < 0.45 * min(area[bone], area[other]), (bone, other)
            assert frozenset((bone, other)) in neighbours or both < 60, (bone, other)


def test_the_thumb_lies_where_the_side_has_it(traced: tuple[FilmTrace, BoneMasks]) -> None:
    trace, masks = traced
    x = {bone: float(np.argwhere(masks.mask(bone))[:, 1].mean()) for bone in Bone}
    order = sorted((Bone.TRAPEZIUM, Bone.TRAPEZOID, Bone.CAPITATE, Bone.HAMATE), key=x.__getitem__)
    expected = [Bone.TRAPEZIUM, Bone.TRAPEZOID, Bone.CAPITATE, Bone.HAMATE]
    assert order == (expected if trace.side is Side.RIGHT else expected[::-1])


def test_a_second_tracing_agrees_with_the_first(traced: tuple[FilmTrace, BoneMasks]) -> None:
    trace, masks = traced
    second = trace.second_masks()
    assert len(trace.second) == 3
    assert all(dsc(masks.mask(bone), second.mask(bone)) > 0.92 for bone in trace.second)


def test_the_example_film_is_the_one_that_was_traced() -> None:
    assert hashlib.sha256(EXAMPLE.read_bytes()).hexdigest() == TRACES[EXAMPLE.name].sha256
