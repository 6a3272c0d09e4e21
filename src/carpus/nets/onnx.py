"""A network as an ONNX file, checked against PyTorch before it is kept. Needs the extra `onnx`."""

import warnings
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import nn

from carpus.errors import InputError
from carpus.files import new_file

TOLERANCE = 1e-3
"""Largest difference of a logit between ONNX Runtime and PyTorch, relative to the largest logit."""

_OPSET = 20
_NEEDED = "the ONNX export needs more packages; install them with: pip install 'carpus[torch,onnx]'"


def export_onnx(
    network: nn.Module, path: Path, *, image_size: int, in_channels: int = 1, metadata: Mapping[str, str] | None = None
) -> float:
    """Writes the network as one ONNX file and returns how far it is from PyTorch, relative to the largest logit.

    The input `image` is `(1, in_channels, image_size, image_size)` float32 in 0 to 1; the output `logits` is raw.

    Args:
        network: From `SEGMENTERS` or `CLASSIFIERS`.
        path: The file, by custom `*.onnx`.
        image_size: Edge of the image in pixels.
        in_channels: Of the network.
        metadata: Kept in the file.

    Raises:
        InputError: The extra is not installed, or ONNX Runtime's logits differ by more than `TOLERANCE`.
    """
    try:
        import onnx
        import onnxruntime
        import onnxscript  # noqa: F401 - what PyTorch's exporter is made of
    except ImportError:
        raise InputError(_NEEDED) from None
    image = torch.from_numpy(np.random.default_rng(0).random((1, in_channels, image_size, image_size), np.float32))
    network = network.eval()
    with torch.inference_mode():
        expected = network(image).numpy()
    with warnings.catch_warnings():
        # PyTorch's exporter warns of its own innards.
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            network,
            (image,),
            dynamo=True,
            opset_version=_OPSET,
            input_names=["image"],
            output_names=["logits"],
            verbose=False,
        )
    if program is None:
        raise InputError(f"{path} was not written: PyTorch made no ONNX program; use another version of PyTorch")
    model = program.model_proto
    onnx.helper.set_model_props(model, dict(metadata or {}))
    with new_file(path) as draft:
        draft.write_bytes(model.SerializeToString())
        session = onnxruntime.InferenceSession(draft, providers=["CPUExecutionProvider"])
        (found,) = session.run(["logits"], {"image": image.numpy()})
        error = float(np.abs(found - expected).max() / np.abs(expected).max())
        if not error <= TOLERANCE:
            raise InputError(
                f"{path} was not written: its logits differ from PyTorch's by {error:.1e} of the largest, expected at "
                f"most {TOLERANCE:.0e}; use another version of onnxruntime"
            )
    return error
