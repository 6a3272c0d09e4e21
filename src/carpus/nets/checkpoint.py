"""A trained network in one safetensors file: weights, and in its header what is needed to build and use it.

No pickle: reading a checkpoint from a stranger runs none of their code.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
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
_MOST_MEMBERS = 16
_OWN = {"recipe", "seed", "provenance"}
"""What networks that are joined may differ in."""


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
        members: How many networks alike it holds; their outputs before any sigmoid are averaged.
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
    members: int = 1
    provenance: dict[str, Any] = field(default_factory=dict)


class Averaged(nn.Module):
    """Networks alike, whose outputs are averaged."""

    def __init__(self, networks: Iterable[nn.Module]) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)

    def forward(self, images: Tensor) -> Tensor:
        """The mean of what each gives."""
        return torch.stack([network(images) for network in self.networks]).mean(dim=0)


def build_network(info: CheckpointInfo) -> nn.Module:
    """The network that `info` describes, with fresh weights; of several members, their average.

    Raises:
        InputError: An unknown network, or options that it does not have.
    """
    known = SEGMENTERS if info.task == "bones" else CLASSIFIERS
    if info.net not in known:
        raise InputError(f"network {info.net!r} is unknown; {nearest(info.net, list(known))}")
    try:
        networks = [
            known[info.net](in_channels=info.in_channels, classes=info.classes, **info.net_options)
            for _ in range(info.members)
        ]
        return networks[0] if info.members == 1 else Averaged(networks)
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


def join_checkpoints(path: Path, parts: Sequence[Path], *, half: bool = False) -> None:
    """Writes one checkpoint whose answer is the average of several networks alike.

    Args:
        path: The file, by custom `*.safetensors`.
        parts: Checkpoints of networks that differ in nothing but what they learnt; the recipe's name and the seed are
            those of the first, and the provenance of each is kept.
        half: As in `save_checkpoint`.

    Raises:
        InputError: Fewer than two, no checkpoints, or networks that are not alike.
    """
    loaded = [load_checkpoint(part) for part in parts]
    infos = [info for _, info in loaded]
    if len(infos) < 2 or any(info.members > 1 for info in infos):
        raise InputError(f"{len(infos)} checkpoints cannot be joined; give two or more of one network each")
    for other, info in zip(parts[1:], infos[1:], strict=True):
        for name in sorted({known.name for known in fields(info)} - _OWN):
            if getattr(info, name) != getattr(infos[0], name):
                raise InputError(
                    f"{other} differs from {parts[0]} in {name}: {getattr(info, name)} instead of "
                    f"{getattr(infos[0], name)}; join networks that are alike"
                )
    own = [{name: value for name, value in asdict(info).items() if name in _OWN} for info in infos]
    alike = {
        name: value
        for name, value in infos[0].provenance.items()
        if all(info.provenance.get(name) == value for info in infos)
    }
    joined = replace(infos[0], members=len(infos), provenance={**alike, "members": own})
    save_checkpoint(path, Averaged(network for network, _ in loaded), joined, half=half)


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
        if info.members not in range(1, _MOST_MEMBERS + 1):
            raise InputError(f"{path} holds {info.members} networks, expected 1 to {_MOST_MEMBERS}; join fewer")
        return info
    except (SafetensorError, KeyError, TypeError, AttributeError, json.JSONDecodeError) as error:
        raise InputError(f"{path} is no carpus checkpoint ({error}); train one with `carpus train`") from None


def _tensors(network: nn.Module) -> dict[str, Tensor]:
    """Weights and buffers, each once, though a network may hold one under several names."""
    return {**dict(network.named_parameters()), **dict(network.named_buffers())}
