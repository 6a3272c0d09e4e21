"""The report's page put together from runs, a dataset and a reading on disk."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import polars as pl
from matplotlib.figure import Figure

from carpus.anatomy import Bone, Joint
from carpus.data.dataset import Dataset
from carpus.data.reader import read_masks as reference_masks
from carpus.data.reader import read_radiograph
from carpus.data.results import BASELINES, PREDICTIONS_FOLDER, RESULTS_FILE, read_results
from carpus.data.statistics import Statistics, dataset_statistics, images_by_centre
from carpus.errors import InputError
from carpus.imaging.files import read_plane
from carpus.report import figures
from carpus.report.dataset_files import dataset_figures
from carpus.report.dataset_tables import dataset_tables
from carpus.report.erosion_tables import erosion_runs
from carpus.report.figure_data import run_names
from carpus.report.page import CasePanel, ReportPage

_HISTORY = "history.csv"


def collect(runs: Sequence[Path], *, title: str, dataset: Dataset | None = None) -> ReportPage:
    """A page of everything that the runs left: results, training curves, and test cases if the dataset is given.

    Args:
        runs: Folders of evaluated trainings, or results files.
        title: Of the page.
        dataset: That the runs were evaluated on.

    Raises:
        InputError: A run without results, or results that cannot be read.
    """
    results, histories = [], {}
    cases: tuple[CasePanel, ...] = ()
    for run in runs:
        frame = results_of(run)
        results.append(frame)
        history = run / _HISTORY
        if history.is_file():
            histories[_name(frame)] = _read_history(history)
        if dataset is not None and run.is_dir() and not cases:
            cases = case_panels(run, frame, dataset)
    # Runs on one dataset bring along the same baseline.
    together = pl.concat(results).unique(maintain_order=True)
    if together.is_empty():
        raise InputError("the runs hold no results; evaluate them with `carpus evaluate` first")
    statistics = dataset_statistics(dataset) if dataset else None
    return ReportPage(
        title=title,
        results=together,
        histories=histories,
        statistics=dataset_tables(statistics, images_by_centre(dataset)) if dataset and statistics else {},
        cases=cases,
        drawn=_drawn(runs, together, dataset, statistics, cases) if dataset and statistics else {},
        is_phantom=dataset.is_phantom if dataset else False,
    )


def results_of(run: Path) -> pl.DataFrame:
    """The results table of an evaluated training's folder, or of a file.

    Raises:
        InputError: There is none, or it cannot be read.
    """
    return read_results(run / RESULTS_FILE if run.is_dir() else run)


def case_panels(run: Path, results: pl.DataFrame, dataset: Dataset) -> tuple[CasePanel, ...]:
    """The best, the middle and the worst case of a run by mean DSC of the bones."""
    bones = [bone.abbreviation for bone in Bone]
    own = _of_the_model(results).filter(pl.col("metric") == "dsc", pl.col("structure").is_in(bones))
    means = own.group_by("image", "split").agg(pl.col("value").filter(~pl.col("value").is_nan()).mean()).drop_nulls()
    order = means.sort("value", pl.col("image").cast(pl.String), descending=[True, False]).rows()
    known = {str(case.id): case for case in dataset.cases}
    panels = []
    chosen = sorted({0, len(order) // 2, len(order) - 1}) if len(order) else []
    for place, words in zip(chosen, ("best", "middle", "worst"), strict=False):
        image, split, mean = order[place]
        plane = run / PREDICTIONS_FOLDER / split / f"{image}.png"
        if image not in known or not plane.is_file():
            continue
        case = known[image]
        reference = reference_masks(case)
        height, width = reference.shape
        predicted = read_plane(plane).resized(height=height, width=width)
        caption = f"The {words} of {len(order)} by the mean DSC of its bones: {mean:.3f}."
        pixels = read_radiograph(case).pixels
        panels.append(CasePanel(image, pixels, reference, predicted, caption, is_phantom=dataset.is_phantom))
    return tuple(panels)


def _drawn(
    runs: Sequence[Path], results: pl.DataFrame, dataset: Dataset, statistics: Statistics, cases: Sequence[CasePanel]
) -> dict[str, Figure]:
    """The figures that need the dataset: who is in it, what the models drew, what they said of joints."""
    made = dataset_figures(dataset, statistics)
    shown = [_as_drawn(case, runs, results) for case in cases]
    if shown and shown[0].predicted:
        made["segmentation"] = figures.segmentation_errors(shown, is_phantom=dataset.is_phantom)
    answered = _answered(results, dataset)
    if answered:
        made["joints"] = figures.joint_answers(answered, is_phantom=dataset.is_phantom)
    return made


def _as_drawn(panel: CasePanel, runs: Sequence[Path], results: pl.DataFrame) -> figures.SegmentationCase:
    """One image as every run with predictions of it drew it."""
    height, width = panel.reference.shape
    predicted, dsc = {}, {}
    for run in runs:
        for plane in sorted(run.glob(f"{PREDICTIONS_FOLDER}/*/{panel.title}.png")):
            name = _name(results_of(run)).partition(" (")[0]
            name = name if name not in predicted else f"{name} ({run.name})"
            predicted[name] = read_plane(plane).resized(height=height, width=width)
            own = results.filter(
                pl.col("model") == name, pl.col("image") == panel.title, pl.col("metric") == "dsc"
            ).filter(pl.col("structure").is_in([bone.abbreviation for bone in Bone]), pl.col("value").is_finite())
            if len(own):
                dsc[name] = float(own["value"].to_numpy().mean())
    return figures.SegmentationCase(panel.title, panel.pixels, panel.reference, predicted, dsc)


def _answered(results: pl.DataFrame, dataset: Dataset, *, most: int = 3) -> list[figures.JointCase]:
    """The wrists with the highest scores among those that every erosion run was asked about."""
    found = erosion_runs(results)
    if not found:
        return []
    names = run_names([run for run, _ in found])
    known = {str(case.id): case for case in dataset.cases if case.boxes and case.scores}
    asked = set.intersection(*(set(joints["image"].to_list()) for _, joints in found)) & set(known)
    worst = sorted(asked, key=lambda image: (-max((known[image].scores or {}).values()), image))[:most]
    shown = []
    for image in worst:
        case = known[image]
        answers = {}
        for name, (_, joints) in zip(names, found, strict=True):
            rows = joints.filter(pl.col("image") == image).unique("structure", keep="first").iter_rows(named=True)
            said = {row["structure"]: figures.JointAnswer(row["probability"], row["cut"]) for row in rows}
            answers[name] = {joint: said[joint.abbreviation] for joint in Joint if joint.abbreviation in said}
        pixels = read_radiograph(case).pixels
        shown.append(figures.JointCase(image, pixels, case.boxes, case.scores or {}, answers))
    return shown


def _of_the_model(results: pl.DataFrame) -> pl.DataFrame:
    """The rows without those of the baseline, which lie in the same file, unless there are no others."""
    own = results.filter(~pl.col("model").cast(pl.String).is_in(BASELINES))
    return own if len(own) else results


def _name(results: pl.DataFrame) -> str:
    row = _of_the_model(results).row(0, named=True)
    return f"{row['model']} ({row['task']})"


def _read_history(path: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(path)
    except (ValueError, pd.errors.ParserError) as error:
        raise InputError(f"{path} is not a table of epochs ({error}); train the network again") from None
