"""Writing without loss: a file or a folder appears under its name only when it is complete."""

import contextlib
import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from carpus.errors import InputError

_DISK_IS_FULL = {errno.ENOSPC, errno.EDQUOT}


def hold(lock: IO[str], *, otherwise: str) -> None:
    """Keeps other processes out until `lock` is closed or this process ends; does nothing on Windows.

    Args:
        lock: An open file.
        otherwise: What to say if another process holds it.

    Raises:
        InputError: Another process holds it.
    """
    try:
        import fcntl

        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except ImportError:  # Windows
        pass
    except OSError:
        raise InputError(otherwise) from None


@contextlib.contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """A temporary path beside `path`, moved onto it when the block ends without an error.

    A file that stood there before stays untouched until then, and stays for good if the block fails.

    Args:
        path: The file to write. Missing parent folders are made.

    Raises:
        InputError: The folder cannot be written to, or the disk is full.

    Example:
        >>> import tempfile
        >>> target = Path(tempfile.mkdtemp()) / "scores.json"
        >>> with new_file(target) as draft:
        ...     _ = draft.write_text("{}")
        >>> target.read_text()
        '{}'
    """
    with _explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    draft = Path(name)
    try:
        with _explained(path, only=_DISK_IS_FULL):
            yield draft
        with _explained(path):
            draft.chmod(0o666 & ~_umask())
            draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


@contextlib.contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A temporary folder beside `path`, moved into its place when the block ends without an error.

    Args:
        path: The folder to make. An existing one is replaced only at the end; deciding whether that
            is wanted is the caller's.

    Raises:
        InputError: The parent folder cannot be written to, `path` is a file, or the disk is full.
    """
    if path.exists() and not path.is_dir():
        raise InputError(f"{path} is a file, expected a folder to write; choose another name")
    with _explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
        draft.chmod(0o777 & ~_umask())
    try:
        with _explained(path, only=_DISK_IS_FULL):
            yield draft
        with _explained(path):
            old = draft.with_name(f"{draft.name}.old")
            if path.exists():
                path.rename(old)
            draft.rename(path)
            shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


@contextlib.contextmanager
def _explained(path: Path, only: set[int] | None = None) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if only is not None and error.errno not in only:
            raise
        reason = (error.strerror or str(error)).lower()
        raise InputError(
            f"{path} cannot be written ({reason}); choose an output folder that you may write to"
        ) from error


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
