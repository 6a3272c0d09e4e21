"""The words of the field: bones, scored joints, sides, the SvdH erosion scale and their spellings.

Everything else in carpus speaks in these types. Foreign spellings (the RAM-W600 release, the paper, the
authors' code) are translated here, once, on the way in and on the way out.

References:
    RAM-W600, sections 3.1 and B: https://doi.org/10.57967/hf/5328
    Sharp/van der Heijde score: van der Heijde D. J Rheumatol 2000;27(1):261-263.
"""

from collections.abc import Iterable
from difflib import get_close_matches
from enum import Enum

from carpus.errors import InputError

SVDH_SCORES = range(6)
"""The SvdH erosion score of one joint: 0 (no erosion) to 5 (collapse)."""

YOUNGEST = 14
"""Years below which the bones of a hand are not finished, and nothing here fits them."""

ADULT = 18
"""Years from which all growth plates of a hand are taken for closed; before, from 14 on, a person has to see."""


class Side(Enum):
    """The side of the body. The value is the letter in RAM-W600's identifiers."""

    LEFT = "L"
    RIGHT = "R"

    @property
    def other(self) -> "Side":
        """The contralateral side."""
        return Side.LEFT if self is Side.RIGHT else Side.RIGHT


class Bone(Enum):
    """The fourteen bones of RAM-W600, in the order of its mask channels.

    The value is the release's spelling. The pisiform and the triquetrum share one channel, because the
    release does not tell them apart. `list(Bone)` is the channel order everywhere in carpus.
    """

    CAPITATE = "Capitate"
    DISTAL_RADIUS = "DistalRadius"
    DISTAL_ULNA = "DistalUlna"
    HAMATE = "Hamate"
    LUNATE = "Lunate"
    PISIFORM_TRIQUETRUM = "Pisifrom&Triquetrum"
    SCAPHOID = "Scaphoid"
    TRAPEZIUM = "Trapzium"
    TRAPEZOID = "Trapzoid"
    METACARPAL_1 = "metacarpal1st"
    METACARPAL_2 = "metacarpal2nd"
    METACARPAL_3 = "metacarpal3rd"
    METACARPAL_4 = "metacarpal4th"
    METACARPAL_5 = "metacarpal5th"

    @property
    def channel(self) -> int:
        """The bone's channel in a `(14, h, w)` stack and its bit in a packed plane, 0 to 13."""
        return _CHANNELS[self]

    @property
    def abbreviation(self) -> str:
        """The paper's short name, as its tables print it: Cap, Radius, ..., MC5."""
        return _ABBREVIATIONS[self]

    @property
    def label(self) -> str:
        """The bone's name in plain English."""
        return _LABELS[self]


class Joint(Enum):
    """The six wrist sites that RAM-W600 scores for erosion, in the order of its score file.

    The value is the release's spelling. The paper's section 3.1 names the trapezoid among them; its
    tables, its layout and the release have the trapezium.
    """

    METACARPAL_1 = "Metacarpal1st"
    TRAPEZIUM = "Trapzium"
    SCAPHOID = "Scaphoid"
    LUNATE = "Lunate"
    DISTAL_RADIUS = "DistalRadius"
    DISTAL_ULNA = "DistalUlna"

    @property
    def bone(self) -> Bone:
        """The bone whose surface is scored."""
        return Bone[self.name]

    @property
    def abbreviation(self) -> str:
        """The paper's short name: MC1, Tr, Sca, Lu, Radius, Ulna."""
        return self.bone.abbreviation

    @property
    def label(self) -> str:
        """The site's name in plain English."""
        return self.bone.label


_CHANNELS = {bone: channel for channel, bone in enumerate(Bone)}
_ABBREVIATIONS = dict(
    zip(
        Bone,
        ["Cap", "Radius", "Ulna", "Ham", "Lu", "Tri", "Sca", "Tr", "Tz", "MC1", "MC2", "MC3", "MC4", "MC5"],
        strict=True,
    )
)
_LABELS = dict(
    zip(
        Bone,
        [
            "Capitate",
            "Distal radius",
            "Distal ulna",
            "Hamate",
            "Lunate",
            "Pisiform and triquetrum",
            "Scaphoid",
            "Trapezium",
            "Trapezoid",
            "First metacarpal",
            "Second metacarpal",
            "Third metacarpal",
            "Fourth metacarpal",
            "Fifth metacarpal",
        ],
        strict=True,
    )
)

OVERLAP_PAIRS: tuple[tuple[Bone, Bone], ...] = (
    (Bone.DISTAL_RADIUS, Bone.SCAPHOID),
    (Bone.DISTAL_RADIUS, Bone.LUNATE),
    (Bone.SCAPHOID, Bone.TRAPEZIUM),
    (Bone.CAPITATE, Bone.SCAPHOID),
    (Bone.TRAPEZIUM, Bone.METACARPAL_1),
    (Bone.CAPITATE, Bone.METACARPAL_3),
    (Bone.HAMATE, Bone.METACARPAL_4),
    (Bone.LUNATE, Bone.SCAPHOID),
    (Bone.TRAPEZIUM, Bone.TRAPEZOID),
    (Bone.CAPITATE, Bone.TRAPEZOID),
    (Bone.HAMATE, Bone.METACARPAL_5),
    (Bone.TRAPEZIUM, Bone.METACARPAL_2),
    (Bone.TRAPEZOID, Bone.METACARPAL_2),
    (Bone.METACARPAL_2, Bone.METACARPAL_3),
)
"""The pairs whose overlap is scored, in the order of the paper's Tables 12 and 13.

Those tables head the fifth column Tz-MC1; the benchmark computed the trapezium with the first metacarpal.
"""


def pair_name(pair: tuple[Bone, Bone]) -> str:
    """The name of an overlap pair as the paper's tables print it, such as `Radius-Sca`.

    Example:
        >>> pair_name(OVERLAP_PAIRS[4])
        'Tr-MC1'
    """
    return f"{pair[0].abbreviation}-{pair[1].abbreviation}"


def is_eroded(score: int) -> bool:
    """Whether a joint counts as eroded (BE) in the binary task: an SvdH score above 0.

    Raises:
        InputError: The score is not on the scale.
    """
    return parse_score(score) > 0


def parse_score(score: object) -> int:
    """The SvdH erosion score, 0 to 5.

    Raises:
        InputError: Not a whole number from 0 to 5.

    Example:
        >>> parse_score(3)
        3
    """
    if isinstance(score, float) and score.is_integer():
        score = int(score)
    if isinstance(score, bool) or not isinstance(score, int) or score not in SVDH_SCORES:
        raise InputError(f"SvdH score {score!r} is not a whole number from 0 to 5; correct the score")
    return score


def parse_side(text: str) -> Side:
    """The side of the body from `L`, `R`, `left` or `right`, in any case.

    Raises:
        InputError: None of these.
    """
    match text.strip().lower():
        case "l" | "left":
            return Side.LEFT
        case "r" | "right":
            return Side.RIGHT
    raise InputError(f"side {text!r} is unknown; expected L or R")


def parse_bone(text: str) -> Bone:
    """The bone from any spelling met in the release, the paper and the authors' code.

    Raises:
        InputError: Unknown; the message names the nearest spelling.

    Example:
        >>> parse_bone("Trapezium") is parse_bone("Trapzium") is Bone.TRAPEZIUM
        True
    """
    bone = _BONE_SPELLINGS.get(_key(text))
    if bone is None:
        raise InputError(_unknown("bone", text, (bone.value for bone in Bone)))
    return bone


def parse_joint(text: str) -> Joint:
    """The scored joint from any spelling met in the release, the paper and the authors' code.

    Raises:
        InputError: Unknown, or a bone that is not scored; the message names the nearest spelling.

    Example:
        >>> parse_joint("MC1")
        <Joint.METACARPAL_1: 'Metacarpal1st'>
    """
    bone = _BONE_SPELLINGS.get(_key(text))
    if bone is None or bone.name not in Joint.__members__:
        raise InputError(_unknown("joint", text, (joint.value for joint in Joint)))
    return Joint[bone.name]


def _key(text: str) -> str:
    return "".join(letter for letter in text.lower() if letter.isalnum())


def _unknown(kind: str, text: str, known: Iterable[str]) -> str:
    names = list(known)
    nearest = get_close_matches(text, names, n=1, cutoff=0.4)
    hint = f"did you mean {nearest[0]!r}?" if nearest else f"expected one of {', '.join(names)}"
    return f"{kind} {text!r} is unknown; {hint}"


_BONE_SPELLINGS = {
    _key(spelling): bone
    for bone, more in {
        Bone.CAPITATE: (),
        Bone.DISTAL_RADIUS: (),
        Bone.DISTAL_ULNA: (),
        Bone.HAMATE: (),
        Bone.LUNATE: (),
        Bone.PISIFORM_TRIQUETRUM: ("Pisiform&Triquetrum", "Triquetrum"),
        Bone.SCAPHOID: (),
        Bone.TRAPEZIUM: ("Trapezium",),
        Bone.TRAPEZOID: ("Trapezoid",),
        Bone.METACARPAL_1: ("Metacarpal1",),
        Bone.METACARPAL_2: ("Metacarpal2",),
        Bone.METACARPAL_3: ("Metacarpal3",),
        Bone.METACARPAL_4: ("Metacarpal4",),
        Bone.METACARPAL_5: ("Metacarpal5",),
    }.items()
    for spelling in (bone.value, bone.abbreviation, bone.label, *more)
}
