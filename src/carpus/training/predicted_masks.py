"""Anybody's bone masks, found by looking at what a folder holds.

| in the folder           | holds                                                                                 |
|-------------------------|---------------------------------------------------------------------------------------|
| `<identifier>.npy`      | `(14, h, w)` in the order of `list(Bone)`, bool or one byte a pixel, 0/1 or 0/255     |
| `<identifier>.png`      | a packed plane of 16 bits, bit i = bone i, as carpus writes                           |
| `<identifier>/*.png`    | a mask a bone, 0/1 or 0/255, named after the bone in any known spelling               |
| `<identifier>.dcm`      | a DICOM Segmentation                                                                  |
| `*.json`                | COCO: runs or polygons, of many wrists; looked at where there is none of the others   |

All are in the image's own orientation, at any size.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from carpus.data.case import identifier
from carpus.data.coco import read_coco_masks
from carpus.data.reader import read_mask_file
from carpus.errors import InputError
from carpus.imaging.files import read_mask_folder, read_plane
from carpus.imaging.masks import BoneMasks

MaskReaders = dict[str, Callable[[], BoneMasks]]
"""Masks by identifier, each read when it is asked for."""


def find_masks(path: Path) -> MaskReaders:
    """The bone masks in a folder, or in one COCO file, by identifier; no mask is read yet.

    Raises:
        InputError: Missing, nothing known in it, or two files for one wrist.
    """
    if path.is_file() and path.suffix.lower() == ".json":
        return read_coco_masks(path)
    if not path.is_dir():
        what = "is a file of another kind" if path.exists() else "does not exist"
        raise InputError(f"{path} {what}, expected a folder of masks or a COCO file (.json); check the path")
    items = [item for item in sorted(path.iterdir()) if item.name[0] != "."]
    found: MaskReaders = {}
    source: dict[str, Path] = {}
    for item in items:
        reader = _reader(item)
        if reader:
            _add(found, source, item, {identifier(item.name if item.is_dir() else item.stem): reader})
    if not found:
        for item in items:
            if item.suffix.lower() == ".json":
                _add(found, source, item, read_coco_masks(item))
    if not found:
        raise InputError(
            f"{path} holds no masks, expected files IDENTIFIER.npy, .png or .dcm, folders IDENTIFIER of one PNG a "
            "bone, or COCO files (.json); give the folder that does"
        )
    return found


def _reader(item: Path) -> Callable[[], BoneMasks] | None:
    if item.is_dir():
        return partial(read_mask_folder, item) if any(item.glob("[!.]*.png")) else None
    match item.suffix.lower():
        case ".npy":
            return partial(read_mask_file, item)
        case ".png":
            return partial(read_plane, item)
        case ".dcm":
            return partial(_read_dicom, item)
    return None


def _read_dicom(path: Path) -> BoneMasks:
    from carpus.dicom.segmentation import read_segmentation

    return read_segmentation(path)


def _add(found: MaskReaders, source: dict[str, Path], item: Path, readers: MaskReaders) -> None:
    for name, reader in readers.items():
        if name in found:
            raise InputError(f"{source[name]} and {item.name} are both masks of {name}; keep one of them")
        found[name], source[name] = reader, item
