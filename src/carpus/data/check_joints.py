"""What is wrong with the joints' regions, boxes and scores, and with the metadata table, beside one another."""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

import numpy as np

from carpus.anatomy import Joint, parse_joint
from carpus.data.annotations import ImageBoxes
from carpus.data.case import CaseId
from carpus.data.check_files import Found, problem, visible
from carpus.data.check_wrists import check_region, size_text
from carpus.data.problem import Problem
from carpus.data.shape_audit import FEWEST, WristShape
from carpus.errors import InputError


def check_regions(
    case: CaseId,
    folder: Path,
    scores: Mapping[CaseId, Mapping[Joint, int]],
    images: Collection[CaseId],
    score_path: Path,
) -> list[Problem]:
    """The regions of one wrist.

    Args:
        case: The wrist.
        folder: Of its regions.
        scores: Of all wrists.
        images: Wrists that have an image.
        score_path: Of the scores.
    """
    problems = []
    if case not in images:
        problems.append(problem(folder, "region-without-image", "has no image of the whole wrist", f"add {case}.bmp"))
    joints: set[Joint] = set()
    unknown = 0
    for path in visible(folder, "*.bmp"):
        try:
            joint = parse_joint(path.stem)
        except InputError as error:
            problems.append(problem(path, "spelling", f"is named after an unknown joint: {error}"))
            unknown += 1
            continue
        if joint in joints:
            problems.append(problem(path, "region-twice", f"is a second region of {joint.value}", "keep one of them"))
        joints.add(joint)
        problems += check_region(path)
    missing = [joint.value for joint in Joint if joint not in joints]
    if len(missing) > unknown:
        what = f"lacks the region of {', '.join(missing)}"
        problems.append(problem(folder, "region-missing", what, "cut it from the image"))
    if case not in scores:
        what = f"has regions but no scores in {score_path.name}"
        problems.append(problem(folder, "score-missing", what, "score it or remove it"))
    return problems


def scores_without_regions(
    regions: Found, scores: Mapping[CaseId, Mapping[Joint, int]], score_path: Path
) -> Iterator[Problem]:
    """Wrists that are scored and have no regions."""
    for case in sorted(set(scores) - set(regions)):
        what = f"scores {case}, which has no regions in any split"
        yield problem(score_path, "region-missing", what, "add them or remove the scores")


def check_boxes(
    path: Path,
    boxes: Mapping[CaseId, ImageBoxes],
    sizes: Mapping[CaseId, tuple[int, int]],
    images: Collection[CaseId],
) -> Iterator[Problem]:
    """The boxes beside the images they are on.

    Args:
        path: Of the boxes.
        boxes: Of all wrists.
        sizes: Of their images, height and width in pixels, where they can be read.
        images: Wrists that have an image.
    """
    for case, entry in sorted(boxes.items()):
        if case not in images:
            yield problem(path, "box-without-image", f"has boxes of {case}, which has no image", "add it")
        elif case in sizes and (entry.height, entry.width) != sizes[case]:
            stated = size_text((entry.height, entry.width))
            what = f"says {case} is {stated} pixels but it is {size_text(sizes[case])}"
            yield problem(path, "box-size", what, "correct it")
        if missing := [joint.value for joint in Joint if joint not in entry.boxes]:
            yield problem(path, "box-missing", f"lacks {', '.join(missing)} of {case}", "add the box")
    for case in sorted(set(images) - set(boxes)):
        yield problem(path, "box-missing", f"has no boxes of {case}", "add them")


def boxes_off_bones(
    path: Path, boxes: Mapping[CaseId, ImageBoxes], shapes: Mapping[CaseId, WristShape]
) -> Iterator[Problem]:
    """Boxes farther from their bone than any of it reaches; only where many wrists have masks.

    Args:
        path: Of the boxes.
        boxes: Of all wrists.
        shapes: Of the bones, left hands mirrored.
    """
    if len(shapes) < FEWEST:
        return
    for case in sorted(boxes.keys() & shapes.keys()):
        for joint, box in boxes[case].boxes.items():
            centre = shapes[case].centres[joint.bone.channel]
            if np.isnan(centre):
                continue
            width = boxes[case].width
            x = width - 1 - centre.real if case.side_letter == "L" else centre.real
            reach = 2 * float(np.sqrt(shapes[case].areas[joint.bone.channel]))
            if not (-reach < x - box.x < box.width + reach and -reach < centre.imag - box.y < box.height + reach):
                what = f"has {joint.value} of {case} away from its bone in the mask"
                yield problem(path, "box-off-bone", what, "move the box", severity="warning")
