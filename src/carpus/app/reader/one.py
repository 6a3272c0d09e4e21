"""One film read and written, in whatever process that is."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from carpus.app.reader.films import Film
from carpus.errors import InputError

if TYPE_CHECKING:
    from carpus.inference.model import Model

NEEDED = ("carpus.app.readings", "carpus.inference.reading")
"""What a reading process imports; it takes seconds."""


@dataclass(frozen=True)
class Settings:
    """What all films have in common.

    Attributes:
        out: Folder of outputs.
        bones: Checkpoint of the bone network.
        erosion: Checkpoint of the erosion network.
        threads: Cores of one process.
    """

    out: Path
    bones: Path
    erosion: Path
    threads: int


@dataclass(frozen=True)
class Asked:
    """A film to be read, with the SHA-256 of its file."""

    film: Film
    sha256: str


@cache
def reader(settings: Settings) -> Callable[[Asked], str]:
    """What reads a film, writes its outputs and says why it could not, or nothing if it could; the networks are loaded.

    Raises:
        InputError: A checkpoint that cannot be used.
    """
    import cv2
    import torch

    from carpus.inference.model import load_model

    torch.set_num_threads(settings.threads)
    cv2.setNumThreads(settings.threads)
    models = load_model(settings.bones, task="bones"), load_model(settings.erosion, task="erosion")
    return partial(_read, settings.out, models)


def _read(out: Path, models: "tuple[Model, Model]", asked: Asked) -> str:
    from carpus.app.readings import write_reading
    from carpus.inference.film import read_film
    from carpus.inference.reading import read_radiograph

    path = asked.film.path
    try:
        reading = read_radiograph(read_film(path, half=asked.film.half), bones=models[0], erosion=models[1])
        write_reading(out, asked.film.name, reading, sha256=asked.sha256)
    except InputError as error:
        return str(error)
    except MemoryError:
        return f"{path} needs more memory than there is; read it with fewer --jobs"
    except Exception as error:  # one film's defect must not stop thousands
        return f"{path} made carpus fail ({type(error).__name__}: {error}); please report it"
    return ""
