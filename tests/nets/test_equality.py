"""Networks written here give the numbers that the benchmark's own implementation gave with the same weights.

Each file in `golden/` holds what was recorded once: the reference implementation and its revision, the shape of the
input, and the output at some places. Weights and input follow from seeds (see `conftest.py`).
"""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from carpus.nets import CLASSIFIERS, SEGMENTERS

GOLDEN = sorted((Path(__file__).parent / "golden").glob("*.json"))
RELATIVE = 1e-4


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_outputs_are_those_of_the_reference_implementation(path: Path, filled, seeded_image) -> None:
    golden = json.loads(path.read_text("utf-8"))
    build = {**SEGMENTERS, **CLASSIFIERS}[golden["network"]]
    network = build(in_channels=golden["input"][1], classes=golden["classes"], **golden.get("options", {}))
    network = filled(network, seed=golden["seed"]).eval()
    with torch.no_grad():
        output = network(seeded_image(*golden["input"], seed=golden["seed"])).numpy()
    assert list(output.shape) == golden["output"]
    expected = np.array(golden["values"])
    error = np.abs(output.ravel()[golden["places"]] - expected).max() / np.abs(expected).max()
    assert error < RELATIVE
