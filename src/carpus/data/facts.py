"""All that is known of one wrist besides its pixels, as a value and as plain JSON."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from carpus.anatomy import Joint, parse_joint, parse_score
from carpus.data.case import CaseId
from carpus.data.layout import Split
from carpus.errors import InputError
from carpus.imaging.geometry import Box

_NAME = re.compile(r"\w[\w .,&()/'-]{0,63}")
"""What an institution may be called: it goes into an Excel table, which would run a formula."""

_OLDEST, _MOST_VISITS = 130, 1000


@dataclass(frozen=True)
class Facts:
    """What is known of one wrist at one visit.

    Attributes:
        id: Patient, study and side.
        bone_split: Split of the segmentation task; None without masks.
        erosion_split: Split of the scoring task; None without regions.
        boxes: The joints' regions in pixels of the image.
        scores: SvdH erosion scores of all six joints, 0 to 5; None if unscored.
        institution: Centre, such as `HMCRD`; None if unknown, as are the following.
        age: Years.
        sex: `F` or `M`.
        phase: Number of the visit, from 1.
        synthetic: Whether the wrist is a phantom.
    """

    id: CaseId
    bone_split: Split | None = None
    erosion_split: Split | None = None
    boxes: Mapping[Joint, Box] = field(default_factory=dict)
    scores: Mapping[Joint, int] | None = None
    institution: str | None = None
    age: int | None = None
    sex: str | None = None
    phase: int | None = None
    synthetic: bool = False

    def as_dict(self) -> dict[str, Any]:
        """The facts as plain values for JSON; `parse_facts` is the way back.

        Example:
            >>> facts = Facts(CaseId.parse("0035_0001_L"), Split.TRAIN, age=61)
            >>> facts.as_dict()["hand"], parse_facts(facts.as_dict()) == facts
            ('L', True)
        """
        return {
            "identifier": str(self.id),
            "patient_id": self.id.patient,
            "study_id": self.id.study,
            "hand": self.id.side.value,
            "bone_split": self.bone_split and self.bone_split.value,
            "erosion_split": self.erosion_split and self.erosion_split.value,
            "institution": self.institution,
            "age": self.age,
            "sex": self.sex,
            "phase": self.phase,
            "svdh_scores": self.scores and {joint.value: self.scores[joint] for joint in Joint},
            "boxes": {joint.value: [box.x, box.y, box.width, box.height] for joint, box in self.boxes.items()},
            "synthetic": self.synthetic,
        }


def parse_facts(entry: object) -> Facts:
    """The facts from plain values; all but `identifier` may be absent or null.

    Raises:
        InputError: Not such a mapping, or a value that cannot be.
    """
    if not isinstance(entry, Mapping):
        raise InputError(f"case {entry!r:.60} is no mapping, expected one with an identifier; export it again")
    case = CaseId.parse(str(entry.get("identifier")))
    try:
        return Facts(
            id=case,
            bone_split=_split(entry.get("bone_split")),
            erosion_split=_split(entry.get("erosion_split")),
            boxes=_boxes(entry.get("boxes")),
            scores=_scores(entry.get("svdh_scores")),
            institution=_institution(entry.get("institution")),
            age=_whole("age", entry.get("age"), 0, _OLDEST),
            sex=_one_of("sex", entry.get("sex"), ("F", "M")),
            phase=_whole("phase", entry.get("phase"), 1, _MOST_VISITS),
            synthetic=_one_of("synthetic", entry.get("synthetic"), (False, True)) or False,
        )
    except InputError as error:
        raise InputError(f"case {case}: {error}") from None


def merge_facts(first: Facts, second: Facts) -> Facts:
    """The facts of one wrist that two places tell, each where the other says nothing.

    Raises:
        InputError: They contradict each other.
    """
    merged = {}
    for name, value in vars(first).items():
        other = vars(second)[name]
        if name == "synthetic":
            # What one place calls a phantom never passes for a patient.
            merged[name] = value or other
            continue
        unknown = value in (None, {}), other in (None, {})
        if not any(unknown) and value != other:
            raise InputError(f"case {first.id} is told two values of {name}, {value} and {other}; keep one of them")
        merged[name] = other if unknown[0] else value
    return Facts(**merged)


def _split(value: object) -> Split | None:
    name = _one_of("split", value, [split.value for split in Split])
    return None if name is None else Split(name)


def _one_of(name: str, value: object, allowed: Any) -> Any:
    # Types are compared too, because 1 == True.
    if value is not None and not any(type(value) is type(each) and value == each for each in allowed):
        raise InputError(f"{name} {value!r:.40} is unknown, expected one of {', '.join(map(str, allowed))}; correct it")
    return value


def _whole(name: str, value: object, least: int, most: int) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise InputError(f"{name} {value!r:.40} is impossible, expected a whole number from {least} to {most}")
    return value


def _institution(value: object) -> str | None:
    if value is not None and not (isinstance(value, str) and _NAME.fullmatch(value)):
        raise InputError(f"institution {value!r:.40} is no name, expected up to 64 letters and digits; rename it")
    return value


def _scores(value: object) -> dict[Joint, int] | None:
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise InputError(f"scores {value!r:.40} are no mapping from joint to score; export them again")
    scores = {parse_joint(str(name)): parse_score(score) for name, score in value.items()}
    if missing := [joint.value for joint in Joint if joint not in scores]:
        raise InputError(f"there is no score for {', '.join(missing)}; score all six joints or none")
    return {joint: scores[joint] for joint in Joint}


def _boxes(value: object) -> dict[Joint, Box]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise InputError(f"boxes {value!r:.40} are no mapping from joint to box; export them again")
    boxes = {}
    for name, corners in value.items():
        if not isinstance(corners, (list, tuple)) or len(corners) != 4 or not all(map(_is_number, corners)):
            raise InputError(f"box {corners!r:.60} of {name} is none, expected [x, y, width, height] in pixels")
        boxes[parse_joint(str(name))] = Box(*map(float, corners))
    return {joint: boxes[joint] for joint in Joint if joint in boxes}


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
