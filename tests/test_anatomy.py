import pytest

from carpus.anatomy import (
    OVERLAP_PAIRS,
    Bone,
    Joint,
    Side,
    is_eroded,
    pair_name,
    parse_bone,
    parse_joint,
    parse_score,
    parse_side,
)
from carpus.errors import InputError


def test_the_channel_order_is_that_of_the_release() -> None:
    assert [bone.abbreviation for bone in Bone] == [
        "Cap", "Radius", "Ulna", "Ham", "Lu", "Tri", "Sca", "Tr", "Tz", "MC1", "MC2", "MC3", "MC4", "MC5",
    ]  # fmt: skip
    assert [bone.channel for bone in Bone] == list(range(14))


def test_the_overlap_pairs_are_the_columns_of_the_papers_table_12_with_its_fifth_corrected() -> None:
    assert [pair_name(pair) for pair in OVERLAP_PAIRS] == [
        "Radius-Sca", "Radius-Lu", "Sca-Tr", "Cap-Sca", "Tr-MC1", "Cap-MC3", "Ham-MC4", "Lu-Sca", "Tr-Tz",
        "Cap-Tz", "Ham-MC5", "Tr-MC2", "Tz-MC2", "MC2-MC3",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("spelling", "bone"),
    [
        ("Trapzium", Bone.TRAPEZIUM),
        ("Trapezium", Bone.TRAPEZIUM),
        ("Trapzoid", Bone.TRAPEZOID),
        ("Pisifrom&Triquetrum", Bone.PISIFORM_TRIQUETRUM),
        ("Pisiform & Triquetrum", Bone.PISIFORM_TRIQUETRUM),
        ("Tri", Bone.PISIFORM_TRIQUETRUM),
        ("metacarpal1st", Bone.METACARPAL_1),
        ("Metacarpal1st", Bone.METACARPAL_1),
        ("MC1", Bone.METACARPAL_1),
        ("Radius", Bone.DISTAL_RADIUS),
        ("DistalUlna", Bone.DISTAL_ULNA),
    ],
)
def test_every_spelling_met_is_understood(spelling: str, bone: Bone) -> None:
    assert parse_bone(spelling) is bone


def test_every_bone_and_joint_is_understood_in_its_own_spelling() -> None:
    assert [parse_bone(bone.value) for bone in Bone] == list(Bone)
    assert [parse_joint(joint.value) for joint in Joint] == list(Joint)


def test_an_unknown_spelling_names_the_nearest() -> None:
    with pytest.raises(InputError, match="'Scaphoyd' is unknown; did you mean 'Scaphoid'"):
        parse_joint("Scaphoyd")


def test_a_bone_that_is_not_scored_is_no_joint() -> None:
    with pytest.raises(InputError, match="joint 'Capitate' is unknown"):
        parse_joint("Capitate")


@pytest.mark.parametrize("score", [7, -1, 2.5, "2", True, None])
def test_a_score_off_the_scale_is_refused(score: object) -> None:
    with pytest.raises(InputError, match="is not a whole number from 0 to 5"):
        parse_score(score)


def test_a_joint_is_eroded_above_zero() -> None:
    assert [is_eroded(score) for score in range(6)] == [False, True, True, True, True, True]


def test_sides_are_read_in_letters_and_words() -> None:
    assert parse_side("l") is parse_side("Left") is Side.LEFT
    assert parse_side("R").other is Side.LEFT
    with pytest.raises(InputError, match="expected L or R"):
        parse_side("both")
