"""The annotation files: SvdH scores and joint boxes.

Each reader returns what it understood together with every problem it met, so that one reading serves both the
reader, which stops at the first error, and the check, which reports all.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from carpus.anatomy import Joint, parse_joint, parse_score
from carpus.data.case import CaseId
from carpus.data.layout import SCORE_FILES
from carpus.data.problem import Problem, one_line
from carpus.errors import InputError
from carpus.imaging.geometry import Box

_MAX_BYTES = 64 * 1024**2
_AREA_TOLERANCE = 0.01
_EDGE_TOLERANCE_PX = 0.05
"""COCO files are written to hundredths of a pixel, so a box at the edge can reach beyond it by rounding."""

_NOT_COCO = (KeyError, TypeError, ValueError, AttributeError, OverflowError)


@dataclass(frozen=True)
class ImageBoxes:
    """The joint boxes of one image and the image's size as the file states it, in pixels."""

    boxes: Mapping[Joint, Box]
    height: int
    width: int


def read_scores(path: Path) -> tuple[dict[CaseId, dict[Joint, int]], list[Problem]]:
    """The SvdH score of every joint by case, from a list of entries or a mapping keyed by identifier."""
    problems: list[Problem] = []
    content = _json(path, problems)
    if isinstance(content, dict):
        content = [{**value, "identifier": key} if isinstance(value, dict) else value for key, value in content.items()]
    if not isinstance(content, list):
        if not problems:
            problems.append(_problem(path, "score-file", "is neither a list nor a mapping of cases", "restore it"))
        return {}, problems
    scores: dict[CaseId, dict[Joint, int]] = {}
    for entry in content:
        if not isinstance(entry, dict) or not isinstance(entry.get("joints"), dict):
            problems.append(_problem(path, "score-entry", f"has an entry without joints: {entry!r:.80}", "mend it"))
            continue
        try:
            case = CaseId.parse(str(entry.get("identifier")))
        except InputError as error:
            problems.append(_problem(path, "identifier", f"has an entry whose {error}"))
            continue
        problems += _contradictions(path, case, entry)
        if case in scores:
            problems.append(_problem(path, "score-twice", f"scores {case} twice", "remove one of the entries"))
        joints = scores.setdefault(case, {})
        refused = 0
        for name, value in entry["joints"].items():
            try:
                joint = parse_joint(name)
            except InputError as error:
                problems.append(_problem(path, "spelling", f"has in {case} a score whose {error}"))
                refused += 1
                continue
            try:
                joints[joint] = parse_score(value)
            except InputError as error:
                problems.append(_problem(path, "score-range", f"has in {case}, {name}: {error}"))
                refused += 1
        missing = [joint.value for joint in Joint if joint not in joints]
        if len(missing) > refused:
            text = f"lacks a valid score in {case} for {', '.join(missing)}"
            problems.append(_problem(path, "score-missing", text, "score all six joints"))
    return scores, problems


def score_files_differ(folder: Path, scores: Mapping[CaseId, Mapping[Joint, int]]) -> list[Problem]:
    """Score files beside the one that was read whose scores are others.

    Args:
        folder: Of the scoring task.
        scores: As they were read from the first of `layout.SCORE_FILES` there.
    """
    problems = []
    for path in [folder / name for name in SCORE_FILES if (folder / name).is_file()][1:]:
        others, _ = read_scores(path)
        apart = [str(case) for case in sorted(scores.keys() & others.keys()) if scores[case] != others[case]]
        if apart:
            more = f" and {len(apart) - 1} more" if len(apart) > 1 else ""
            text = f"scores {apart[0]}{more} otherwise than the file that is read"
            problems.append(_problem(path, "score-files-differ", text, "keep the right file", severity="warning"))
    return problems


def read_boxes(path: Path) -> tuple[dict[CaseId, ImageBoxes], list[Problem]]:
    """The joint boxes by case, from a COCO file."""
    problems: list[Problem] = []
    content = _json(path, problems)
    if not isinstance(content, dict):
        if not problems:
            problems.append(_problem(path, "coco-file", "is not in COCO's form (no mapping)", "export it again"))
        return {}, problems
    try:
        return _boxes(path, content, problems), problems
    except _NOT_COCO as error:
        problems.append(_problem(path, "coco-file", f"is not in COCO's form ({error!r})", "export it again"))
        return {}, problems


def _boxes(path: Path, content: dict[str, Any], problems: list[Problem]) -> dict[CaseId, ImageBoxes]:
    categories: dict[int, Joint] = {}
    for category in content["categories"]:
        try:
            categories[category["id"]] = parse_joint(category["name"])
        except InputError as error:
            problems.append(_problem(path, "spelling", f"has a category whose {error}"))
    images = {image["id"]: image for image in content["images"]}
    found: dict[int, dict[Joint, Box]] = {number: {} for number in images}
    for annotation in content["annotations"]:
        image, where = images.get(annotation["image_id"]), f"annotation {annotation['id']}"
        if image is None or annotation["category_id"] not in categories:
            problems.append(_problem(path, "box-reference", f"has in {where} an unknown image or category", "mend it"))
            continue
        x, y, width, height = map(float, annotation["bbox"])
        if not (math.isfinite(x) and math.isfinite(y)):
            raise ValueError(f"{where} has a corner that is not a number")
        joint = categories[annotation["category_id"]]
        where = f"{joint.value} of {image['file_name']} ({where})"
        try:
            box = Box(x, y, width, height)
        except InputError as error:
            problems.append(_problem(path, "box-empty", f"has in {where}: {error}"))
            continue
        beyond = max(-x, -y, x + width - image["width"], y + height - image["height"])
        if beyond > _EDGE_TOLERANCE_PX:
            problems.append(_problem(path, "box-outside", f"has {where} outside its image", "move the box inside"))
        if abs(annotation.get("area", box.area) - box.area) > _AREA_TOLERANCE * box.area:
            text = f"gives {where} an area that is not width x height"
            problems.append(_problem(path, "box-area", text, "compute it again", severity="warning"))
        if joint in found[annotation["image_id"]]:
            problems.append(_problem(path, "box-twice", f"has {where} twice", "remove one of the boxes"))
        found[annotation["image_id"]][joint] = box
    boxes = {}
    for number, image in images.items():
        try:
            case = CaseId.parse(Path(image["file_name"]).stem)
        except InputError as error:
            problems.append(_problem(path, "identifier", f"has an image whose {error}"))
            continue
        boxes[case] = ImageBoxes(found[number], int(image["height"]), int(image["width"]))
    return boxes


def _contradictions(path: Path, case: CaseId, entry: Mapping[str, Any]) -> list[Problem]:
    """Where an entry's own fields say another wrist than its identifier."""
    problems = []
    for name, own in (("patient_id", case.patient), ("study_id", case.study), ("hand", case.side_letter)):
        told = entry.get(name)
        if told is not None and str(told).upper().lstrip("0")[: len(own)] != own.lstrip("0"):
            text = f"has {told!r:.40} as {name} of {case}"
            problems.append(_warning(path, "score-identifier", text, "see which is right"))
    return problems


def _json(path: Path, problems: list[Problem]) -> Any:
    try:
        if path.stat().st_size > _MAX_BYTES:
            problems.append(_problem(path, "json-file", "is larger than 64 MiB", "restore it from its source"))
            return None
        return json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        problems.append(_problem(path, "json-missing", "does not exist", "restore it from its source"))
    except (OSError, ValueError, RecursionError) as error:
        problems.append(_problem(path, "json-file", f"is not JSON ({one_line(error)})", "restore it from its source"))
    return None


def _problem(path: Path, kind: str, what: str, remedy: str = "", *, severity: Any = "error") -> Problem:
    return Problem(str(path), kind, f"{path} {what}" + (f"; {remedy}" if remedy else ""), severity)


def _warning(path: Path, kind: str, what: str, remedy: str) -> Problem:
    return _problem(path, kind, what, remedy, severity="warning")
