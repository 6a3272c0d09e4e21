"""Every problem of a dataset at once, each with its file and its remedy."""

import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np

from carpus.anatomy import Joint
from carpus.data import layout
from carpus.data.annotations import read_boxes, read_scores, score_files_differ
from carpus.data.case import CaseId
from carpus.data.check_files import (
    Found,
    by_case,
    by_split,
    cross_task_leaks,
    misplaced_files,
    named,
    patient_splits,
    problem,
    split_problems,
)
from carpus.data.check_joints import boxes_off_bones, check_boxes, check_regions, scores_without_regions
from carpus.data.check_wrists import WristFacts, WristFiles, check_wrist
from carpus.data.likeness import alike
from carpus.data.metadata import metadata_problems, read_metadata
from carpus.data.problem import Problem
from carpus.data.reader import check_is_dataset, is_phantom
from carpus.data.shape_audit import FEWEST, audit_shapes
from carpus.errors import InputError

_PALE = 0.5
"""Of the usual contrast between bones and what surrounds them; a mask on a wrong image has a fifth of it."""
_BRIGHT = 0.3
"""Usual contrast, in standard deviations of the image, from which on bones stand out enough to judge by it."""


def check_dataset(
    root: Path, *, audit: bool = True, jobs: int | None = None, progress: Callable[[int, int], None] | None = None
) -> list[Problem]:
    """All problems of a dataset in RAM-W600's layout, errors first; an empty list if there is none.

    Every file is opened. Paths in the problems are relative to the dataset. The audit looks for bones that are unlike
    those of the other wrists (`carpus.data.shape_audit`), and for masks that lie beside the bones; it only warns.

    Args:
        root: Folder of the dataset.
        audit: Whether to do that.
        jobs: How many wrists are read at once; None for one a core. Memory grows with it, not with the dataset.
        progress: Called with (done, total) after every file.

    Raises:
        InputError: The folder is not such a dataset at all.
    """
    check_is_dataset(root)
    problems = list(misplaced_files(root))
    try:
        is_phantom(root)
    except InputError as error:
        problems.append(Problem(str(root / layout.PHANTOM_FILE), "phantom-file", str(error)))
    images = by_case(layout.bone_images(root), "*.bmp", problems)
    located = by_case(layout.location_images(root), "*.bmp", problems)
    masks = by_split(layout.bone_masks(root), "*.npy", problems)
    regions = by_split(layout.erosion_folder(root), "*", problems)
    step = _Steps(progress, len(images) + len(located) + _count(masks) + _count(regions))

    wrists = [
        WristFiles(case, images.get(case), located.get(case), masks.get(case, {}))
        for case in sorted({*images, *located, *masks})
    ]
    with ThreadPoolExecutor(jobs or os.cpu_count()) as pool:
        facts = {}
        for wrist, found in zip(wrists, pool.map(partial(check_wrist, audit=audit), wrists), strict=True):
            facts[wrist.case] = found
            problems += found.problems
            step((wrist.image is not None) + (wrist.located is not None) + len(wrist.masks))
        for case, path in images.items():
            if case not in masks:
                what = f"has no mask in any split of {layout.BONES}"
                problems.append(problem(path, "mask-missing", what, f"add {case}.npy", severity="warning"))
        problems += split_problems(masks, layout.BONES)
        scores: dict[CaseId, dict[Joint, int]] = {}
        if layout.erosion_folder(root).exists():
            path = layout.score_file(root)
            scores, wrong = read_scores(path)
            problems += [*wrong, *score_files_differ(layout.erosion_folder(root), scores)]
            places = [(case, folder) for case, splits in regions.items() for folder in splits.values()]
            known = images.keys() | located.keys()
            for own in pool.map(lambda place: check_regions(place[0], place[1], scores, known, path), places):
                problems += own
                step(1)
            problems += scores_without_regions(regions, scores, path)
            problems += split_problems(regions, layout.EROSION)
            problems += cross_task_leaks(masks, regions)
    problems += _copies(wrists, facts, patient_splits(masks), patient_splits(regions))
    if layout.location_folder(root).exists():
        boxes, wrong = read_boxes(layout.coco_file(root))
        problems += wrong
        sizes = {case: each.size for case, each in facts.items() if each.size is not None}
        problems += check_boxes(layout.coco_file(root), boxes, sizes, located)
        shapes = {case: each.shape for case, each in facts.items() if each.shape is not None}
        problems += boxes_off_bones(layout.coco_file(root), boxes, shapes)
    if audit:
        problems += _unusual(wrists, facts, scores)
    table = root / layout.METADATA_FILE
    if table.exists():
        people, wrong = read_metadata(table)
        problems += wrong
        if people:
            problems += metadata_problems(table, people, {*images, *located})
    return sorted((_relative(each, root) for each in problems), key=lambda each: each.severity)


class _Steps:
    """Counts files for the progress bar."""

    def __init__(self, progress: Callable[[int, int], None] | None, total: int) -> None:
        self.progress, self.total, self.done = progress, total, 0

    def __call__(self, files: int) -> None:
        for _ in range(files):
            self.done += 1
            if self.progress:
                self.progress(self.done, self.total)


def _copies(
    wrists: list[WristFiles],
    facts: Mapping[CaseId, WristFacts],
    bones: Mapping[str, set[layout.Split]],
    erosion: Mapping[str, set[layout.Split]],
) -> Iterator[Problem]:
    """Images that are the same, or look the same, under two identifiers."""
    kept = [wrist for wrist in wrists if facts[wrist.case].hash is not None]
    hashes = [each for each in (facts[wrist.case].hash for wrist in kept) if each is not None]
    told = set()
    for pair in alike(hashes):
        first, second = kept[pair.first], kept[pair.second]
        one, other = first.case, second.case
        is_same = facts[one].digest == facts[other].digest
        if (one, other) in told or (one.patient == other.patient and not is_same):
            continue
        told.add((one, other))
        path = second.image or second.located
        assert path is not None  # noqa: S101 (it has a hash, so an image)
        apart = [
            f"{named(task[one.patient])} and {named(task[other.patient])}"
            for task in (bones, erosion)
            if task.get(one.patient) and task.get(other.patient) and task[one.patient] != task[other.patient]
        ]
        where = f", in {apart[0]}" if apart else ""
        if is_same:
            what, kind = f"has the very pixels of {one}{where}", "image-copied"
        else:
            mirrored = " mirrored" if pair.is_mirrored else ""
            what = f"looks like {one}{mirrored} (correlation {pair.correlation:.3f}) of another patient{where}"
            kind = "image-alike"
        severity: Literal["error", "warning"] = "error" if is_same and one.patient != other.patient else "warning"
        yield problem(path, kind, what, "see which identifier is right", severity=severity)


def _unusual(
    wrists: list[WristFiles], facts: Mapping[CaseId, WristFacts], scores: Mapping[CaseId, Mapping[Joint, int]]
) -> Iterator[Problem]:
    """What the audit finds: unusual bones, and masks under which the image is hardly brighter than around them."""
    drawn = [wrist for wrist in wrists if facts[wrist.case].shape is not None]
    contrasts = np.array([facts[wrist.case].contrast for wrist in drawn])
    known = contrasts[~np.isnan(contrasts)]
    if known.size >= FEWEST and (usual := float(np.median(known))) >= _BRIGHT:
        for wrist, contrast in zip(drawn, contrasts.tolist(), strict=True):
            if contrast < _PALE * usual:
                path = list(wrist.masks.values())[-1]
                what = "covers hardly more bone than its surroundings show"
                yield problem(path, "mask-off-bone", what, "see whether it is of another image", severity="warning")
    shapes = [each for each in (facts[wrist.case].shape for wrist in drawn) if each is not None]
    for finding in audit_shapes(shapes, [scores.get(wrist.case) for wrist in drawn]):
        path = list(drawn[finding.wrist].masks.values())[-1]
        yield problem(path, finding.kind, finding.what, "look at it again", severity="warning")


def _count(found: Found) -> int:
    return sum(map(len, found.values()))


def _relative(each: Problem, root: Path) -> Problem:
    file = Path(each.file)
    return replace(each, file=str(file.relative_to(root) if file.is_relative_to(root) else file))
