"""A dataset into other formats and back: a new folder that is complete or not there."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from carpus.app.dicom_dataset import read_dicom_dataset, write_dicom_dataset
from carpus.data import layout
from carpus.data.formats.card import Origin, write_card
from carpus.data.formats.coco import read_coco, write_coco
from carpus.data.formats.croissant import write_croissant
from carpus.data.formats.folder import PHANTOM_NOTICE, Loaders, is_marked_phantom, write_json
from carpus.data.formats.huggingface import hub_tables, read_huggingface, write_huggingface
from carpus.data.formats.nnunet import read_nnunet, write_nnunet
from carpus.data.formats.png import read_png, write_png
from carpus.data.manifest import MANIFEST_FILE, read_manifest
from carpus.data.reader import read_dataset
from carpus.data.statistics import dataset_statistics
from carpus.data.wrist import Wrist, read_wrist, write_wrists
from carpus.errors import InputError
from carpus.files import new_folder

WRITERS: Mapping[str, Callable[[Path, Iterable[Wrist]], list[str]]] = {
    "coco": write_coco,
    "nnunet": write_nnunet,
    "dicom-seg": write_dicom_dataset,
    "huggingface": write_huggingface,
    "png": write_png,
}
READERS: Mapping[str, Callable[[Path], Loaders]] = {
    "coco": read_coco,
    "nnunet": read_nnunet,
    "dicom-seg": read_dicom_dataset,
    "huggingface": read_huggingface,
    "png": read_png,
}
_Item = TypeVar("_Item")
_Made = TypeVar("_Made")


def export_dataset(
    source: Path, out: Path, *, form: str, progress: Callable[[int, int], None] | None = None
) -> list[str]:
    """Writes a dataset in RAM-W600's layout in another format, with a dataset card and Croissant metadata.

    Args:
        source: Folder of the dataset.
        out: Folder to write; an existing one is replaced once everything is written.
        form: A key of `WRITERS`.
        progress: Called with (done, total) after every wrist.

    Returns:
        What the format could not keep, a sentence each.

    Raises:
        InputError: An unknown format, no dataset, a file that cannot be read, or `out` around `source`.
    """
    write = _chosen(WRITERS, form)
    _stop_if_around(out, source)
    dataset = read_dataset(source)
    statistics = dataset_statistics(dataset)
    origin = _origin(source, is_phantom=dataset.is_phantom)
    with new_folder(out) as folder:
        losses = write(folder, _counted(dataset.cases, lambda case: read_wrist(dataset, case), progress))
        if dataset.is_phantom:
            _mark_phantom(folder, source)
        write_card(
            folder,
            statistics=statistics,
            origin=origin,
            form=form,
            losses=losses,
            tables=hub_tables(folder) if form == "huggingface" else None,
        )
        write_croissant(folder, statistics=statistics, origin=origin)
    return losses


def import_dataset(
    source: Path, out: Path, *, form: str, progress: Callable[[int, int], None] | None = None
) -> tuple[int, bool]:
    """Writes what is in another format as a dataset in RAM-W600's layout.

    Args:
        source: Folder to read.
        out: Folder to write; an existing one is replaced once everything is written.
        form: A key of `READERS`.
        progress: Called with (done, total) after every wrist.

    Returns:
        The number of wrists, and whether they are phantoms.

    Raises:
        InputError: An unknown format, a file that cannot be read, or `out` around `source`.
    """
    read = _chosen(READERS, form)
    if not source.is_dir():
        raise InputError(f"{source} is no folder, expected one in the format {form}; check the path")
    _stop_if_around(out, source)
    loaders = read(source)
    if not loaders:
        raise InputError(f"{source} holds no wrist in the format {form}; check folder and format")
    with new_folder(out) as folder:
        written = write_wrists(folder, _counted(loaders.values(), lambda load: load(), progress))
        # One phantom among them is enough: the layout marks a dataset as a whole.
        is_phantom = is_marked_phantom(source) or any(facts.synthetic for facts in written)
        if is_phantom:
            _mark_phantom(folder, source)
    return len(written), is_phantom


def _chosen(known: Mapping[str, _Made], form: str) -> _Made:
    if form not in known:
        raise InputError(f"format {form!r} is unknown; expected one of {', '.join(known)}")
    return known[form]


def _stop_if_around(out: Path, source: Path) -> None:
    if source.resolve().is_relative_to(out.resolve()):
        raise InputError(f"{out} is or holds the folder to read, which writing would replace; choose another name")


def _counted(
    items: Iterable[_Item], make: Callable[[_Item], Wrist], progress: Callable[[int, int], None] | None
) -> Iterator[Wrist]:
    known = list(items)
    for done, item in enumerate(known, 1):
        yield make(item)
        if progress:
            progress(done, len(known))


def _origin(source: Path, *, is_phantom: bool) -> Origin:
    if is_phantom or not (source / MANIFEST_FILE).exists():
        return Origin(is_phantom)
    manifest = read_manifest(source)
    return Origin(is_phantom, manifest.repository, manifest.revision)


def _mark_phantom(folder: Path, source: Path) -> None:
    """Copies how the source says that it is synthetic; without that, says so."""
    path = source / layout.PHANTOM_FILE
    if path.exists() and is_marked_phantom(source):
        content: Any = json.loads(path.read_text("utf-8"))
    else:
        content = {"synthetic": True, "notice": PHANTOM_NOTICE}
    write_json(folder / layout.PHANTOM_FILE, content)
