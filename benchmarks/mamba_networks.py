"""Times a network on one image, with our selective scan and with the reference scan of mamba_ssm in its place.

Each side runs in a process of its own, so that peak memory is that side's alone. Both warm up on a smaller image first;
the fastest of the repeated runs counts. Memory is the peak of the whole process, Python and PyTorch included, and what
the run adds to what the process held before it.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import torch

from carpus.nets import CLASSIFIERS, SEGMENTERS
from carpus.nets.blocks.selective_scan import scan_backend, selective_scan
from selective_scan import forget_peak, peak_mib, reference_scan

SIZES = {"UMambaBot": 512, "UMambaEnc": 512, "SwinUMamba": 512, "MedMamba": 224}


def main() -> None:
    """Prints a line for each network."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="*", help=f"names in carpus.nets (default: {' '.join(SIZES)})")
    parser.add_argument("--size", type=int, help="height and width (default: 512 for segmenters, 224 for classifiers)")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="default: %(default)s")
    parser.add_argument("--repeat", type=int, default=3, help="runs of ours (default: %(default)s)")
    parser.add_argument("--repeat-reference", type=int, default=1, help="runs of the reference (default: %(default)s)")
    parser.add_argument("--side", choices=("ours", "reference"), help="this side only, here, as JSON")
    options = parser.parse_args()
    names = options.networks or list(SIZES)
    if unknown := [name for name in names if name not in {**SEGMENTERS, **CLASSIFIERS}]:
        parser.error(f"carpus.nets has no {', '.join(unknown)}; it has {', '.join([*SEGMENTERS, *CLASSIFIERS])}")
    if options.side:
        print(json.dumps(_measure(names[0], options)))
        return
    print(f"one image on the CPU, {options.threads} threads, backend {scan_backend(torch.device('cpu'))}")
    print("network     size    ref s   ours s  ratio  ref MiB  ours MiB  ratio  ref added  ours added  ratio")
    for name in names:
        one, other = (_in_own_process(name, side, options) for side in ("reference", "ours"))
        row = f"{name:11} {one['size']:4.0f} {one['seconds']:8.2f} {other['seconds']:8.3f} "
        row += f"{one['seconds'] / other['seconds']:6.1f} "
        for key, width in (("peak_mib", 8), ("added_mib", 10)):
            row += f"{one[key]:{width}.0f} {other[key]:{width + 1}.0f} {one[key] / other[key]:6.1f} "
        print(row, flush=True)


def _in_own_process(name: str, side: str, options: argparse.Namespace) -> dict[str, float]:
    command = [sys.executable, __file__, name, "--side", side, "--threads", str(options.threads)]
    command += ["--repeat", str(options.repeat), "--repeat-reference", str(options.repeat_reference)]
    command += ["--size", str(options.size)] if options.size else []
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


@torch.inference_mode()
def _measure(name: str, options: argparse.Namespace) -> dict[str, float]:
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    size = options.size or (512 if name in SEGMENTERS else 224)
    build = {**SEGMENTERS, **CLASSIFIERS}[name]
    network = build(in_channels=1, classes=14 if name in SEGMENTERS else 2).eval()
    image = torch.randn(1, 1, size, size)
    with reference_in_place() if options.side == "reference" else nullcontext():
        network(image[..., : size // 4, : size // 4] if name in SEGMENTERS else image)
        forget_peak()
        before = peak_mib()
        seconds = []
        for _ in range(options.repeat_reference if options.side == "reference" else options.repeat):
            start = time.perf_counter()
            network(image)
            seconds.append(time.perf_counter() - start)
    return {"size": size, "seconds": min(seconds), "peak_mib": peak_mib(), "added_mib": peak_mib() - before}


@contextmanager
def reference_in_place() -> Iterator[None]:
    """Puts the reference scan wherever a module has imported ours."""
    users = [
        module
        for name, module in list(sys.modules.items())
        if name.startswith("carpus.") and vars(module).get("selective_scan") is selective_scan
    ]
    for module in users:
        module.selective_scan = reference_scan  # type: ignore[attr-defined]
    try:
        yield
    finally:
        for module in users:
            module.selective_scan = selective_scan  # type: ignore[attr-defined]


if __name__ == "__main__":
    main()
