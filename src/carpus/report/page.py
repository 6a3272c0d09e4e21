"""The report: one HTML file that shows everything and fetches nothing."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from io import BytesIO
from itertools import groupby
from pathlib import Path

import cv2
import jinja2
import numpy as np
import pandas as pd
import polars as pl
from jaxtyping import Shaped
from markupsafe import Markup
from matplotlib.figure import Figure

from carpus.anatomy import Bone, Joint
from carpus.errors import InputError
from carpus.files import new_file, new_folder
from carpus.imaging.geometry import Box, resize
from carpus.imaging.intensity import to_8_bits
from carpus.imaging.masks import BoneMasks
from carpus.report import figures
from carpus.report.breakdown import rank_shares
from carpus.report.cells import Column, Table, number_text
from carpus.report.comparison import Comparison
from carpus.report.exports import PHANTOM_LINE, table_as_csv, table_as_latex, table_as_markdown, tables_as_latex
from carpus.report.figure_data import (
    differences_of_bones,
    joint_confusions,
    reliability_curves,
    run_names,
    score_counts,
    scored_probabilities,
    values_of_bones,
    values_of_patients,
)
from carpus.report.layers import bone_shapes, layer_name
from carpus.report.overlay import (
    BONE_COLOURS,
    PREDICTED_COLOUR,
    REFERENCE_COLOUR,
    draw_box,
    hex_colour,
)
from carpus.report.published import published_confusions
from carpus.report.tables import BOOTSTRAP_SEED, all_tables
from carpus.report.templating import template_environment

_FILM_PX = 1000
_OF_PIXELS = ("segmentation", "joints")
"""Figures that hold radiographs: as SVG they would be several times as large."""
_DPI = 220
_JPEG = (
    cv2.IMWRITE_JPEG_QUALITY,
    90,
    cv2.IMWRITE_JPEG_OPTIMIZE,
    1,
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
)


@dataclass(frozen=True, eq=False)
class CasePanel:
    """One test image with its bones.

    Attributes:
        title: What it is called, such as its identifier.
        pixels: `(h, w)` of 8 or 16 bits.
        reference: The bones as they are.
        predicted: The bones as found, on the same grid.
        caption: One sentence, such as how well it went.
        is_phantom: Whether the image is synthetic.
    """

    title: str
    pixels: Shaped[np.ndarray, "h w"]
    reference: BoneMasks
    predicted: BoneMasks
    caption: str = ""
    is_phantom: bool = True


@dataclass(frozen=True)
class JointReading:
    """What a classifier says of one joint: eroded if the probability, 0 to 1, is at or above the cut."""

    joint: Joint
    probability: float
    cut: float


@dataclass(frozen=True, eq=False)
class ReadingPanel:
    """One film as it was read.

    Attributes:
        source: The film's name.
        side: The side of the body in words, and how it is known.
        film: `(h, w)` of the whole film, 8 or 16 bits.
        wrist: Where the wrist was found, in px of `film`.
        crop: `(h, w)` of the wrist, as the bones are drawn on it.
        masks: The bones found, on the grid of `crop`.
        joints: One a scored joint that was read.
        warnings: What a reader must know first, one sentence each, in plain words.
        is_phantom: Whether the film is synthetic.
    """

    source: str
    side: str
    film: Shaped[np.ndarray, "h w"]
    wrist: Box
    crop: Shaped[np.ndarray, "h2 w2"]
    masks: BoneMasks
    joints: tuple[JointReading, ...] = ()
    warnings: tuple[str, ...] = ()
    is_phantom: bool = False


@dataclass(frozen=True, eq=False)
class ReportPage:
    """What goes into a report; a section without content is left out.

    Attributes:
        title: The heading.
        results: A results table, see `carpus.data.results`; may have no rows.
        histories: Name of a training to its epochs, see `carpus.report.figures.training_curves`.
        statistics: Heading to table, about the dataset; printed as they are, with their index.
        comparisons: Of two models each, shown first.
        cases: Test images to look at.
        reading: A film that was read.
        drawn: Further figures by name: `cohort`, `splits`, `score_counts`, `segmentation`, `joints`.
        provenance: How it was made: recipe, seed, versions, commit, hardware.
        is_phantom: Whether the dataset is synthetic, for a report that has no results yet.
    """

    title: str
    results: pl.DataFrame
    histories: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    statistics: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    comparisons: tuple[Comparison, ...] = ()
    cases: tuple[CasePanel, ...] = ()
    drawn: Mapping[str, Figure] = field(default_factory=dict)
    reading: ReadingPanel | None = None
    provenance: Mapping[str, str] = field(default_factory=dict)
    is_phantom: bool = False


def write_report(path: Path, page: ReportPage, *, replicates: int = 10_000) -> None:
    """Writes the report as one HTML file, complete or not at all. The same content gives the same file.

    Args:
        path: The HTML file.
        page: Its content.
        replicates: Of the bootstrap behind the intervals.

    Raises:
        InputError: The results contradict themselves, masks do not fit their image, or the disk is full.
    """
    html = _environment().get_template("report.html").render(_context(page, replicates=replicates))
    with new_file(path) as draft:
        draft.write_text(html, encoding="utf-8")


def write_report_folder(path: Path, page: ReportPage, *, replicates: int = 10_000) -> None:
    """Writes the report in every form into a folder, complete or not at all.

    These are `index.html`, `report.md`, `report.tex` for pdflatex, and each table and figure by itself:
    `tables/*.csv`, `tables/*.tex`, `figures/*.svg` and `figures/*.pdf`.

    Args:
        path: The folder; one that is there is replaced.
        page: Its content.
        replicates: Of the bootstrap behind the intervals.

    Raises:
        InputError: As `write_report`.
    """
    tables = all_tables(page.results, replicates=replicates)
    with new_folder(path) as draft:
        write_report(draft / "index.html", page, replicates=replicates)
        marked = [f"**{PHANTOM_LINE}**\n"] if page.is_phantom else []
        texts = [f"# {page.title}\n", *marked, *(table_as_markdown(table) for table in tables)]
        (draft / "report.md").write_text("\n".join(texts), encoding="utf-8")
        (draft / "report.tex").write_text(
            tables_as_latex(tables, title=page.title, is_phantom=page.is_phantom), encoding="utf-8"
        )
        (draft / "tables").mkdir()
        for table in tables:
            (draft / "tables" / f"{table.name}.csv").write_text(table_as_csv(table), encoding="utf-8")
            (draft / "tables" / f"{table.name}.tex").write_text(table_as_latex(table), encoding="utf-8")
        for name, figure in report_figures(page, tables).items():
            for suffix in ("svg", "pdf"):
                figures.write_figure(draft / "figures" / f"{name}.{suffix}", figure)


def _environment() -> jinja2.Environment:
    environment = template_environment()
    environment.filters["number"] = number_text
    environment.filters["plain"] = _plain
    environment.filters["groups"] = _groups
    return environment


def _context(page: ReportPage, *, replicates: int) -> dict[str, object]:
    tables = all_tables(page.results, replicates=replicates)
    erosion = [table for table in tables if table.name.startswith("table_5")]
    boxes = [table for table in tables if table.name == "joint_boxes"]
    bones = [table for table in tables if table not in (*erosion, *boxes)]
    rows_are_phantoms = page.results["data"] != "patients"
    reading = page.reading
    compared = {row.source for each in page.comparisons for row in each.table.rows}
    script = (files("carpus.report") / "templates" / "report.js").read_text(encoding="utf-8")
    return {
        # The page's policy allows this one script, by its hash, and none that results may bring along.
        "script": Markup(script),  # noqa: S704
        "script_hash": base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        "page": page,
        "comparisons": [(each, _compared(each)) for each in page.comparisons],
        "is_phantom": page.is_phantom
        or bool(rows_are_phantoms.any())
        or "PHANTOM" in compared
        or any(case.is_phantom for case in page.cases)
        or (reading is not None and reading.is_phantom),
        "has_patients": bool((~rows_are_phantoms).any())
        or "patients" in compared
        or any(not case.is_phantom for case in page.cases)
        or (reading is not None and not reading.is_phantom),
        "bone_tables": bones,
        "erosion_tables": erosion,
        "box_tables": boxes,
        "figures": {name: _inlined(name, figure) for name, figure in report_figures(page, tables).items()},
        "cases": [_case(case) for case in page.cases],
        "reading": None if reading is None else _reading(reading),
        "bone_legend": [
            (layer_name(bone), bone.abbreviation, bone.label, hex_colour(BONE_COLOURS[bone])) for bone in Bone
        ],
        "reference_colour": hex_colour(REFERENCE_COLOUR),
        "predicted_colour": hex_colour(PREDICTED_COLOUR),
    }


def comparison_figure(comparison: Comparison) -> Figure | None:
    """The differences bone by bone; None for a comparison of anything else."""
    differences = differences_of_bones(comparison)
    if not differences:
        return None
    names = run_names([comparison.second, comparison.first])
    return figures.paired_differences(
        differences,
        first=names[0],
        second=names[1],
        metric=comparison.metric,
        is_phantom=comparison.first.is_phantom,
    )


def report_figures(page: ReportPage, tables: tuple[Table, ...]) -> dict[str, Figure]:
    """Every figure that the page's content allows, by name."""
    names = {table.name: table for table in tables}
    is_phantom = page.is_phantom or bool((page.results["data"] != "patients").any())
    made = dict(page.drawn)
    if page.histories:
        histories = {
            name: {str(column): list(frame[column]) for column in frame} for name, frame in page.histories.items()
        }
        made["histories"] = figures.training_curves(histories, is_phantom=is_phantom)
    if "table_8" in names:
        values = values_of_bones(page.results, metric="dsc")
        made["bones"] = figures.bone_spreads(values, metric="dsc", is_phantom=is_phantom)
        made["bone_means"] = figures.bone_dots([names["table_8"], names["table_9"]])
        ranked = rank_shares(page.results, metric="dsc", seed=BOOTSTRAP_SEED)
        standings = [
            figures.Standing(name, cell, shares)
            for name, (_, cell, shares) in zip(run_names([run for run, _, _ in ranked]), ranked, strict=True)
        ]
        made["leaderboard"] = figures.leaderboard(standings, metric="dsc", is_phantom=is_phantom)
        patients = values_of_patients(page.results, metric="dsc")
        made["patients"] = figures.patient_ranges(patients, metric="dsc", is_phantom=is_phantom)
    if "table_4_centres" in names:
        table = names["table_4_centres"]
        made["centres"] = figures.part_dots(table, table.columns[0])
    if "table_5" in names:
        by_joint = joint_confusions(page.results)
        matrices = [(name, own["All"]) for name, own in by_joint.items()]
        matrices += [(f"{name}, paper", counts) for name, counts in published_confusions().items()]
        made["confusion_joints"] = figures.confusion_by_joint(by_joint, is_phantom=is_phantom)
        curves = reliability_curves(page.results)
        made["calibration"] = figures.calibration_curves(curves, is_phantom=is_phantom)
        answers = scored_probabilities(page.results)
        chance = np.random.default_rng(0)
        made["scores"] = figures.reference_scores(score_counts(page.results), is_phantom=is_phantom)
        made["confusion"] = figures.confusion_matrices(matrices, is_phantom=is_phantom)
        made["probabilities"] = figures.probabilities_by_score(answers, is_phantom=is_phantom, generator=chance)
    return made


def _compared(comparison: Comparison) -> Markup | None:
    figure = comparison_figure(comparison)
    return None if figure is None else _inlined("comparison", figure)


def _inlined(name: str, figure: Figure) -> Markup:
    if name not in _OF_PIXELS:
        return Markup(figures.svg(figure))  # noqa: S704 (Matplotlib escapes what it is given)
    file = BytesIO()
    figure.savefig(file, format="png", dpi=_DPI)
    picture = cv2.imdecode(np.frombuffer(file.getvalue(), np.uint8), cv2.IMREAD_COLOR_RGB)
    return Markup('<img src="{}" alt="{}">').format(_picture(np.asarray(picture)), name)


def _case(case: CasePanel) -> dict[str, object]:
    return {
        "case": case,
        "film": _layered(case.pixels, case.reference, case.predicted),
        "reference": bone_shapes(case.reference),
        "predicted": bone_shapes(case.predicted),
    }


def _layered(pixels: Shaped[np.ndarray, "h w"], *masks: BoneMasks) -> dict[str, object]:
    """A radiograph that bones are laid over: its picture, once, and its size in px."""
    for each in masks:
        if each.shape != pixels.shape:
            raise InputError(
                f"radiograph is {pixels.shape} and masks are {each.shape}, expected one size; resize the masks"
            )
    height, width = pixels.shape
    return {"picture": _picture(pixels), "height": height, "width": width}


def _reading(reading: ReadingPanel) -> dict[str, object]:
    factor = min(1.0, _FILM_PX / max(reading.film.shape))
    height, width = (max(1, round(edge * factor)) for edge in reading.film.shape)
    film = resize(reading.film, height=height, width=width)
    return {
        "panel": reading,
        "film": _picture(draw_box(film, reading.wrist.scaled(factor))),
        "crop": _layered(reading.crop, reading.masks),
        "shapes": bone_shapes(reading.masks),
        "found": sum(bool(reading.masks.mask(bone).any()) for bone in Bone),
    }


def _picture(pixels: Shaped[np.ndarray, "h w ..."]) -> str:
    """The picture as a data address.

    JPEG of a quality at which nothing is seen to be lost: PNG takes four times as much.
    """
    shown = pixels if pixels.dtype == np.uint8 else to_8_bits(pixels)
    shown = shown if shown.ndim == 2 else cv2.cvtColor(shown, cv2.COLOR_RGB2BGR)
    _, jpeg = cv2.imencode(".jpg", shown, _JPEG)
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg.tobytes()).decode()}"


def _groups(columns: tuple[Column, ...]) -> list[tuple[str, int]]:
    """Runs of neighbouring columns with one group, and how many each has."""
    return [(group, len(list(own))) for group, own in groupby(columns, key=lambda column: column.group)]


def _plain(value: object) -> str:
    """A value of a table that comes as it is: whole numbers as such, others with three decimals."""
    if isinstance(value, float | np.floating):
        return f"{value:.0f}" if float(value).is_integer() else number_text(float(value), 3)
    return str(value)
