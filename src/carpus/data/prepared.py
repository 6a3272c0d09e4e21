"""The manifest of a prepared dataset: where each wrist is from, and the SHA-256 of each file.

```
Prepared.json   {"carpus": ..., "settings": ..., "films": [a record a wrist], "refused": count, "files": {path: sha256}}
Originals/<identifier>.png     the crops with every grey value of the films, 16 bits
```
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from carpus.data.manifest import sha256_of
from carpus.data.problem import one_line
from carpus.errors import InputError
from carpus.files import new_file

PREPARED_FILE = "Prepared.json"
ORIGINALS = "Originals"


def write_prepared(folder: Path, content: Mapping[str, Any]) -> None:
    """Writes the manifest of a folder, with the SHA-256 of all files that are in it."""
    files = {path.relative_to(folder).as_posix(): sha256_of(path) for path in _files(folder)}
    with new_file(folder / PREPARED_FILE) as draft:
        draft.write_text(json.dumps({**content, "files": files}, indent=1) + "\n", "utf-8")


def read_prepared(folder: Path) -> dict[str, Any]:
    """The manifest of a folder.

    Raises:
        InputError: Missing or broken.
    """
    path = folder / PREPARED_FILE
    try:
        content = json.loads(path.read_text("utf-8"))
        if not isinstance(content["files"], dict) or not isinstance(content["films"], list):
            raise TypeError("no files or films")
        return dict(content)
    except FileNotFoundError:
        raise InputError(f"{path} does not exist, expected a dataset of `carpus data prepare`") from None
    except (OSError, ValueError, RecursionError, KeyError, TypeError) as error:
        raise InputError(f"{path} is no manifest ({one_line(error)}); restore it from its source") from None


def changed_files(folder: Path) -> list[str]:
    """Files that are not as the manifest has them: changed, removed or added since.

    Raises:
        InputError: As `read_prepared`.
    """
    files = read_prepared(folder)["files"]
    there = {path.relative_to(folder).as_posix(): path for path in _files(folder)}
    there.pop(PREPARED_FILE, None)
    apart = set(files) ^ set(there)
    return sorted(apart | {name for name in files.keys() & there.keys() if sha256_of(there[name]) != files[name]})


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())
