"""`carpus read`: films to wrist readings."""

import json
from pathlib import Path
from typing import Annotated

import typer

from carpus.errors import InputError


def read(
    images: Annotated[list[Path], typer.Argument(help="DICOM, PNG, BMP, JPEG or TIFF.", show_default=False)],
    out: Annotated[Path, typer.Option(help="Folder for overlays and JSON files.")] = Path("readings"),
    bones: Annotated[Path | None, typer.Option(help="Checkpoint for bones [default: bundled].")] = None,
    erosion: Annotated[Path | None, typer.Option(help="Checkpoint for erosion [default: bundled].")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the readings as JSON.")] = False,
) -> None:
    """Read wrists: find the wrist, outline fourteen bones, judge six joints. For research use only.

    Writes NAME-overlay.png and NAME.json for every image. One bad file never stops the rest; the status is 2
    if any could not be read.

    Example: carpus read examples/hand-right-pa.dcm --out readings
    """
    from carpus.app.readings import print_reading, write_reading
    from carpus.inference.film import read_film
    from carpus.inference.model import load_model
    from carpus.inference.reading import read_radiograph
    from carpus.inference.weights import bundled_weights

    names = _names(images)
    bone_model = load_model(bones or bundled_weights("bones"), task="bones")
    erosion_model = load_model(erosion or bundled_weights("erosion"), task="erosion")
    readings, failed = [], False
    for path, name in zip(images, names, strict=True):
        try:
            reading = read_radiograph(read_film(path), bones=bone_model, erosion=erosion_model)
        except InputError as error:
            typer.echo(f"Error: {' '.join(str(error).split())}.", err=True)
            failed = True
            continue
        overlay = write_reading(out, name, reading)
        readings.append({**reading.as_dict(), "overlay": str(overlay)})
        if not as_json:
            print_reading(reading, overlay)
    if as_json:
        typer.echo(json.dumps(readings, indent=2))
    if failed:
        raise typer.Exit(2)


def _names(images: list[Path]) -> list[str]:
    """A name for each image's outputs: its stem, or the whole file name where stems collide."""
    stems = [image.stem for image in images]
    return [image.stem if stems.count(image.stem) == 1 else image.name for image in images]
