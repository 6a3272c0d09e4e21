"""nnU-Net's raw dataset, version 2, for `nnUNetv2_plan_and_preprocess`.

```
dataset.json                         channels, labels, and how overlap was decided
imagesTr/<identifier>_0000.png       training and validation
labelsTr/<identifier>.png            0 background, 1 to 14 the bones in the order of `Bone`
imagesTs/, labelsTs/                 test; nnU-Net itself does not look into labelsTs
splits_final.json                    one fold, ours; copy it into nnU-Net's preprocessed folder to train on it
images_unlabelled/<identifier>.png   wrists without masks, which nnU-Net must not see as a test set
regions/<identifier>/<Joint>.png
cases.json
```

A label map holds one bone a pixel, so overlap is lost: where bones cover each other, the smaller one in the fixed order
`OVER` lies on top. The order is fixed so that the network sees the same rule in every image.

References:
    Isensee et al. nnU-Net: a self-configuring method for deep learning-based biomedical image segmentation.
    Nat Methods 2021;18:203-211. https://doi.org/10.1038/s41592-020-01008-z
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from carpus.anatomy import Bone
from carpus.data.case import CaseId
from carpus.data.facts import Facts
from carpus.data.formats.folder import (
    CASES_FILE,
    PHANTOM_NOTICE,
    Loaders,
    inside,
    read_cases,
    read_json,
    read_regions,
    says_synthetic,
    write_cases,
    write_json,
    write_regions,
)
from carpus.data.layout import Split
from carpus.data.wrist import Wrist
from carpus.errors import InputError
from carpus.imaging.files import read_grey, write_grey
from carpus.imaging.masks import BoneMasks

OVER = (
    Bone.TRAPEZOID,
    Bone.LUNATE,
    Bone.TRAPEZIUM,
    Bone.PISIFORM_TRIQUETRUM,
    Bone.HAMATE,
    Bone.SCAPHOID,
    Bone.CAPITATE,
    Bone.METACARPAL_4,
    Bone.DISTAL_ULNA,
    Bone.METACARPAL_3,
    Bone.METACARPAL_5,
    Bone.METACARPAL_2,
    Bone.METACARPAL_1,
    Bone.DISTAL_RADIUS,
)
"""Who lies over whom in a label map: a bone over all after it, the small ones first (by mean area on phantoms)."""

_RULE = "a pixel of several bones is the one that comes first in the order"
_TRAINING = (Split.TRAIN, Split.VAL)
_UNLABELLED = "images_unlabelled"
_CHANNEL = "_0000.png"


def label_map(masks: BoneMasks) -> UInt8[np.ndarray, "h w"]:
    """The masks as labels, 0 background and 1 to 14 the bones; where bones overlap, `OVER` decides."""
    labels = np.zeros(masks.shape, np.uint8)
    for bone in reversed(OVER):
        labels[masks.mask(bone)] = bone.channel + 1
    return labels


def masks_of_labels(labels: UInt8[np.ndarray, "h w"]) -> BoneMasks:
    """The masks in a label map; they do not overlap.

    Raises:
        InputError: A label above 14.
    """
    if labels.max(initial=0) > len(Bone):
        raise InputError(f"label map has the label {labels.max()}, expected 0 to {len(Bone)}; export it again")
    bits = np.concatenate([[0], 1 << np.arange(len(Bone))]).astype(np.uint16)
    return BoneMasks(bits[labels])


def write_nnunet(folder: Path, wrists: Iterable[Wrist]) -> list[str]:
    """Writes wrists as nnU-Net's raw dataset; what was lost.

    Args:
        folder: To write into; nnU-Net wants it under the name `Dataset<number>_<name>`.
        wrists: None is held longer than it takes to write it.
    """
    cases: list[Facts] = []
    drawn, lost = Counter[Bone](), Counter[Bone]()
    for wrist in wrists:
        write_grey(_image(folder, wrist.facts), wrist.pixels)
        if wrist.masks is not None:
            labels = label_map(wrist.masks)
            write_grey(_labels(folder, wrist.facts), labels)
            for bone in Bone:
                mask = wrist.masks.mask(bone)
                drawn[bone] += int(mask.sum())
                lost[bone] += int((mask & (labels != bone.channel + 1)).sum())
        write_regions(folder, wrist)
        cases.append(wrist.facts)
    write_cases(folder, cases)
    folds = {split: [str(facts.id) for facts in cases if facts.bone_split is split] for split in Split}
    write_json(folder / "splits_final.json", [{"train": folds[Split.TRAIN], "val": folds[Split.VAL]}])
    synthetic = any(facts.synthetic for facts in cases)
    content = {
        "name": folder.name,
        "description": PHANTOM_NOTICE if synthetic else "Bones of the wrist in radiographs",
        "synthetic": synthetic,
        "channel_names": {"0": "radiograph"},
        "labels": {"background": 0, **{bone.value: bone.channel + 1 for bone in Bone}},
        "numTraining": sum(len(folds[split]) for split in _TRAINING),
        "file_ending": ".png",
        "overwrite_image_reader_writer": "NaturalImage2DIO",
        "overlap": {
            "rule": _RULE,
            "order": [bone.value for bone in OVER],
            "pixels": drawn.total(),
            "pixels_lost": lost.total(),
            "pixels_lost_by_bone": {bone.value: lost[bone] for bone in Bone},
        },
    }
    write_json(folder / "dataset.json", content)
    part = 100 * lost.total() / max(drawn.total(), 1)
    return [
        f"A label map cannot overlap: {lost.total()} of {drawn.total()} pixels of bones ({part:.1f} %) are lost, "
        f"because {_RULE} {', '.join(bone.abbreviation for bone in OVER)}."
    ]


def read_nnunet(folder: Path) -> Loaders:
    """The wrists of nnU-Net's raw dataset, each loaded when it is asked for; their bones do not overlap.

    Without `cases.json`, the files' names are the identifiers, and the splits are those of `splits_final.json` and
    of the folders.

    Raises:
        InputError: The labels are not ours, or `cases.json` cannot be used; later, an image or label map that cannot.
    """
    path = folder / "dataset.json"
    content = read_json(path)
    ours = {"background": 0, **{bone.value: bone.channel + 1 for bone in Bone}}
    if not isinstance(content, dict) or content.get("labels") != ours:
        raise InputError(
            f"{folder / 'dataset.json'} has other labels than background 0 and the bones 1 to 14; map them"
        )
    cases = read_cases(folder) if (folder / CASES_FILE).exists() else _cases_by_folder(folder)
    if says_synthetic(path, content):
        cases = [replace(facts, synthetic=True) for facts in cases]
    return {facts.id: partial(_load, folder, facts) for facts in cases}


def _image(folder: Path, facts: Facts) -> Path:
    if facts.bone_split is None:
        return folder / _UNLABELLED / f"{facts.id}.png"
    return folder / ("imagesTr" if facts.bone_split in _TRAINING else "imagesTs") / f"{facts.id}{_CHANNEL}"


def _labels(folder: Path, facts: Facts) -> Path:
    return folder / ("labelsTr" if facts.bone_split in _TRAINING else "labelsTs") / f"{facts.id}.png"


def _cases_by_folder(folder: Path) -> list[Facts]:
    fold = folder / "splits_final.json"
    content = read_json(fold) if fold.exists() else []
    try:
        validation = {str(name) for name in content[0]["val"]} if content else set()
    except (KeyError, TypeError, IndexError):
        raise InputError(f"{fold} is no list of folds with train and val; export it again") from None
    cases = []
    for name, split in (("labelsTr", Split.TRAIN), ("labelsTs", Split.TEST)):
        for path in sorted((folder / name).glob("[!.]*.png")):
            chosen = Split.VAL if split is Split.TRAIN and path.stem in validation else split
            cases.append(Facts(CaseId.parse(path.stem), chosen))
    return cases


def _load(folder: Path, facts: Facts) -> Wrist:
    masks = None
    if facts.bone_split is not None:
        path = inside(folder, _labels(folder, facts))
        labels = read_grey(path)
        try:
            masks = masks_of_labels(labels)
        except InputError as error:
            raise InputError(f"{path}: {error}") from None
    return Wrist(facts, read_grey(inside(folder, _image(folder, facts))), masks, read_regions(folder, facts))
