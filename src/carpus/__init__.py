"""carpus reads wrist radiographs in rheumatoid arthritis, and measures how well.

The commands of the command line are functions of the same names; nothing is imported before it is used:

- `carpus.demo(out)`: the whole path from nothing to a report;
- `carpus.train(recipe, dataset, run)`, `carpus.evaluate(run, dataset)`;
- `carpus.read("hand.dcm")`: one film to a `WristReading`;
- `carpus.read_dataset("RAM-W600")`: a dataset as typed cases, to choose from and to look into;
- `carpus.data`, `carpus.nets` and `carpus.report`: the packages behind the commands of these names, such as
  `carpus.data.check.check_dataset`.

Example:
    >>> import carpus
    >>> carpus.anatomy.Bone.LUNATE.label
    'Lunate'
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from carpus.app.demo import run_demo as demo
    from carpus.data.reader import read_dataset
    from carpus.inference.reading import read
    from carpus.training.evaluate import evaluate
    from carpus.training.fit import train

__all__ = ["demo", "evaluate", "read", "read_dataset", "train"]

_FUNCTIONS = {
    "demo": ("carpus.app.demo", "run_demo"),
    "evaluate": ("carpus.training.evaluate", "evaluate"),
    "read": ("carpus.inference.reading", "read"),
    "read_dataset": ("carpus.data.reader", "read_dataset"),
    "train": ("carpus.training.fit", "train"),
}
_ROOMS = {"anatomy", "data", "imaging", "metrics", "nets", "phantom", "report", "stats"}


def __getattr__(name: str) -> Any:
    if name in _FUNCTIONS:
        module, function = _FUNCTIONS[name]
        return getattr(import_module(module), function)
    if name in _ROOMS:
        return import_module(f"carpus.{name}")
    raise AttributeError(f"module 'carpus' has no attribute {name!r}")
