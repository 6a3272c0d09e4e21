"""What the formats made of folders share: images, the joints' regions, and `cases.json` for what a format cannot say.

```
images/<identifier>.png
regions/<identifier>/<Joint>.png
cases.json                        {"synthetic": ..., "cases": [the facts of each wrist]}
```
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from carpus.anatomy import Joint, parse_joint
from carpus.data import layout
from carpus.data.case import CaseId
from carpus.data.facts import Facts, parse_facts
from carpus.data.problem import one_line
from carpus.data.reader import is_phantom
from carpus.data.wrist import Wrist
from carpus.errors import InputError
from carpus.files import new_file
from carpus.imaging.files import read_grey, write_grey

IMAGES = "images"
REGIONS = "regions"
CASES_FILE = "cases.json"
PHANTOM_NOTICE = "PHANTOM: every wrist here is synthetic; nothing measured on it holds for patients."

_MAX_JSON_BYTES = 1024**3

Loaders = dict[CaseId, Callable[[], Wrist]]


def write_regions(folder: Path, wrist: Wrist) -> None:
    """Writes the joints' regions of one wrist."""
    for joint, region in wrist.regions.items():
        write_grey(folder / REGIONS / str(wrist.facts.id) / f"{joint.value}.png", region)


def read_regions(folder: Path, facts: Facts) -> dict[Joint, UInt8[np.ndarray, "h w"]]:
    """The joints' regions of one wrist; none if it is in no split of the scoring task.

    Raises:
        InputError: A file that is damaged, misnamed, or lies elsewhere.
    """
    found = {}
    paths = (folder / REGIONS / str(facts.id)).glob("[!.]*.png") if facts.erosion_split is not None else ()
    for path in sorted(paths):
        try:
            joint = parse_joint(path.stem)
        except InputError as error:
            raise InputError(f"{path} is misnamed: {error}") from None
        found[joint] = read_grey(inside(folder, path))
    return {joint: found[joint] for joint in Joint if joint in found}


def write_cases(folder: Path, cases: Iterable[Facts]) -> None:
    """Writes the facts of all wrists as `cases.json`."""
    entries = [facts.as_dict() for facts in cases]
    synthetic = any(entry["synthetic"] for entry in entries)
    content = {"synthetic": synthetic, **({"notice": PHANTOM_NOTICE} if synthetic else {}), "cases": entries}
    write_json(folder / CASES_FILE, content)


def read_cases(folder: Path) -> list[Facts]:
    """The facts of all wrists from `cases.json`, ordered by identifier.

    Raises:
        InputError: Missing, not JSON, a case twice, or facts that cannot be.
    """
    path = folder / CASES_FILE
    if not path.is_file():
        least = '{"cases": [{"identifier": "0001_0001_L", "bone_split": "train"}]}'
        raise InputError(f"{path} does not exist, expected the cases and their splits, at least {least}; write it")
    content = read_json(path)
    if not isinstance(content, Mapping) or not isinstance(content.get("cases"), list):
        raise InputError(f"{path} has no list of cases; export it again")
    synthetic = says_synthetic(path, content)
    found: dict[CaseId, Facts] = {}
    for entry in content["cases"]:
        try:
            facts = parse_facts(entry)
        except InputError as error:
            raise InputError(f"{path} cannot be used: {error}") from None
        facts = replace(facts, synthetic=synthetic or facts.synthetic)
        if facts.id in found:
            raise InputError(f"{path} lists {facts.id} twice; remove one of them")
        found[facts.id] = facts
    return [found[case] for case in sorted(found)]


def says_synthetic(path: Path, content: Mapping[str, Any]) -> bool:
    """Whether the content of a JSON file says that the wrists are synthetic.

    Raises:
        InputError: It says neither true nor false; a phantom must not pass for a patient.
    """
    answer = content.get("synthetic", False)
    if not isinstance(answer, bool):
        raise InputError(f"{path} says synthetic: {answer!r:.40}, expected true or false; correct it")
    return answer


def is_marked_phantom(folder: Path) -> bool:
    """Whether an exported folder says of itself that its wrists are synthetic.

    Raises:
        InputError: `Phantom.json` is there but does not say; a phantom must not pass for a patient.
    """
    return is_phantom(inside(folder, folder / layout.PHANTOM_FILE).parent)


def inside(root: Path, path: Path) -> Path:
    """The path, if it does not lead out of `root` by a link.

    Raises:
        InputError: It does.
    """
    if not path.resolve().is_relative_to(root.resolve()):
        raise InputError(f"{path} is a link that leads out of {root}, expected a file inside; copy the file there")
    return path


def read_json(path: Path) -> Any:
    """The content of a JSON file of at most 1 GiB.

    Raises:
        InputError: Missing, too large, or not JSON.
    """
    try:
        if path.stat().st_size > _MAX_JSON_BYTES:
            raise InputError(f"{path} is larger than 1 GiB, expected a smaller one; export it again")
        return json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path} does not exist; check the path") from None
    except (OSError, ValueError, RecursionError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path} is not JSON ({one_line(error)}); export it again") from None


def write_json(path: Path, content: object) -> None:
    """Writes JSON for people to read."""
    with new_file(path) as draft:
        draft.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", "utf-8")
