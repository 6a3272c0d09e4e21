"""How a network is trained: a frozen, typed recipe, kept as readable YAML.

The recipes in the package are `recipes/<flavour>/<network>.yaml`. A flavour states an intent:

- `carpus`: what a careful engineer would do, at the paper's input sizes;
- `demo`: the same, small enough for two CPU cores and a few minutes;
- `quick`: `demo` cut down further, to see that everything runs.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import field
from difflib import get_close_matches
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic
import yaml
from pydantic.dataclasses import dataclass

from carpus.errors import InputError

_MAX_BYTES = 100_000
_CONFIG = pydantic.ConfigDict(extra="forbid")


@dataclass(frozen=True, config=_CONFIG)
class Augmentation:
    """How far a training image may be changed. Nothing is ever flipped: sides are anatomy.

    Attributes:
        scale: Largest relative change of size.
        rotate_deg: Largest rotation in degrees, either way.
        shift: Largest shift as a fraction of the image.
        gamma: Largest change of the exponent, as a natural logarithm.
        contrast: Largest relative change of contrast and of brightness.
        noise: Largest standard deviation of added noise, as a fraction of the range.
    """

    scale: float = 0.12
    rotate_deg: float = 12.0
    shift: float = 0.08
    gamma: float = 0.3
    contrast: float = 0.15
    noise: float = 0.03


@dataclass(frozen=True, config=_CONFIG)
class Recipe:
    """Everything that decides a training, besides the data.

    Attributes:
        name: The flavour's name, for tables.
        task: `bones` (14 overlapping masks) or `erosion` (SvdH above 0, one joint's region at a time).
        net: Name in `SEGMENTERS` or `CLASSIFIERS`.
        net_options: Options of the network beyond its channels.
        image_size: Edge in pixels of the square input.
        mirror_left: Whether left hands are flipped to right.
        epochs: Passes over the training split.
        batch_size: Images a step.
        lr: Peak of the one-cycle schedule.
        weight_decay: Of AdamW.
        bone_prior: Probability of each bone at every pixel from which an untrained network starts; 0.5 leaves it as
            it was built. Bones cover a few per cent of the image, and a network that starts there learns much sooner.
        seed: Of weights, order and augmentation.
        augmentation: How training images are changed.
    """

    name: str
    task: Literal["bones", "erosion"]
    net: str
    net_options: dict[str, Any] = field(default_factory=dict)
    image_size: pydantic.PositiveInt = 512
    mirror_left: bool = True
    epochs: pydantic.PositiveInt = 100
    batch_size: pydantic.PositiveInt = 8
    lr: pydantic.PositiveFloat = 1e-3
    weight_decay: pydantic.NonNegativeFloat = 1e-2
    bone_prior: Annotated[float, pydantic.Field(gt=0, lt=1)] = 0.05
    seed: int = 3407
    augmentation: Augmentation = field(default_factory=Augmentation)


_RECIPE = pydantic.TypeAdapter(Recipe)


def named_recipe(net: str, flavour: str) -> Recipe:
    """The package's recipe for a network in a flavour.

    Raises:
        InputError: Unknown; the message lists the flavours or the networks there are.
    """
    root = resources.files("carpus.training") / "recipes"
    flavours = sorted(entry.name for entry in root.iterdir() if entry.is_dir())
    if flavour not in flavours:
        raise InputError(f"recipe {flavour!r} is unknown; {_nearest(flavour, flavours)}")
    nets = sorted(entry.name.removesuffix(".yaml") for entry in (root / flavour).iterdir())
    if net not in nets:
        raise InputError(f"network {net!r} has no recipe {flavour!r}; {_nearest(net, nets)}")
    return _parse((root / flavour / f"{net}.yaml").read_text("utf-8"), f"recipe {flavour}/{net}")


def read_recipe(path: Path) -> Recipe:
    """The recipe from a YAML file of the user's.

    Raises:
        InputError: Missing, too large, not YAML, or a wrong field; the message names the nearest right one.
    """
    if not path.is_file():
        raise InputError(f"{path} does not exist; give a recipe file or a flavour such as demo")
    if path.stat().st_size > _MAX_BYTES:
        raise InputError(f"{path} is larger than {_MAX_BYTES} bytes; expected a recipe in YAML")
    try:
        return _parse(path.read_text("utf-8"), str(path))
    except UnicodeDecodeError:
        raise InputError(f"{path} is not text; expected a recipe in YAML") from None


def with_settings(recipe: Recipe, settings: Sequence[str]) -> Recipe:
    """The recipe with fields changed, each given as `field=value`, such as `augmentation.noise=0.1`.

    Raises:
        InputError: Not of that form, an unknown field, or a value of the wrong type.
    """
    values = dataclasses.asdict(recipe)
    for setting in settings:
        name, sign, text = setting.partition("=")
        if not sign:
            raise InputError(f"setting {setting!r} is not of the form field=value, such as epochs=20")
        *path, last = name.strip().split(".")
        target = values
        for key in path:
            if not isinstance(target.get(key), dict):
                raise InputError(f"recipe has no field {name!r}; {_nearest(name, list(values))}")
            target = target[key]
        target[last] = _yaml(text, f"setting {setting!r}")
    return _recipe(values, "recipe")


def to_yaml(recipe: Recipe) -> str:
    """The recipe as YAML text, every field spelled out."""
    return yaml.safe_dump(dataclasses.asdict(recipe), sort_keys=False)


def _parse(text: str, where: str) -> Recipe:
    return _recipe(_yaml(text, where), where)


def _yaml(text: str, where: str) -> Any:
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise InputError(f"{where} is not YAML ({' '.join(str(error).split())})") from None
    if isinstance(value, str):
        try:
            return float(value)  # YAML 1.1 reads 3e-4 as text
        except ValueError:
            return value
    return value


def _recipe(values: Any, where: str) -> Recipe:
    try:
        return _RECIPE.validate_python(values)
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        *path, name = [str(part) for part in first["loc"]] or ["recipe"]
        if first["type"] == "unexpected_keyword_argument":
            kind = Augmentation if path == ["augmentation"] else Recipe
            known = [item.name for item in dataclasses.fields(kind)]
            raise InputError(f"{where} has no field {name!r}; {_nearest(name, known)}") from None
        field_name = ".".join([*path, name])
        raise InputError(f"{where}: {field_name} is {first['input']!r}; {first['msg'].lower()}") from None


def _nearest(name: str, known: Sequence[str]) -> str:
    close = get_close_matches(name, known, n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else f"expected one of {', '.join(known)}"
