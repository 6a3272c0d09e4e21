"""`carpus export`: a trained network as an ONNX file."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from carpus.app.console import stop_unless_free


def export(
    checkpoint: Annotated[
        Path, typer.Argument(help="A model.safetensors, or the folder of a training.", show_default=False)
    ],
    out: Annotated[Path, typer.Argument(help="The ONNX file to write.", show_default=False)],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing file.")] = False,
) -> None:
    """Write a trained network as an ONNX file, checked with ONNX Runtime before it is kept.

    Needs the extra onnx. The checkpoint's notes (task, classes, image size, cut) are kept in the file's metadata.

    Example: carpus export runs/unet unet.onnx
    """
    from carpus.nets.checkpoint import load_checkpoint
    from carpus.nets.onnx import export_onnx
    from carpus.training.fit import MODEL_FILE

    stop_unless_free(out, overwrite=overwrite)
    network, info = load_checkpoint(checkpoint / MODEL_FILE if checkpoint.is_dir() else checkpoint)
    error = export_onnx(
        network,
        out,
        image_size=info.image_size,
        in_channels=info.in_channels,
        metadata={"carpus": json.dumps(asdict(info))},
    )
    typer.echo(f"{info.net} ({info.task}), within {error:.0e} of PyTorch: {out}")
