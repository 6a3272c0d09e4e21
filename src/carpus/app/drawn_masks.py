"""Bones that somebody drew on films: where they are, whichever of the forms they have.

| given                             | belongs to the film                                             |
|-----------------------------------|-----------------------------------------------------------------|
| a COCO file (runs or polygons)    | whose name without suffix is that of its `file_name`            |
| a folder with `*.json` of LabelMe | of the same name                                                |
| a folder with `*.dcm` of SEG      | that the Segmentation refers to, else of the same name          |
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from carpus.data.coco import read_coco_masks
from carpus.data.labelme import read_labelme
from carpus.data.manifest import sha256_of
from carpus.errors import InputError
from carpus.imaging.masks import BoneMasks
from carpus.imaging.rle import mask_size


@dataclass(frozen=True)
class Drawing:
    """Bones of one film, read when they are asked for.

    Attributes:
        name: Of the film, or of the drawing's file.
        form: `COCO`, `LabelMe` or `DICOM SEG`.
        digest: Changes with what was drawn.
        load: Gives the bones on the film's grid.
    """

    name: str
    form: str
    digest: str
    load: Callable[[], BoneMasks]


@dataclass(frozen=True)
class Drawings:
    """All that was drawn: by the film's name without its suffix, and by the UID of its image."""

    by_name: Mapping[str, Drawing] = field(default_factory=dict)
    by_image: Mapping[str, Drawing] = field(default_factory=dict)

    def of(self, stem: str, image: str) -> Drawing | None:
        """The drawing of a film, if there is one."""
        return self.by_image.get(image) or self.by_name.get(stem)

    def names(self) -> set[str]:
        """The names of all drawings."""
        return {drawing.name for drawing in (*self.by_name.values(), *self.by_image.values())}


def find_drawings(path: Path | None) -> Drawings:
    """What lies in a COCO file or in a folder; nothing for None.

    Raises:
        InputError: Missing, neither of these, or two drawings of one film.
    """
    if path is None:
        return Drawings()
    if path.is_file():
        digest = sha256_of(path)
        loaders = read_coco_masks(path)
        return Drawings({name: Drawing(name, "COCO", digest, partial(_sized, load)) for name, load in loaders.items()})
    if not path.is_dir():
        raise InputError(f"{path} does not exist, expected a COCO file or a folder of drawn bones; check the path")
    by_name: dict[str, Drawing] = {}
    by_image: dict[str, Drawing] = {}
    for file in sorted(each for each in path.rglob("[!.]*") if each.suffix.lower() in (".json", ".dcm")):
        if file.suffix.lower() == ".json":
            drawing, image = Drawing(file.stem, "LabelMe", sha256_of(file), partial(read_labelme, file)), ""
        else:
            from carpus.dicom.segmentation import read_segmentation, segmented_image

            drawing = Drawing(file.stem, "DICOM SEG", sha256_of(file), partial(read_segmentation, file))
            image = segmented_image(file)
        place, key = (by_image, image) if image else (by_name, file.stem)
        if key in place:
            raise InputError(f"{path} has two drawings of one film, {place[key].name} and {file.name}; keep one")
        place[key] = drawing
    if not by_name and not by_image:
        raise InputError(f"{path} holds no drawn bones, expected LabelMe (*.json) or DICOM SEG (*.dcm); check the path")
    return Drawings(by_name, by_image)


def digest_of(drawing: Drawing | None) -> str:
    """A short name for what was drawn, empty for nothing."""
    if drawing is None:
        return ""
    return hashlib.blake2b(f"{drawing.name} {drawing.digest}".encode(), digest_size=8).hexdigest()


def _sized(load: Callable[[], BoneMasks]) -> BoneMasks:
    masks = load()
    mask_size(list(masks.shape))
    return masks
