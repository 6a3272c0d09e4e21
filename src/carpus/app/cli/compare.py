"""`carpus compare`: is B better than A."""

import json
from pathlib import Path
from typing import Annotated, Literal

import typer


def compare(
    a: Annotated[Path, typer.Argument(help="Evaluated training, or results file.", show_default=False)],
    b: Annotated[
        Path | None,
        typer.Argument(help="The same of the other model; left out if A holds both.", show_default=False),
    ] = None,
    task: Annotated[
        Literal["bones", "erosion"] | None, typer.Option(help="By default the one that A is about.")
    ] = None,
    metric: Annotated[
        str | None,
        typer.Option(help="bones: dsc, nsd, voe, msd, ...; erosion: bacc, f1, sen, spc, auroc, auroc_within."),
    ] = None,
    model_a: Annotated[str | None, typer.Option(help="Which model, if A holds several.")] = None,
    model_b: Annotated[str | None, typer.Option(help="Which model, if B holds several.")] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Also write the answer: .html, .md, .tex, .csv; of bones .svg, .pdf, .png too."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing file.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer and the numbers as JSON.")] = False,
) -> None:
    """Say whether B is better than A, on which bones, by how much, and how sure that is.

    The same images are compared, patient by patient: intervals from a bootstrap over patients, Wilcoxon's test on one
    value a patient, corrected by Holm's method for the number of bones.

    The first line is the answer. "No difference can be shown" means that the interval includes 0: not that both are
    equally good, but that these patients cannot tell. A difference of one bone counts if its P (Holm) is below 0.05.
    Phantoms are not compared with patients, nor one split with another.

    Example: carpus compare runs/unet runs/swinumamba --metric nsd

    Example: carpus compare all.parquet --model-a Unet --model-b SwinUMamba

    Example: carpus compare runs/resnet runs/medmamba --metric auroc_within --out answer.md
    """
    from carpus.app.console import stop_unless_free
    from carpus.app.pages import results_of
    from carpus.app.tables import print_tables
    from carpus.errors import InputError
    from carpus.metrics import METRICS
    from carpus.report.comparison import choose_run, compare_bones, compare_erosion
    from carpus.report.comparison_files import check_format, write_comparison

    if out is not None:
        check_format(out)
        stop_unless_free(out, overwrite=overwrite)
    first = results_of(a)
    second = first if b is None else results_of(b)
    tasks = [name for name in ("bones", "erosion") if name in first["task"].unique().to_list()]
    if not tasks:
        raise InputError(f"{a} has results of neither bones nor erosion; evaluate a model with `carpus evaluate`")
    chosen = task or tasks[0]
    pair = (
        choose_run(first, task=chosen, model=model_a, source=str(a)),
        choose_run(second, task=chosen, model=model_b, source=str(b or a)),
    )
    if b is None and pair[0][0] == pair[1][0]:
        raise InputError(f"A and B are both {pair[0][0].model!r} of {a}, expected two; give B, or another --model-b")
    if chosen == "bones":
        known = [name for name, each in METRICS.items() if each.task == "bones"]
        if metric is not None and metric not in known:
            raise InputError(f"metric {metric!r} is not one of bones, expected {', '.join(known)}; give one of them")
        found = compare_bones(*pair, metric=metric or "dsc")
    else:
        found = compare_erosion(*pair, metric=metric or "bacc")
    if out is not None:
        write_comparison(out, found)
    if as_json:
        typer.echo(json.dumps({"answer": found.sentence, **found.table.as_dict()}, indent=2))
        return
    typer.echo(found.sentence)
    print_tables([found.table])
