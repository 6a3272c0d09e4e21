import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carpus.anatomy import Joint
from carpus.data.case import CaseId
from carpus.data.facts import Facts, merge_facts, parse_facts
from carpus.data.layout import Split
from carpus.errors import InputError
from carpus.imaging.geometry import Box

_CASE = CaseId.parse("0035_0001_L")
_EDGE = st.floats(0.01, 500, allow_nan=False)
_FACTS = st.builds(
    Facts,
    id=st.just(_CASE),
    bone_split=st.sampled_from([None, *Split]),
    erosion_split=st.sampled_from([None, *Split]),
    boxes=st.dictionaries(st.sampled_from(Joint), st.builds(Box, _EDGE, _EDGE, _EDGE, _EDGE)),
    scores=st.none() | st.fixed_dictionaries({joint: st.integers(0, 5) for joint in Joint}),
    institution=st.sampled_from([None, "HMCRD", "St. Mary's, Ward 3"]),
    age=st.none() | st.integers(0, 130),
    sex=st.sampled_from([None, "F", "M"]),
    phase=st.none() | st.integers(1, 9),
    synthetic=st.booleans(),
)


@given(facts=_FACTS)
def test_facts_come_back_from_json_as_they_were(facts: Facts) -> None:
    assert parse_facts(json.loads(json.dumps(facts.as_dict()))) == facts


@given(facts=_FACTS)
def test_merging_with_itself_or_with_nothing_changes_nothing(facts: Facts) -> None:
    nothing = Facts(_CASE)
    assert merge_facts(facts, facts) == merge_facts(facts, nothing) == merge_facts(nothing, facts) == facts


def test_an_identifier_is_enough() -> None:
    assert parse_facts({"identifier": "0035_0001_L"}) == Facts(_CASE)


def test_contradictions_are_refused_and_named() -> None:
    facts = Facts(_CASE, bone_split=Split.TRAIN, age=0)
    with pytest.raises(InputError, match="0035_0001_L is told two values of age, 0 and 5"):
        merge_facts(facts, replace(facts, age=5))


def test_one_place_that_says_phantom_is_enough() -> None:
    assert merge_facts(Facts(_CASE, synthetic=True), Facts(_CASE)).synthetic
    assert merge_facts(Facts(_CASE), Facts(_CASE, synthetic=True)).synthetic
