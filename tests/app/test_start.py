import subprocess
import sys

import pytest

COMMANDS = [
    ["demo"],
    ["data", "phantom"],
    ["data", "check"],
    ["data", "stats"],
    ["train"],
    ["reproduce"],
    ["evaluate"],
    ["report"],
    ["read"],
    ["nets"],
    ["export"],
]


def test_help_loads_nothing_heavy() -> None:
    program = """
import sys
from carpus.app.cli.main import main
sys.argv = ["carpus", "--help"]
try:
    main()
except SystemExit as stop:
    assert stop.code == 0
heavy = {"torch", "lightning", "monai", "pydicom", "gdcm", "pandas", "matplotlib", "cv2"} & set(sys.modules)
assert not heavy, heavy
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for command in ("demo", "data", "train", "evaluate", "report", "read", "nets", "export"):
        assert command in done.stdout


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_explains_itself_with_an_example(carpus, command) -> None:
    done = carpus(*command, "--help")
    assert done.status == 0
    assert "Example: carpus " + " ".join(command) in " ".join(done.out.split())


def test_the_version_is_printed(carpus) -> None:
    assert carpus("--version").out.startswith("carpus 0.")


def test_the_python_functions_have_the_commands_names() -> None:
    program = "import carpus, sys; assert 'torch' not in sys.modules; print(carpus.read, carpus.train, carpus.demo)"
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("<function") == 3


def test_without_pytorch_a_command_says_what_to_install() -> None:
    program = """
import sys
sys.modules["torch"] = None
from carpus.app.cli.main import main
sys.argv = ["carpus", "nets"]
main()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "Error: this command needs PyTorch; install it with: pip install 'carpus[torch]'.\n"
