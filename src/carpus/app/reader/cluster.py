"""Films spread over a Ray cluster, whose machines may come and go."""

from collections.abc import Generator, Sequence

from carpus.app.ray_cluster import connect
from carpus.app.reader.one import Asked, Settings, reader
from carpus.errors import InputError

_TRIES = 3
"""How often Ray begins a film again whose worker was lost."""
_AHEAD = 4
"""Films given to Ray for each core of the cluster at a time."""


def read_on_ray(
    asked: Sequence[Asked], settings: Settings, *, address: str | None
) -> Generator[tuple[Asked, str], None, None]:
    """Each film with why it could not be read, or nothing, in the order in which they end.

    Every machine must see films, checkpoints and outputs under the same path. A process of a worker loads the networks
    once. A film whose worker or machine is lost is read again elsewhere.

    Args:
        asked: To read.
        settings: Of all films; `threads` is how many cores each takes.
        address: Of the cluster; None for the one that the environment names, else a local one.

    Raises:
        InputError: Ray is not installed, no cluster answers, or a checkpoint cannot be used.
    """
    ray = connect(address)
    try:
        remote = ray.remote(num_cpus=settings.threads, max_retries=_TRIES)(_read_there)
        left = list(reversed(asked))
        waiting: dict[object, Asked] = {}
        while left or waiting:
            cores = int(ray.cluster_resources().get("CPU", 1))
            while left and len(waiting) < _AHEAD * cores:
                film = left.pop()
                waiting[remote.remote(settings, film)] = film
            ready, _ = ray.wait(list(waiting))
            for reference in ready:
                film = waiting.pop(reference)
                try:
                    refused, reason = ray.get(reference)
                except ray.exceptions.RayError as error:
                    refused, reason = False, f"its process was lost ({' '.join(str(error).split())[:200]})"
                if refused:
                    raise InputError(reason)
                yield film, reason
    finally:
        ray.shutdown()


def _read_there(settings: Settings, asked: Asked) -> tuple[bool, str]:
    """Whether the settings are refused, and why, or why the film could not be read."""
    try:
        read = reader(settings)
    except InputError as error:
        return True, str(error)
    return False, read(asked)
