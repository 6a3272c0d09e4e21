"""How well the weights that come along read real films, against bones that were traced by eye.

The traces lie in `tests/traces`; its README tells how they were made and how sure they are. The films are given as a
folder, because not all of them may lie in this repository: `hand-right-pa.dcm`, `hand-left-pa.jpg`,
`wrist-right-pa-crop.jpg`, and in its subfolder `out-of-scope` films that must be refused.

Reading and trace are compared inside the square that the reading calls the wrist, on its grid of 600 x 600 pixels, so
that radius, ulna and metacarpals end at its border in both. A bone that is missing has DSC 0 and an infinite distance.
The side counts as right when it is told from the image alone, without the file's tags and name.
The wrist counts as found when all seven masks of the carpus lie inside the square, and its edge is at most 120 mm.

Nothing may be trained or tuned on these films. Run from the repository:

    python benchmarks/real_films.py FOLDER
"""

import argparse
import hashlib
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from carpus.anatomy import Bone
from carpus.errors import InputError
from carpus.imaging import BoneMasks, Box
from carpus.imaging.geometry import crop
from carpus.inference.atlas import CARPALS
from carpus.inference.film import read_film
from carpus.inference.reading import Model, WristReading, load_model, read_radiograph
from carpus.inference.weights import bundled_weights
from carpus.metrics import measure_bones

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "traces"))
from film_traces import FilmTrace, read_traces

MEAN_DSC, LEAST_DSC, MEAN_MSD_MM = 0.88, 0.75, 1.0
MOST_MM = 120.0


@dataclass(frozen=True)
class Comparison:
    """One film's reading against its trace: DSC and mean surface distance in mm of each bone."""

    trace: FilmTrace
    dsc: dict[Bone, float]
    msd_mm: dict[Bone, float]
    side_is_right: bool
    box_mm: float
    wrist_is_found: bool


def main() -> None:
    """Reads, compares and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("films", type=Path, help="folder of the films")
    parser.add_argument("--bones", type=Path, help="checkpoint of the bone network, default: the one that comes along")
    options = parser.parse_args()
    if not options.films.is_dir():
        parser.error(f"{options.films} is no folder; give the folder of the films")
    models = (
        load_model(options.bones or bundled_weights("bones"), task="bones"),
        load_model(bundled_weights("erosion"), task="erosion"),
    )
    compared, refused = [], []
    for trace in read_traces():
        path = options.films / trace.film
        if not path.is_file():
            print(f"{trace.film}: not in {options.films}, left out")
        elif hashlib.sha256(path.read_bytes()).hexdigest() != trace.sha256:
            print(f"{trace.film}: another file than the one that was traced, left out")
        else:
            try:
                compared.append(compare(trace, path, models))
            except InputError as error:
                refused.append(trace.film)
                print(f"{trace.film}: refused, which is wrong: {error}")
    if compared:
        print_table(compared)
        print_targets(compared, refused=refused)
    print_second_tracing(read_traces())
    for path in sorted((options.films / "out-of-scope").glob("[!.]*")):
        print(f"out of scope: {path.name}: {verdict(path, models)}")


def compare(trace: FilmTrace, path: Path, models: tuple[Model, Model]) -> Comparison:
    """The reading of a film against its trace.

    Raises:
        InputError: The film was refused, or turned so that the trace does not fit.
    """
    film = read_film(path)
    reading = read_radiograph(film, bones=models[0], erosion=models[1])
    if not np.array_equal(reading.film.pixels, film.pixels):
        raise InputError(f"{path.name} was turned before it was read, though its fingers point up")
    untold = read_radiograph(replace(film, side=None), bones=models[0], erosion=models[1])
    traced = trace.masks()
    measured = measure_bones(on_grid_of(reading, traced), inside_film(reading)).values[: len(Bone)]
    mm_a_pixel = reading.box.width / reading.masks.shape[1] * trace.spacing_mm
    box_mm = reading.box.width * trace.spacing_mm
    return Comparison(
        trace,
        dsc=dict(zip(Bone, measured[:, 0].tolist(), strict=True)),
        msd_mm=dict(zip(Bone, (measured[:, 3] * mm_a_pixel).tolist(), strict=True)),
        side_is_right=untold.side is trace.side,
        box_mm=box_mm,
        wrist_is_found=holds_carpus(reading.box, traced) and box_mm <= MOST_MM,
    )


def on_grid_of(reading: WristReading, traced: BoneMasks) -> BoneMasks:
    """The trace in the reading's square."""
    height, width = reading.masks.shape
    return traced.cropped(reading.box).resized(height=height, width=width)


def inside_film(reading: WristReading) -> BoneMasks:
    """The reading without what it drew beyond the film's border."""
    film = BoneMasks(np.full(reading.film.shape, 1, np.uint16))
    return BoneMasks(np.where(on_grid_of(reading, film).plane > 0, reading.masks.plane, 0).astype(np.uint16))


def holds_carpus(box: Box, traced: BoneMasks) -> bool:
    """Whether a square holds every bone of the carpus, but for a hundredth of its area."""
    return all(crop(mask, box).sum() >= 0.99 * mask.sum() for mask in map(traced.mask, CARPALS))


def print_table(compared: list[Comparison]) -> None:
    """Prints a row a bone, and the films side by side."""
    names = [one.trace.film.rsplit(".", 1)[0] for one in compared]
    print(f"{'':26}" + "".join(f"{name:>24}" for name in names))
    print(f"{'bone':26}" + f"{'DSC    MSD mm  trace':>24}" * len(compared))
    for bone in Bone:
        cells = (f"{one.dsc[bone]:.3f}   {one.msd_mm[bone]:5.2f} {one.trace.sure[bone]:>7}" for one in compared)
        print(f"{bone.label:26}" + "".join(f"{cell:>24}" for cell in cells))
    means = (f"{mean(one.dsc):.3f}   {mean(one.msd_mm):5.2f} {'':7}" for one in compared)
    print(f"{'mean':26}" + "".join(f"{cell:>24}" for cell in means))
    for one, name in zip(compared, names, strict=True):
        side = "right" if one.side_is_right else "WRONG"
        wrist = "found" if one.wrist_is_found else "NOT FOUND"
        scale = f"{one.trace.spacing_mm} mm a pixel" + (", assumed from the size of the bones" * one.trace.is_assumed)
        print(f"{name}: side {side}, wrist {wrist} (square of {one.box_mm:.0f} mm; {scale})")


def print_targets(compared: list[Comparison], *, refused: list[str]) -> None:
    """Prints what was asked for beside what came out."""
    every = [(one.dsc[bone], one.trace.film, bone.label) for one in compared for bone in Bone]
    least, film, bone = min(every)
    total = float(np.mean([mean(one.dsc) for one in compared]))
    distance = float(np.mean([mean(one.msd_mm) for one in compared]))
    found = sum(one.wrist_is_found and one.side_is_right for one in compared)
    print(f"mean DSC {total:.3f} (asked: at least {MEAN_DSC}): {_met(total >= MEAN_DSC)}")
    print(f"least DSC {least:.3f}, {bone} of {film} (asked: at least {LEAST_DSC}): {_met(least >= LEAST_DSC)}")
    print(f"mean surface distance {distance:.2f} mm (asked: at most {MEAN_MSD_MM}): {_met(distance <= MEAN_MSD_MM)}")
    films = len(compared) + len(refused)
    print(f"side and wrist right on {found} of {films} films: {_met(found == films)}")


def print_second_tracing(traces: list[FilmTrace]) -> None:
    """Prints how well the tracer agrees with a second tracing of some bones, on the film's own grid."""
    for trace in traces:
        first, second = trace.masks(), trace.second_masks()
        measured = measure_bones(first, second).values[: len(Bone)]
        for bone in trace.second:
            dsc, msd_px = measured[bone.channel, 0], measured[bone.channel, 3]
            name = f"{trace.film.rsplit('.', 1)[0]}, {bone.label.lower()} ({trace.sure[bone]})"
            print(f"traced twice: {name}: DSC {dsc:.3f}, MSD {msd_px * trace.spacing_mm:.2f} mm")


def verdict(path: Path, models: tuple[Model, Model]) -> str:
    """Whether a film that is out of scope is refused."""
    try:
        reading = read_radiograph(read_film(path), bones=models[0], erosion=models[1])
    except InputError as error:
        return f"refused: {error}"
    return f"READ, which is wrong (confidence {reading.confidence:.2f}); warnings: {' '.join(reading.warnings)}"


def mean(values: dict[Bone, float]) -> float:
    """The mean over the bones."""
    return float(np.mean(list(values.values())))


def _met(met: bool) -> str:
    return "met" if met else "NOT MET"


if __name__ == "__main__":
    main()
