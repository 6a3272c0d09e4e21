"""One film to one wrist crop: pixels in 8 and 16 bits, joints, drawn bones, and a record of where all of it is from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Shaped, UInt8, UInt16

from carpus.anatomy import ADULT, Bone, Joint, Side
from carpus.app.drawn_masks import Drawing
from carpus.app.film_source import Source
from carpus.dicom.reader import decode_film
from carpus.errors import InputError
from carpus.imaging.files import read_grey
from carpus.imaging.geometry import Box
from carpus.imaging.intensity import between
from carpus.imaging.masks import BoneMasks
from carpus.imaging.radiograph import Radiograph
from carpus.imaging.side_marker import find_side_marker
from carpus.imaging.wrist_crop import WINDOW, crop_box, cut, cut_masks, share_outside
from carpus.inference.atlas import CARPALS, Placement, place_bones, regions_of
from carpus.inference.wrist import quarter_turns

if TYPE_CHECKING:
    from carpus.inference.model import Model

_MOST_OUTSIDE, _SOME_OUTSIDE = 0.75, 0.05
_BURNT_OUT = 0.05
_FEWEST_DRAWN = 3
_FEWEST_IN_PLACE = len(Bone) // 2
_TURNED_DEGREES = 30
_SAME_SPACING = 0.01

_ROUTINE = ("magnified", "spacing-told", "turned", "wrist-alone")
_WORDS = {
    "burned-in-text": "The file says that text is burned into the picture: see that no name is on the crop.",
    "for-processing": "The file is raw (FOR PROCESSING): its grey values may be reversed or not meant for the eye.",
    "magnified": "The pixel size is that of the detector, so the wrist is magnified by a few per cent.",
}


@dataclass(frozen=True)
class Settings:
    """What all crops have in common.

    Attributes:
        crop_mm: Edge of a crop's pixels.
        size_px: Edge of a crop.
        film_mm: Edge of a film's pixels where neither the film nor the table tells it; None if unknown.
    """

    crop_mm: float = 0.15
    size_px: int = 600
    film_mm: float | None = None


@dataclass(frozen=True, eq=False)
class Prepared:
    """A wrist cut from its film.

    Attributes:
        pixels: The crop for the eye, 8 bits.
        original: The same with every grey value of the film, 16 bits.
        bones: On the same grid; drawn by somebody, or outlined by the network.
        record: Where everything is from, as plain values for JSON. Holds nothing that tells a patient.
    """

    pixels: UInt8[np.ndarray, "n n"]
    original: UInt16[np.ndarray, "n n"]
    bones: BoneMasks
    record: Mapping[str, Any]


@dataclass
class _Notes:
    """What is worth knowing of a film by a short fixed name: doubts, which are for a person to settle, and the rest."""

    flags: dict[str, str] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)

    def __call__(self, kind: str, text: str) -> None:
        (self.notes if kind in _ROUTINE else self.flags)[kind] = text


def prepare_film(
    source: Source, drawing: Drawing | None, settings: Settings, *, bones: Callable[[], "Model"], is_phantom: bool
) -> Prepared:
    """The wrist of one film.

    Args:
        source: From `look_at`.
        drawing: Its bones, if somebody drew them; the network is then not asked.
        settings: Of all crops.
        bones: Gives the network that outlines bones.
        is_phantom: Whether the folder of films says that they are phantoms.

    Raises:
        InputError: The film, its pixel size or its drawing cannot be used, or no adult's wrist is found on it.
    """
    note = _Notes()
    film, shown = _decoded(source)
    film_mm, spacing_from = _spacing(source, film, settings, note)
    written = source.sides() | _on_marker(film, note)
    side = next(iter(written.values()), None)
    turns = quarter_turns(replace(film, spacing_mm=film_mm))
    if turns:
        note("turned", f"The film was turned by {min(turns, 4 - turns) * 90} degrees, so that the fingers point up.")
    shown, upright = (
        _turned(shown, turns),
        replace(film, pixels=_turned(film.pixels, turns), spacing_mm=film_mm, side=side, notes=()),
    )

    if drawing is not None:
        found = _as_drawn(source, drawing, upright, settings, turns)
    else:
        found = _as_outlined(upright, settings, bones(), note)
    box, masks = found.box, found.bones
    side, side_from = _side(source, written, found, note)
    placement = place_bones(masks, spacing_mm=settings.crop_mm, thumb_left=side is Side.RIGHT)
    _judge(source, placement, is_drawn=drawing is not None, note=note)
    boxes = _boxes(masks, placement, settings, is_drawn=drawing is not None, note=note)

    outside = share_outside(box, height=upright.shape[0], width=upright.shape[1])
    if outside > _MOST_OUTSIDE:
        raise InputError(f"{source.path} shows less than a quarter of the wrist's square; give a film that shows all")
    if outside > _SOME_OUTSIDE:
        note("cut-by-film", f"{100 * outside:.0f} % of the crop lies outside of the film and is black.")
    original = cut(upright.pixels, box, size_px=settings.size_px)
    pixels = _eight_bits(upright.pixels, shown, box, settings, note)
    if pixels.min() == pixels.max():
        raise InputError(f"{source.path} has one grey value only where the wrist is; export it again")
    if source.age is not None and source.age < ADULT:
        note("growing", f"The person is {source.age} years old: see that the growth plates are closed.")
    for kind in source.said.doubts if source.said else ():
        if kind != "magnified" or spacing_from == "ImagerPixelSpacing":
            note(kind, _WORDS[kind])

    said = source.said
    record = {
        "sha256": source.sha256,
        "side": side.value,
        "side_from": side_from,
        "sides": {where: each.value for where, each in {**written, **found.told()}.items()},
        "crop_px": [round(value, 3) for value in (box.x, box.y, box.width, box.height)],
        "turned_degrees": 90 * turns,
        "film_px": list(upright.shape),
        "film_spacing_mm": film_mm,
        "spacing_from": spacing_from,
        "spacing_mm": settings.crop_mm,
        "resampled": box.width != settings.size_px,
        "stored_as": said.transfer_syntax if said else source.path.suffix.lower().lstrip("."),
        "decoder": _decoder(source),
        "bits": said.bits if said else 8 * film.pixels.dtype.itemsize,
        "photometric": said.photometric if said else "not stated",
        "bones": "drawn" if drawing else "predicted",
        "drawn_as": drawing.form if drawing else None,
        "bones_in_place": len(placement.in_place),
        "boxes": {joint.value: [each.x, each.y, each.width, each.height] for joint, each in boxes.items()},
        "boxes_from": ("drawn" if drawing else "predicted") if boxes else None,
        "synthetic": is_phantom or bool(said and said.is_synthetic),
        "flags": note.flags,
        "notes": note.notes,
    }
    return Prepared(pixels, original.astype(np.uint16), masks, record)


@dataclass(frozen=True, eq=False)
class _Place:
    """Where the wrist is, and its bones on the crop's grid.

    Attributes:
        box: Of the crop on the film.
        bones: On the crop's grid.
        seen: Side that the picture shows; None if it does not tell.
        how: What of the picture shows it.
    """

    box: Box
    bones: BoneMasks
    seen: Side | None
    how: str

    def told(self) -> dict[str, Side]:
        return {self.how: self.seen} if self.seen else {}


def _decoded(source: Source) -> tuple[Radiograph, Shaped[np.ndarray, "h w"]]:
    if source.said is None:
        film = Radiograph(read_grey(source.path), source=str(source.path))
        return film, film.pixels
    film, shown = decode_film(source.path)
    return replace(film, source=str(source.path)), shown


def _decoder(source: Source) -> str:
    if source.said is None:
        return f"pillow {version('pillow')}"
    compressed = "JPEG" in source.said.transfer_syntax
    return f"pydicom {version('pydicom')}" + (f", python-gdcm {version('python-gdcm')}" if compressed else "")


def _spacing(source: Source, film: Radiograph, settings: Settings, note: _Notes) -> tuple[float, str]:
    """The edge of the film's pixels in mm, and who says so."""
    told = source.row.spacing_mm
    if film.spacing_mm is not None and source.said is not None:
        if told is not None and abs(told / film.spacing_mm - 1) > _SAME_SPACING:
            note(
                "spacing-contradiction",
                f"The table says {told:g} mm a pixel, the film {film.spacing_mm:g}: its own is used.",
            )
        return film.spacing_mm, source.said.spacing_from
    wrong = next((text for text in film.notes if "not used" in text), "")
    if told is None and settings.film_mm is None:
        why = f"gives no usable pixel size ({wrong.rstrip('.')})" if wrong else "gives no pixel size"
        raise InputError(f"{source.path} {why}; give it with --spacing-mm, or in a column spacing_mm of the table")
    if wrong:
        note("spacing-invalid", wrong)
    note("spacing-told", "The pixel size is not the film's own but was given by hand.")
    if told is not None:
        return told, "table"
    assert settings.film_mm is not None  # noqa: S101 (one of the two is there)
    return settings.film_mm, "--spacing-mm"


def _as_drawn(source: Source, drawing: Drawing, film: Radiograph, settings: Settings, turns: int) -> _Place:
    """The wrist by the bones that somebody drew."""
    masks = drawing.load()
    expected = film.shape if turns % 2 == 0 else film.shape[::-1]
    if masks.shape != expected:
        raise InputError(
            f"{source.path} is {expected[1]} x {expected[0]} pixels but its bones are drawn on "
            f"{masks.shape[1]} x {masks.shape[0]}; draw them on the film"
        )
    masks = BoneMasks(_turned(masks.plane, turns))
    present = [bone for bone in Bone if masks.mask(bone).any()]
    if len(present) < _FEWEST_DRAWN:
        raise InputError(f"{source.path} has {len(present)} bones drawn, expected at least {_FEWEST_DRAWN}; draw more")
    middle = masks.mask(Bone.CAPITATE) if Bone.CAPITATE in present else masks.plane != 0
    y, x = np.median(np.argwhere(middle), axis=0) + 0.5
    assert film.spacing_mm is not None  # noqa: S101 (made sure before)
    box = crop_box((float(x), float(y)), film_mm=film.spacing_mm, crop_mm=settings.crop_mm, size_px=settings.size_px)
    bones = cut_masks(masks, box, size_px=settings.size_px)
    return _Place(box, bones, _side_of(bones, settings), "drawn bones")


def _as_outlined(film: Radiograph, settings: Settings, model: "Model", note: _Notes) -> _Place:
    """The wrist by the outline of the hand, and its bones as the network outlines them."""
    # Films whose bones are drawn need no PyTorch.
    from carpus.inference.looks import CROP_PX
    from carpus.inference.outline import outline_wrist
    from carpus.inference.trust import is_unsure

    wrist = outline_wrist(film, bones=model)
    if is_unsure(wrist):
        note("outlines-unsure", f"The network is unsure of its outlines ({wrist.confidence:.2f}): look at them.")
    assert film.spacing_mm is not None  # noqa: S101 (made sure before)
    box = crop_box(wrist.box.centre, film_mm=film.spacing_mm, crop_mm=settings.crop_mm, size_px=settings.size_px)
    scale = CROP_PX / wrist.box.width
    there = Box((box.x - wrist.box.x) * scale, (box.y - wrist.box.y) * scale, box.width * scale, box.height * scale)
    bones = cut_masks(wrist.masks, there, size_px=settings.size_px)
    if wrist.is_crop:
        note("wrist-alone", "The film shows the wrist alone, so its middle was taken for the wrist's.")
    shape = Side.RIGHT if wrist.thumb_left else Side.LEFT
    if wrist.thumb_seen:
        return _Place(box, bones, shape, "thumb")
    if film.side is None:
        note("side-unsure", "The side is the network's guess: neither film nor table tells it, and no thumb is seen.")
        return _Place(box, bones, shape, "bones (a guess)")
    return _Place(box, bones, _side_of(bones, settings), "outlined bones")


def _side_of(bones: BoneMasks, settings: Settings) -> Side | None:
    """The side whose bones lie so, seen from the back of the hand; None if that is not plain."""
    mirrored = partial(place_bones, bones, spacing_mm=settings.crop_mm)
    if mirrored(thumb_left=True).is_mirrored:
        return Side.LEFT
    return Side.RIGHT if mirrored(thumb_left=False).is_mirrored else None


def _on_marker(film: Radiograph, note: _Notes) -> dict[str, Side]:
    """What a lead letter on the film says, which is trusted least of all that is written."""
    marker = find_side_marker(film.pixels)
    if marker is None:
        return {}
    if marker.is_mirrored:
        letter = marker.side.value
        note("marker-mirrored", f"The letter {letter} on the film stands mirrored: the film may be turned over.")
    return {"marker": marker.side}


def _side(source: Source, written: Mapping[str, Side], place: _Place, note: _Notes) -> tuple[Side, str]:
    """The side, and who says so: the first that wrote it down, else the picture."""
    seen = place.seen
    side, where = next(((each, name) for name, each in written.items()), (seen, place.how))
    if side is None:
        raise InputError(f"{source.path} does not tell its side; write it into a column side of the table")
    if not written:
        note("side-from-picture", f"The side, {side.name.lower()}, is told by the picture alone; see that it is right.")
    against = [name for name, each in written.items() if each is not side]
    if seen is not None and seen is not side:
        against.append("the picture")
    if against:
        other = side.other.name.lower()
        note("side-contradiction", f"The {where} says {side.name.lower()}, but {', '.join(against)} {other}.")
    return side, where


def _judge(source: Source, placement: Placement, *, is_drawn: bool, note: _Notes) -> None:
    """Notes what is unusual about how the bones lie; refuses what is no wrist."""
    count, whose = len(placement.in_place), "drawn" if is_drawn else "outlined"
    if not is_drawn and not set(placement.in_place) & set(CARPALS):
        raise InputError(
            f"{source.path} shows no adult's wrist: no carpal bone lies where one should; leave it out, or draw its "
            "bones and give them with --masks"
        )
    if count < _FEWEST_IN_PLACE:
        note("wrist-doubtful", f"Only {count} of {len(Bone)} {whose} bones lie as in a wrist: see that this is one.")
    elif count < len(Bone):
        missing = [bone.label.lower() for bone in Bone if bone not in placement.in_place]
        note("bones-unusual", f"Not {whose} as in a usual wrist: {', '.join(missing)}.")
    if not placement.is_adult:
        note(
            "size-unusual",
            f"The wrist is {placement.size:.2f} times as large as usual: see that the pixel size is right.",
        )
    if abs(placement.turn_degrees) > _TURNED_DEGREES:
        note("leaning", f"The wrist leans by {placement.turn_degrees:.0f} degrees.")


def _boxes(
    masks: BoneMasks, placement: Placement, settings: Settings, *, is_drawn: bool, note: _Notes
) -> dict[Joint, Box]:
    """The joints' regions; none where outlines do not even lie as in a wrist."""
    if not is_drawn and len(placement.in_place) < _FEWEST_IN_PLACE:
        return {}
    trusted = tuple(bone for bone in Bone if masks.mask(bone).any()) if is_drawn else placement.in_place
    boxes, fitted = regions_of(masks, placement, trusted=trusted, spacing_mm=settings.crop_mm)
    if fitted:
        names = ", ".join(joint.label.lower() for joint in fitted)
        note("boxes-by-fit", f"Placed by the other bones, because its own is not there or not right: {names}.")
    return {joint: Box(*(round(float(edge), 2) for edge in vars(box).values())) for joint, box in boxes.items()}


def _eight_bits(
    pixels: Shaped[np.ndarray, "h w"],
    shown: Shaped[np.ndarray, "h w"],
    box: Box,
    settings: Settings,
    note: _Notes,
) -> UInt8[np.ndarray, "n n"]:
    """The crop as the film was meant to be looked at, stretched to what the wrist needs; 8 bits are left alone."""
    crop = cut(shown, box, size_px=settings.size_px)
    if shown.dtype == np.uint8 and np.array_equal(shown, pixels):
        return crop
    height, width = pixels.shape
    rows, columns = (
        slice(max(round(start), 0), min(round(start + length), most))
        for start, length, most in ((box.y, box.height, height), (box.x, box.width, width))
    )
    inside, own = shown[rows, columns], pixels[rows, columns]
    white = inside == shown.max()
    # White in the window, yet of several grey values before it: what the window cut off.
    burnt = float((white & (own > own[white].min())).mean()) if white.any() else 0.0
    if burnt > _BURNT_OUT:
        note(
            "window-cuts",
            f"The film's window makes {100 * burnt:.0f} % of the crop white; the 16-bit copy has its grey values.",
        )
    low, high = np.percentile(inside, WINDOW)
    return between(crop, low=float(low), high=float(high))


def _turned(pixels: Shaped[np.ndarray, "h w"], turns: int) -> Shaped[np.ndarray, "..."]:
    return np.ascontiguousarray(np.rot90(pixels, turns)) if turns else pixels
