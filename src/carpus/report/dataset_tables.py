"""What a dataset holds, as tables for the page."""

import pandas as pd

from carpus.anatomy import SVDH_SCORES, Joint
from carpus.data.statistics import Statistics


def dataset_tables(statistics: Statistics) -> dict[str, pd.DataFrame]:
    """Heading to table: images and patients by split, the people, and the scores as in the paper's Table 7."""
    by_split = pd.DataFrame(
        {
            "images with masks": statistics.bones,
            "images with scores": statistics.erosion,
            "patients": statistics.patients_by_split,
        }
    ).T
    people = {
        "images": str(statistics.images),
        "patients": str(statistics.patients),
        "institutions": _listed(statistics.centres),
        "sex": _listed(statistics.sexes),
        "visits": _listed({f"{visits}": count for visits, count in statistics.visits.items()}),
    }
    if statistics.ages:
        youngest, median, oldest = statistics.ages
        people["age in years"] = f"{youngest} to {oldest}, median {median}"
    return {
        "Images and patients by split": by_split,
        "People": pd.DataFrame({"": people}),
        "Scores of the images with masks (the paper's Table 7a)": _scores(statistics.bone_scores),
        "Scores of the scoring task (the paper's Table 7b)": _scores(statistics.erosion_scores),
    }


def _scores(counts: dict[str, dict[str, dict[int, int]]]) -> pd.DataFrame:
    names = [joint.abbreviation for joint in Joint]
    rows = {
        f"{split}, score {score}": [of_joint[name][score] for name in names]
        for split, of_joint in counts.items()
        for score in SVDH_SCORES
        if any(of_joint[name][score] for name in names)
    }
    return pd.DataFrame.from_dict(rows, orient="index", columns=names)


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{name}: {count}" for name, count in counts.items())
