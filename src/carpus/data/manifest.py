"""What a fetched dataset must hold, file by file: size and SHA-256, beside where and when in its history it is from.

```
Fetched.json   {"repository": ..., "revision": ..., "files": {path: {"bytes": ..., "sha256": ...}}}
```
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from carpus.data.problem import one_line
from carpus.errors import InputError
from carpus.files import new_file

MANIFEST_FILE = "Fetched.json"

_MAX_BYTES = 256 * 1024**2
_SHA256 = re.compile("[0-9a-f]{64}")
_RESERVED = re.compile(r'[<>:"\\|?*\x00-\x1f]')


@dataclass(frozen=True)
class Entry:
    """One file of a manifest: its size in bytes and the SHA-256 of its content in hexadecimal digits."""

    size: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """The files of a dataset at one commit of a repository, by path relative to the dataset."""

    repository: str
    revision: str
    files: Mapping[str, Entry]


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def relative_path(text: object) -> str:
    """A file's path within a dataset, as it was given.

    Raises:
        InputError: Not text, absolute, leading out of the dataset, or impossible on some system.
    """
    parts = PurePosixPath(text).parts if isinstance(text, str) else ()
    dangerous = not parts or not isinstance(text, str) or text.startswith("/") or _RESERVED.search(text)
    if dangerous or any(part in (".", "..") or part.endswith((" ", ".")) for part in str(text).split("/")):
        raise InputError(f"path {text!r:.80} leads out of the dataset or is no file name, so nothing is written there")
    return str(text)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Writes the manifest of a fetched dataset."""
    content = {
        "repository": manifest.repository,
        "revision": manifest.revision,
        "files": {name: {"bytes": each.size, "sha256": each.sha256} for name, each in sorted(manifest.files.items())},
    }
    with new_file(folder / MANIFEST_FILE) as draft:
        draft.write_text(json.dumps(content, indent=1) + "\n", "utf-8")


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a fetched dataset.

    Raises:
        InputError: Missing or broken.
    """
    path = folder / MANIFEST_FILE
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise ValueError("larger than 256 MiB")
        content = json.loads(path.read_text("utf-8"))
        files = {
            relative_path(name): Entry(_size(each["bytes"]), _digest(each["sha256"]))
            for name, each in content["files"].items()
        }
        return Manifest(str(content["repository"]), str(content["revision"]), files)
    except FileNotFoundError:
        raise InputError(f"{path} does not exist, expected a dataset of `carpus data fetch`; fetch it") from None
    except (OSError, ValueError, RecursionError, AttributeError, KeyError, TypeError) as error:
        raise InputError(f"{path} is no manifest ({one_line(error)}); fetch the dataset again") from None


def damaged_files(
    folder: Path, manifest: Manifest, *, progress: Callable[[int, int], None] | None = None
) -> dict[str, str]:
    """What is wrong with the files of a dataset, by path: `is missing`, or how it differs; empty if nothing is.

    Args:
        folder: Of the dataset.
        manifest: What it must hold.
        progress: Called with (done, total) after every file.
    """
    found = {}
    for done, (name, entry) in enumerate(sorted(manifest.files.items()), 1):
        path = folder / name
        if not path.is_file():
            found[name] = "is missing"
        elif path.stat().st_size != entry.size:
            found[name] = f"has {path.stat().st_size} bytes, expected {entry.size}"
        elif sha256_of(path) != entry.sha256:
            found[name] = "differs in content"
        if progress:
            progress(done, len(manifest.files))
    return found


def _size(value: object) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"size {value!r:.40}")
    return value


def _digest(value: object) -> str:
    if not isinstance(value, str) or not _SHA256.fullmatch(value):
        raise ValueError(f"SHA-256 {value!r:.80}")
    return value
