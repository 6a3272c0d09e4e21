"""What this machine has to read with: cores, memory, PyTorch."""

import os
from importlib.util import find_spec

_PROCESS_BYTES = 1.5 * 2**30
"""A reading process takes 1.1 GiB with the largest build of PyTorch, and more for films of 100 million pixels."""


def need_torch() -> None:
    """Makes sure, without importing it, that what reading needs is installed.

    Raises:
        ModuleNotFoundError: It is not.
    """
    for name in ("torch", "safetensors", "monai"):
        if find_spec(name) is None:
            raise ModuleNotFoundError(name, name=name)


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def default_jobs() -> int:
    """One film a core at a time, or as many as the machine's memory has room for."""
    try:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # Windows
        return cores()
    return max(1, min(cores(), int(memory / _PROCESS_BYTES)))
