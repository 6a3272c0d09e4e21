"""What a dataset holds, as tables for the page."""

from collections.abc import Sequence

import pandas as pd

from carpus.anatomy import SVDH_SCORES, Joint
from carpus.data.layout import Split
from carpus.data.split_audit import SplitAudit
from carpus.data.statistics import CentreImages, Statistics
from carpus.report.published import published_imaging, published_scores


def dataset_tables(statistics: Statistics, images: Sequence[CentreImages] = ()) -> dict[str, pd.DataFrame]:
    """Heading to table: images, people, how the splits were drawn, and the paper's Tables 6 and 7 beside ours.

    Args:
        statistics: Of the dataset.
        images: Of each centre; without them Table 6 is left out.
    """
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
    by_split = pd.DataFrame(
        {
            "images with masks": statistics.bones,
            "images with scores": statistics.erosion,
            "patients": statistics.patients_by_split,
            "patients if both tasks are learnt at once": statistics.splits.safe,
        }
    ).T
    tables = {
        "Images and patients by split": by_split,
        "People": pd.DataFrame({"": people}),
        "Patients by split, as the paper aims (70/10/20), and their eroded joints": _shares(statistics.splits),
        "Patients by split of the bones (rows) and of the erosion task (columns)": _crossing(statistics.splits),
        "Scores of the images with masks (Table 7a; in brackets the paper's)": _scores(statistics.bone_scores, "bones"),
        "Scores of the scoring task (Table 7b; in brackets the paper's)": _scores(statistics.erosion_scores, "erosion"),
    }
    if images:
        tables["Images by centre"] = images_table(images)
        tables["How the paper's centres made their radiographs (Table 6)"] = published_imaging().replace("", "not told")
    return tables


def scores_table(counts: dict[str, dict[str, dict[int, int]]], task: str) -> pd.DataFrame:
    """A row a split, score and joint: how many wrists have that score here and in the paper's Table 7.

    Args:
        counts: Of `Statistics`.
        task: `bones` (7a) or `erosion` (7b).
    """
    paper = published_scores(task)
    rows = [
        (split.value, score, joint.abbreviation, counts[split.value][joint.abbreviation][score])
        for split in Split
        for score in SVDH_SCORES
        for joint in Joint
    ]
    table = pd.DataFrame(rows, columns=["split", "score", "joint", "wrists"])
    table["paper"] = [int(paper[joint].get((split, score), 0)) for split, score, joint, _ in rows]
    return table


def images_table(images: Sequence[CentreImages]) -> pd.DataFrame:
    """A row a centre: images, their size in pixels, bits a pixel, pixel size."""
    return pd.DataFrame(
        {
            each.centre: {
                "images": str(len(each.sizes)),
                "width (px)": _range([width for width, _ in each.sizes]),
                "height (px)": _range([height for _, height in each.sizes]),
                "bits a pixel": ", ".join(map(str, each.bits)),
                "resolution (mm/px)": "unknown" if each.spacing_mm is None else f"{each.spacing_mm:g}",
            }
            for each in images
        }
    ).T


def _shares(audit: SplitAudit) -> pd.DataFrame:
    return pd.DataFrame(
        {
            f"{share.task} {share.split}": {
                "patients": str(share.patients),
                "images": str(share.images),
                "share": f"{100 * share.share:.1f} %",
                "aim": f"{100 * share.expected:.0f} %",
                "eroded": "none scored" if share.eroded is None else f"{100 * share.eroded:.1f} %",
                "in two splits": str(sum(share.split in splits for splits in audit.leaks[share.task].values())),
            }
            for share in audit.shares
        }
    ).T


def _crossing(audit: SplitAudit) -> pd.DataFrame:
    names = [*(split.value for split in Split), "-"]
    rows = [*names, *(row for row in audit.crossing if row not in names)]
    more = dict.fromkeys(each for counts in audit.crossing.values() for each in counts if each not in names)
    return pd.DataFrame(
        [[audit.crossing.get(row, {}).get(column, 0) for column in [*names, *more]] for row in rows],
        index=rows,
        columns=[*names, *more],
    )


def _scores(counts: dict[str, dict[str, dict[int, int]]], task: str) -> pd.DataFrame:
    table = scores_table(counts, task)
    table["text"] = [f"{own} ({paper})" for own, paper in zip(table["wrists"], table["paper"], strict=True)]
    table["row"] = [f"{split} {score}" for split, score in zip(table["split"], table["score"], strict=True)]
    some = table.groupby("row")[["wrists", "paper"]].transform("sum").sum(axis=1) > 0
    shown = table[some].pivot_table(index="row", columns="joint", values="text", aggfunc="first", sort=False)
    shown.index.name = shown.columns.name = None
    return shown


def _range(values: list[int]) -> str:
    ordered = sorted(values)
    low, middle, high = ordered[0], ordered[len(ordered) // 2], ordered[-1]
    return str(low) if low == high else f"{low} to {high}, median {middle}"


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{name}: {count}" for name, count in counts.items())
