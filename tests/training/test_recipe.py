from importlib import resources
from pathlib import Path

import pytest

from carpus.errors import InputError
from carpus.training.recipe import Recipe, named_recipe, read_recipe, to_yaml, with_settings

SHIPPED = [
    (path.parent.name, path.stem)
    for path in sorted(Path(str(resources.files("carpus.training"))).glob("recipes/*/*.yaml"))
    if path.stem not in ("bones", "erosion")
]


@pytest.mark.parametrize(("flavour", "net"), SHIPPED)
def test_every_recipe_of_the_package_is_valid_and_named_after_its_place(flavour: str, net: str) -> None:
    recipe = named_recipe(net, flavour)
    assert (recipe.name, recipe.net) == (flavour, net)


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
