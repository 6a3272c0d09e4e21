"""A dataset's images and bone planes in one file mapped into memory: opened here, built by `packing`."""

import logging
import mmap
import os
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Shaped, UInt16

from carpus.data.reader import read_mask_file
from carpus.errors import InputError
from carpus.imaging.files import read_grey

Pair = tuple[Shaped[np.ndarray, "h w"], UInt16[np.ndarray, "h w"]]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Source:
    """The files of one item: an image, and the masks on its grid if there are any."""

    image: Path
    masks: Path | None = None

    @property
    def paths(self) -> tuple[Path, ...]:
        """Its files."""
        return (self.image,) if self.masks is None else (self.image, self.masks)

    def read(self) -> Pair:
        """Image and packed plane from the files; a plane of zeros without masks.

        Raises:
            InputError: A file is missing or damaged, or the two differ in size.
        """
        image = read_grey(self.image)
        if self.masks is None:
            return image, np.zeros(image.shape, np.uint16)
        plane = read_mask_file(self.masks).plane
        if image.shape != plane.shape:
            raise InputError(
                f"{self.image} is {image.shape[0]} x {image.shape[1]} pixels and its masks are "
                f"{plane.shape[0]} x {plane.shape[1]}; run `carpus data check`"
            )
        return image, plane


@dataclass(frozen=True)
class Entry:
    """Where an item lies in the file: first the image, then the plane if it has one."""

    height: int
    width: int
    bits: int
    has_plane: bool
    image_at: int
    plane_at: int
    checksum: int

    @property
    def stop(self) -> int:
        """Where it ends."""
        pixels = self.height * self.width
        return self.plane_at + 2 * pixels if self.has_plane else self.image_at + pixels * self.bits // 8


class Packed:
    """A cache opened for reading; small to send to a worker process, which maps the file itself.

    Attributes:
        path: The memory-mapped file.
        damaged: Files that were left out because they are missing or damaged, when going on without them was chosen.
    """

    def __init__(self, root: Path, path: Path, entries: dict[str, Entry], damaged: tuple[str, ...]) -> None:
        self.root = root
        self.path = path
        self.damaged = damaged
        self._entries = entries
        self._bytes: np.ndarray | None = None
        self._checked: set[str] = set()

    def __contains__(self, source: Source) -> bool:
        return relative(self.root, source.image) in self._entries

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_bytes": None, "_checked": set()}

    def read(self, source: Source) -> Pair:
        """Image and packed plane, both read-only views of the file.

        Raises:
            InputError: The item is not in the cache, or neither the cache nor the files can be read.
        """
        name = relative(self.root, source.image)
        if name not in self._entries:
            raise InputError(f"{self.path} does not hold {source.image}; open the cache of the whole dataset again")
        entry = self._entries[name]
        content = self.map()
        if name not in self._checked:
            if zlib.crc32(content[entry.image_at : entry.stop].data) != entry.checksum:
                log.warning("%s is damaged where it holds %s; the file itself is read", self.path, source.image)
                index_of(self.path).unlink(missing_ok=True)  # so that it is built again next time
                return source.read()
            self._checked.add(name)
        shape = entry.height, entry.width
        pixels = entry.height * entry.width
        raw = content[entry.image_at : entry.image_at + pixels * entry.bits // 8]
        image = raw.view(np.uint8 if entry.bits == 8 else np.uint16).reshape(shape)
        if not entry.has_plane:
            return image, np.zeros(shape, np.uint16)
        return image, content[entry.plane_at : entry.stop].view(np.uint16).reshape(shape)

    def map(self) -> np.ndarray:
        """The bytes of the file, mapped once: from then on it may be replaced or removed without harm.

        Raises:
            InputError: It cannot be opened.
        """
        if self._bytes is None:
            try:
                with self.path.open("rb") as file:
                    mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            except (OSError, ValueError) as error:
                raise InputError(f"{self.path} cannot be read ({error}); run the command again to rebuild it") from None
            self._bytes = np.frombuffer(mapped, np.uint8)
        return self._bytes


def relative(root: Path, path: Path) -> str:
    """The name of a file in the index."""
    return Path(os.path.relpath(path, root)).as_posix()


def index_of(data: Path) -> Path:
    """The index beside `<task>-<identifier>.bin`."""
    return data.with_name(data.name.rsplit("-", 1)[0] + ".json")
