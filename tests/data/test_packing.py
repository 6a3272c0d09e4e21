import errno
import json
import os
import pickle
import shutil
import subprocess
import sys
from collections import namedtuple
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from carpus.data import packing
from carpus.data.check import check_dataset
from carpus.data.dataset import Case, Dataset
from carpus.data.packed import Packed, Source
from carpus.data.packing import CACHE_FOLDER, DamagedError, cache_folders, open_packed, sources
from carpus.data.reader import read_dataset
from carpus.data.torch_datasets import BoneDataset, ErosionDataset
from carpus.imaging.files import write_grey


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))


@pytest.fixture
def dataset(tiny: Path) -> Dataset:
    return read_dataset(tiny)


def opened(root: Path, *, skip_damaged: bool = False) -> Packed:
    packed = open_packed(read_dataset(root), "bones", skip_damaged=skip_damaged)
    assert packed is not None
    return packed


def data_of(root: Path) -> tuple[str, int, int]:
    """Which file the cache is, and when it was written."""
    (path,) = (root / CACHE_FOLDER).glob("bones-*.bin")
    return path.name, path.stat().st_ino, path.stat().st_mtime_ns


def masks_of(case: Case) -> Path:
    assert case.masks is not None
    return case.masks


@pytest.mark.parametrize("task", ["bones", "erosion"])
def test_the_cache_holds_what_the_files_hold_and_is_found_again(dataset: Dataset, task: packing.Task) -> None:
    steps: list[tuple[int, int]] = []
    packed = open_packed(dataset, task, progress=lambda done, total: steps.append((done, total)))
    items = sources(dataset.cases, task)
    assert len(items) == {"bones": 12, "erosion": 72}[task]
    assert steps == [(done, len(items)) for done in range(1, len(items) + 1)]
    again = open_packed(dataset, task, progress=lambda *_: pytest.fail("it is packed already"))
    for cache in (packed, again):
        assert cache is not None
        for item in items:
            for from_cache, from_file in zip(cache.read(item), item.read(), strict=True):
                assert from_cache.dtype == from_file.dtype
                assert np.array_equal(from_cache, from_file)
    assert sorted(path.suffix for path in (dataset.root / CACHE_FOLDER).iterdir()) == [".bin", ".json"]
    assert json.loads((dataset.root / CACHE_FOLDER / f"{task}.json").read_text())["synthetic"] is False


def test_the_check_of_a_dataset_does_not_mind_the_cache(tiny: Path) -> None:
    before = check_dataset(tiny)
    opened(tiny)
    assert check_dataset(tiny) == before


def test_a_cache_that_is_removed_while_it_is_used_does_no_harm(tiny: Path) -> None:
    packed = opened(tiny)
    shutil.rmtree(tiny / CACHE_FOLDER)
    item = sources(read_dataset(tiny).cases, "bones")[0]
    assert np.array_equal(packed.read(item)[0], item.read()[0])


def test_sixteen_bits_and_odd_sizes_are_kept(dataset: Dataset, tmp_path: Path) -> None:
    case = dataset.cases[0]
    pixels = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64) * 16
    write_grey(tmp_path / "fine.png", pixels[:63, :61])
    np.save(tmp_path / "fine.npy", np.ones((14, 63, 61), np.uint8))
    fine = replace(case, image=tmp_path / "fine.png", masks=tmp_path / "fine.npy")
    packed = open_packed(replace(dataset, cases=(fine, *dataset.cases[1:])), "bones")
    assert packed is not None
    image, plane = packed.read(Source(fine.image, fine.masks))
    assert np.array_equal(image, pixels[:63, :61])
    assert (plane == 2**14 - 1).all()


def test_other_bytes_in_one_image_rebuild_the_cache_even_under_the_old_date(tiny: Path) -> None:
    opened(tiny)
    case = read_dataset(tiny).cases[3]
    before = case.image.stat()
    content = bytearray(case.image.read_bytes())
    content[-1] ^= 255
    case.image.write_bytes(content)
    os.utime(case.image, ns=(before.st_atime_ns, before.st_mtime_ns))
    source = Source(case.image, case.masks)
    assert np.array_equal(opened(tiny).read(source)[0], source.read()[0])
    assert len(list((tiny / CACHE_FOLDER).glob("*.bin"))) == 1


def test_a_new_date_or_place_alone_does_not_rebuild_it(tiny: Path, tmp_path: Path) -> None:
    opened(tiny)
    before = data_of(tiny)
    os.utime(read_dataset(tiny).cases[3].image)
    opened(tiny)
    assert data_of(tiny) == before
    copy = Path(shutil.copytree(tiny, tmp_path / "copy"))
    before = data_of(copy)
    opened(copy)
    assert data_of(copy) == before
    stamps = json.loads((copy / CACHE_FOLDER / "bones.json").read_text())["files"]
    assert all(file["stamp"][2] == (copy / name).stat().st_ctime_ns for name, file in stamps.items())


def test_a_new_wrist_rebuilds_it(tiny: Path) -> None:
    masks, image = masks_of(read_dataset(tiny).cases[0]), read_dataset(tiny).cases[0].image
    elsewhere = tiny.parent / masks.name
    masks.rename(elsewhere)
    opened(tiny)
    elsewhere.rename(masks)
    assert Source(image, masks) in opened(tiny)


def damage(root: Path) -> list[str]:
    """Damages an image, a mask, a size, and removes an image whose mask stays; the names of the files."""
    first, second, third, fourth, *_ = read_dataset(root).cases
    first.image.write_bytes(first.image.read_bytes()[:200])
    masks_of(second).write_bytes(b"nothing")
    np.save(masks_of(third), np.zeros((14, 32, 64), np.uint8))
    name = fourth.image.name
    for path in root.rglob(name):
        path.unlink()
    return [first.image.name, masks_of(second).name, third.image.name, name]


def test_all_bad_files_are_named_at_once_and_nothing_is_left(tiny: Path) -> None:
    names = damage(tiny)
    with pytest.raises(DamagedError, match=r"^4 files for 11 items cannot be used") as caught:
        opened(tiny)
    assert all(name in str(caught.value) for name in names)
    assert list((tiny / CACHE_FOLDER).iterdir()) == []


def test_going_on_without_them_names_and_counts_them_every_time(tiny: Path, caplog: pytest.LogCaptureFixture) -> None:
    names = damage(tiny)
    for _ in range(2):
        caplog.clear()
        packed = opened(tiny, skip_damaged=True)
        assert "4 items are missing or damaged and left out" in caplog.text
        assert all(name in caplog.text for name in names)
    assert len(BoneDataset(read_dataset(tiny).cases, image_size=32, mirror_left=True, packed=packed)) == 8
    with pytest.raises(DamagedError):
        opened(tiny)


def test_a_missing_region_is_named_and_can_be_left_out(tiny: Path, caplog: pytest.LogCaptureFixture) -> None:
    case = read_dataset(tiny).cases[0]
    joint, path = next(iter(case.rois.items()))
    path.unlink()
    with pytest.raises(DamagedError, match=f"case {case.id} has no region of {joint.value}"):
        open_packed(read_dataset(tiny), "erosion")
    packed = open_packed(read_dataset(tiny), "erosion", skip_damaged=True)
    assert f"has no region of {joint.value}" in caplog.text
    samples = ErosionDataset(read_dataset(tiny).cases, image_size=8, mirror_left=True, packed=packed)
    assert len(samples) == 71


def test_a_file_that_vanishes_later_is_held_and_named(dataset: Dataset, caplog: pytest.LogCaptureFixture) -> None:
    open_packed(dataset, "bones")
    item = sources(dataset.cases, "bones")[2]
    image, plane = item.read()
    for path in item.paths:
        path.unlink()
    packed = open_packed(dataset, "bones")
    assert packed is not None
    assert np.array_equal(packed.read(item)[0], image)
    assert np.array_equal(packed.read(item)[1], plane)
    assert "2 files are gone since they were packed" in caplog.text
    assert item.image.name in caplog.text


def _cut(folder: Path) -> None:
    (path,) = folder.glob("*.bin")
    path.write_bytes(path.read_bytes()[:-1])


def _set_entries(folder: Path, **changes: object) -> None:
    path = folder / "bones.json"
    index = json.loads(path.read_text())
    for entry in index["entries"].values():
        entry.update(changes)
    path.write_text(json.dumps(index))


@pytest.mark.parametrize(
    "damage_it",
    [
        _cut,
        lambda folder: next(folder.glob("*.bin")).unlink(),
        lambda folder: (folder / "bones.json").write_bytes(b"\xff{"),
        lambda folder: (folder / "bones.json").write_text("[]"),
        lambda folder: (folder / "bones.json").write_text("[" * 100_000),
        lambda folder: _set_entries(folder, height=2**40),
        lambda folder: _set_entries(folder, image_at=-64),
        lambda folder: _set_entries(folder, bits=0),
        lambda folder: _set_entries(folder, width=1.5),
        lambda folder: _set_entries(folder, plane_at=10**12),
        lambda folder: _set_entries(folder, other=1),
    ],
)
def test_a_damaged_cache_is_rebuilt(tiny: Path, damage_it: object) -> None:
    opened(tiny)
    assert callable(damage_it)
    damage_it(tiny / CACHE_FOLDER)
    packed = opened(tiny)
    for item in sources(read_dataset(tiny).cases, "bones"):
        assert np.array_equal(packed.read(item)[0], item.read()[0])


def test_a_flipped_bit_is_noticed_and_the_file_read_instead(tiny: Path, caplog: pytest.LogCaptureFixture) -> None:
    opened(tiny)
    (path,) = (tiny / CACHE_FOLDER).glob("*.bin")
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)
    packed = opened(tiny)
    item = sources(read_dataset(tiny).cases, "bones")[0]
    assert np.array_equal(packed.read(item)[0], item.read()[0])
    assert "is damaged where it holds" in caplog.text
    opened(tiny)
    assert path.read_bytes()[100] == content[100] ^ 1


def test_a_dataset_that_cannot_be_written_is_packed_in_the_users_cache(tiny: Path) -> None:
    (tiny / CACHE_FOLDER).write_text("not a folder")
    packed = opened(tiny)
    assert packed.path.parent == cache_folders(tiny)[1]
    assert opened(tiny).path == packed.path


@pytest.mark.parametrize("noticed", ["before", "while writing"])
def test_a_full_disk_is_one_sentence_and_files_are_read(
    tiny: Path, noticed: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    if noticed == "before":
        usage = namedtuple("usage", "total used free")
        monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(1, 1, 0))
    else:
        monkeypatch.setattr(packing, "_append", full)
    cases = read_dataset(tiny).cases
    assert open_packed(read_dataset(tiny), "bones") is None
    assert len(caplog.records) == 1
    assert "there is no place for a cache" in caplog.text
    assert not list(tiny.rglob("*.bin"))
    assert BoneDataset(cases, image_size=16, mirror_left=True)[0, 0][0].shape == (1, 16, 16)


def test_two_processes_that_build_at_once_do_not_mix(tiny: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from carpus.data.reader import read_dataset;"
        "from carpus.data.packing import open_packed, sources; d = read_dataset(Path(sys.argv[1]));"
        "p = open_packed(d, 'bones');"
        "assert all((p.read(s)[0] == s.read()[0]).all() for s in sources(d.cases, 'bones'))"
    )
    running = [subprocess.Popen([sys.executable, "-c", code, str(tiny)]) for _ in range(2)]
    assert [process.wait(60) for process in running] == [0, 0]
    assert len(list((tiny / CACHE_FOLDER).iterdir())) == 2
    assert not opened(tiny).damaged


def test_what_a_cut_off_build_left_is_swept_after_a_day(tiny: Path) -> None:
    folder = tiny / CACHE_FOLDER
    folder.mkdir()
    for name in (".bones-1.bin.old.bin", ".bones-1.bin.new.bin"):
        (folder / name).write_bytes(b"half")
    os.utime(folder / ".bones-1.bin.old.bin", (0, 0))
    opened(tiny)
    assert [path.name for path in folder.glob(".*")] == [".bones-1.bin.new.bin"]


def test_a_worker_gets_the_path_and_not_the_pixels(dataset: Dataset) -> None:
    packed = open_packed(dataset, "bones")
    assert packed is not None
    fresh = len(pickle.dumps(packed))
    items = sources(dataset.cases, "bones")
    for item in items:
        packed.read(item)
    assert len(pickle.dumps(packed)) == fresh < packed.path.stat().st_size / 10
    copy = pickle.loads(pickle.dumps(packed))  # noqa: S301
    assert np.array_equal(copy.read(items[0])[0], packed.read(items[0])[0])
