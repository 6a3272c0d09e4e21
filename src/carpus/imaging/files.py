"""Grey image files (BMP, PNG, JPEG, TIFF) and bone masks as PNG, packed or one a bone, read without trust."""

import io
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TypeVar

import numpy as np
from jaxtyping import Bool, Shaped, UInt8, UInt16
from PIL import Image, UnidentifiedImageError

from carpus.anatomy import Bone, parse_bone
from carpus.errors import InputError
from carpus.files import new_file
from carpus.imaging.masks import BoneMasks

MAX_PIXELS = 100_000_000
"""Larger images are refused before memory is taken; a 43 x 35 cm film at 0.05 mm has 60 million."""

_Value = TypeVar("_Value")
_GREY_TOLERANCE = 8
_FORMATS = ("BMP", "PNG", "JPEG", "TIFF")


def read_grey(path: Path) -> Shaped[np.ndarray, "h w"]:
    """The pixels of a grey image file as `(h, w)` uint8 or uint16.

    A file stored in colour is taken when its channels agree, as many tools save grey images that way.

    Raises:
        InputError: Missing, empty, truncated, larger than `MAX_PIXELS`, not an image, or a colour photograph.
    """
    return _read(path, path)


@dataclass(frozen=True)
class ImageHead:
    """What the head of an image file claims: size in pixels, bits a pixel and channel."""

    height: int
    width: int
    bits: int


def read_head(path: Path) -> ImageHead:
    """Size and depth of an image file; its pixels are not read.

    Raises:
        InputError: Missing, empty, larger than `MAX_PIXELS` or not an image.
    """
    return _opened(path, path, lambda image: ImageHead(image.height, image.width, 16 if image.mode[0] in "IF" else 8))


def decode_grey(content: bytes, *, source: str) -> Shaped[np.ndarray, "h w"]:
    """The pixels of a grey image file held in memory; `source` names it in errors.

    Raises:
        InputError: As `read_grey`.
    """
    return _read(io.BytesIO(content), source)


def write_grey(path: Path, pixels: Shaped[np.ndarray, "h w"]) -> None:
    """Writes `(h, w)` uint8 (or uint16 as PNG or TIFF); the suffix chooses the format."""
    with new_file(path) as draft:
        Image.fromarray(pixels).save(draft)


def encode_grey(pixels: Shaped[np.ndarray, "h w"]) -> bytes:
    """The bytes of a PNG file of `(h, w)` uint8 or uint16, or of a mask as 0 and 255.

    Example:
        >>> decode_grey(encode_grey(np.array([[False, True]])), source="mask")
        array([[  0, 255]], dtype=uint8)
    """
    file = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8) * 255 if pixels.dtype == np.bool_ else pixels).save(file, "PNG")
    return file.getvalue()


def read_plane(path: Path) -> BoneMasks:
    """The bone masks from a packed plane stored as a 16-bit grey PNG.

    Raises:
        InputError: As `read_grey`, or not 16 bits, or bits beyond the fourteen bones.
    """
    plane = read_grey(path)
    if plane.dtype != np.uint16:
        raise InputError(
            f"{path} has 8 bits a pixel, expected a packed plane of 16 bits, bit i = bone i; "
            f"give one mask a bone in a folder {path.stem}/"
        )
    try:
        return BoneMasks(plane)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def read_mask_folder(folder: Path) -> BoneMasks:
    """The bone masks from a folder of grey PNG files, one a bone, named after it in any spelling; others are empty.

    Raises:
        InputError: No such file, a name that is no bone, two files for one bone, two sizes, values other than 0/1 or
            0/255, or as `read_grey`.
    """
    paths: dict[Bone, Path] = {}
    for path in sorted(folder.glob("[!.]*.png")):
        try:
            bone = parse_bone(path.stem)
        except InputError as error:
            raise InputError(f"{path} is misnamed: {error}") from None
        if bone in paths:
            raise InputError(f"{paths[bone]} and {path.name} are both of the {bone.label}; keep one of them")
        paths[bone] = path
    if not paths:
        raise InputError(f"{folder} holds no PNG file, expected one a bone, such as Lunate.png; check the folder")
    masks = ((bone, as_mask(read_grey(path), source=path)) for bone, path in paths.items())
    first = next(masks)
    height, width = first[1].shape
    try:
        return BoneMasks.from_masks(chain([first], masks), height=height, width=width)
    except InputError as error:
        raise InputError(f"{folder}: {error}") from None


def write_plane(path: Path, masks: BoneMasks) -> None:
    """Writes bone masks as a packed plane in a 16-bit grey PNG, bit i = bone i."""
    write_grey(path, np.ascontiguousarray(masks.plane))


def as_mask(pixels: Shaped[np.ndarray, "h w"], *, source: Path | str) -> Bool[np.ndarray, "h w"]:
    """The mask in an image of 0/1 or 0/255; `source` names it in errors.

    Raises:
        InputError: Other values.
    """
    top = pixels.max(initial=0)
    if top not in (0, 1, 255) or ((pixels != 0) & (pixels != top)).any():
        raise InputError(f"{source} holds values other than 0/1 or 0/255, expected the mask of one bone; cut it first")
    return np.asarray(pixels != 0)


def _read(file: Path | io.BytesIO, source: Path | str) -> Shaped[np.ndarray, "h w"]:
    def pixels(image: Image.Image) -> Shaped[np.ndarray, "h w"]:
        image.load()
        return _grey(image, source)

    return _opened(file, source, pixels)


def _opened(file: Path | io.BytesIO, source: Path | str, use: Callable[[Image.Image], _Value]) -> _Value:
    """What `use` makes of the opened image, whose pixels are not decoded yet."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            with Image.open(file, formats=_FORMATS) as image:
                if image.width * image.height > MAX_PIXELS:
                    raise InputError(
                        f"{source} has {image.width} x {image.height} pixels, expected at most {MAX_PIXELS}; "
                        "give the radiograph itself, not a mosaic"
                    )
                return use(image)
        except FileNotFoundError:
            raise InputError(f"{source} does not exist; check the path") from None
        except IsADirectoryError:
            raise InputError(f"{source} is a folder, expected an image file") from None
        except UnidentifiedImageError:
            raise InputError(f"{source} is not an image that can be read; expected BMP, PNG, JPEG or TIFF") from None
        except (Image.DecompressionBombWarning, Image.DecompressionBombError):
            raise InputError(
                f"{source} claims more than {MAX_PIXELS} pixels; give the radiograph itself, not a mosaic"
            ) from None
        except InputError:
            raise
        except (OSError, SyntaxError, ValueError) as error:
            raise InputError(f"{source} is damaged or truncated ({error}); copy it again from its source") from error


def _grey(image: Image.Image, source: Path | str) -> UInt8[np.ndarray, "h w"] | UInt16[np.ndarray, "h w"]:
    match image.mode:
        case "L":
            return np.asarray(image)
        case "1" | "LA" | "P" if image.mode != "P" or not _is_colour(image):
            return np.asarray(image.convert("L"))
        case "I;16" | "I;16B" | "I;16L" | "I":
            values = np.asarray(image)
            if values.min() < 0 or values.max() > np.iinfo(np.uint16).max:
                raise InputError(f"{source} has values outside 0 to 65535; save it with 8 or 16 bits a pixel")
            return values.astype(np.uint16)
        case "RGB" | "RGBA" if not _is_colour(image):
            return np.asarray(image.convert("L"))
    if _is_colour(image):
        raise InputError(f"{source} is a colour photograph, expected a grey radiograph; give the X-ray image itself")
    raise InputError(f"{source} has pixel type {image.mode}, expected 8- or 16-bit grey; save it as such")


def _is_colour(image: Image.Image) -> bool:
    channels = np.asarray(image.convert("RGB"), np.int16)
    spread = channels.max(axis=2) - channels.min(axis=2)
    return float(np.mean(spread > _GREY_TOLERANCE)) > 0.01
