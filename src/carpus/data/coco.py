"""Predictions in COCO's form: bone masks (runs or polygons, overlap kept) and boxes of joints.

Two forms are taken. A whole file has `images`, `categories` and `annotations`. A bare list of results has its entries
only; there `file_name` or a textual `image_id` names the wrist, and `category`, `name` or a textual `category_id` the
bone or joint, in any known spelling. Numbers in a bare list need a file that explains them.

Where entries carry a `score`, only the best one of a bone or joint counts. Bones without one are drawn in parts: all
entries together are the mask.
"""

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

import numpy as np
from jaxtyping import Bool

from carpus.anatomy import Bone, Joint, parse_bone, parse_joint
from carpus.data.case import identifier
from carpus.data.problem import one_line
from carpus.errors import InputError
from carpus.files import new_file
from carpus.imaging.geometry import Box
from carpus.imaging.masks import BoneMasks
from carpus.imaging.rle import decode_rle, encode_rle, fill_polygons, mask_size

_MAX_BYTES = 1024**3
_SUFFIXES = {".bmp", ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".npy", ".dcm"}
_Structure = TypeVar("_Structure", Bone, Joint)


@dataclass(frozen=True)
class Detection:
    """Where a joint was found, in pixels of its image, and how surely: 0 to 1, higher is surer."""

    box: Box
    confidence: float


@dataclass(frozen=True)
class _File:
    """What explains the numbers of a file's entries."""

    images: Mapping[Any, Mapping[str, Any]]
    categories: Mapping[Any, str]
    entries: list[Any]


def read_coco_masks(path: Path) -> dict[str, Callable[[], BoneMasks]]:
    """The bone masks of every image of a COCO file, by identifier, each drawn when it is asked for.

    An image that the file lists without any bone has empty masks; if it states no size either, of one pixel.

    Raises:
        InputError: Missing, not COCO, or an entry without a wrist, a known bone or a segmentation.
    """
    file = _read(path)
    found: dict[str, list[tuple[Bone, dict[str, Any]]]] = {}
    sizes: dict[str, tuple[Any, Any]] = {}
    for image in file.images.values():
        name = _stem(str(image.get("file_name")))
        if name in sizes:
            raise InputError(f"{path} lists {name} twice; remove one of the images")
        sizes[name] = image.get("height"), image.get("width")
        found[name] = []
    for where, entry in _entries(path, file):
        # Files of boxes have an empty list here, which must not pass for an empty mask.
        if not isinstance(entry.get("segmentation"), (dict, list)) or not entry["segmentation"]:
            raise InputError(f"{path} has in {where} no segmentation; export masks, not only boxes")
        bone = _structure(path, where, entry, file, parse_bone)
        found.setdefault(_image(path, where, entry, file), []).append((bone, entry))
    return {name: partial(_masks, path, name, drawn, sizes.get(name)) for name, drawn in found.items()}


def write_coco_masks(path: Path, masks: Mapping[str, BoneMasks]) -> None:
    """Writes the masks of wrists, by identifier, as one COCO file with compressed runs."""
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for image_id, (name, each) in enumerate(sorted(masks.items()), 1):
        height, width = each.shape
        images.append({"id": image_id, "file_name": f"{name}.bmp", "height": height, "width": width})
        annotations += bone_annotations(each, image_id=image_id, after=len(annotations))
    named = [{"id": bone.channel + 1, "name": bone.value, "supercategory": "bone"} for bone in Bone]
    with new_file(path) as draft:
        draft.write_text(json.dumps({"images": images, "annotations": annotations, "categories": named}), "utf-8")


def bone_annotations(masks: BoneMasks, *, image_id: int, after: int) -> list[dict[str, Any]]:
    """COCO's annotations of one image, one for each bone that is there; category 1 is the first bone.

    Args:
        masks: The bones.
        image_id: Number of the image.
        after: Number of the last annotation before these.
    """
    present = [(bone, mask) for bone in Bone if (mask := masks.mask(bone)).any()]
    annotations = []
    for number, (bone, mask) in enumerate(present, after + 1):
        rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
        top, left, bottom, right = (int(value) for value in (rows[0], columns[0], rows[-1], columns[-1]))
        annotations.append(
            {
                "id": number,
                "image_id": image_id,
                "category_id": bone.channel + 1,
                "segmentation": encode_rle(mask),
                "bbox": [left, top, right - left + 1, bottom - top + 1],
                "area": int(mask.sum()),
                "iscrowd": 0,
            }
        )
    return annotations


def read_detections(path: Path, *, explained_by: Path | None = None) -> dict[str, dict[Joint, Detection]]:
    """The surest box of every joint, by identifier and joint; joints that were not found are absent.

    Args:
        path: A COCO file, or a list of results `{image_id or file_name, category_id or name, bbox, score}`.
        explained_by: A COCO file whose images and categories a bare list's numbers stand for.

    Raises:
        InputError: Missing, not COCO, an unknown image or joint, or a box or score that is none.
    """
    file = _read(path)
    if explained_by is not None and not file.images:
        other = _read(explained_by)
        file = _File(other.images, other.categories, file.entries)
    found: dict[str, dict[Joint, Detection]] = {
        _stem(str(image.get("file_name"))): {} for image in file.images.values()
    }
    for where, entry in _entries(path, file):
        joint = _structure(path, where, entry, file, parse_joint)
        joints = found.setdefault(_image(path, where, entry, file), {})
        detection = Detection(_box(path, where, entry), _score(path, where, entry, otherwise=1.0))
        if joint not in joints or detection.confidence > joints[joint].confidence:
            joints[joint] = detection
    return {name: joints for name, joints in found.items() if joints}


def _read(path: Path) -> _File:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise InputError(f"{path} is larger than 1 GiB; give a file a case, or compressed runs")
        content = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path} does not exist; check the path") from None
    except (OSError, ValueError, RecursionError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path} is not JSON ({one_line(error)}); export it again") from None
    if isinstance(content, list):
        return _File({}, {}, content)
    try:
        images = {image["id"]: dict(image) for image in content.get("images", [])}
        categories = {category["id"]: str(category["name"]) for category in content.get("categories", [])}
        return _File(images, categories, list(content["annotations"]))
    except (AttributeError, KeyError, TypeError, ValueError):
        text = "expected images, categories and annotations, or a list of results"
        raise InputError(f"{path} is not in COCO's form, {text}; export it again") from None


def _entries(path: Path, file: _File) -> Iterator[tuple[str, dict[str, Any]]]:
    for number, entry in enumerate(file.entries, 1):
        if not isinstance(entry, dict):
            raise InputError(f"{path} has as entry {number} {entry!r:.40}, expected a mapping; export it again")
        yield f"entry {number}", entry


def _image(path: Path, where: str, entry: Mapping[str, Any], file: _File) -> str:
    number, name = entry.get("image_id"), entry.get("file_name")
    try:
        name = file.images[number].get("file_name") if name is None and number in file.images else name
    except TypeError:
        number = None
    text = name if name is not None else number
    if not isinstance(text, str) or not text:
        what = "expected a file_name, or an image_id that is text or listed under images"
        raise InputError(f"{path} has in {where} the unknown image {text!r:.40}, {what}; add it")
    return _stem(text)


def _structure(
    path: Path, where: str, entry: Mapping[str, Any], file: _File, parse: Callable[[str], _Structure]
) -> _Structure:
    number = entry.get("category_id")
    known = file.categories.get(number) if isinstance(number, (int, str)) else None
    text = next((each for each in (entry.get("category"), entry.get("name"), known, number) if each is not None), None)
    if not isinstance(text, str):
        what = "expected a name, or a category_id that is text or listed under categories"
        raise InputError(f"{path} has in {where} the unknown category {text!r:.40}, {what}; add it")
    try:
        return parse(text)
    except InputError as error:
        raise InputError(f"{path} has in {where} a category whose {error}") from None


def _score(path: Path, where: str, entry: Mapping[str, Any], *, otherwise: float) -> float:
    score = entry.get("score", otherwise)
    if isinstance(score, bool) or not isinstance(score, (int, float)) or not 0 <= score <= 1:
        raise InputError(f"{path} has in {where} the score {score!r:.40}, expected a number from 0 to 1; correct it")
    return float(score)


def _box(path: Path, where: str, entry: Mapping[str, Any]) -> Box:
    try:
        x, y, width, height = (float(value) for value in entry["bbox"])
        if not all(math.isfinite(value) for value in (x, y, width, height)):
            raise ValueError
        return Box(x, y, width, height)
    except (KeyError, TypeError, ValueError, OverflowError):
        what = "expected bbox [x, y, width, height] in pixels of the image"
        raise InputError(f"{path} has in {where} the box {entry.get('bbox')!r:.60}, {what}; correct it") from None


def _masks(
    path: Path, name: str, drawn: Iterable[tuple[Bone, Mapping[str, Any]]], size: tuple[Any, Any] | None
) -> BoneMasks:
    parts: dict[Bone, list[Mapping[str, Any]]] = {}
    for bone, entry in drawn:
        parts.setdefault(bone, []).append(entry)
    for bone, entries in parts.items():
        if any("score" in entry for entry in entries):
            parts[bone] = [max(entries, key=lambda entry: _score(path, name, entry, otherwise=0.0))]
    shapes = [(bone, entry["segmentation"]) for bone, entries in parts.items() for entry in entries]
    try:
        height, width = _grid([shape for _, shape in shapes], size)
        masks = ((bone, _mask(shape, height=height, width=width)) for bone, shape in shapes)
        return BoneMasks.from_masks(masks, height=height, width=width)
    except InputError as error:
        raise InputError(f"{path} has masks of {name} that cannot be read: {error}") from None


def _grid(shapes: Sequence[Any], size: tuple[Any, Any] | None) -> tuple[int, int]:
    if size is not None and None not in size:
        return mask_size(size)
    runs = [shape for shape in shapes if isinstance(shape, dict)]
    if runs:
        return mask_size(runs[0].get("size"))
    if shapes:
        raise InputError("polygons need the image's height and width; list the image under images")
    return 1, 1


def _mask(segmentation: Any, *, height: int, width: int) -> Bool[np.ndarray, "h w"]:
    if isinstance(segmentation, dict):
        return decode_rle(segmentation)
    return fill_polygons(segmentation, height=height, width=width)


def _stem(text: str) -> str:
    name = PurePosixPath(text.replace("\\", "/"))
    return identifier(name.stem if name.suffix.lower() in _SUFFIXES else name.name)
