"""What a DICOM file claims to need, checked before memory is taken for it.

The size in the header is one claim; a compressed image carries its own, which a decoder believes instead. A deflated
file can unpack to a thousand times its length.

References:
    DICOM PS3.5, A.4 and A.5. JPEG: ITU-T T.81, B.2.2. JPEG-LS: T.87, C.2.2. JPEG 2000: T.800, A.5.1.
"""

import zlib
from pathlib import Path

import pydicom
from pydicom.encaps import generate_fragments
from pydicom.uid import RLELossless

from carpus.errors import InputError
from carpus.imaging.files import MAX_PIXELS

_MAX_BYTES = 512 * 1024**2
"""Twice the pixels of the largest film, in 16 bits, and their header."""
_CHUNK = 1024**2
_DEFLATED = b"1.2.840.10008.1.2.1.99"
_META_BYTES = 4096

_JPEG_START, _J2K_START, _JP2_START = b"\xff\xd8", b"\xff\x4f\xff\x51", b"\x00\x00\x00\x0cjP"
_FRAME_HEADERS = {0xC0 + number for number in range(16)} - {0xC4, 0xC8, 0xCC} | {0xF7}
"""Markers of JPEG and JPEG-LS after which the size of the image stands."""
_BARE = {0x01, *range(0xD0, 0xD9)}
_JP2_HEADERS = 64 * 1024


def check_length(path: Path) -> None:
    """Makes sure that a file can be read without taking more than half a gigabyte.

    Raises:
        InputError: It is longer, or is deflated and unpacks to more.
    """
    if not path.is_file():
        return  # whoever reads it says so
    if path.stat().st_size > _MAX_BYTES:
        raise InputError(f"{path} has {path.stat().st_size >> 20} MiB, expected at most 512; give a single radiograph")
    with path.open("rb") as file:
        start = file.read(_META_BYTES)
        place = start.find(_DEFLATED)
        if start[128:132] != b"DICM" or place < 0:
            return
        file.seek(_end_of_meta(start))
        inflate, length = zlib.decompressobj(-zlib.MAX_WBITS), 0
        while not inflate.eof and (packed := inflate.unconsumed_tail or file.read(_CHUNK)):
            try:
                length += len(inflate.decompress(packed, _CHUNK))
            except zlib.error:
                return  # damaged, which its reader says
            if length > _MAX_BYTES:
                raise InputError(f"{path} unpacks to more than 512 MiB; give a single radiograph, not deflated")


def check_codestream(path: Path, dataset: pydicom.Dataset) -> None:
    """Makes sure that a compressed image is of the size that the header claims, in one channel.

    Raises:
        InputError: It claims another one, or is longer than it could be.
    """
    syntax = dataset.file_meta.get("TransferSyntaxUID") if hasattr(dataset, "file_meta") else None
    if syntax is None or not syntax.is_encapsulated:
        return
    rows, columns = int(dataset.Rows), int(dataset.Columns)
    frame = b"".join(list(generate_fragments(dataset.PixelData))[1:])  # the first one is a table of offsets
    if syntax == RLELossless:
        raw = rows * columns * ((int(dataset.get("BitsAllocated") or 16) + 7) // 8)
        if len(frame) > raw + raw // 64 + 2 * _META_BYTES:
            raise InputError(f"{path} holds more run lengths than its {columns} x {rows} pixels can have; export again")
        return
    claim = _claimed(frame)
    if claim is None:
        return  # nothing that a decoder would start on
    height, width, channels = claim
    if (height, width) != (rows, columns) or channels != 1 or height * width > MAX_PIXELS:
        told = f"{width} x {height} pixels in {channels} channels"
        raise InputError(
            f"{path} says {columns} x {rows} pixels, but its compressed image claims {told}; export it again"
        )


def _end_of_meta(start: bytes) -> int:
    """Where the file meta information ends, by its group length."""
    if start[132:138] == b"\x02\x00\x00\x00UL":
        return 144 + int.from_bytes(start[140:144], "little")
    return len(start)


def _claimed(frame: bytes) -> tuple[int, int, int] | None:
    """Height, width and channels that a codestream states; None if it has no such header."""
    if frame.startswith(_JP2_START):
        frame = frame[max(frame[:_JP2_HEADERS].find(_J2K_START), 0) :]
    if frame.startswith(_J2K_START):
        right, bottom, left, top = (int.from_bytes(frame[at : at + 4], "big") for at in (8, 12, 16, 20))
        return bottom - top, right - left, int.from_bytes(frame[40:42], "big")
    if not frame.startswith(_JPEG_START):
        return None
    at = 2
    while at + 10 <= len(frame):
        if frame[at] != 0xFF:
            return None
        marker = frame[at + 1]
        if marker == 0xFF or marker in _BARE:
            at += 1 if marker == 0xFF else 2
            continue
        if marker in _FRAME_HEADERS:
            height, width = (int.from_bytes(frame[at + skip : at + skip + 2], "big") for skip in (5, 7))
            return height, width, frame[at + 9]
        at += 2 + int.from_bytes(frame[at + 2 : at + 4], "big")
    return None
