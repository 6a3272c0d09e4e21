"""A network ready to read."""

from dataclasses import dataclass
from pathlib import Path

from torch import nn

from carpus.data.manifest import sha256_of
from carpus.errors import InputError
from carpus.nets.checkpoint import CheckpointInfo, load_checkpoint


@dataclass(frozen=True, eq=False)
class Model:
    """A network ready to read.

    Attributes:
        network: In evaluation mode.
        info: What its checkpoint says of it.
        sha256: Of the checkpoint.
    """

    network: nn.Module
    info: CheckpointInfo
    sha256: str


def load_model(path: Path, *, task: str) -> Model:
    """The network of a checkpoint, for `bones` or `erosion`.

    Raises:
        InputError: Not a checkpoint, or one for the other task.
    """
    network, info = load_checkpoint(path)
    if info.task != task:
        raise InputError(f"{path} was trained for {info.task}, expected {task}; give the other checkpoint")
    return Model(network, info, sha256_of(path))
