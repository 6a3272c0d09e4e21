"""Bones drawn over a radiograph: filled and named, or reference and prediction as two outlines."""

from functools import cache
from importlib.resources import files
from io import BytesIO

import cv2
import numpy as np
from jaxtyping import Bool, Integer, Shaped, UInt8
from PIL import Image, ImageDraw, ImageFont

from carpus.anatomy import Bone
from carpus.errors import InputError
from carpus.imaging.geometry import Box
from carpus.imaging.intensity import to_8_bits
from carpus.imaging.masks import BoneMasks

Colour = tuple[int, int, int]

BONE_COLOURS: dict[Bone, Colour] = {
    Bone.CAPITATE: (134, 255, 169),
    Bone.DISTAL_RADIUS: (240, 177, 119),
    Bone.DISTAL_ULNA: (88, 254, 223),
    Bone.HAMATE: (158, 106, 255),
    Bone.LUNATE: (235, 84, 127),
    Bone.PISIFORM_TRIQUETRUM: (103, 197, 255),
    Bone.SCAPHOID: (194, 248, 40),
    Bone.TRAPEZIUM: (87, 138, 221),
    Bone.TRAPEZOID: (234, 83, 32),
    Bone.METACARPAL_1: (230, 163, 0),
    Bone.METACARPAL_2: (80, 224, 240),
    Bone.METACARPAL_3: (242, 229, 103),
    Bone.METACARPAL_4: (220, 125, 183),
    Bone.METACARPAL_5: (6, 174, 73),
}
"""Red, green and blue of each bone, everywhere. To eyes that do not tell red from green, neighbours still differ by
25 or more in CIELAB and any two bones by 15; the names drawn on the bones say the rest."""

REFERENCE_COLOUR: Colour = (86, 196, 244)
PREDICTED_COLOUR: Colour = (255, 150, 20)
"""A blue and an orange that every kind of colour vision tells apart."""

_FILL = 0.30


def draw_overlay(
    pixels: Shaped[np.ndarray, "h w"], masks: BoneMasks, *, labels: bool = True
) -> UInt8[np.ndarray, "h w 3"]:
    """The radiograph with every bone filled lightly, outlined, and named by its abbreviation.

    Args:
        pixels: 8 or 16 bits.
        masks: On the same grid.
        labels: Whether to write the abbreviations.

    Raises:
        InputError: The masks are of another size.
    """
    picture = _grey_to_rgb(pixels, masks)
    bones = {bone: masks.mask(bone) for bone in Bone}
    colour_sum = np.zeros(picture.shape, np.float32)
    covered = np.zeros((*masks.shape, 1), np.float32)
    for bone, mask in bones.items():
        colour_sum[mask] += BONE_COLOURS[bone]
        covered[mask] += 1
    # Where bones overlap the fill takes the mean of their colours, and each keeps its own outline.
    strength = _FILL * (covered > 0)
    blend = picture * (1 - strength) + colour_sum / np.maximum(covered, 1) * strength
    picture = np.rint(blend).astype(np.uint8)
    for bone, mask in bones.items():
        _draw_outline(picture, mask, BONE_COLOURS[bone])
    return _with_labels(picture, bones) if labels else picture


def draw_box(pixels: Shaped[np.ndarray, "h w"], box: Box) -> UInt8[np.ndarray, "h w 3"]:
    """The radiograph with a box drawn on it."""
    picture = np.repeat(to_8_bits(pixels)[..., None], 3, axis=2)
    corners = [round(edge) for edge in (box.x, box.y, box.x + box.width, box.y + box.height)]
    thickness = max(2, round(max(pixels.shape) / 350))
    cv2.rectangle(picture, corners[:2], corners[2:], PREDICTED_COLOUR, thickness, cv2.LINE_AA)
    return picture


def label_place(
    mask: Bool[np.ndarray, "h w"], covered: Integer[np.ndarray, "h w"], *, size: int
) -> tuple[float, float]:
    """The point `(x, y)` in px where a bone's name is written.

    Args:
        mask: The bone; not empty.
        covered: By how many bones each pixel is covered.
        size: Height of the letters in px.
    """
    # A part of the bone that no other covers is where its name cannot be mistaken for a neighbour's.
    own = mask & (covered == 1)
    return _middle(own if own.sum() > size**2 else mask)


def hex_colour(colour: Colour) -> str:
    """The colour as figures and pages write it.

    Example:
        >>> hex_colour((255, 150, 20))
        '#ff9614'
    """
    return "#{:02x}{:02x}{:02x}".format(*colour)


def _grey_to_rgb(pixels: Shaped[np.ndarray, "h w"], masks: BoneMasks) -> UInt8[np.ndarray, "h w 3"]:
    if pixels.shape != masks.shape:
        raise InputError(
            f"radiograph is {pixels.shape} and masks are {masks.shape}, expected one size; resize the masks"
        )
    grey = pixels if pixels.dtype == np.uint8 else to_8_bits(pixels)
    return np.repeat(grey[..., None], 3, axis=2)


def _draw_outline(picture: UInt8[np.ndarray, "h w 3"], mask: Bool[np.ndarray, "h w"], colour: Colour) -> None:
    thickness = max(1, round(min(mask.shape) / 450))
    outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(picture, outlines, -1, colour, thickness, cv2.LINE_AA)


def _with_labels(
    picture: UInt8[np.ndarray, "h w 3"], bones: dict[Bone, Bool[np.ndarray, "h w"]]
) -> UInt8[np.ndarray, "h w 3"]:
    image = Image.fromarray(picture)
    draw = ImageDraw.Draw(image)
    size = max(9, round(min(image.size) / 27))
    covered = np.sum(list(bones.values()), axis=0)
    for bone, mask in bones.items():
        if not mask.any():
            continue
        x, y = label_place(mask, covered, size=size)
        half_width, half_height = size * len(bone.abbreviation) / 3, size / 2
        place = (
            float(np.clip(x, half_width, image.width - half_width)),
            float(np.clip(y, half_height, image.height - half_height)),
        )
        draw.text(
            place,
            bone.abbreviation,
            font=_font(size),
            anchor="mm",
            fill=(255, 255, 255),
            stroke_width=max(1, size // 7),
            stroke_fill=(15, 20, 25),
        )
    return np.asarray(image)


def _middle(mask: Bool[np.ndarray, "h w"]) -> tuple[float, float]:
    """The point `(x, y)` that lies deepest inside the mask; the image's border counts as its edge."""
    depth = cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)[1:-1, 1:-1]
    y, x = np.unravel_index(int(depth.argmax()), depth.shape)
    # A long bone is equally deep all along: its name goes to the middle of that ridge, if that is bone.
    middle_y, middle_x = np.rint(np.argwhere(depth >= depth.max() - 0.5).mean(axis=0)).astype(int)
    return (float(middle_x), float(middle_y)) if mask[middle_y, middle_x] else (float(x), float(y))


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    font = files("matplotlib") / "mpl-data" / "fonts" / "ttf" / "DejaVuSans-Bold.ttf"
    return ImageFont.truetype(BytesIO(font.read_bytes()), size)
