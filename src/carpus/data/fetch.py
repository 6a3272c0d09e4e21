"""A dataset from the Hugging Face Hub at one commit: complete and verified, or not there.

Files arrive in a hidden folder beside the wanted one, where an interrupted run goes on. When each has the size and hash
that the Hub states, the manifest is written and the folder gets its name. From then on no network is needed.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from carpus.data.hub import (
    WORKING_FOLDER,
    RemoteFile,
    download,
    is_commit,
    is_intact,
    list_files,
    quietly,
    resolve_revision,
)
from carpus.data.manifest import (
    MANIFEST_FILE,
    Entry,
    Manifest,
    damaged_files,
    read_manifest,
    sha256_of,
    write_manifest,
)
from carpus.errors import InputError

REPOSITORY = "TokyoTechMagicYang/RAM-W600"
"""Where RAM-W600 is. Version 1, the paper's, is 5034d8c; version 2 with metadata is 1070e21."""

_TRIES = 3
_WORKERS = 8
_SPARE = 64 * 1024**2
"""Room for what is written beside the files, in bytes."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Plan:
    """What fetching would bring.

    Attributes:
        repository: Where from.
        commit: Full hash.
        files: All files of the dataset.
        missing: Those that are not there yet.
        free: Bytes free on the disk.
    """

    repository: str
    commit: str
    files: Mapping[str, RemoteFile]
    missing: Mapping[str, RemoteFile]
    free: int


def verified(
    out: Path, *, revision: str, repository: str = REPOSITORY, progress: Progress | None = None
) -> Manifest | None:
    """The manifest of a dataset that was fetched before, after a look at every byte; no network is used.

    Args:
        out: Folder of the dataset.
        revision: A commit's hash, or the first digits of it.
        repository: Where it should be from.
        progress: Called with (done, total) after every file.

    Returns:
        None if the folder is not of this commit, or `revision` is no hash.

    Raises:
        InputError: A file is missing or differs from the manifest.
    """
    if not (out / MANIFEST_FILE).exists() or not is_commit(revision):
        return None
    manifest = read_manifest(out)
    if manifest.repository != repository or not manifest.revision.startswith(revision):
        return None
    damaged = damaged_files(out, manifest, progress=progress)
    if damaged:
        name, what = next(iter(damaged.items()))
        more = f" (and {len(damaged) - 1} more)" if len(damaged) > 1 else ""
        raise InputError(f"{out / name} {what}{more}; add --overwrite to fetch what is damaged again")
    return manifest


def plan(out: Path, *, revision: str, repository: str = REPOSITORY, allow_moving: bool = False) -> Plan:
    """What fetching would bring; nothing is written.

    Raises:
        InputError: An unknown revision, the Hub cannot be reached, or the disk is too full.
    """
    with quietly():
        commit = resolve_revision(repository, revision, allow_moving=allow_moving)
        files = list_files(repository, commit)
    places = (_draft(out, commit), out)
    missing = {name: file for name, file in files.items() if not any(_is_there(each, name, file) for each in places)}
    need = sum(file.size for file in missing.values()) + _SPARE
    free = shutil.disk_usage(next(each for each in out.absolute().parents if each.exists())).free
    if need > free:
        raise InputError(
            f"{repository} needs {need / 1e9:.2f} GB more, but the disk of {out} has {free / 1e9:.2f} GB free; "
            "make room, or choose another disk"
        )
    return Plan(repository, commit, files, missing, free)


def fetch(out: Path, wanted: Plan, *, progress: Progress | None = None) -> Manifest:
    """Brings what is missing, verifies it, and gives the folder its name; an existing one is replaced at the end.

    Args:
        out: Folder to write.
        wanted: From `plan`.
        progress: Called with (done, total) after every file.

    Raises:
        InputError: A file cannot be had or comes damaged each time, or another run is at it. What arrived is kept for
            the next run.
    """
    draft = _draft(out, wanted.commit)
    try:
        draft.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{draft} cannot be made ({error.strerror}); choose a folder that you may write to") from error
    with _alone(draft), quietly():
        _keep_what_is_there(out, draft, wanted.files)
        entries: dict[str, Entry] = {}
        with ThreadPoolExecutor(_WORKERS) as pool:
            work = {pool.submit(_bring, draft, wanted, name): name for name in sorted(wanted.files)}
            try:
                for done in as_completed(work):
                    entries[work[done]] = done.result()
                    if progress:
                        progress(len(entries), len(work))
            except BaseException:
                pool.shutdown(wait=True, cancel_futures=True)
                raise
        manifest = Manifest(wanted.repository, wanted.commit, entries)
        shutil.rmtree(draft / WORKING_FOLDER, ignore_errors=True)
        write_manifest(draft, manifest)
        _replace(out, draft)
    return manifest


def _bring(draft: Path, wanted: Plan, name: str) -> Entry:
    file, path = wanted.files[name], draft / name
    for attempt in range(_TRIES):
        if is_intact(path, file):
            return Entry(file.size, file.sha256 or sha256_of(path))
        download(wanted.repository, wanted.commit, name, draft, again=path.exists() or attempt > 0)
    if is_intact(path, file):
        return Entry(file.size, file.sha256 or sha256_of(path))
    path.unlink(missing_ok=True)
    raise InputError(f"{name} came damaged {_TRIES} times from {wanted.repository}; wait a while, and run it again")


def _draft(out: Path, commit: str) -> Path:
    return out.absolute().with_name(f".{out.absolute().name}.{commit[:12]}.part")


def _is_there(folder: Path, name: str, file: RemoteFile) -> bool:
    path = folder / name
    return path.is_file() and path.stat().st_size == file.size


def _keep_what_is_there(out: Path, draft: Path, files: Mapping[str, RemoteFile]) -> None:
    """Takes over the good files of the folder that is to be replaced, without copying them where the disk allows."""
    for name, file in files.items():
        old, new = out / name, draft / name
        if not new.exists() and is_intact(old, file):
            new.parent.mkdir(parents=True, exist_ok=True)
            try:
                new.hardlink_to(old)
            except OSError:
                shutil.copyfile(old, new)


@contextmanager
def _alone(draft: Path) -> Iterator[None]:
    from filelock import FileLock, Timeout

    lock = draft.with_name(f"{draft.name}.lock")
    try:
        with FileLock(lock, timeout=0):
            yield
    except Timeout:
        raise InputError(f"{draft} is being written by another run; wait until that has ended") from None
    lock.unlink(missing_ok=True)


def _replace(out: Path, draft: Path) -> None:
    old = draft.with_name(f"{draft.name}.old")
    if out.exists():
        out.rename(old)
    draft.rename(out)
    shutil.rmtree(old, ignore_errors=True)
