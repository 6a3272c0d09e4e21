"""`carpus compare`: is B better than A."""

import json
from pathlib import Path
from typing import Annotated, Literal

import typer


def compare(
    a: Annotated[Path, typer.Argument(help="Evaluated training, or results file.", show_default=False)],
    b: Annotated[Path, typer.Argument(help="The same of the other model; may be the same file.", show_default=False)],
    task: Annotated[
        Literal["bones", "erosion"] | None, typer.Option(help="By default the one that A is about.")
    ] = None,
    metric: Annotated[
        str | None,
        typer.Option(help="bones: dsc, nsd, voe, msd, ...; erosion: bacc, f1, sen, spc, auroc, auroc_within."),
    ] = None,
    model_a: Annotated[str | None, typer.Option(help="Which model, if A holds several.")] = None,
    model_b: Annotated[str | None, typer.Option(help="Which model, if B holds several.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer and the numbers as JSON.")] = False,
) -> None:
    """Say whether B is better than A, on which bones, by how much, and how sure that is.

    The same images are compared, patient by patient: intervals from a bootstrap over patients, Wilcoxon's test on one
    value a patient, corrected by Holm's method for the number of bones.

    Example: carpus compare runs/unet runs/swinumamba --metric nsd

    Example: carpus compare all.parquet all.parquet --model-a Unet --model-b SwinUMamba
    """
    from carpus.app.pages import results_of
    from carpus.app.tables import print_tables
    from carpus.errors import InputError
    from carpus.metrics import METRICS
    from carpus.report.comparison import choose_run, compare_bones, compare_erosion

    first, second = results_of(a), results_of(b)
    tasks = [name for name in ("bones", "erosion") if name in first["task"].unique().to_list()]
    if not tasks:
        raise InputError(f"{a} has results of neither bones nor erosion; evaluate a model with `carpus evaluate`")
    chosen = task or tasks[0]
    pair = (
        choose_run(first, task=chosen, model=model_a, source=str(a)),
        choose_run(second, task=chosen, model=model_b, source=str(b)),
    )
    if chosen == "bones":
        known = [name for name, each in METRICS.items() if each.task == "bones"]
        if metric is not None and metric not in known:
            raise InputError(f"metric {metric!r} is not one of bones, expected {', '.join(known)}; give one of them")
        found = compare_bones(*pair, metric=metric or "dsc")
    else:
        found = compare_erosion(*pair, metric=metric or "bacc")
    if as_json:
        typer.echo(json.dumps({"answer": found.sentence, **found.table.as_dict()}, indent=2))
        return
    typer.echo(found.sentence)
    print_tables([found.table])
