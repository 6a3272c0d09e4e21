"""`carpus evaluate`: a trained network, or anybody's predictions, against a reference."""

import json
import os
from collections.abc import Sequence
from contextlib import nullcontext
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from carpus.app.console import progress, stop_unless_free
from carpus.data.layout import Split
from carpus.errors import InputError

if TYPE_CHECKING:
    import polars as pl

    from carpus.training.answers import Answers

_SHOWN = 10


class Task(Enum):
    """What is predicted."""

    BONES = "bones"
    EROSION = "erosion"
    JOINTS = "joints"


class Grid(Enum):
    """Where bones are compared."""

    PAPER = "512"
    NATIVE = "native"


_OURS, _THEIRS, _BOTH = "A network trained with carpus", "Anybody's predictions", "Both"


def evaluate(
    run: Annotated[
        Path | None, typer.Argument(help="Folder of a training, for a network of carpus.", show_default=False)
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="Folder of the dataset.", show_default=False, rich_help_panel=_OURS)
    ] = None,
    reference: Annotated[
        Path | None,
        typer.Option(
            help="Folder of a dataset; for bones also any folder of masks.", show_default=False, rich_help_panel=_THEIRS
        ),
    ] = None,
    predicted: Annotated[
        Path | None, typer.Option(help="Folder or file of predictions.", show_default=False, rich_help_panel=_THEIRS)
    ] = None,
    task: Annotated[
        Task | None,
        typer.Option(
            help="What is predicted (default: erosion for a table, else bones).",
            show_default=False,
            rich_help_panel=_THEIRS,
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            help="Name for the tables (default: that of --predicted).", show_default=False, rich_help_panel=_THEIRS
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(help="Of the model's training, to tell several apart.", min=0, rich_help_panel=_THEIRS),
    ] = None,
    cut: Annotated[
        float | None,
        typer.Option(
            help="Probability from which on a joint is called eroded (default: the table's own, else 0.5).",
            min=0,
            max=1,
            show_default=False,
            rich_help_panel=_THEIRS,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Results file to write, .parquet or .csv, or a folder that also keeps the masks for the report "
            "(default: none).",
            show_default=False,
            rich_help_panel=_THEIRS,
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an existing results file.", rich_help_panel=_THEIRS)
    ] = False,
    jobs: Annotated[
        int | None,
        typer.Option(
            help="Wrists at a time (default: one a core).", min=1, show_default=False, rich_help_panel=_THEIRS
        ),
    ] = None,
    split: Annotated[Split, typer.Option(help="Split of the dataset.", rich_help_panel=_BOTH)] = Split.TEST,
    size: Annotated[
        Grid | None,
        typer.Option(
            help="Grid to compare bones on: the paper's, or the reference's own (default: 512).",
            show_default=False,
            rich_help_panel=_BOTH,
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the tables as JSON.", rich_help_panel=_BOTH)] = False,
) -> None:
    """Score predictions with every metric of the paper, beside a baseline that looks at no image.

    For a network trained with carpus, give RUN; the results go there:

    Example: carpus evaluate runs/unet --data phantoms --split test

    Anybody's predictions need no training here, and no PyTorch. Bones:

    Example: carpus evaluate --reference RAM-W600 --predicted masks --out runs/mine

    where the folder masks holds, for each wrist, one of these, at any size:

    - IDENTIFIER.npy: (14, height, width), 0/1 or 0/255

    - IDENTIFIER.png: 16 bits a pixel, bit i = bone i

    - IDENTIFIER.dcm: a DICOM Segmentation

    - IDENTIFIER/BONE.png: one mask a bone

    or COCO files (.json) of all wrists: runs (RLE) or polygons.

    Erosion, from a table image,joint,probability[,predicted_score] as CSV or Parquet:

    Example: carpus evaluate --reference RAM-W600 --predicted erosion.csv --cut 0.3

    Boxes of joints, as COCO:

    Example: carpus evaluate --reference RAM-W600 --predicted boxes.json --task joints

    A missing prediction counts as the worst value, and is listed. For bones, the reference can be any folder of masks;
    wrists are paired by identifier.
    """
    from carpus.data.results import PREDICTIONS_FOLDER, RESULTS_FILE, write_results
    from carpus.files import new_folder

    chosen = None if size is Grid.NATIVE else int(Grid.PAPER.value)
    if run is not None:
        theirs: dict[str, object] = {
            "--reference": reference,
            "--predicted": predicted,
            "--task": task,
            "--model": model,
            "--seed": seed,
            "--cut": cut,
            "--out": out,
            "--overwrite": overwrite or None,
            "--jobs": jobs,
        }
        _refuse(theirs, f"the training {run} says that itself; leave it out, or leave out RUN")
        if data is None:
            raise InputError(f"no dataset was given to evaluate {run} on; add --data FOLDER")
        _evaluate_run(run, data, split=split, size=chosen, as_json=as_json)
        return
    if reference is None or predicted is None:
        raise InputError("nothing to evaluate; give RUN and --data, or --reference and --predicted")
    _refuse({"--data": data}, "predictions are compared with --reference; leave it out")
    task = task or (Task.EROSION if predicted.suffix.lower() in (".csv", ".parquet") else Task.BONES)
    if task is not Task.BONES:
        _refuse({"--size": size, "--jobs": jobs}, f"only bones have masks, the task is {task.value}; leave it out")
    if task is not Task.EROSION:
        _refuse({"--cut": cut}, f"only erosion has probabilities, the task is {task.value}; leave it out")
    if out is not None:
        stop_unless_free(out, overwrite=overwrite)
        for source in (reference, predicted):
            if source.resolve().is_relative_to(out.resolve()):
                raise InputError(f"{out} holds {source}, which it would replace; choose another --out")
    name = model or predicted.resolve().stem
    is_folder = out is not None and not out.suffix
    with new_folder(out) if out is not None and is_folder else nullcontext() as draft:
        answers = _score(
            task,
            reference,
            predicted,
            model=name,
            seed=seed,
            split=split,
            size=chosen,
            jobs=jobs or os.cpu_count() or 1,
            cut=cut,
            keep=draft / PREDICTIONS_FOLDER / split.value if draft is not None else None,
        )
        _tell(answers, predicted)
        results = _show(answers, as_json=as_json)
        path = draft / RESULTS_FILE if draft is not None else out
        if path is not None:
            write_results(path, results)
    if out is not None and not as_json:
        typer.echo(f"Results: {out / RESULTS_FILE if is_folder else out}")


def _refuse(options: dict[str, object], reason: str) -> None:
    given = [name for name, value in options.items() if value is not None]
    if given:
        raise InputError(f"{given[0]} does not go with this: {reason}")


def _evaluate_run(run: Path, data: Path, *, split: Split, size: int | None, as_json: bool) -> None:
    from carpus.app.tables import print_tables
    from carpus.data.reader import read_dataset
    from carpus.data.results import RESULTS_FILE
    from carpus.report.tables import all_tables, tables_as_dict
    from carpus.training.evaluate import evaluate as evaluate_run

    dataset = read_dataset(data)
    with progress("Evaluating") as step:
        results = evaluate_run(run, dataset, split=split, size=size, progress=step)
    if as_json:
        typer.echo(json.dumps(tables_as_dict(results), indent=2))
    else:
        print_tables(all_tables(results))
        typer.echo(f"Results: {run / RESULTS_FILE}")


def _score(
    task: Task,
    reference: Path,
    predicted: Path,
    *,
    model: str,
    seed: int | None,
    split: Split,
    size: int | None,
    jobs: int,
    cut: float | None,
    keep: Path | None,
) -> "Answers":
    from carpus.training.answers import score_boxes, score_erosion_answers, score_masks

    match task:
        case Task.EROSION:
            return score_erosion_answers(reference, predicted, model=model, seed=seed, split=split, cut=cut)
        case Task.JOINTS:
            return score_boxes(reference, predicted, model=model, seed=seed, split=split)
    with progress("Comparing") as step:
        return score_masks(
            reference, predicted, model=model, seed=seed, split=split, size=size, jobs=jobs, keep=keep, progress=step
        )


def _tell(answers: "Answers", predicted: Path) -> None:
    if answers.missing:
        typer.echo(
            f"warning: {predicted} has no prediction of {_listed(answers.missing)}; each counts as the worst value",
            err=True,
        )
    if answers.unknown:
        typer.echo(
            f"warning: {predicted} has predictions that the reference does not know: {_listed(answers.unknown)}; they "
            "were left out",
            err=True,
        )
    if answers.no_baseline:
        typer.echo(f"note: there is no baseline: {answers.no_baseline}", err=True)
    if answers.cut is not None:
        typer.echo(f"note: joints of a probability of {answers.cut:g} or more are called eroded", err=True)


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more ({len(names)} in all)" if more > 0 else "")


def _show(answers: "Answers", *, as_json: bool) -> "pl.DataFrame":
    from carpus.app.tables import print_tables
    from carpus.data.results import results_frame
    from carpus.report.tables import all_tables, tables_as_dict

    results = results_frame(answers.rows)
    if as_json:
        typer.echo(json.dumps(tables_as_dict(results), indent=2))
    else:
        print_tables(all_tables(results))
    return results
