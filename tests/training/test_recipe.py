import dataclasses
from importlib import resources
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import pytest

from carpus.errors import InputError
from carpus.nets.cards import CARDS
from carpus.training import recipe as recipe_module
from carpus.training.recipe import Recipe, named_recipe, read_recipe, to_yaml, with_settings

SHIPPED = [
    (path.parent.name, path.stem)
    for path in sorted(Path(str(resources.files("carpus.training"))).glob("recipes/*/*.yaml"))
    if path.stem not in ("bones", "erosion")
]


@pytest.mark.parametrize(("flavour", "net"), SHIPPED)
def test_every_recipe_of_the_package_is_valid_and_named_after_its_place(flavour: str, net: str) -> None:
    found = named_recipe(net, flavour)
    assert (found.name, found.net) == (flavour, net)


@pytest.mark.parametrize("flavour", ["paper", "carpus", "quick"])
def test_every_network_of_the_benchmark_has_a_recipe(flavour: str) -> None:
    assert {net for known, net in SHIPPED if known == flavour} == set(CARDS)
    for net, card in CARDS.items():
        recipe = named_recipe(net, flavour)
        assert recipe.task == ("bones" if card.kind == "segmentation" else "erosion")
        assert flavour == "quick" or recipe.image_size == card.image_size


@pytest.mark.parametrize(
    ("net", "batch_size", "lr", "mirror_left"), [("SwinUMamba", 8, 1e-4, True), ("MedMamba", 16, 1e-6, False)]
)
def test_the_papers_recipe_has_the_papers_values(net: str, batch_size: int, lr: float, mirror_left: bool) -> None:
    recipe = named_recipe(net, "paper")
    assert (recipe.batch_size, recipe.lr, recipe.epochs, recipe.seed) == (batch_size, lr, 100, 3407)
    assert (recipe.weight_decay, recipe.schedule, recipe.final_lr) == (1e-2, "cosine", 0.01)
    assert (recipe.mirror_left, recipe.patience, recipe.watch) == (mirror_left, 10, "loss")


def test_a_recipe_builds_on_one_of_the_package(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("base: carpus/SwinUMamba\nname: mine\naugmentation: {noise: 0.5}\n")
    shipped, mine = named_recipe("SwinUMamba", "carpus"), read_recipe(path)
    assert (mine.net, mine.lr, mine.name) == ("SwinUMamba", shipped.lr, "mine")
    assert (mine.augmentation.noise, mine.augmentation.scale) == (0.5, shipped.augmentation.scale)
    path.write_text("base: carpus/SwinUMamb\n")
    with pytest.raises(InputError, match="did you mean 'carpus/SwinUMamba'"):
        read_recipe(path)
    path.write_text("base: ../../secrets\n")
    with pytest.raises(InputError, match="is unknown"):
        read_recipe(path)


def test_a_network_of_another_package_has_the_recipe_of_its_task(monkeypatch: pytest.MonkeyPatch) -> None:
    added = EntryPoint("Theirs", "theirs:build", "carpus.segmenters")
    monkeypatch.setattr(
        recipe_module, "entry_points", lambda group: EntryPoints([added] if group == "carpus.segmenters" else [])
    )
    theirs, ours = named_recipe("Theirs", "paper"), named_recipe("Unet", "paper")
    assert theirs == dataclasses.replace(ours, net="Theirs")


def test_a_recipe_survives_its_yaml(tmp_path: Path) -> None:
    recipe = named_recipe("Unet", "demo")
    (tmp_path / "mine.yaml").write_text(to_yaml(recipe))
    assert read_recipe(tmp_path / "mine.yaml") == recipe


def test_fields_are_changed_by_name() -> None:
    recipe = with_settings(named_recipe("Unet", "demo"), ["lr=3e-4", "epochs=7", "augmentation.noise=0.2"])
    assert (recipe.lr, recipe.epochs, recipe.augmentation.noise) == (3e-4, 7, 0.2)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("epochs", "is not of the form field=value"),
        ("epoch=3", "no field 'epoch'; did you mean 'epochs'"),
        ("augmentation.nois=1", "no field 'nois'; did you mean 'noise'"),
        ("epochs.x=3", "did you mean 'epochs'"),
        ("augmentatoin.noise=3", "did you mean 'augmentation'"),
        ("schedule=cosin", "schedule is 'cosin'; did you mean 'cosine'"),
        ("lr=.inf", "lr is inf; input should be a finite number"),
        ("epochs=-1", "epochs is -1; input should be greater than 0"),
        ("epochs=many", "epochs is 'many'; input should be a valid integer"),
        ("task=teeth", "task is 'teeth'; expected one of bones, erosion"),
        ("net_options={", "is not YAML"),
    ],
)
def test_a_wrong_setting_is_refused_with_the_nearest_right_one(setting: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        with_settings(named_recipe("Unet", "demo"), [setting])


def test_an_unknown_flavour_or_network_is_refused_with_the_nearest() -> None:
    with pytest.raises(InputError, match="recipe 'dmo' is unknown; did you mean 'demo'"):
        named_recipe("Unet", "dmo")
    with pytest.raises(InputError, match="network 'unet' has no recipe 'demo'; did you mean 'Unet'"):
        named_recipe("unet", "demo")


@pytest.mark.parametrize("text", ["", "[1, 2]", "a: b: c", "!!python/object/apply:os.system ['true']", "name: x"])
def test_a_file_that_is_no_recipe_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "bad.yaml").write_text(text)
    with pytest.raises(InputError, match=r"bad\.yaml"):
        read_recipe(tmp_path / "bad.yaml")


def test_a_recipe_cannot_be_changed_in_place() -> None:
    recipe: Recipe = named_recipe("Unet", "demo")
    with pytest.raises(AttributeError):
        recipe.epochs = 3  # type: ignore[misc]
