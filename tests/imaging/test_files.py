import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from carpus.anatomy import Bone
from carpus.errors import InputError
from carpus.imaging import BoneMasks
from carpus.imaging.files import read_grey, read_mask_folder, read_plane, write_grey, write_plane

NOISE = np.random.default_rng(1)


def test_8_bits_survive_a_bmp_and_16_bits_a_png(tmp_path: Path) -> None:
    grey = NOISE.integers(0, 256, (20, 30), np.uint8)
    write_grey(tmp_path / "a.bmp", grey)
    assert np.array_equal(read_grey(tmp_path / "a.bmp"), grey)
    deep = NOISE.integers(0, 65536, (20, 30), np.uint16)
    write_grey(tmp_path / "a.png", deep)
    assert read_grey(tmp_path / "a.png").dtype == np.uint16
    assert np.array_equal(read_grey(tmp_path / "a.png"), deep)


def test_masks_survive_a_plane_on_disk(tmp_path: Path) -> None:
    masks = BoneMasks.from_stack(NOISE.random((14, 20, 30)) > 0.5)
    write_plane(tmp_path / "m.png", masks)
    assert read_plane(tmp_path / "m.png") == masks


def test_a_grey_image_stored_in_colour_is_taken(tmp_path: Path) -> None:
    grey = NOISE.integers(0, 256, (20, 30), np.uint8)
    Image.fromarray(grey).convert("RGB").save(tmp_path / "a.bmp")
    assert np.array_equal(read_grey(tmp_path / "a.bmp"), grey)


def test_a_colour_photograph_is_refused(tmp_path: Path) -> None:
    Image.fromarray(NOISE.integers(0, 256, (20, 30, 3), np.uint8)).save(tmp_path / "holiday.png")
    with pytest.raises(InputError, match=r"holiday\.png is a colour photograph"):
        read_grey(tmp_path / "holiday.png")


@pytest.mark.parametrize("name", ["cut.bmp", "cut.png", "cut.jpg"])
def test_a_truncated_file_is_refused_and_named(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    write_grey(path, NOISE.integers(0, 256, (200, 300), np.uint8))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(InputError, match=rf"{name} is damaged or truncated .* copy it again"):
        read_grey(path)


@pytest.mark.parametrize("content", [b"", b"hello", b"BM"])
def test_what_is_no_image_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.bmp").write_bytes(content)
    with pytest.raises(InputError, match=r"x\.bmp is (not an image|damaged)"):
        read_grey(tmp_path / "x.bmp")


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        read_grey(tmp_path / "none.bmp")
    with pytest.raises(InputError, match="is a folder"):
        read_grey(tmp_path)


def test_an_image_that_claims_a_huge_size_is_refused_before_memory_is_taken(tmp_path: Path) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 60000, 60000, 8, 0, 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")
    (tmp_path / "bomb.png").write_bytes(png)
    with pytest.raises(InputError, match="pixels; give the radiograph itself"):
        read_grey(tmp_path / "bomb.png")


def test_a_plane_of_8_bits_is_refused(tmp_path: Path) -> None:
    write_grey(tmp_path / "m.png", np.zeros((4, 4), np.uint8))
    with pytest.raises(InputError, match="8 bits a pixel, expected a packed plane"):
        read_plane(tmp_path / "m.png")


def test_a_folder_of_one_mask_a_bone_is_read_in_any_spelling(tmp_path: Path) -> None:
    wide = np.array([[0, 1, 1], [0, 0, 1]], np.uint8)
    write_grey(tmp_path / "Pisifrom&Triquetrum.png", wide)
    write_grey(tmp_path / "trapezium.png", wide[:, ::-1] * 255)
    masks = read_mask_folder(tmp_path)
    assert np.array_equal(masks.mask(Bone.PISIFORM_TRIQUETRUM), wide == 1)
    assert int(masks.overlap(Bone.TRAPEZIUM, Bone.PISIFORM_TRIQUETRUM).sum()) == 1
    assert not masks.mask(Bone.LUNATE).any()


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "holds no PNG file, expected one a bone"),
        ({"Lunat": np.zeros((2, 2), np.uint8)}, "Lunat.png is misnamed: .*did you mean 'Lunate'"),
        ({"Lu": np.zeros((2, 2), np.uint8), "Lunate": np.zeros((2, 2), np.uint8)}, "are both of the Lunate"),
        ({"Lu": np.zeros((2, 2), np.uint8), "Cap": np.zeros((3, 2), np.uint8)}, r"Lunate is \(2, 2\) bool"),
        ({"Lu": np.full((2, 2), 7, np.uint8)}, "holds values other than"),
        ({"Lu": np.array([[0, 1, 255]], np.uint8)}, "Lu.png holds values other than"),
    ],
)
def test_a_folder_of_what_are_no_masks_is_refused(tmp_path: Path, files: dict[str, np.ndarray], said: str) -> None:
    for name, pixels in files.items():
        write_grey(tmp_path / f"{name}.png", pixels)
    with pytest.raises(InputError, match=said):
        read_mask_folder(tmp_path)
