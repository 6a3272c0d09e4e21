"""The way to a Ray cluster."""

from typing import Any

from carpus.errors import InputError


def connect(address: str | None) -> Any:
    """The module `ray`, connected to a cluster; shut it down after use.

    Args:
        address: Of the cluster; None for the one that the environment names, else a local one.

    Raises:
        InputError: Ray is not installed, or no cluster answers.
    """
    try:
        import ray
    except ModuleNotFoundError:
        raise InputError("Ray is not installed; install it with: pip install 'carpus[ray]'") from None
    try:
        ray.init(address=address, log_to_driver=False, include_dashboard=False, configure_logging=False)
    except (ConnectionError, RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"no Ray cluster answers at {address or 'this machine'} ({reason}); start one") from None
    return ray
