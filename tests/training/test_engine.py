import dataclasses
from pathlib import Path
from typing import Literal

import pytest
import torch

from carpus.training.engine import Engine, make_trainer
from carpus.training.recipe import named_recipe


@pytest.mark.parametrize(
    ("flavour", "is_native", "expected"),
    [
        ("carpus", True, "bf16-mixed"),
        ("carpus", False, "32-true"),
        ("paper", True, "32-true"),
        ("quick", True, "32-true"),
    ],
)
def test_only_auto_is_bfloat16_on_a_cpu_and_only_where_the_cpu_has_it(
    flavour: str, is_native: bool, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: is_native)
    trainer = make_trainer(named_recipe("Unet", flavour), tmp_path, Engine(device="cpu"), [], [])
    assert trainer.precision == expected


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_precision_that_is_named_is_kept_on_any_cpu(
    precision: Literal["float32", "bfloat16"], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: precision == "float32")
    recipe = dataclasses.replace(named_recipe("Unet", "carpus"), precision=precision)
    trainer = make_trainer(recipe, tmp_path, Engine(device="cpu"), [], [])
    assert trainer.precision == {"float32": "32-true", "bfloat16": "bf16-mixed"}[precision]
