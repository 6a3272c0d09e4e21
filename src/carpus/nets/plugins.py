"""Networks that other installed packages add, by Python entry points.

A package names its builders in its own `pyproject.toml`:

    [project.entry-points."carpus.segmenters"]
    MyNet = "my_package:my_net"

and `SEGMENTERS["MyNet"]` calls `my_net(in_channels=..., classes=...)`; classifiers go to `carpus.classifiers`.
Nothing of the package is imported before its network is built.
"""

from collections.abc import Callable, Collection
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points

from torch import nn

from carpus.errors import InputError

Builder = Callable[..., nn.Module]


def imported_late(place: str) -> Builder:
    """The builder at `module:function`, imported when it is first called: some bring along 0.4 GB of libraries."""
    module, _, function = place.partition(":")

    def build(**options: object) -> nn.Module:
        network: nn.Module = getattr(import_module(module), function)(**options)
        return network

    return build


def plugged_in(group: str, *, taken: Collection[str]) -> dict[str, Builder]:
    """The builders of a group by name, in alphabetical order; a name that is taken keeps its own network.

    Args:
        group: `carpus.segmenters` or `carpus.classifiers`.
        taken: Names that cannot be added again.
    """
    found = sorted(entry_points(group=group), key=lambda point: point.name)
    return {point.name: _late(point) for point in found if point.name not in taken}


def _late(point: EntryPoint) -> Builder:
    def build(**options: object) -> nn.Module:
        try:
            builder = point.load()
        except (ImportError, AttributeError) as error:
            raise InputError(
                f"network {point.name} of the installed package behind {point.value} cannot be imported ({error}); "
                "repair or remove that package"
            ) from error
        network: nn.Module = builder(**options)
        return network

    return build
