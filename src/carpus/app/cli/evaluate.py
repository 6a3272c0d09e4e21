"""`carpus evaluate`: a trained network, or anybody's masks, against a dataset."""

import json
from pathlib import Path
from typing import Annotated

import typer

from carpus.app.console import progress
from carpus.data.layout import Split


def evaluate(
    run: Annotated[
        Path, typer.Argument(help="Folder of a training, or with --masks of packed planes.", show_default=False)
    ],
    data: Annotated[Path, typer.Option(help="Folder of the dataset.", show_default=False)],
    split: Annotated[Split, typer.Option(help="Split to evaluate on.")] = Split.TEST,
    masks: Annotated[
        bool, typer.Option("--masks", help="RUN holds masks IDENTIFIER.png: 16 bits, bit i = bone i.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the tables as JSON.")] = False,
) -> None:
    """Score predictions with every metric of the paper, and write RUN/results.csv.

    Example: carpus evaluate runs/unet --data phantoms --split test
    """
    from carpus.app.tables import print_tables
    from carpus.data.reader import read_dataset
    from carpus.data.results import write_results
    from carpus.report.tables import all_tables, tables_as_dict
    from carpus.training.scoring import score_bone_folder

    dataset = read_dataset(data)
    with progress("Evaluating") as step:
        if masks:
            results, missing = score_bone_folder(run, dataset, model=run.name, split=split, progress=step)
            write_results(run / "results.csv", results)
            for identifier in missing:
                typer.echo(f"warning: {run} has no mask of {identifier}; it counts as the worst value", err=True)
        else:
            from carpus.training.evaluate import evaluate as evaluate_run

            results = evaluate_run(run, dataset, split=split, progress=step)
    if as_json:
        typer.echo(json.dumps(tables_as_dict(results), indent=2))
    else:
        print_tables(all_tables(results))
        typer.echo(f"Results: {run / 'results.csv'}")
