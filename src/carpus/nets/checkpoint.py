"""A trained network in one safetensors file: weights, and in its header what is needed to build and use it.

No pickle: reading a checkpoint from a stranger runs none of their code.
"""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from torch import Tensor, nn

from carpus.errors import InputError, nearest
from carpus.files import new_file
from carpus.nets import CLASSIFIERS, SEGMENTERS

_KEY = "carpus"
_FORMAT = 1
_MAX_BYTES = 4 * 1024**3


@dataclass(frozen=True)
class CheckpointInfo:
    """What a checkpoint says of itself.

    Attributes:
        task: `bones` or `erosion`.
        net: Name in `SEGMENTERS` or `CLASSIFIERS`.
        net_options: Options of the network beyond its channels and classes.
        classes: Output channels or classes.
        image_size: Edge in pixels of the square input it was trained on.
        mirror_left: Whether left hands are flipped to right before the network sees them.
        cut: For a classifier, the probability at or above which it calls a joint eroded; else None.
        trained_on: `phantom` or `patients`.
        recipe: Name of the recipe.
        seed: Seed of the training.
        in_channels: Input channels.
        contralateral: For a classifier, whether a channel shows the same joint of the other hand.
        joint_input: For a classifier, whether channels say which joint it is.
        head: For a classifier, how its outputs are meant; see `carpus.nets.apply.classify`.
        prevalence: For a classifier, how often a joint is eroded where its probabilities hold, whichever joint it is;
            None where joints differ in that, or nobody knows.
        provenance: Anything else worth keeping: versions, data fingerprint, validation figures.
    """

    task: str
    net: str
    net_options: dict[str, Any]
    classes: int
    image_size: int
    mirror_left: bool
    cut: float | None
    trained_on: str
    recipe: str
    seed: int
    in_channels: int = 1
    contralateral: bool = False
    joint_input: bool = False
    head: str = "binary"
    prevalence: float | None = None
    provenance: dict[str, Any] = field(default_factory=dict)


def build_network(info: CheckpointInfo) -> nn.Module:
    """The network that `info` describes, with fresh weights.

    Raises:
        InputError: An unknown network, or options that it does not have.
    """
    known = SEGMENTERS if info.task == "bones" else CLASSIFIERS
    if info.net not in known:
        raise InputError(f"network {info.net!r} is unknown; {nearest(info.net, list(known))}")
    try:
        return known[info.net](in_channels=info.in_channels, classes=info.classes, **info.net_options)
    except (TypeError, ValueError, AssertionError) as error:  # what constructors raise at odd options
        raise InputError(f"network {info.net} cannot be built: {error}; correct net_options") from None


def save_checkpoint(path: Path, network: nn.Module, info: CheckpointInfo, *, half: bool = False) -> None:
    """Writes the weights and `info` as safetensors.

    Args:
        path: The file, by custom `*.safetensors`.
        network: Its state is saved.
        info: Kept in the header.
        half: Whether floating-point weights are rounded to 16 bits, for shipping.
    """
    state = {name: tensor.detach().cpu().contiguous() for name, tensor in _tensors(network).items()}
    if half:
        state = {name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in state.items()}
    header = {_KEY: json.dumps({"format": _FORMAT, **asdict(info)}, sort_keys=True)}
    with new_file(path) as draft:
        draft.write_bytes(save(state, metadata=header))


def load_checkpoint(path: Path) -> tuple[nn.Module, CheckpointInfo]:
    """The network in evaluation mode, in float32 on the CPU, and what the file says of itself.

    Raises:
        InputError: Missing, damaged, not from carpus, or weights that do not fit the network named.
    """
    info = read_checkpoint_info(path)
    network = build_network(info)
    own = _tensors(network)
    try:
        state = load_file(path)
    except SafetensorError as error:
        raise InputError(f"{path} is damaged ({error}); copy it again from its source") from None
    shapes = {name: tensor.shape for name, tensor in state.items()}
    if shapes != {name: tensor.shape for name, tensor in own.items()}:
        raise InputError(f"{path} holds other weights than network {info.net} has; train it again")
    with torch.no_grad():
        for name, tensor in own.items():
            tensor.copy_(state[name])
    return network.eval(), info


def read_checkpoint_info(path: Path) -> CheckpointInfo:
    """What the checkpoint says of itself, without loading the weights.

    Raises:
        InputError: Missing, damaged, or not from carpus.
    """
    if not path.is_file():
        raise InputError(f"{path} does not exist; give a checkpoint that `carpus train` wrote")
    if path.stat().st_size > _MAX_BYTES:
        raise InputError(f"{path} is larger than 4 GiB; expected a checkpoint that `carpus train` wrote")
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads((file.metadata() or {})[_KEY])
        if header.pop("format") != _FORMAT:
            raise InputError(f"{path} has another format of checkpoint; use the carpus version that wrote it")
        info = CheckpointInfo(**header)
        if info.prevalence is not None and not 0 < info.prevalence < 1:
            raise InputError(
                f"{path} gives a prevalence of {info.prevalence}, expected one between 0 and 1; train it again"
            )
        return info
    except (SafetensorError, KeyError, TypeError, AttributeError, json.JSONDecodeError) as error:
        raise InputError(f"{path} is no carpus checkpoint ({error}); train one with `carpus train`") from None


def _tensors(network: nn.Module) -> dict[str, Tensor]:
    """Weights and buffers, each once, though a network may hold one under several names."""
    return {**dict(network.named_parameters()), **dict(network.named_buffers())}
