from collections.abc import Callable

import cv2
import numpy as np
import polars as pl
import pytest

from carpus.anatomy import OVERLAP_PAIRS, Bone, Joint, pair_name
from carpus.data.results import ResultRow, results_frame
from carpus.imaging import BoneMasks

CENTRES = {
    Bone.CAPITATE: (255, 250, 32, 48),
    Bone.DISTAL_RADIUS: (215, 430, 80, 100),
    Bone.DISTAL_ULNA: (345, 445, 38, 85),
    Bone.HAMATE: (315, 255, 35, 42),
    Bone.LUNATE: (265, 325, 34, 30),
    Bone.PISIFORM_TRIQUETRUM: (325, 310, 32, 30),
    Bone.SCAPHOID: (195, 310, 32, 45),
    Bone.TRAPEZIUM: (150, 265, 32, 28),
    Bone.TRAPEZOID: (195, 235, 26, 26),
    Bone.METACARPAL_1: (95, 190, 28, 80),
    Bone.METACARPAL_2: (180, 100, 28, 115),
    Bone.METACARPAL_3: (245, 95, 28, 115),
    Bone.METACARPAL_4: (310, 110, 26, 115),
    Bone.METACARPAL_5: (370, 140, 26, 110),
}


@pytest.fixture(scope="session")
def masks() -> BoneMasks:
    """Fourteen ellipses about where the bones are, 256 x 256."""
    stack = np.zeros((14, 256, 256), np.uint8)
    for bone, place in CENTRES.items():
        x, y, across, down = (value // 2 for value in place)
        cv2.ellipse(stack[bone.channel], (x, y), (across, down), 0, 0, 360, (1,), -1)
    return BoneMasks.from_stack(stack)


@pytest.fixture(scope="session")
def make_results() -> Callable[..., pl.DataFrame]:
    """Results of a bone and an erosion model on twelve images of six patients, the values chosen by a seed."""

    def make(bones: str = "unet", erosion: str = "resnet", data: str = "phantom", seed: int = 0) -> pl.DataFrame:
        chance = np.random.default_rng(seed)
        rows = []
        for number in range(12):
            patient = f"{number // 2:04d}"
            image = f"{patient}_0001_{'LR'[number % 2]}"
            scores = {joint: int(chance.choice([0, 0, 0, 1, 2])) for joint in Joint}
            of_image = "BE" if any(scores.values()) and number > 3 else "nonBE"
            scores = scores if of_image == "BE" else dict.fromkeys(Joint, 0)

            def row(
                task: str,
                structure: str,
                metric: str,
                value: float,
                group: str,
                image: str = image,
                patient: str = patient,
            ) -> ResultRow:
                model = bones if task == "bones" else erosion
                names = (image, patient, structure, metric)
                return ResultRow(task, model, 3, "carpus", data, "test", *names, value, group)

            for bone in Bone:
                group = of_image
                if bone.name in Joint.__members__:
                    group = "BE" if scores[Joint[bone.name]] else "nonBE"
                dice = chance.uniform(0.8, 1)
                values = {"dsc": dice, "nsd": dice - 0.1, "voe": 1 - dice, "msd": 9 * (1 - dice), "ravd": 0.1}
                rows += [row("bones", bone.abbreviation, metric, value, group) for metric, value in values.items()]
            for pair in OVERLAP_PAIRS:
                for metric in ("dsc", "nsd"):
                    rows.append(row("bones", pair_name(pair), metric, chance.uniform(0, 1), of_image))
            for joint, score in scores.items():
                group = "BE" if score else "nonBE"
                probability = float(np.clip(chance.normal(0.3 + 0.3 * bool(score), 0.2), 0, 1))
                answer = {"score": score, "probability": probability, "cut": 0.5}
                rows += [row("erosion", joint.abbreviation, metric, value, group) for metric, value in answer.items()]
        return results_frame(rows)

    return make


@pytest.fixture(scope="session")
def results(make_results: Callable[..., pl.DataFrame]) -> pl.DataFrame:
    return make_results()
