"""The `carpus` command. Nothing heavy is imported before a command needs it."""

import sys

import typer

from carpus.app.cli import bench, compare, data, demo, evaluate, export, nets, read, report, reproduce, train
from carpus.errors import InputError

_TORCH_EXTRA = {
    "lightning",
    "monai",
    "pydantic",
    "safetensors",
    "segmentation_models_pytorch",
    "timm",
    "torch",
    "torchvision",
}

app = typer.Typer(
    name="carpus",
    help="Reads wrist radiographs in rheumatoid arthritis, and measures how well.",
    epilog="Start with: carpus demo",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(demo.demo)
app.add_typer(data.app, name="data")
app.command()(train.train)
app.command()(reproduce.reproduce)
app.command()(evaluate.evaluate)
app.command()(bench.bench)
app.command()(compare.compare)
app.command()(report.report)
app.command()(read.read)
app.command()(nets.nets)
app.command()(export.export)


@app.callback(invoke_without_command=True)
def _top(version: bool = typer.Option(False, "--version", help="Print the version and stop.")) -> None:
    if version:
        from importlib.metadata import version as installed

        typer.echo(f"carpus {installed('carpus')}")
        raise typer.Exit


def main() -> None:
    """Runs the command line; unusable input ends with one sentence on standard error and status 2."""
    try:
        app()
    except InputError as error:
        message = " ".join(str(error).split())
        sys.exit(_stop(f"Error: {message}" if message.endswith("?") else f"Error: {message}."))
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _TORCH_EXTRA:
            raise
        sys.exit(_stop("Error: this command needs PyTorch; install it with: pip install 'carpus[torch]'."))


def _stop(message: str) -> int:
    print(message, file=sys.stderr)
    return 2
