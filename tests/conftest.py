import os
from pathlib import Path

import pytest

# Tests run in a process a core, so each computes on one core. Set before PyTorch and Numba are there.
for name in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(name, "1")


@pytest.fixture(scope="session")
def phantoms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small phantom dataset; tests that damage it copy it first."""
    from carpus.data.phantom_dataset import write_phantom_dataset

    root = tmp_path_factory.mktemp("data") / "phantoms"
    write_phantom_dataset(root, patients=14, seed=5)
    return root


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """A small radiograph in DICOM, 21 x 13 pixels: not a multiple of 8, so that packed bits straddle bytes."""
    import pydicom
    from pydicom.uid import ExplicitVRLittleEndian

    dataset = pydicom.dcmread(Path(__file__).parents[1] / "examples" / "hand-right-pa.dcm")
    dataset.Rows, dataset.Columns = 21, 13
    dataset.PixelData = bytes(2 * 21 * 13)
    dataset["PixelData"].is_undefined_length = False
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.save_as(tmp_path / "film.dcm")
    return tmp_path / "film.dcm"
