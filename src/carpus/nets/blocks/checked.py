"""A library's network that refuses, in our words, the input sizes it cannot take."""

from collections.abc import Callable

from jaxtyping import Float
from torch import Tensor, nn


class Checked(nn.Module):
    """A network whose input is looked at first."""

    def __init__(self, network: nn.Module, check: Callable[[Float[Tensor, "b c h w"]], None]) -> None:
        """Keeps both.

        Args:
            network: Takes images, gives logits.
            check: Raises InputError at images that the network cannot take.
        """
        super().__init__()
        self.network = network
        self.check = check

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b classes ..."]:
        """The logits of the network."""
        self.check(x)
        logits: Tensor = self.network(x)
        return logits
