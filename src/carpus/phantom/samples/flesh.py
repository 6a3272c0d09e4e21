"""The flesh of a hand: skin, fat and muscle, drawn at half of the resolution, as only the skin has an edge."""

import cv2
import numpy as np
from jaxtyping import Float32

from carpus.phantom.samples.hand import Hand
from carpus.phantom.samples.kernels import add_line
from carpus.phantom.samples.template import RAYS
from carpus.phantom.samples.tissue import Frame, Tissue
from carpus.phantom.shapes import Contour

MUSCLE_PER_MM, FAT_PER_MM = 0.036, 0.029
"""Attenuation a mm at about 33 keV."""

_HALF_SIZE = 2
_SKIN = 110
_FOLD = 0.5


def soft_tissue(hand: Hand, tissue: Tissue, frame: Frame, generator: np.random.Generator) -> Float32[np.ndarray, "h w"]:
    """What skin, fat and muscle add, drawn at half of the resolution: they have no sharp edges but the skin."""
    height, width = -(-frame.height_px // _HALF_SIZE), -(-frame.width_px // _HALF_SIZE)
    spacing_mm = frame.spacing_mm * _HALF_SIZE
    limb = _limb(hand, frame, (height, width), generator)
    blur_px = 2.0 / spacing_mm
    smooth = cv2.GaussianBlur(limb, (0, 0), blur_px, borderType=cv2.BORDER_REPLICATE)
    body = (smooth > _SKIN).astype(np.uint8)
    # An image without a rim of air is infinitely deep.
    depth = cv2.blur(np.minimum(cv2.distanceTransform(body, cv2.DIST_L2, 5), np.float32(1e4)), (3, 3))
    # Beside the skin the smoothed silhouette tells more than whole pixels do.
    edge = (smooth.astype(np.float32) - np.float32(_SKIN)) * np.float32(2.507 * blur_px / 255)
    depth = np.where(edge < 1.5, np.maximum(edge, 0), np.maximum(depth - np.float32(0.5), 0)) * np.float32(spacing_mm)
    field = smooth_field(generator, (height, width), 4)
    full = _bulge(depth, tissue.limb_mm)
    muscle = _bulge(np.maximum(depth - np.float32(tissue.fat_mm), 0), tissue.limb_mm)
    muscle *= 1 + np.float32(generator.uniform(0.02, 0.12)) * field
    soft = (
        np.float32(FAT_PER_MM * tissue.soft) * full
        + np.float32((MUSCLE_PER_MM - FAT_PER_MM) * tissue.soft * 1.5) * muscle
    )
    for points, strength_mm, half_mm in _muscles(hand, generator):
        add_line(
            soft,
            frame.pixels(points) / _HALF_SIZE,
            False,
            spacing_mm,
            half_mm,
            MUSCLE_PER_MM * tissue.soft * strength_mm,
        )
    soft *= body
    grown: Float32[np.ndarray, "h w"] = cv2.resize(
        soft, (width * _HALF_SIZE, height * _HALF_SIZE), interpolation=cv2.INTER_LINEAR
    )[: frame.height_px, : frame.width_px]
    return np.ascontiguousarray(grown)


def smooth_field(generator: np.random.Generator, shape: tuple[int, int], knots: int) -> Float32[np.ndarray, "h w"]:
    """A field of about unit variance that changes slowly, `knots` random values across."""
    coarse = generator.standard_normal((knots + 2, knots + 2), np.float32)
    field: Float32[np.ndarray, "h w"] = cv2.resize(coarse, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)
    return field


def _bulge(depth: Float32[np.ndarray, "h w"], half_mm: float) -> Float32[np.ndarray, "h w"]:
    """Thickness of a rounded limb at a depth below its skin."""
    part = np.minimum(depth * np.float32(1 / (1.3 * half_mm)), 1)
    thickness: Float32[np.ndarray, "h w"] = np.float32(2 * half_mm) * cv2.sqrt(part * (2 - part))
    return thickness


def _limb(hand: Hand, frame: Frame, shape: tuple[int, int], generator: np.random.Generator) -> np.ndarray:
    """The silhouette as bytes: fingers and thumb as rods around their bones, palm, web and forearm as polygons."""
    limb = np.zeros(shape, np.uint8)
    names = {part.name: index for index, part in enumerate(hand.parts)}
    plump = generator.uniform(0.9, 1.2)

    def put(points: np.ndarray, breadth_mm: float, *, filled: bool = False) -> None:
        pixels = np.rint(frame.pixels(points) / _HALF_SIZE * 16).astype(np.int32)
        thickness = max(round(breadth_mm / (frame.spacing_mm * _HALF_SIZE)), 1)
        if filled:
            cv2.fillPoly(limb, [pixels], 255, shift=4)
        cv2.polylines(limb, [pixels], filled, 255, thickness, cv2.LINE_8, 4)

    tips = {}
    for number, ray in enumerate(RAYS, start=1):
        chain = [names[f"metacarpal{number}"]] + [names[f"phalanx{number}.{k}"] for k in range(1, len(ray.lengths_mm))]
        last = chain[-1]
        stops = np.array(
            [
                *(hand.ends[index] for index in chain),
                hand.ends[last] + 0.9 * hand.parts[last].length_mm * hand.axes[last],
            ]
        )
        tips[number] = stops
        breadth = (21.0 if number == 1 else 17.5 if number < 5 else 15.5) * plump
        for place in range(len(stops) - 1):
            put(stops[place : place + 2], breadth * (1.1, 1.0, 0.94, 0.88)[place])
    # The palm reaches from the bases of the metacarpals to the webs, at about a third of the first phalanges.
    webs = [
        tips[number][1] + generator.uniform(0.3, 0.42) * (tips[number][2] - tips[number][1]) for number in (2, 3, 4, 5)
    ]
    bases = [tips[number][0] for number in (5, 4, 3, 2)]
    put(np.array(webs + bases), 16.0 * plump, filled=True)
    put(tips[5][:2] + np.array([generator.uniform(2, 6), 0]), 19.0 * plump)
    (thumb, knuckle), (index, other) = tips[1][:2], tips[2][:2]
    reach = generator.uniform(0.65, 1.0)
    web = np.array([thumb, thumb + reach * (knuckle - thumb), index + reach * (other - index), index])
    put(web, 11.0, filled=True)
    ulna, radius = hand.halves[names["ulna"], 0], hand.halves[names["radius"], 0]
    left, right, more = radius[:, 0].min(), ulna[:, 0].max(), generator.uniform(0, 10)
    down = [(left - more, 150), (left - 0.4 * more, 60), (left + 1, 26), (left + 1, 4)]
    up = [(right - 3, 2), (right - 1, 26), (right + 0.4 * more, 60), (right + more, 150)]
    forearm = np.array([*down, thumb, index, tips[5][0], *up])
    put(forearm, 13.0 * plump, filled=True)
    for aside in (left, right):
        # The skin bulges between the creases at the wrist.
        if generator.random() < _FOLD:
            bulge = np.array([aside, generator.uniform(-10, 25)])
            put(np.stack([bulge, bulge + generator.normal(0, 4, 2)]), generator.uniform(10, 26) * plump)
    return limb


def _muscles(hand: Hand, generator: np.random.Generator) -> list[tuple[Contour, float, float]]:
    """Courses of muscles and folds: points, mm of muscle more, half of their breadth."""
    names = {part.name: index for index, part in enumerate(hand.parts)}
    one, two, five = (hand.ends[names[name]] for name in ("metacarpal1", "metacarpal2", "metacarpal5"))
    first, fifth = (hand.axes[names[name]] for name in ("metacarpal1", "metacarpal5"))
    thenar = np.stack([two + np.array([2.0, 4.0]), one + 22 * first + np.array([7.0, 0.0])])
    hypothenar = np.stack([five + 2.0, five + 30 * fifth + np.array([4.0, 0.0])])
    found = [
        (thenar, generator.uniform(2, 8), generator.uniform(6, 10)),
        (hypothenar, generator.uniform(1, 6), generator.uniform(4, 7)),
        (np.array([(2.0, 130.0), (2.0, 40.0)]), generator.uniform(0, 6), generator.uniform(7, 12)),
    ]
    if generator.random() < _FOLD:
        crease = np.stack([generator.normal((-30, 24), 8), generator.normal((34, 20), 8)])
        found.append((crease, generator.uniform(-1.5, 1.5), generator.uniform(0.3, 0.8)))
    if generator.random() < _FOLD:
        start = one + 25 * first
        crease = np.stack([start, start + generator.normal((22, -8), 6), generator.normal((4, -5), 5)])
        found.append((crease, generator.uniform(-1.5, 2), generator.uniform(0.4, 1.2)))
    return found
