"""What a checkpoint says of the network that a recipe trains."""

from carpus.nets.checkpoint import CheckpointInfo
from carpus.training.recipe import Recipe


def network_info(recipe: Recipe, *, trained_on: str = "") -> CheckpointInfo:
    """The network of a recipe, without a cut and without provenance.

    Args:
        recipe: How it is trained.
        trained_on: `phantom` or `patients`.
    """
    return CheckpointInfo(
        task=recipe.task,
        net=recipe.net,
        net_options=recipe.net_options,
        classes=recipe.classes,
        image_size=recipe.image_size,
        mirror_left=recipe.mirror_left,
        cut=None,
        trained_on=trained_on,
        recipe=recipe.name,
        seed=recipe.seed,
        in_channels=recipe.in_channels,
        contralateral=recipe.contralateral,
        joint_input=recipe.joint_input,
        head=recipe.head,
    )
