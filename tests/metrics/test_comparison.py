import subprocess
import sys

FIRST_CALL = """
import logging, sys

import carpus.metrics
from carpus.imaging import BoneMasks

print("numba" in sys.modules)
logging.basicConfig(level=logging.INFO, format="%(name)s %(message)s", stream=sys.stdout)
logging.getLogger("numba").setLevel(logging.WARNING)
masks = BoneMasks.empty(height=70, width=70)
for _ in range(2):
    carpus.metrics.measure_bones(masks, masks)
    print("scored")
"""


def test_numba_is_loaded_at_the_first_call_which_says_what_it_does() -> None:
    lines = subprocess.run([sys.executable, "-c", FIRST_CALL], check=True, capture_output=True, text=True).stdout
    message = "carpus.metrics.comparison loading or compiling the bone metrics"
    loaded, first, *rest = lines.splitlines()
    assert loaded == "False"
    assert first.startswith(message)
    assert rest == ["scored", "scored"]
