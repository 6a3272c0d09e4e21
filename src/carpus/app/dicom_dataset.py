"""A dataset as DICOM: a derived image and a Segmentation a wrist; joins what `data` and `dicom` know.

```
images/<identifier>.dcm            the crop, Computed Radiography, marked as derived
segmentations/<identifier>.dcm     its bones, a segment a bone, overlap kept
regions/<identifier>/<Joint>.png
cases.json                         splits, boxes and scores, which these objects have no place for
```
"""

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path

from carpus.data import layout
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
from carpus.errors import InputError
from carpus.imaging.radiograph import Radiograph

_SEGMENTATIONS = "segmentations"
_TOLERANCE = 0.01


def write_dicom_dataset(folder: Path, wrists: Iterable[Wrist]) -> list[str]:
    """Writes wrists as DICOM; nothing is lost, so nothing comes back.

    Args:
        folder: To write into.
        wrists: None is held longer than it takes to write it.

    Raises:
        InputError: Masks without any bone, which a Segmentation cannot hold.
    """
    from carpus.dicom.crop import Provenance, new_study_uid, write_crop
    from carpus.dicom.segmentation import write_segmentation

    cases: list[Facts] = []
    studies: dict[tuple[str, str], str] = {}
    for wrist in wrists:
        facts, case = wrist.facts, wrist.facts.id
        provenance = Provenance(
            patient=case.patient,
            study=case.study,
            study_uid=studies.setdefault((case.patient, case.study), new_study_uid()),
            sex=facts.sex,
            age=facts.age,
            institution=facts.institution,
            synthetic=facts.synthetic,
        )
        image = folder / IMAGES / f"{case}.dcm"
        write_crop(image, Radiograph(wrist.pixels, _spacing(facts), case.side, str(case)), provenance)
        if wrist.masks is not None:
            path = folder / _SEGMENTATIONS / f"{case}.dcm"
            drawn_by = "carpus phantom" if facts.synthetic else None
            write_segmentation(path, wrist.masks, film=image, algorithm=drawn_by)
        write_regions(folder, wrist)
        cases.append(facts)
    write_cases(folder, cases)
    return []


def read_dicom_dataset(folder: Path) -> Loaders:
    """The wrists of such a folder, each loaded when it is asked for.

    Raises:
        InputError: No `cases.json`, or one that cannot be used; later, an image or Segmentation that cannot, or pixels
            of another size than RAM-W600's.
    """
    return {facts.id: partial(_load, folder, facts) for facts in read_cases(folder)}


def _load(folder: Path, facts: Facts) -> Wrist:
    from carpus.dicom.crop import is_synthetic
    from carpus.dicom.reader import read_dicom
    from carpus.dicom.segmentation import read_segmentation

    case = facts.id
    image = inside(folder, folder / IMAGES / f"{case}.dcm")
    radiograph = read_dicom(image)
    expected = _spacing(facts)
    if radiograph.side not in (None, case.side):
        raise InputError(f"{image} shows the other side than its name says; rename it, or correct its laterality")
    size = radiograph.spacing_mm
    if size is not None and expected is not None and abs(size - expected) > _TOLERANCE * expected:
        raise InputError(f"{image} has pixels of {size:g} mm, expected {expected:g} mm; resample image and masks first")
    masks = None
    if facts.bone_split is not None:
        masks = read_segmentation(inside(folder, folder / _SEGMENTATIONS / f"{case}.dcm"))
    told = replace(facts, synthetic=facts.synthetic or is_synthetic(image))
    return Wrist(told, radiograph.pixels, masks, read_regions(folder, facts))


def _spacing(facts: Facts) -> float | None:
    return None if facts.institution in layout.UNKNOWN_SPACING else layout.SPACING_MM
