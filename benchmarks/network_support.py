"""Says what each network can be turned into: exported, compiled, written as ONNX, run in bfloat16.

Prints a table in Markdown. Each cell is tried on this machine's CPU, on the whole network with random weights and one
image of 64 x 64 pixels, and holds the largest difference of a logit relative to the largest logit, or what went wrong.
`compile` is `torch.compile` with one graph for the whole network; `--inductor` also generates code for it, which needs
a C++ compiler and minutes a network.
"""

import argparse
import inspect
import tempfile
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from carpus.nets import CLASSIFIERS, SEGMENTERS
from carpus.nets.onnx import export_onnx

SIZE = 64


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="*", help="by default all")
    parser.add_argument("--inductor", action="store_true", help="compile to machine code")
    options = parser.parse_args()
    known = {**SEGMENTERS, **CLASSIFIERS}
    if unknown := set(options.networks) - set(known):
        parser.error(f"no network {', '.join(sorted(unknown))}; choose from {', '.join(known)}")
    backend = "inductor" if options.inductor else "aot_eager"
    print(f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads\n")
    print(f"| network | torch.export | torch.compile ({backend}) | ONNX | bfloat16 |")
    print("|---|---|---|---|---|")
    for name in options.networks or known:
        build = known[name]
        fixed = {"image_size": SIZE} if "image_size" in inspect.signature(build).parameters else {}
        torch.manual_seed(0)
        network = build(in_channels=1, classes=14 if name in SEGMENTERS else 2, **fixed).eval()
        image = torch.randn(1, 1, SIZE, SIZE)
        tries = (_exported, _compiled(backend), _written, _in_bfloat16)
        with torch.no_grad():
            cells = [_cell(attempt, network, image, network(image)) for attempt in tries]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def _cell(
    attempt: Callable[[nn.Module, Tensor, Tensor], float], network: nn.Module, image: Tensor, logits: Tensor
) -> str:
    try:
        return f"{attempt(network, image, logits):.0e}"
    except Exception as error:
        return f"no: {type(error).__name__}: {str(error).splitlines()[0][:80]}"


def _exported(network: nn.Module, image: Tensor, logits: Tensor) -> float:
    return _distance(torch.export.export(network, (image,)).module()(image), logits)


def _compiled(backend: str) -> Callable[[nn.Module, Tensor, Tensor], float]:
    def attempt(network: nn.Module, image: Tensor, logits: Tensor) -> float:
        torch._dynamo.reset()
        return _distance(torch.compile(network, backend=backend, fullgraph=True)(image), logits)

    return attempt


def _written(network: nn.Module, _image: Tensor, _logits: Tensor) -> float:
    with tempfile.TemporaryDirectory() as folder:
        return export_onnx(network, Path(folder) / "network.onnx", image_size=SIZE)


def _in_bfloat16(network: nn.Module, image: Tensor, logits: Tensor) -> float:
    with torch.autocast("cpu", torch.bfloat16):
        return _distance(network(image), logits)


def _distance(found: Tensor, expected: Tensor) -> float:
    return float((found.float() - expected).abs().max() / expected.abs().max())


if __name__ == "__main__":
    main()
