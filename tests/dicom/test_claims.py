"""Files that claim to be small and are not, and all the odd files that lie about: read under a limit of memory."""

import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.encaps import encapsulate, generate_fragments
from pydicom.uid import DeflatedExplicitVRLittleEndian, RLELossless

from carpus.dicom.reader import read_dicom
from carpus.errors import InputError

EXAMPLE = Path(__file__).parents[2] / "examples" / "hand-right-pa.dcm"
SHARED = Path(__file__).parents[3] / "shared" / "data" / "dicom"

_READ = """
import resource, sys, time
from pathlib import Path
from carpus.dicom.reader import read_dicom
from carpus.errors import InputError
resource.setrlimit(resource.RLIMIT_AS, (2 * 1024**3, 2 * 1024**3))
for path in sys.argv[1:]:
    started = time.monotonic()
    try:
        film = read_dicom(Path(path))
        print(path, "READ", film.pixels.shape, int(film.pixels.max()), sep="|")
    except InputError as error:
        print(path, "REFUSED", " ".join(str(error).split()), sep="|")
    assert time.monotonic() - started < 20, path
"""


def read_under_limit(*paths: Path) -> dict[str, list[str]]:
    """What comes of each file, in a process that may take 2 GiB."""
    done = subprocess.run([sys.executable, "-c", _READ, *map(str, paths)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return {Path(line.split("|")[0]).name: line.split("|")[1:] for line in done.stdout.splitlines()}


def altered_codestream(path: Path, *, height: int, width: int) -> None:
    """The example with another size in its JPEG 2000 codestream than in its header."""
    dataset = pydicom.dcmread(EXAMPLE)
    stream = bytearray(b"".join(list(generate_fragments(dataset.PixelData))[1:]))
    start = stream.index(b"\xff\x4f\xff\x51")
    stream[start + 8 : start + 16] = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    dataset.PixelData = encapsulate([bytes(stream)])
    dataset.save_as(path)


def test_a_codestream_that_claims_another_size_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    altered_codestream(tmp_path / "bomb.dcm", height=60000, width=60000)
    (said,) = read_under_limit(tmp_path / "bomb.dcm").values()
    assert said[0] == "REFUSED"
    assert "says 2048 x 2500 pixels, but its compressed image claims 60000 x 60000" in said[1]


def test_a_deflated_file_that_unpacks_to_gigabytes_is_refused(tmp_path: Path) -> None:
    dataset = pydicom.dcmread(EXAMPLE)
    dataset.PixelData = b"\0\0"
    dataset["PixelData"].is_undefined_length = False
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    path = tmp_path / "bomb.dcm"
    dataset.save_as(path)
    content = path.read_bytes()
    meta = 144 + int.from_bytes(content[140:144], "little")
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    megabyte = packer.compress(bytes(1024**2)) + packer.flush(zlib.Z_FULL_FLUSH)
    path.write_bytes(content[:meta] + 3000 * megabyte + packer.flush())
    assert path.stat().st_size < 4 * 1024**2
    (said,) = read_under_limit(path).values()
    assert said[0] == "REFUSED"
    assert "unpacks to more than 512 MiB" in said[1]


def test_more_run_lengths_than_pixels_are_refused(tmp_path: Path) -> None:
    dataset = pydicom.dcmread(EXAMPLE)
    dataset.Rows, dataset.Columns = 10, 10
    dataset.file_meta.TransferSyntaxUID = RLELossless
    dataset.PixelData = encapsulate([bytes(64) + b"\x81\x00" * 100_000])
    dataset.save_as(tmp_path / "bomb.dcm")
    with pytest.raises(InputError, match="holds more run lengths than its 10 x 10 pixels can have"):
        read_dicom(tmp_path / "bomb.dcm")


def test_a_file_longer_than_any_radiograph_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "long.dcm"
    with path.open("wb") as file:
        file.write(bytes(128) + b"DICM")
        file.truncate(600 * 1024**2)  # without taking it on the disk
    with pytest.raises(InputError, match="has 600 MiB, expected at most 512"):
        read_dicom(path)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the odd files are not here")
def test_every_odd_file_is_read_or_refused_in_one_sentence() -> None:
    found = read_under_limit(*sorted(path for path in SHARED.rglob("*") if path.is_file()))
    assert len(found) == len([path for path in SHARED.rglob("*") if path.is_file()])
    read = {name for name, said in found.items() if said[0] == "READ"}
    refused = {name: said[1] for name, said in found.items() if said[0] == "REFUSED"}
    for text in refused.values():
        assert len(text) < 450
    # JPEG Lossless, JPEG-LS and JPEG 2000 of radiographs, whatever their photometric interpretation.
    assert read >= {"RG1_J2KI.dcm", "RG2_JLSL.dcm", "RG2_JPLL.dcm", "RG3_J2KR.dcm", "dx_image.dcm"}
    assert refused.keys() >= {"no-pixel-data.dcm", "MR_truncated.dcm", "rtplan_truncated.dcm", "badVR.dcm"}


@pytest.mark.skipif(not SHARED.is_dir(), reason="the odd files are not here")
def test_one_image_is_the_same_in_every_lossless_transfer_syntax() -> None:
    folder = SHARED / "transfer-syntaxes"
    lossless = ("Implicit", "Explicit", "BigEndian", "Deflated", "RLE", "LosslessOnly", "JPEGLSLossless", "Process14")
    films = [path for path in sorted(folder.glob("CTImage.dcm_*")) if any(word in path.name for word in lossless)]
    assert len(films) == 9
    expected = read_dicom(folder / "CTImage.dcm").pixels
    for path in films:
        assert np.array_equal(read_dicom(path).pixels, expected), path.name
    assert np.array_equal(read_dicom(SHARED / "RG2_JPLL.dcm").pixels, read_dicom(SHARED / "RG2_JLSL.dcm").pixels)
