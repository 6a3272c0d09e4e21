"""The packed cache of a dataset: found if it still fits, else built.

The folder `.carpus-cache` in the dataset, or one in the user's cache where the dataset cannot be written, holds for
each task

- `<task>-<identifier>.bin`: the pixels, one wrist (or region) after the other;
- `<task>.json`: where each begins, its size and checksum, and of every file it was made from: size, times and digest.

A cache fits when all its files have the size and times they had, or else the same content. The identifier follows from
sizes and times, so that two processes that build at once write the same file, each under a temporary name.
"""

import hashlib
import json
import logging
import os
import shutil
import time
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np

from carpus.anatomy import Joint
from carpus.data import layout
from carpus.data.dataset import Case, Dataset
from carpus.data.pack_index import (
    NO_FILE,
    VERSION,
    FileState,
    Index,
    Stamp,
    digest_of,
    read_index,
    stamp_of,
    write_index,
)
from carpus.data.packed import Entry, Packed, Source, relative
from carpus.errors import InputError
from carpus.files import new_file

Task = Literal["bones", "erosion"]
Progress = Callable[[int, int], None]

CACHE_FOLDER = ".carpus-cache"
_ALIGN = 64
_A_DAY_S = 86_400

log = logging.getLogger(__name__)


class DamagedError(InputError):
    """Files of the dataset are missing or damaged."""


def open_packed(
    dataset: Dataset, task: Task, *, skip_damaged: bool = False, progress: Progress | None = None
) -> Packed | None:
    """The cache of a dataset for a task, built if there is none that fits; None, with a warning, if there is no place.

    Args:
        dataset: All its cases of the task are packed, whatever their split.
        task: Bones or erosion.
        skip_damaged: Whether to go on without files that are missing or damaged, with a warning that names them.
        progress: Called with (done, total) after every item packed.

    Raises:
        DamagedError: Files are missing or damaged; the message names all of them.
    """
    job = _Job(
        dataset.root,
        task,
        tuple(sources(dataset.cases, task)),
        tuple(_absent(dataset, task)),
        is_phantom=dataset.is_phantom,
        skip_damaged=skip_damaged,
    )
    folders = cache_folders(dataset.root)
    for folder in folders:
        found = _found(folder, job)
        if found is not None and (skip_damaged or not (found.damaged or job.absent)):
            return _told(found, job)
    reasons = []
    for folder in folders:
        try:
            return _told(_build(folder, job, progress), job)
        except DamagedError:
            raise
        except InputError as error:
            reasons.append(str(error))
    log.warning("there is no place for a cache, so samples are read from their files, slowly: %s", "; ".join(reasons))
    if job.absent and not skip_damaged:
        raise DamagedError(_all_named(job.absent, len(job.wanted)))
    return None


def cache_folders(root: Path) -> tuple[Path, Path]:
    """Where the cache of a dataset may lie: in it, or in the user's cache."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    key = hashlib.blake2b(str(root.resolve()).encode(), digest_size=8).hexdigest()
    return root / CACHE_FOLDER, home / "carpus" / f"{root.resolve().name}-{key}"


def sources(cases: Iterable[Case], task: Task) -> list[Source]:
    """The files a task needs: image and masks of each case that has them, or each region of the scored cases."""
    if task == "bones":
        return [Source(case.image, case.masks) for case in cases if case.masks is not None]
    return [Source(case.rois[joint]) for case in cases for joint in case.scores or {} if joint in case.rois]


@dataclass(frozen=True)
class _Job:
    root: Path
    task: Task
    wanted: tuple[Source, ...]
    absent: tuple[str, ...]
    is_phantom: bool
    skip_damaged: bool


def _absent(dataset: Dataset, task: Task) -> list[str]:
    """What a dataset should have but for which there is no file, one sentence each."""
    if task == "erosion":
        return [
            f"case {case.id} has no region of {joint.value}"
            for case in dataset.cases
            if case.erosion_split is not None and case.scores is not None
            for joint in Joint
            if joint in case.scores and joint not in case.rois
        ]
    masks = layout.bone_masks(dataset.root).glob("*/[!.]*.npy")
    folders = (layout.bone_images(dataset.root), layout.location_images(dataset.root))
    return [
        f"{path} has no image {path.stem}.bmp"
        for path in sorted(masks)
        if not any((folder / f"{path.stem}.bmp").exists() for folder in folders)
    ]


def _told(packed: Packed, job: _Job) -> Packed:
    packed.map()
    left_out = [*packed.damaged, *job.absent]
    if left_out:
        log.warning("%d items are missing or damaged and left out: %s", len(left_out), "; ".join(left_out))
    return packed


def _all_named(problems: Sequence[str], items: int) -> str:
    return (
        f"{len(problems)} files for {items} items cannot be used: {'; '.join(problems)}; mend them, or go on without "
        "them by --skip-damaged"
    )


def _found(folder: Path, job: _Job) -> Packed | None:
    """The cache in a folder if it is whole and made of the files as they are."""
    path = folder / f"{job.task}.json"
    index = read_index(path)
    if index is None:
        return None
    stamps = _stamps(job)
    if not stamps.keys() <= index.files.keys():
        return None
    moved = {}
    for name, stamp in stamps.items():
        known = index.files[name]
        if stamp in (known.stamp, NO_FILE):
            continue
        if stamp[0] != known.stamp[0] or digest_of(job.root / name) != known.digest:
            return None
        moved[name] = FileState(stamp, known.digest)
    _tell_of_gone(folder, job.root, index)
    if moved:
        try:
            write_index(path, replace(index, files=index.files | moved))
        except InputError:
            log.info("%s cannot be written, so the files are compared again next time", folder)
    return Packed(job.root, folder / index.data, index.entries, index.damaged)


def _tell_of_gone(folder: Path, root: Path, index: Index) -> None:
    gone = [name for name, state in index.files.items() if state.digest and not (root / name).exists()]
    if gone:
        log.warning(
            "%d files are gone since they were packed: %s; put them back, or delete %s if they are not to be used",
            len(gone), ", ".join(gone), folder,
        )  # fmt: skip


def _stamps(job: _Job) -> dict[str, Stamp]:
    return {relative(job.root, path): stamp_of(path) for source in job.wanted for path in source.paths}


def _build(folder: Path, job: _Job, progress: Progress | None) -> Packed:
    """Packs all items into a folder.

    Raises:
        DamagedError: Files are missing or damaged.
        InputError: There is no room, or the folder cannot be written to.
    """
    stamps = _stamps(job)
    identifier = hashlib.blake2b(json.dumps([VERSION, sorted(stamps.items())]).encode(), digest_size=8).hexdigest()
    data = folder / f"{job.task}-{identifier}.bin"
    _check_room(folder, stamps)
    entries: dict[str, Entry] = {}
    files: dict[str, FileState] = {}
    damaged: list[str] = []
    with new_file(data) as draft:
        with draft.open("wb") as file:
            for done, source in enumerate(job.wanted, start=1):
                for path in source.paths:  # before it is read: a change in between shows as another digest
                    name = relative(job.root, path)
                    files[name] = FileState(stamps[name], digest_of(path))
                try:
                    entries[relative(job.root, source.image)] = _append(file, source)
                except InputError as error:
                    damaged.append(str(error))
                if progress is not None:
                    progress(done, len(job.wanted))
            size = file.tell()
        if (damaged or job.absent) and not job.skip_damaged:
            raise DamagedError(_all_named([*damaged, *job.absent], len(job.wanted)))
        if not entries:
            raise DamagedError(f"{job.root} holds nothing that can be used for {job.task}; see `carpus data check`")
    write_index(folder / f"{job.task}.json", Index(data.name, size, job.is_phantom, entries, files, tuple(damaged)))
    _sweep(folder, job.task, data)
    return Packed(job.root, data, entries, tuple(damaged))


def _append(file: BinaryIO, source: Source) -> Entry:
    image, plane = source.read()
    file.write(bytes(-file.tell() % _ALIGN))
    image_at = file.tell()
    gap = bytes(-image.nbytes % _ALIGN)
    parts = [np.ascontiguousarray(image).tobytes()]
    if source.masks is not None:
        parts += [gap, np.ascontiguousarray(plane).tobytes()]
    checksum = 0
    for part in parts:
        file.write(part)
        checksum = zlib.crc32(part, checksum)
    height, width = image.shape
    plane_at = image_at + image.nbytes + len(gap)
    return Entry(height, width, 8 * image.itemsize, source.masks is not None, image_at, plane_at, checksum)


def _check_room(folder: Path, stamps: dict[str, Stamp]) -> None:
    """Makes sure that the disk holds the images and, of the fourteen bytes a pixel of masks, two.

    Raises:
        InputError: It does not.
    """
    there = next(parent for parent in (folder, *folder.resolve().parents) if parent.exists())
    need = sum(max(size, 0) // (7 if name.endswith(".npy") else 1) for name, (size, _, _) in stamps.items())
    free = shutil.disk_usage(there).free
    if need > free:
        raise InputError(f"{folder} needs {need / 1e6:.0f} MB and {free / 1e6:.0f} MB are free; make room on the disk")


def _sweep(folder: Path, task: Task, keep: Path) -> None:
    """Removes what earlier builds left: caches of other content, and drafts of builds that were cut off."""
    for path in folder.glob(f"{task}-*.bin"):
        if path != keep:
            _remove(path)
    for path in folder.glob(f".{task}*"):
        if time.time() - stamp_of(path)[1] / 1e9 > _A_DAY_S:
            _remove(path)


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:  # in use, on Windows
        log.info("%s is in use and stays", path)
