"""Cases written in RAM-W600's own layout, spellings included."""

import datetime
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from carpus.anatomy import Joint
from carpus.data import layout
from carpus.data.case import CaseId
from carpus.data.layout import Split
from carpus.files import new_file
from carpus.imaging.files import write_grey
from carpus.imaging.geometry import Box, crop
from carpus.imaging.masks import BoneMasks
from carpus.imaging.radiograph import Radiograph

_ZIP_TIME = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class StudyRow:
    """One row of the metadata table; None where nothing is known."""

    patient_id: str
    study_id: str
    gender: str | None
    age: int | None
    institution: str | None
    phase: int | None


def write_bones(root: Path, case: CaseId, radiograph: Radiograph, masks: BoneMasks, *, split: Split) -> None:
    """Writes the wrist crop and its masks for the segmentation task."""
    write_grey(layout.bone_images(root) / f"{case}.bmp", radiograph.pixels)
    write_masks(root, case, masks, split=split)


def write_masks(root: Path, case: CaseId, masks: BoneMasks, *, split: Split) -> None:
    """Writes the masks of one wrist: `(14, h, w)`, one byte a pixel."""
    with new_file(layout.bone_masks(root) / split.value / f"{case}.npy") as draft, draft.open("wb") as file:
        np.save(file, masks.stack().astype(np.uint8), allow_pickle=False)


def write_regions(
    root: Path, case: CaseId, radiograph: Radiograph, boxes: Mapping[Joint, Box], *, split: Split
) -> None:
    """Writes the wrist crop for the location task and its joints' regions for the scoring task."""
    write_grey(layout.location_images(root) / f"{case}.bmp", radiograph.pixels)
    for joint, box in boxes.items():
        path = layout.erosion_folder(root) / split.value / str(case) / f"{joint.value}.bmp"
        write_grey(path, crop(radiograph.pixels, box))


def write_boxes(root: Path, boxes: Mapping[CaseId, tuple[tuple[int, int], Mapping[Joint, Box]]]) -> None:
    """Writes the joint boxes of all cases as COCO.

    Args:
        root: Of the dataset.
        boxes: By case: height and width of its image in pixels, and the box of each joint.
    """
    categories = {joint: number for number, joint in enumerate(Joint, 1)}
    images: list[dict[str, object]] = []
    annotations: list[dict[str, object]] = []
    for image_id, (case, ((height, width), found)) in enumerate(sorted(boxes.items())):
        images.append({"id": image_id, "file_name": f"{case}.bmp", "width": width, "height": height})
        for joint, box in found.items():
            corners = [box.x, box.y, box.width, box.height]
            annotations.append(
                {
                    "id": len(annotations),
                    "image_id": image_id,
                    "category_id": categories[joint],
                    "bbox": corners,
                    "area": round(box.area, 4),
                    "segmentation": [],
                    "iscrowd": 0,
                }
            )
    named = [{"id": n, "name": joint.value, "supercategory": "joint"} for joint, n in categories.items()]
    content = {"images": images, "annotations": annotations, "categories": named}
    _write_json(layout.coco_file(root), content)


def write_scores(root: Path, scores: Mapping[CaseId, Mapping[Joint, int]]) -> None:
    """Writes the SvdH erosion scores of all scored cases."""
    content = [
        {
            "identifier": str(case),
            "patient_id": case.patient,
            "study_id": case.study,
            "hand": case.side.value,
            "joints": {joint.value: found[joint] for joint in Joint},
        }
        for case, found in sorted(scores.items())
    ]
    _write_json(layout.score_file(root), content)


def write_metadata(root: Path, rows: Sequence[StudyRow]) -> None:
    """Writes the metadata table; equal rows give equal bytes."""
    when = datetime.datetime(*_ZIP_TIME)
    with new_file(root / layout.METADATA_FILE) as draft:
        with pd.ExcelWriter(draft, engine="openpyxl") as excel:
            pd.DataFrame([vars(row) for row in rows], dtype=object).to_excel(excel, index=False)
            excel.book.properties.created = when
            excel.book.properties.modified = when
        _without_times(draft, when)


def _without_times(path: Path, when: datetime.datetime) -> None:
    """Rewrites an Excel file with fixed times in its archive; openpyxl stamps the present one on saving."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            content = part
            if name == "docProps/core.xml":
                start, end = content.find(b"<dcterms:modified"), content.find(b"</dcterms:modified>")
                stamp = f'<dcterms:modified xsi:type="dcterms:W3CDTF">{when.isoformat()}Z'.encode()
                content = content[:start] + stamp + content[end:]
            archive.writestr(zipfile.ZipInfo(name, _ZIP_TIME), content, zipfile.ZIP_DEFLATED)


def _write_json(path: Path, content: object) -> None:
    with new_file(path) as draft:
        draft.write_text(json.dumps(content, indent=2) + "\n", "utf-8")
