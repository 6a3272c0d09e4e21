"""The weights that come with carpus, so that a film can be read without training anything."""

from importlib import resources
from pathlib import Path


def bundled_weights(task: str) -> Path:
    """The checkpoint that comes with carpus for `bones` or `erosion`."""
    return Path(str(resources.files(__name__) / f"{task}.safetensors"))
