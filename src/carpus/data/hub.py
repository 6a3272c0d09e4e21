"""The Hugging Face Hub as a source of files: which commit a name means, what is in it, and one file at a time.

Everything that comes from there is checked: paths before they are used, content against the hash that the Hub states
(SHA-256 of large files, git's SHA-1 of the others). Needs the extra `hub`.
"""

import contextlib
import errno
import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from carpus.data.manifest import MANIFEST_FILE, relative_path, sha256_of
from carpus.data.problem import one_line
from carpus.errors import InputError

WORKING_FOLDER = ".cache"
"""Where huggingface_hub keeps what it needs to go on after an interruption, inside the folder it writes to."""

_COMMIT = re.compile("[0-9a-f]{7,40}")
_FULL_LENGTH = 40
_DISK_IS_FULL = {errno.ENOSPC, errno.EDQUOT}


@dataclass(frozen=True)
class RemoteFile:
    """A file at one commit: its size in bytes, and the SHA-256 of its content or else git's SHA-1 of it."""

    size: int
    sha256: str | None
    git_sha1: str | None


def is_commit(revision: str) -> bool:
    """Whether a name can only mean one commit for ever: 7 to 40 hexadecimal digits.

    Example:
        >>> is_commit("2bc31f9"), is_commit("main")
        (True, False)
    """
    return _COMMIT.fullmatch(revision) is not None


def resolve_revision(repository: str, revision: str, *, allow_moving: bool) -> str:
    """The full hash of the commit that a revision means now.

    Args:
        repository: A dataset on the Hub, `owner/name`.
        revision: A commit's hash of 7 to 40 digits, or with `allow_moving` a branch or tag.
        allow_moving: Take names that may mean another commit tomorrow.

    Raises:
        InputError: A moving name that was not allowed, an unknown or ambiguous one, or the Hub cannot be reached.
    """
    if not is_commit(revision) and not allow_moving:
        raise InputError(
            f"revision {revision!r:.60} may mean other data tomorrow, expected a commit's hash of 7 to 40 digits; "
            "give one, or add --allow-moving"
        )
    api = _hub().HfApi(endpoint=_endpoint())
    if is_commit(revision) and len(revision) < _FULL_LENGTH:
        with _explained(f"the history of {repository}"):
            commits = [commit.commit_id for commit in api.list_repo_commits(repository, repo_type="dataset")]
        found = [commit for commit in commits if commit.startswith(revision)]
        if len(found) > 1:
            raise InputError(f"revision {revision} of {repository} means {len(found)} commits; give more digits")
        if found or not allow_moving:
            return _checked_commit(repository, revision, *found)
    with _explained(f"revision {revision} of {repository}"):
        commit = str(api.dataset_info(repository, revision=revision).sha)
    if is_commit(revision) and not allow_moving and commit != revision:
        raise InputError(f"revision {revision} of {repository} is no commit but a name for {commit}; give that")
    return _checked_commit(repository, revision, commit)


def list_files(repository: str, commit: str) -> dict[str, RemoteFile]:
    """The files of a dataset at one commit, by path.

    Raises:
        InputError: Unknown, the Hub cannot be reached, or it names a path or hash that cannot be used.
    """
    files = {}
    with _explained(f"the files of {repository} at {commit}"):
        tree = (
            _hub()
            .HfApi(endpoint=_endpoint())
            .list_repo_tree(repository, recursive=True, revision=commit, repo_type="dataset")
        )
        found = [each for each in tree if hasattr(each, "blob_id")]
    if not found:
        raise InputError(f"{repository} has no files at {commit}; check both")
    for each in found:
        name = relative_path(each.path)
        if name.partition("/")[0].casefold() in (WORKING_FOLDER, MANIFEST_FILE.casefold()):
            raise InputError(f"{repository} holds {name}, a name that carpus needs itself; it cannot be fetched")
        sha256 = each.lfs.sha256 if each.lfs is not None else None
        size = each.lfs.size if each.lfs is not None else each.size
        if not isinstance(size, int) or size < 0 or not (sha256 or each.blob_id):
            raise InputError(f"{repository} does not tell size and hash of {name}, so it cannot be verified; ask there")
        files[name] = RemoteFile(size, sha256, None if sha256 else each.blob_id)
    return files


def download(repository: str, commit: str, name: str, folder: Path, *, again: bool) -> None:
    """Brings one file to its place in a folder, going on where an earlier try stopped.

    Args:
        repository: A dataset on the Hub.
        commit: Its full hash.
        name: Path of the file within the dataset.
        folder: Where the dataset goes.
        again: Throw away what an earlier try brought.

    Raises:
        InputError: It cannot be had, or the disk is full.
    """
    with _explained(name):
        _hub().hf_hub_download(
            repository,
            name,
            repo_type="dataset",
            revision=commit,
            local_dir=folder,
            endpoint=_endpoint(),
            force_download=again,
        )


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """Keeps huggingface_hub's bars and warnings to itself; what fails is raised."""
    _hub()
    from huggingface_hub.utils import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars, logging

    shown, level = not are_progress_bars_disabled(), logging.get_verbosity()
    disable_progress_bars()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if shown:
            enable_progress_bars()


def is_intact(path: Path, file: RemoteFile) -> bool:
    """Whether a file has the size and the hash that the Hub states."""
    if not path.is_file() or path.stat().st_size != file.size:
        return False
    if file.sha256 is not None:
        return sha256_of(path) == file.sha256
    # Git's hash of a file, not a matter of secrecy; large files have SHA-256.
    digest = hashlib.sha1(f"blob {file.size}\0".encode(), usedforsecurity=False)
    with path.open("rb") as content:
        while block := content.read(1 << 20):
            digest.update(block)
    return digest.hexdigest() == file.git_sha1


def _checked_commit(repository: str, revision: str, commit: str = "") -> str:
    if not is_commit(commit) or len(commit) != _FULL_LENGTH:
        raise InputError(f"revision {revision} is unknown in {repository}; check it on the dataset's page")
    return commit


def _endpoint() -> str | None:
    return os.environ.get("HF_ENDPOINT") or None


def _hub() -> Any:
    try:
        import huggingface_hub
    except ModuleNotFoundError:
        raise InputError("fetching needs huggingface_hub; install it with: pip install 'carpus[hub]'") from None
    return huggingface_hub


@contextlib.contextmanager
def _explained(what: str) -> Iterator[None]:
    """Turns what huggingface_hub raises into one sentence."""
    try:
        yield
    except Exception as error:  # The Hub's client fails in its own ways and in those of its HTTP library.
        if isinstance(error, OSError) and error.errno in _DISK_IS_FULL:
            reason, remedy = "no space left on the disk", "make room"
        else:
            reason, remedy = one_line(error), "check name and network"
        raise InputError(
            f"{what} cannot be had from the Hub ({reason}); {remedy}, and run it again to go on"
        ) from error
