"""COCO: bones as compressed runs, overlap kept, and joints as boxes; one file a task and split.

```
images/<identifier>.png
annotations/bones_<split>.json     a category a bone; segmentation (RLE), bbox, area
annotations/joints_<split>.json    a category a joint; bbox
annotations/unannotated.json       images that have neither
regions/<identifier>/<Joint>.png
```

`<split>` is train, val, test, or none. What COCO has no field for stands beside its own fields in each entry of
`images`, scores among it; entries without that are taken too, with the split of the file's name. A box repeats the
score of its joint as `svdh_score`, for training; what is read back is that of `images`.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from carpus.anatomy import Bone, Joint
from carpus.data.case import CaseId
from carpus.data.coco import bone_annotations, read_coco_masks, read_detections
from carpus.data.facts import Facts, merge_facts, parse_facts
from carpus.data.formats.folder import (
    IMAGES,
    PHANTOM_NOTICE,
    Loaders,
    inside,
    read_json,
    read_regions,
    says_synthetic,
    write_json,
    write_regions,
)
from carpus.data.layout import Split
from carpus.data.wrist import Wrist
from carpus.errors import InputError
from carpus.imaging.files import read_grey, write_grey
from carpus.imaging.masks import BoneMasks

_ANNOTATIONS = "annotations"
_BONES, _JOINTS, _NEITHER, _NO_SPLIT = "bones", "joints", "unannotated", "none"
_CATEGORIES: Mapping[str, tuple[str, type[Bone] | type[Joint]]] = {
    _BONES: ("bone", Bone),
    _JOINTS: ("joint", Joint),
}


def write_coco(folder: Path, wrists: Iterable[Wrist]) -> list[str]:
    """Writes wrists as COCO; nothing is lost, so nothing comes back.

    Args:
        folder: To write into.
        wrists: None is held longer than it takes to write it; the annotations are held to the end.
    """
    images: dict[str, list[dict[str, Any]]] = defaultdict(list)
    annotations: dict[str, list[dict[str, Any]]] = defaultdict(list)
    synthetic = False
    for number, wrist in enumerate(wrists, 1):
        facts = wrist.facts
        synthetic |= facts.synthetic
        write_grey(folder / IMAGES / f"{facts.id}.png", wrist.pixels)
        write_regions(folder, wrist)
        height, width = wrist.pixels.shape
        told = facts.as_dict()
        del told["boxes"]
        entry = {"id": number, "file_name": f"{facts.id}.png", "width": width, "height": height, **told}
        names = _file_names(facts)
        for name in names:
            images[name].append(entry)
        if wrist.masks is not None:
            annotations[names[0]] += bone_annotations(wrist.masks, image_id=number, after=len(annotations[names[0]]))
        for joint, box in facts.boxes.items():
            found = annotations[names[-1]]
            found.append(
                {
                    "id": len(found) + 1,
                    "image_id": number,
                    "category_id": list(Joint).index(joint) + 1,
                    "bbox": [box.x, box.y, box.width, box.height],
                    "area": box.area,
                    "segmentation": [],
                    "iscrowd": 0,
                    **({"svdh_score": facts.scores[joint]} if facts.scores else {}),
                }
            )
    for name in images:
        kind, structures = _CATEGORIES.get(name.partition("_")[0], ("bone", Bone))
        content = {
            "info": {"description": PHANTOM_NOTICE if synthetic else "Wrist radiographs", "synthetic": synthetic},
            "images": images[name],
            "annotations": annotations[name],
            "categories": [
                {"id": place, "name": structure.value, "supercategory": kind}
                for place, structure in enumerate(structures, 1)
            ],
        }
        write_json(folder / _ANNOTATIONS / f"{name}.json", content)
    return []


def read_coco(folder: Path) -> Loaders:
    """The wrists of such a folder, each loaded when it is asked for.

    Raises:
        InputError: No annotations, a file of another name, or one that cannot be used; later, an image that cannot.
    """
    paths = sorted((folder / _ANNOTATIONS).glob("[!.]*.json"))
    if not paths:
        where = folder / _ANNOTATIONS
        raise InputError(
            f"{where} holds no JSON file, expected {_BONES}_<split>.json or {_JOINTS}_<split>.json; add it"
        )
    facts: dict[CaseId, Facts] = {}
    masks: dict[CaseId, Callable[[], BoneMasks]] = {}
    for path in paths:
        told = _read_images(inside(folder, path))
        kind = path.stem.partition("_")[0]
        if kind == _BONES:
            masks |= {CaseId.parse(name): draw for name, draw in read_coco_masks(path).items()}
        boxes = read_detections(path) if kind == _JOINTS else {}
        for case, each in told.items():
            found = {joint: each.box for joint, each in boxes.get(str(case), {}).items()}
            whole = merge_facts(each, Facts(case, boxes={joint: found[joint] for joint in Joint if joint in found}))
            facts[case] = merge_facts(facts[case], whole) if case in facts else whole
    return {case: partial(_load, folder, facts[case], masks.get(case)) for case in sorted(facts)}


def _file_names(facts: Facts) -> list[str]:
    names = [f"{_BONES}_{facts.bone_split.value}"] if facts.bone_split is not None else []
    if facts.boxes or facts.erosion_split is not None:
        names.append(f"{_JOINTS}_{facts.erosion_split.value if facts.erosion_split is not None else _NO_SPLIT}")
    return names or [_NEITHER]


def _read_images(path: Path) -> dict[CaseId, Facts]:
    kind, _, split = path.stem.partition("_")
    splits = [each.value for each in Split]
    if not (path.stem == _NEITHER or (kind == _BONES and split in splits) or kind == _JOINTS):
        what = f"{_BONES}_<split>.json, {_JOINTS}_<split>.json or {_NEITHER}.json with the split {', '.join(splits)}"
        raise InputError(f"{path} has a name that does not say what is in it, expected {what}; rename it")
    content = read_json(path)
    try:
        synthetic = says_synthetic(path, content.get("info", {}))
        entries = [dict(entry) for entry in content["images"]]
    except InputError:
        raise
    except (AttributeError, KeyError, TypeError, ValueError):
        raise InputError(f"{path} is not in COCO's form, expected images with file_name; export it again") from None
    key = "bone_split" if kind == _BONES else "erosion_split"
    found = {}
    for entry in entries:
        name = PurePosixPath(str(entry.get("file_name")).replace("\\", "/")).stem
        try:
            told = parse_facts({**entry, "identifier": name})
            said = parse_facts({"identifier": name, key: split if split in splits else None, "synthetic": synthetic})
            found[told.id] = merge_facts(told, said)
        except InputError as error:
            raise InputError(f"{path} cannot be used: {error}") from None
    return found


def _load(folder: Path, facts: Facts, draw: Callable[[], BoneMasks] | None) -> Wrist:
    pixels = read_grey(inside(folder, folder / IMAGES / f"{facts.id}.png"))
    return Wrist(facts, pixels, None if draw is None else draw(), read_regions(folder, facts))
