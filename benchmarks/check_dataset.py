"""How long the check of a dataset takes, every image and mask opened, audit and search for copies included.

The dataset is made of phantoms: some are drawn, and each is written under as many patients as are needed, with its own
noise. Beside it runs the loop that says how fast the machine is: ten million additions take about half a second on an
idle machine of the kind that the project is measured on.

Example:
    python benchmarks/check_dataset.py
    python benchmarks/check_dataset.py --images 1000 --jobs 2
"""

import argparse
import logging
import os
import tempfile
import time
from pathlib import Path

import numpy as np

from carpus.data.case import CaseId
from carpus.data.check import check_dataset
from carpus.data.layout import SPACING_MM, Split
from carpus.data.writer import StudyRow, write_bones, write_boxes, write_metadata, write_regions, write_scores
from carpus.imaging import Radiograph
from carpus.imaging.joints import joint_boxes
from carpus.phantom import draw, plan_cohort

DRAWN = 24


def main() -> None:
    """Writes the dataset, checks it and prints what that took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=1000, help="wrists, all with masks (default: 1000)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="wrists at a time (default: one a core)")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "dataset"
        write(root, arguments.images)
        size = sum(path.stat().st_size for path in root.rglob("*") if path.is_file())
        files = sum(path.is_file() for path in root.rglob("*"))
        start = time.perf_counter()
        sum_of_ten_million()
        loop = time.perf_counter() - start
        start = time.perf_counter()
        problems = check_dataset(root, jobs=arguments.jobs)
        seconds = time.perf_counter() - start
    # The copies are found; that is what the check is for.
    kinds = {kind: sum(each.kind == kind for each in problems) for kind in sorted({each.kind for each in problems})}
    print(f"{arguments.images} images, {files} files, {size / 1e9:.1f} GB: {seconds:.1f} s, jobs {arguments.jobs}")
    print(f"  ten million additions beside it: {loop:.2f} s; scaled to 0.5 s: {seconds * 0.5 / loop:.1f} s")
    print(f"  problems found: {kinds}")


def write(root: Path, images: int) -> None:
    """Writes the dataset; the patients of one phantom are copies but for their noise."""
    chance = np.random.default_rng(0)
    visits = plan_cohort(patients=12, seed=0)[:DRAWN]
    phantoms = [draw(visit) for visit in visits]
    boxes, scores, studies = {}, {}, []
    for number in range(images):
        phantom = phantoms[number % len(phantoms)]
        side = visits[number % len(visits)].side
        case = CaseId(f"{number:04}", "0001", side.value)
        split = list(Split)[number % 3]
        noise = chance.integers(-6, 7, phantom.radiograph.shape)
        pixels = np.clip(phantom.radiograph.pixels + noise, 0, 255).astype(np.uint8)
        radiograph = Radiograph(pixels, SPACING_MM, side, str(case))
        found = joint_boxes(phantom.masks, spacing_mm=SPACING_MM)
        write_bones(root, case, radiograph, phantom.masks, split=split)
        write_regions(root, case, radiograph, found, split=split)
        boxes[case] = phantom.masks.shape, found
        scores[case] = visits[number % len(visits)].scores or dict.fromkeys(found, 0)
        studies.append(StudyRow(case.patient, case.study, "F", 60, "HMCRD", 1))
    write_boxes(root, boxes)
    write_scores(root, scores)
    write_metadata(root, studies)


def sum_of_ten_million() -> int:
    """The loop that says how fast the machine is."""
    total = 0
    for number in range(10_000_000):
        total += number
    return total


if __name__ == "__main__":
    main()
