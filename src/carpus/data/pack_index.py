"""The index of a packed cache, `<task>.json`: where each item lies, and what the files were that it was made from."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from carpus.data.packed import Entry
from carpus.files import new_file
from carpus.imaging.files import MAX_PIXELS

VERSION = 1
_MAX_BYTES = 500_000_000
Stamp = tuple[int, int, int]
NO_FILE: Stamp = (-1, 0, 0)


@dataclass(frozen=True)
class FileState:
    """A file when it was packed: its stamp, and the digest of its content (empty if it could not be read)."""

    stamp: Stamp
    digest: str


@dataclass(frozen=True)
class Index:
    """What `<task>.json` says.

    Attributes:
        data: Name of the file with the pixels.
        size: Its bytes.
        synthetic: Whether the wrists are phantoms.
        entries: By the image's path relative to the dataset.
        files: By path relative to the dataset.
        damaged: What was wrong with items that were left out.
    """

    data: str
    size: int
    synthetic: bool
    entries: dict[str, Entry]
    files: dict[str, FileState]
    damaged: tuple[str, ...]


def stamp_of(path: Path) -> Stamp:
    """Size and times in ns, which change when a file is written; `NO_FILE` if it is not there."""
    try:
        found = path.stat()
    except OSError:
        return NO_FILE
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns


def digest_of(path: Path) -> str:
    """Digest of the content; empty if it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
    except OSError:
        return ""


def read_index(path: Path) -> Index | None:
    """The index of a cache; None if it or the file with the pixels is missing, cut off, or not as it should be."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            return None
        raw = json.loads(path.read_text("utf-8"))
        index = Index(
            data=Path(raw["data"]).name,
            size=(path.parent / Path(raw["data"]).name).stat().st_size,
            synthetic=raw["synthetic"] is True,
            entries={name: Entry(**entry) for name, entry in raw["entries"].items()},
            files={name: _file_state(**file) for name, file in raw["files"].items()},
            damaged=tuple(str(problem) for problem in raw["damaged"]),
        )
        sound = all(_is_sound(entry, index.size) for entry in index.entries.values())
        return index if sound and raw["version"] == VERSION and raw["size"] == index.size else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def write_index(path: Path, index: Index) -> None:
    """Writes the index of a cache.

    Raises:
        InputError: The folder cannot be written to.
    """
    with new_file(path) as draft:
        draft.write_text(json.dumps({"version": VERSION, **asdict(index)}), "utf-8")


def _file_state(stamp: list[int], digest: str) -> FileState:
    size, modified, changed = stamp
    return FileState((size, modified, changed), digest)


def _is_sound(entry: Entry, size: int) -> bool:
    """Whether an item lies inside the file, so that nothing is mapped or allocated on the word of a damaged index."""
    numbers = (entry.height, entry.width, entry.bits, entry.image_at, entry.plane_at, entry.checksum)
    if not all(type(number) is int and number >= 0 for number in numbers) or entry.bits not in (8, 16):
        return False
    pixels = entry.height * entry.width
    image_stop = entry.image_at + pixels * entry.bits // 8
    return 0 < pixels <= MAX_PIXELS and entry.stop <= size and (not entry.has_plane or image_stop <= entry.plane_at)
