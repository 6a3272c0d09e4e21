"""How a network is trained: a frozen, typed recipe, kept as readable YAML.

The recipes in the package are `recipes/<flavour>/<network>.yaml`. A flavour states an intent:

- `carpus`: what a careful engineer would do, at the paper's input sizes;
- `paper`: what the authors of the benchmark did, its defects named in docs/training.md;
- `demo`: the same, small enough for two CPU cores and a few minutes;
- `quick`: `demo` cut down further, to see that everything runs;
- `shipped`: what made the weights that come with carpus, from synthetic wrists drawn on the fly.

A recipe may build on another: `base: carpus/SwinUMamba` takes that recipe of the package, and the fields beside it
replace its own.
"""

import dataclasses
import re
from collections.abc import Sequence
from dataclasses import field
from importlib import resources
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic
import yaml
from pydantic.dataclasses import dataclass

from carpus.anatomy import SVDH_SCORES, Bone
from carpus.data.erosion_inputs import input_channels
from carpus.errors import InputError, nearest

_MAX_BYTES = 100_000
_MAX_BASES = 5
_CONFIG = pydantic.ConfigDict(extra="forbid", allow_inf_nan=False)
_BASES = ("bones", "erosion")


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
        source: `dataset`; or `phantom`: synthetic wrists that are drawn while it trains, each once.
        epoch_items: Wrists of an epoch from `phantom`.
        decoys: Part of the images of bones from `phantom` that show no wrist from its back, without carpal bones to
            outline.
        epochs: Passes over the training split, at most.
        batch_size: Images a step, of all processes together; of erosion from `phantom`, wrists with six joints each.
        lr: Peak of the schedule.
        schedule: `one_cycle` climbs to the peak and falls to nothing; `cosine` and `poly` fall from the peak, once an
            epoch.
        final_lr: Where `cosine` and `poly` end, as a fraction of the peak.
        weight_decay: Of AdamW.
        clip_norm: Longest gradient of a step; null for no limit.
        ema: Weight of the past in the running average of weights that is validated and kept, such as 0.99; 0 keeps the
            last weights themselves.
        precision: `float32`; `bfloat16`, or `float16` on a GPU, where it is safe (a CPU computes such a recipe in
            `float32`); `auto` is `bfloat16` on a GPU or a CPU (AVX-512) that has instructions for it, and `float32`
            elsewhere.
        watch: Whose best value in validation decides which epoch is kept: the `metric` (mean Dice, area under the ROC)
            or the `loss`.
        patience: Epochs without a better value after which the training stops early; 0 never stops early.
        loss: Of bones: `bce_dice`, or `raw_dice`, the authors'. Erosion has weighted cross-entropy.
        eroded_weight: How many healthy joints an eroded one counts for in the loss; null for as many as there are to
            each eroded one.
        imbalance: How the rarity of erosion is met: `weighted` by `eroded_weight`; `logit_adjusted`, each answer
            shifted in training by the logarithm of the odds of erosion; or `balanced`, as many eroded joints in each
            batch as healthy ones. With each, a network judges the image as if both were as frequent.
        head: Of erosion: `binary`, eroded or not; or `corn`, the SvdH score by five conditional questions.
        joint_input: Whether the network is told which joint it sees.
        contralateral: Whether the network sees the same joint of the other hand as well.
        bone_prior: Probability of each bone at every pixel from which an untrained network starts; 0.5 leaves it as
            it was built. Bones cover a few per cent of the image, and a network that starts there learns much sooner.
        seed: Of weights, order and augmentation.
        augmenter: `carpus`, or `paper`, the authors', which has no settings.
        augmentation: How training images are changed by `carpus`.
    """

    name: str
    task: Literal["bones", "erosion"]
    net: str
    net_options: dict[str, Any] = field(default_factory=dict)
    image_size: pydantic.PositiveInt = 512
    mirror_left: bool = True
    source: Literal["dataset", "phantom"] = "dataset"
    epoch_items: pydantic.PositiveInt = 1024
    decoys: Annotated[float, pydantic.Field(ge=0, lt=1)] = 0.0
    epochs: pydantic.PositiveInt = 100
    batch_size: pydantic.PositiveInt = 8
    lr: pydantic.PositiveFloat = 1e-3
    schedule: Literal["one_cycle", "cosine", "poly"] = "one_cycle"
    final_lr: Annotated[float, pydantic.Field(ge=0, le=1)] = 0.0
    weight_decay: pydantic.NonNegativeFloat = 1e-2
    clip_norm: pydantic.PositiveFloat | None = 1.0
    ema: Annotated[float, pydantic.Field(ge=0, lt=1)] = 0.0
    precision: Literal["auto", "float32", "bfloat16", "float16"] = "float32"
    watch: Literal["metric", "loss"] = "metric"
    patience: pydantic.NonNegativeInt = 0
    loss: Literal["bce_dice", "raw_dice"] = "bce_dice"
    eroded_weight: pydantic.PositiveFloat | None = None
    imbalance: Literal["weighted", "logit_adjusted", "balanced"] = "weighted"
    head: Literal["binary", "corn"] = "binary"
    joint_input: bool = False
    contralateral: bool = False
    bone_prior: Annotated[float, pydantic.Field(gt=0, lt=1)] = 0.05
    seed: pydantic.NonNegativeInt = 3407
    augmenter: Literal["carpus", "paper"] = "carpus"
    augmentation: Augmentation = field(default_factory=Augmentation)

    @property
    def classes(self) -> int:
        """Output channels of the network."""
        if self.task == "bones":
            return len(Bone)
        return 2 if self.head == "binary" else SVDH_SCORES[-1]

    @property
    def in_channels(self) -> int:
        """Input channels of the network."""
        if self.task == "bones":
            return 1
        return input_channels(contralateral=self.contralateral, joint_input=self.joint_input)


_RECIPE = pydantic.TypeAdapter(Recipe)
_RECIPES = resources.files("carpus.training") / "recipes"


def named_recipe(net: str, flavour: str) -> Recipe:
    """The package's recipe for a network in a flavour.

    Raises:
        InputError: Unknown; the message lists the flavours or the networks there are.
    """
    flavours = sorted({known for known, _ in _shipped_names()})
    if flavour not in flavours:
        raise InputError(f"recipe {flavour!r} is unknown; {nearest(flavour, flavours)}")
    names = [name for known, name in _shipped_names() if known == flavour]
    nets = [name for name in names if name not in _BASES]
    if net in nets:
        return _parse(_shipped(flavour, net), f"recipe {flavour}/{net}")
    if (task := _task_of_plugin(net)) in names:
        return _recipe({**_shipped_values(f"{flavour}/{task}"), "net": net}, f"recipe {flavour}/{task}")
    raise InputError(f"network {net!r} has no recipe {flavour!r}; {nearest(net, nets)}")


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
                raise InputError(f"recipe has no field {name!r}; {nearest(key, list(target))}")
            target = target[key]
        target[last] = _yaml(text, f"setting {setting!r}")
    return _recipe(values, "recipe")


def to_yaml(recipe: Recipe) -> str:
    """The recipe as YAML text, every field spelled out."""
    return yaml.safe_dump(dataclasses.asdict(recipe), sort_keys=False)


def _parse(text: str, where: str) -> Recipe:
    return _recipe(_with_base(_yaml(text, where), where), where)


def _with_base(values: Any, where: str, depth: int = 0) -> Any:
    """The values with those of their base below them."""
    if not isinstance(values, dict) or "base" not in values:
        return values
    base = values["base"]
    if depth == _MAX_BASES:
        raise InputError(f"{where} builds on more than {_MAX_BASES} others; write it out")
    below = _with_base(_shipped_values(base), f"recipe {base}", depth + 1)
    own = {name: value for name, value in values.items() if name != "base"}
    if isinstance(own.get("augmentation"), dict):
        own["augmentation"] = {**below.get("augmentation", {}), **own["augmentation"]}
    return {**below, **own}


def _shipped_values(name: object) -> dict[str, Any]:
    flavour, _, net = str(name).partition("/")
    values: dict[str, Any] = _yaml(_shipped(flavour, net), f"recipe {name}")
    return values


def _shipped(flavour: str, name: str) -> str:
    """The text of a recipe of the package."""
    known = _shipped_names()
    if (flavour, name) not in known:
        raise InputError(
            f"recipe {flavour}/{name} is unknown; {nearest(f'{flavour}/{name}', ['/'.join(n) for n in known])}"
        )
    return (_RECIPES / flavour / f"{name}.yaml").read_text("utf-8")


def _shipped_names() -> list[tuple[str, str]]:
    folders = [folder for folder in _RECIPES.iterdir() if folder.is_dir()]
    return sorted((folder.name, file.name.removesuffix(".yaml")) for folder in folders for file in folder.iterdir())


def _task_of_plugin(net: str) -> str:
    """`bones` or `erosion` for a network that another package adds; empty if nobody knows it."""
    groups = {"bones": "carpus.segmenters", "erosion": "carpus.classifiers"}
    return next((task for task, group in groups.items() if net in entry_points(group=group).names), "")


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
        kind = Augmentation if path == ["augmentation"] else Recipe
        if first["type"] == "unexpected_keyword_argument":
            known = [item.name for item in dataclasses.fields(kind)]
            raise InputError(f"{where} has no field {name!r}; {nearest(name, known)}") from None
        field_name = ".".join([*path, name])
        advice = first["msg"].lower()
        if first["type"] == "literal_error":
            advice = nearest(str(first["input"]), re.findall("'([^']+)'", first["ctx"]["expected"]))
        raise InputError(f"{where}: {field_name} is {first['input']!r}; {advice}") from None
