from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def phantoms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small phantom dataset; tests that damage it copy it first."""
    from carpus.data.phantom_dataset import write_phantom_dataset

    root = tmp_path_factory.mktemp("data") / "phantoms"
    write_phantom_dataset(root, patients=14, seed=5)
    return root
