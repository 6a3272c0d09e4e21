from collections.abc import Callable
from functools import cache

import pytest

from carpus.phantom import Phantom, Visit, draw, plan_cohort


@pytest.fixture(scope="session")
def cohort() -> tuple[Visit, ...]:
    return plan_cohort(patients=24, seed=1)


@pytest.fixture(scope="session")
def drawn(cohort: tuple[Visit, ...]) -> Callable[[int], Phantom]:
    """The phantom of a visit by its number in the cohort, drawn once a session."""
    return cache(lambda number: draw(cohort[number]))
