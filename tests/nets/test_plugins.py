"""Networks of other installed packages, by entry points."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

PACKAGE = """
from torch import nn

class Tiny(nn.Module):
    def __init__(self, in_channels, classes):
        super().__init__()
        self.layer = nn.Conv2d(in_channels, classes, 1)

    def forward(self, x):
        return self.layer(x)

def tiny(*, in_channels=1, classes=14):
    return Tiny(in_channels, classes)
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder with an installed package that adds one good network, one that is broken, and one named as ours."""
    (tmp_path / "otherlab.py").write_text(PACKAGE)
    info = tmp_path / "otherlab-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: otherlab\nVersion: 1.0\n")
    lines = ["[carpus.segmenters]", "Tiny = otherlab:tiny", "Broken = otherlab:missing", "Unet = otherlab:tiny"]
    (info / "entry_points.txt").write_text("\n".join(lines))
    return tmp_path


def run(site: Path, code: str) -> str:
    start = f"import sys; sys.path.insert(0, {str(site)!r})\n"
    command = [sys.executable, "-c", start + textwrap.dedent(code)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_other_packages_add_networks_and_never_replace_ours(site: Path) -> None:
    code = """
        from carpus.nets import SEGMENTERS
        assert "otherlab" not in sys.modules
        assert list(SEGMENTERS)[-2:] == ["Broken", "Tiny"]
        for name in ("Tiny", "Unet"):
            network = SEGMENTERS[name](in_channels=1, classes=14)
            print(sum(weights.numel() for weights in network.parameters()))
    """
    assert run(site, code).split() == ["28", "7938510"]


def test_a_network_that_cannot_be_imported_names_itself(site: Path) -> None:
    code = """
        from carpus.errors import InputError
        from carpus.nets import SEGMENTERS
        try:
            SEGMENTERS["Broken"](in_channels=1, classes=14)
        except InputError as error:
            print(error)
    """
    assert "network Broken of the installed package behind otherlab:missing cannot be imported" in run(site, code)
