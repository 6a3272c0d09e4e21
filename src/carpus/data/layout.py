"""Where things lie in RAM-W600, in every variant met.

```
BoneSegmentation/images/*.bmp                 also image/
BoneSegmentation/masks/{train,val,test}/*.npy also mask/
JointLocationDetection/images/*.bmp           also BoneLocationDetection/
JointLocationDetection/Joints.coco.json
SvdHBEScoreClassification/{train,val,test}/<identifier>/<Joint>.bmp
SvdHBEScoreClassification/JointBE_SvdH_GT.json  also ..._Ori.json, ..._reformatted.json
Metadata.xlsx                                 version 2 only
Phantom.json                                  only where the wrists are synthetic
```
"""

from collections.abc import Sequence
from enum import Enum
from pathlib import Path

BONES = "BoneSegmentation"
LOCATIONS = ("JointLocationDetection", "BoneLocationDetection")
EROSION = "SvdHBEScoreClassification"
IMAGES = ("images", "image")
MASKS = ("masks", "mask")
COCO_FILE = "Joints.coco.json"
SCORE_FILES = ("JointBE_SvdH_GT.json", "JointBE_SvdH_GT_reformatted.json", "JointBE_SvdH_GT_Ori.json")
METADATA_FILE = "Metadata.xlsx"
PHANTOM_FILE = "Phantom.json"

SPACING_MM = 0.15
"""Edge of a pixel in mm at the three Japanese centres; that of the Digital Hand Atlas is unknown."""

UNKNOWN_SPACING = ("DHA",)
"""Institutions whose pixel size the paper does not give."""


class Split(Enum):
    """The part of a dataset that a case belongs to. The value is the folder's name."""

    TRAIN = "train"
    VAL = "val"
    TEST = "test"


def first_existing(root: Path, names: Sequence[str]) -> Path:
    """The first of the names that exists in a folder, else the first name, which then does not exist."""
    return next((root / name for name in names if (root / name).exists()), root / names[0])


def bone_images(root: Path) -> Path:
    """The folder of wrist crops for segmentation."""
    return first_existing(root / BONES, IMAGES)


def bone_masks(root: Path) -> Path:
    """The folder of masks, with one folder a split in it."""
    return first_existing(root / BONES, MASKS)


def location_folder(root: Path) -> Path:
    """The folder of the joint boxes."""
    return first_existing(root, LOCATIONS)


def location_images(root: Path) -> Path:
    """The folder of wrist crops for the joint boxes."""
    return first_existing(location_folder(root), IMAGES)


def coco_file(root: Path) -> Path:
    """The joint boxes."""
    return location_folder(root) / COCO_FILE


def erosion_folder(root: Path) -> Path:
    """The folder of joint regions, with one folder a split in it."""
    return root / EROSION


def score_file(root: Path) -> Path:
    """The SvdH erosion scores."""
    return first_existing(erosion_folder(root), SCORE_FILES)
