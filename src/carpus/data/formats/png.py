"""Plain PNG files, one a bone: nothing is lost, and every viewer opens them.

```
images/<identifier>.png
masks/<identifier>/<Bone>.png     0 and 255, one file for each of the fourteen bones
regions/<identifier>/<Joint>.png
cases.json
```
"""

from collections.abc import Iterable
from functools import partial
from pathlib import Path

from carpus.anatomy import Bone
from carpus.data.facts import Facts
from carpus.data.formats.folder import (
    IMAGES,
    Loaders,
    inside,
    read_cases,
    read_regions,
    write_cases,
    write_regions,
)
from carpus.data.wrist import Wrist
from carpus.files import new_file
from carpus.imaging.files import encode_grey, read_grey, read_mask_folder, write_grey

_MASKS = "masks"


def write_png(folder: Path, wrists: Iterable[Wrist]) -> list[str]:
    """Writes wrists as PNG files; nothing is lost, so nothing comes back.

    Args:
        folder: To write into.
        wrists: None is held longer than it takes to write it.
    """
    cases: list[Facts] = []
    for wrist in wrists:
        write_grey(folder / IMAGES / f"{wrist.facts.id}.png", wrist.pixels)
        if wrist.masks is not None:
            for bone in Bone:
                with new_file(folder / _MASKS / str(wrist.facts.id) / f"{bone.value}.png") as draft:
                    draft.write_bytes(encode_grey(wrist.masks.mask(bone)))
        write_regions(folder, wrist)
        cases.append(wrist.facts)
    write_cases(folder, cases)
    return []


def read_png(folder: Path) -> Loaders:
    """The wrists of such a folder, each loaded when it is asked for.

    Raises:
        InputError: No `cases.json`, or one that cannot be used; later, an image or mask that cannot.
    """
    return {facts.id: partial(_load, folder, facts) for facts in read_cases(folder)}


def _load(folder: Path, facts: Facts) -> Wrist:
    masks = None
    if facts.bone_split is not None:
        drawn = inside(folder, folder / _MASKS / str(facts.id))
        for path in drawn.glob("*"):
            inside(folder, path)
        masks = read_mask_folder(drawn)
    image = inside(folder, folder / IMAGES / f"{facts.id}.png")
    return Wrist(facts, read_grey(image), masks, read_regions(folder, facts))
