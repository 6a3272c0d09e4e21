"""Finished films in the private folder, so that a run that was stopped goes on where it was.

```
films/<hash>/crop.png original.png bones.png record.json      a folder is complete or not there
```

The hash is of all that decides the result: the film, what was drawn on it, what the table says of it, the settings, and
the version of carpus.
"""

import hashlib
import json
from importlib.metadata import version
from pathlib import Path

import numpy as np

from carpus.app.drawn_masks import Drawing, digest_of
from carpus.app.film_source import Source
from carpus.app.prepare_film import Prepared, Settings
from carpus.errors import InputError
from carpus.files import new_folder
from carpus.imaging.files import read_grey, read_plane, write_grey, write_plane

FORMAT = 1
"""Counts up when a film's result changes, so that older ones are made anew."""


def place_of(films: Path, source: Source, drawing: Drawing | None, settings: Settings, *, is_phantom: bool) -> Path:
    """Where the result of a film lies or will lie."""
    decisive = [
        FORMAT,
        version("carpus"),
        source.sha256,
        source.path.suffix.lower(),
        source.path.stem,
        {name: side.value for name, side in source.sides().items()},
        source.row.spacing_mm,
        digest_of(drawing),
        vars(settings),
        is_phantom,
    ]
    return films / hashlib.blake2b(json.dumps(decisive).encode(), digest_size=12).hexdigest()


def store(place: Path, prepared: Prepared) -> None:
    """Writes the result of a film."""
    with new_folder(place) as folder:
        write_grey(folder / "crop.png", prepared.pixels)
        write_grey(folder / "original.png", prepared.original)
        write_plane(folder / "bones.png", prepared.bones)
        (folder / "record.json").write_text(json.dumps(prepared.record), "utf-8")


def load(place: Path) -> Prepared | None:
    """The result of a film; None if there is none that can be read, as after a crash of the machine."""
    if not place.is_dir():
        return None
    try:
        record = json.loads((place / "record.json").read_text("utf-8"))
        pixels, original = read_grey(place / "crop.png"), read_grey(place / "original.png")
        bones = read_plane(place / "bones.png")
        return Prepared(pixels, original.astype(np.uint16), bones, record)
    except (InputError, OSError, ValueError):
        return None
