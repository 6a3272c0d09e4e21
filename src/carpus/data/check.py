"""Every problem of a dataset at once, each with its file and its remedy."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from carpus.anatomy import Bone, Joint, parse_joint
from carpus.data import layout
from carpus.data.annotations import ImageBoxes, read_boxes, read_metadata, read_scores
from carpus.data.case import CaseId
from carpus.data.layout import Split
from carpus.data.problem import Problem
from carpus.data.reader import check_is_dataset, is_phantom, open_mask_file, read_mask_file
from carpus.errors import InputError
from carpus.imaging.files import read_grey

Found = dict[CaseId, dict[Split, Path]]


def check_dataset(root: Path, *, progress: Callable[[int, int], None] | None = None) -> list[Problem]:
    """All problems of a dataset in RAM-W600's layout, errors first; an empty list if there is none.

    Every file is opened. Paths in the problems are relative to the dataset.

    Args:
        root: Folder of the dataset.
        progress: Called with (done, total) after every file.

    Raises:
        InputError: The folder is not such a dataset at all.
    """
    check_is_dataset(root)
    problems: list[Problem] = []
    try:
        is_phantom(root)
    except InputError as error:
        problems.append(Problem(str(root / layout.PHANTOM_FILE), "phantom-file", str(error)))
    problems += [
        _problem(task, "not-a-folder", "is a file, expected a folder", "restore it")
        for task in (root / layout.BONES, layout.location_folder(root), layout.erosion_folder(root))
        if task.is_file()
    ]
    images = _files(layout.bone_images(root), "*.bmp", problems)
    located = _files(layout.location_images(root), "*.bmp", problems)
    masks = _by_split(layout.bone_masks(root), "*.npy", problems)
    regions = _by_split(layout.erosion_folder(root), "*", problems)
    step = _Steps(progress, len(images) + len(located) + _count(masks) + _count(regions))

    sizes = _check_images(images, problems, step)
    _check_masks(images, masks, sizes, problems, step)
    problems += _split_problems(masks, layout.BONES)
    if layout.erosion_folder(root).exists():
        scores, found = read_scores(layout.score_file(root))
        problems += found
        _check_regions(regions, scores, images.keys() | located.keys(), layout.score_file(root), problems, step)
        problems += _split_problems(regions, layout.EROSION)
        problems += _cross_task_leaks(masks, regions)
    if layout.location_folder(root).exists():
        boxes, found = read_boxes(layout.coco_file(root))
        problems += found
        located_sizes = _check_images(located, problems, step)
        _check_boxes(layout.coco_file(root), boxes, located_sizes, located, problems)
    table = root / layout.METADATA_FILE
    if table.exists():
        people, found = read_metadata(table)
        problems += found
        known = {patient for patient, _ in people}
        for patient in sorted({case.patient for case in (*images, *located)} - known if people else ()):
            text = f"{table} lacks patient {patient}; add the patient's row"
            problems.append(Problem(str(table), "metadata-missing", text, "warning"))
    return sorted((_relative(problem, root) for problem in problems), key=lambda item: item.severity)


class _Steps:
    """Counts files for the progress bar."""

    def __init__(self, progress: Callable[[int, int], None] | None, total: int) -> None:
        self.progress, self.total, self.done = progress, total, 0

    def __call__(self) -> None:
        self.done += 1
        if self.progress:
            self.progress(self.done, self.total)


def _check_images(
    images: Mapping[CaseId, Path], problems: list[Problem], step: _Steps
) -> dict[CaseId, tuple[int, int]]:
    sizes = {}
    for case, path in images.items():
        step()
        pixels = _read_image(path, problems)
        if pixels is not None:
            sizes[case] = pixels.shape[0], pixels.shape[1]
    return sizes


def _read_image(path: Path, problems: list[Problem]) -> np.ndarray | None:
    try:
        pixels = read_grey(path)
    except InputError as error:
        problems.append(Problem(str(path), "image-unreadable", str(error)))
        return None
    if pixels.min() == pixels.max():
        problems.append(_problem(path, "image-constant", "has one grey value only", "copy it again"))
    return pixels


def _check_masks(
    images: Mapping[CaseId, Path],
    masks: Found,
    sizes: Mapping[CaseId, tuple[int, int]],
    problems: list[Problem],
    step: _Steps,
) -> None:
    for case, places in masks.items():
        for path in places.values():
            step()
            if case not in images:
                problems.append(_problem(path, "mask-without-image", "has no image", f"add {case}.bmp"))
            kind = _mask_header_problem(path)
            if kind:
                problems.append(kind)
                continue
            try:
                found = read_mask_file(path)
            except InputError as error:
                problems.append(Problem(str(path), "mask-values", str(error)))
                continue
            if case in sizes and found.shape != sizes[case]:
                what = f"is {_size(found.shape)} pixels but its image is {_size(sizes[case])}"
                problems.append(_problem(path, "mask-size", what, "draw it on the image's grid"))
            present = np.bitwise_or.reduce(found.plane, axis=None)
            if empty := [bone.value for bone in Bone if not int(present) >> bone.channel & 1]:
                what = f"holds no pixel of {', '.join(empty)}"
                problems.append(_problem(path, "mask-empty", what, "draw what is visible", warning=True))
    for case, path in images.items():
        if case not in masks:
            what = f"has no mask in any split of {layout.BONES}"
            problems.append(_problem(path, "mask-missing", what, f"add {case}.npy", warning=True))


def _mask_header_problem(path: Path) -> Problem | None:
    try:
        stack = open_mask_file(path)
    except InputError as error:
        return Problem(str(path), "mask-unreadable", str(error))
    if stack.ndim != 3 or stack.shape[0] != len(Bone):
        what = f"has shape {stack.shape}, expected (14, height, width)"
        return _problem(path, "mask-channels", what, "draw it again")
    if stack.dtype.itemsize != 1:
        what = f"has values of type {stack.dtype}, expected one byte a pixel"
        return _problem(path, "mask-dtype", what, "save it as uint8")
    return None


def _check_regions(
    regions: Found,
    scores: Mapping[CaseId, Mapping[Joint, int]],
    images: Collection[CaseId],
    score_path: Path,
    problems: list[Problem],
    step: _Steps,
) -> None:
    for case, places in regions.items():
        for folder in places.values():
            step()
            if case not in images:
                what = "has no image of the whole wrist"
                problems.append(_problem(folder, "region-without-image", what, f"add {case}.bmp"))
            joints = set()
            unknown = 0
            for path in _visible(folder, "*.bmp"):
                try:
                    joints.add(parse_joint(path.stem))
                except InputError as error:
                    problems.append(_problem(path, "spelling", f"is named after an unknown joint: {error}"))
                    unknown += 1
                    continue
                _read_image(path, problems)
            missing = [joint.value for joint in Joint if joint not in joints]
            if len(missing) > unknown:
                what = f"lacks the region of {', '.join(missing)}"
                problems.append(_problem(folder, "region-missing", what, "cut it from the image"))
            if case not in scores:
                what = f"has regions but no scores in {score_path.name}"
                problems.append(_problem(folder, "score-missing", what, "score it or remove it"))
    for case in sorted(set(scores) - set(regions)):
        what = f"scores {case}, which has no regions in any split"
        problems.append(_problem(score_path, "region-missing", what, "add them or remove the scores"))


def _check_boxes(
    path: Path,
    boxes: Mapping[CaseId, ImageBoxes],
    sizes: Mapping[CaseId, tuple[int, int]],
    images: Mapping[CaseId, Path],
    problems: list[Problem],
) -> None:
    for case, entry in sorted(boxes.items()):
        if case not in images:
            problems.append(_problem(path, "box-without-image", f"has boxes of {case}, which has no image", "add it"))
        elif case in sizes and (entry.height, entry.width) != sizes[case]:
            what = f"says {case} is {_size((entry.height, entry.width))} pixels but it is {_size(sizes[case])}"
            problems.append(_problem(path, "box-size", what, "correct it"))
        if missing := [joint.value for joint in Joint if joint not in entry.boxes]:
            problems.append(_problem(path, "box-missing", f"lacks {', '.join(missing)} of {case}", "add the box"))
    problems.extend(
        _problem(path, "box-missing", f"has no boxes of {case}", "add them")
        for case in sorted(set(images) - set(boxes))
    )


def _split_problems(found: Found, task: str) -> Iterable[Problem]:
    patients: dict[str, set[Split]] = defaultdict(set)
    for case, places in found.items():
        patients[case.patient] |= set(places)
        if len(places) > 1:
            path = list(places.values())[-1]
            yield _problem(path, "case-in-two-splits", f"is also in {_named(places)}", "keep one of them")
    for patient, splits in sorted(patients.items()):
        if len(splits) > 1:
            text = f"{task} has patient {patient} in {_named(splits)}, so the test is not independent; move one"
            yield Problem(task, "patient-in-two-splits", text)


def _cross_task_leaks(bones: Found, erosion: Found) -> Iterable[Problem]:
    def splits(found: Found) -> dict[str, set[Split]]:
        patients: dict[str, set[Split]] = defaultdict(set)
        for case, places in found.items():
            patients[case.patient] |= set(places)
        return patients

    drawn, scored = splits(bones), splits(erosion)
    for patient in sorted(drawn.keys() & scored.keys()):
        if Split.TEST in drawn[patient] ^ scored[patient]:
            text = (
                f"patient {patient} is in {_named(drawn[patient])} of {layout.BONES} and in "
                f"{_named(scored[patient])} of {layout.EROSION}; do not train one model on both tasks so"
            )
            yield Problem(layout.BONES, "cross-task-leak", text, "warning")


def _files(folder: Path, pattern: str, problems: list[Problem]) -> dict[CaseId, Path]:
    found = {}
    for path in _visible(folder, pattern):
        try:
            found[CaseId.parse(path.stem)] = path
        except InputError as error:
            problems.append(_problem(path, "identifier", f"is misnamed: {error}"))
    return found


def _visible(folder: Path, pattern: str) -> list[Path]:
    return sorted(path for path in folder.glob(pattern) if not path.name.startswith("."))


def _by_split(folder: Path, pattern: str, problems: list[Problem]) -> Found:
    found: Found = defaultdict(dict)
    for split in Split:
        for case, path in _files(folder / split.value, pattern, problems).items():
            found[case][split] = path
    return dict(sorted(found.items()))


def _count(found: Found) -> int:
    return sum(map(len, found.values()))


def _named(splits: Iterable[Split]) -> str:
    return " and ".join(sorted(split.value for split in splits))


def _size(shape: tuple[int, int]) -> str:
    return f"{shape[1]} x {shape[0]}"


def _problem(path: Path, kind: str, what: str, remedy: str = "", *, warning: bool = False) -> Problem:
    text = f"{path} {what}" + (f"; {remedy}" if remedy else "")
    return Problem(str(path), kind, text, "warning" if warning else "error")


def _relative(problem: Problem, root: Path) -> Problem:
    file = Path(problem.file)
    return replace(problem, file=str(file.relative_to(root) if file.is_relative_to(root) else file))
