"""A hand into attenuation and masks: what an ideal detector meets.

What a beam meets on its way adds up (Beer-Lambert). Each half of a bone is a rounded body of spongy bone in a shell of
cortex; towards a shaft it becomes a tube of thick cortex around marrow. Trabeculae are taken from tiles of noise that
are turned along each bone's axis, so that they follow its stress lines.
"""

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from jaxtyping import Float, Float32, UInt16

from carpus.phantom.samples.hand import Hand
from carpus.phantom.samples.kernels import add_bone, add_line, fill
from carpus.phantom.samples.template import CARPUS, RAYS
from carpus.phantom.shapes import Contour

CORTEX_PER_MM = 0.165
"""Attenuation of cortical bone a mm at about 33 keV, beyond that of the soft tissue in its place."""

MUSCLE_PER_MM, FAT_PER_MM = 0.036, 0.029

_TILE = 1024
_HALF_SIZE = 2
_SKIN = 110
_RING = 0.06
_NO_SHAFT = (0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 2.0)


@dataclass(frozen=True)
class Frame:
    """Where the hand lies in the image.

    Attributes:
        height_px: Rows.
        width_px: Columns.
        spacing_mm: Edge of a pixel.
        degrees: Turn of the hand, clockwise in the image.
        middle_px: Column and row at which the middle of the capitate lies.
    """

    height_px: int
    width_px: int
    spacing_mm: float
    degrees: float
    middle_px: tuple[float, float]

    def pixels(self, points: Float[np.ndarray, "*n 2"]) -> Float[np.ndarray, "*n 2"]:
        """Columns and rows of points in mm."""
        angle = np.deg2rad(self.degrees)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) / self.spacing_mm
        placed: np.ndarray = points @ turn.T + np.array(self.middle_px)
        return placed


@dataclass(frozen=True)
class Tissue:
    """What the tissue of one hand is like, relative to a healthy young adult's unless a unit is given.

    Attributes:
        mineral: Of all bone.
        cortex: Thickness of the cortex.
        spongy_share: Attenuation of spongy bone as a share of cortical bone's.
        grain: Strength of the trabeculae.
        strands: Share of trabeculae that follow the bone's axis.
        coarseness: Width of the trabeculae.
        uneven: How much the rims vary along a bone.
        patchy: How much spongy bone varies within a bone.
        limb_mm: Half of the thickness of palm and forearm.
        fat_mm: Of fat under the skin.
        soft: Attenuation of soft tissue.
    """

    mineral: float
    cortex: float
    spongy_share: float
    grain: float
    strands: float
    coarseness: float
    uneven: float
    patchy: float
    limb_mm: float
    fat_mm: float
    soft: float


def draw_tissue(hand: Hand, generator: np.random.Generator) -> Tissue:
    """Tissue by age, sex and damage, and by chance beyond what people differ in."""
    mineral = (1.0 if hand.male else 0.92) * (1 - 0.005 * max(hand.age - 50, 0)) * (1 - 0.2 * hand.damage.severity)
    return Tissue(
        mineral=mineral * np.exp(generator.normal(0, 0.2)),
        cortex=np.exp(generator.normal(-0.1, 0.25)) * (1 - 0.004 * max(hand.age - 50, 0)),
        spongy_share=0.27 * np.exp(generator.normal(0, 0.25)),
        grain=generator.uniform(0.1, 0.38),
        strands=generator.uniform(0.35, 0.85),
        coarseness=np.exp(generator.normal(0.1, 0.25)),
        uneven=generator.uniform(0.1, 0.55),
        patchy=generator.uniform(0.04, 0.16),
        limb_mm=13.0 * np.exp(generator.normal(0, 0.2)),
        fat_mm=generator.uniform(0.8, 4.5),
        soft=np.exp(generator.normal(0, 0.15)),
    )


def render(
    hand: Hand, tissue: Tissue, frame: Frame, generator: np.random.Generator
) -> tuple[Float32[np.ndarray, "h w"], UInt16[np.ndarray, "h w"]]:
    """Attenuation and the packed plane of the fourteen bones.

    Args:
        hand: The bones.
        tissue: What they and the flesh are made of.
        frame: Where they lie.
        generator: Of the trabeculae and the flesh.
    """
    total = soft_tissue(hand, tissue, frame, generator)
    plane = np.zeros(total.shape, np.uint16)
    halves = frame.pixels(hand.halves)
    ends, tips = frame.pixels(hand.ends), frame.pixels(hand.ends + hand.axes)
    axes = (tips - ends) * frame.spacing_mm
    fused = 0.35 if hand.damage.ankylosis else 1.0
    count = len(hand.parts)
    chance = generator.random((count, 2, 6))
    for index, part in enumerate(hand.parts):
        bit = 0 if part.bone is None else 1 << part.bone.channel
        axis = axes[index]
        if part.length_mm == 0:
            lean = 2 * np.pi * chance[index, 0, 5]
            axis = np.array([np.cos(lean), np.sin(lean)])
        if part.length_mm == 0:
            shaft = _NO_SHAFT
        else:
            length = part.length_mm
            marks = (
                (9.0, 36.0, 400.0, 500.0)
                if part.row == "forearm"
                else (0.1 * length, 0.37 * length, 0.7 * length, 0.92 * length)
            )
            shaft = (ends[index, 0], ends[index, 1], axis[0], axis[1], *marks)
        for half in range(2):
            luck = chance[index, half]
            shell = part.shell_mm * tissue.cortex * (0.6 + 0.8 * luck[0]) * (1.0 if part.length_mm else fused)
            rounding = part.rounding_mm if part.length_mm == 0 else 5.0
            wall = (2.2 if part.row == "forearm" else 1.75 * part.depth_mm / 13) * tissue.cortex
            cortex = CORTEX_PER_MM * tissue.mineral
            spongy = cortex * tissue.spongy_share * (0.85 + 0.3 * luck[1]) * (0.85 if part.length_mm else 1.15)
            profile = (
                0.5 * part.depth_mm, rounding * (0.85 + 0.3 * luck[2]), shell, cortex, spongy, 0.22 * spongy, part.rounding_mm, wall,
                tissue.uneven, tissue.patchy,
            )  # fmt: skip
            _add(total, plane, bit, halves[index, half], profile, shaft, _texture(axis, tissue, luck), frame)
    _add_details(total, hand, tissue, frame, generator)
    return total, plane


def _texture(axis: np.ndarray, tissue: Tissue, luck: np.ndarray) -> tuple[float, ...]:
    """Grain, matrix to the tiles so that strands run along the axis, offset, share of strands."""
    scale = 9.0 / tissue.coarseness
    return (
        tissue.grain, -axis[1] * scale, axis[0] * scale, axis[0] * scale, axis[1] * scale, luck[3] * _TILE, luck[4] * _TILE, tissue.strands,
    )  # fmt: skip


def _add(
    total: np.ndarray,
    plane: np.ndarray,
    bit: int,
    points: Contour,
    profile: tuple[float, ...],
    shaft: tuple[float, ...],
    texture: tuple[float, ...],
    frame: Frame,
) -> None:
    """One half of a bone, where it lies in the image."""
    left, top = np.maximum(np.floor(points.min(axis=0)).astype(int) - 2, 0)
    right = min(int(points[:, 0].max()) + 3, frame.width_px)
    bottom = min(int(points[:, 1].max()) + 3, frame.height_px)
    if right - left < 2 or bottom - top < 2:
        return
    inside = np.zeros((bottom - top, right - left), np.uint8)
    near = np.empty(inside.shape, np.float32)
    fill(points - (left, top), inside, near)
    deep = cv2.distanceTransform(inside, cv2.DIST_L2, 5)
    deep = cv2.blur(deep, (3, 3))
    add_bone(
        total, plane, np.uint16(bit), (int(left), int(top)), frame.spacing_mm, inside, near, deep, profile, shaft, texture, tiles()
    )  # fmt: skip


def _add_details(total: np.ndarray, hand: Hand, tissue: Tissue, frame: Frame, generator: np.random.Generator) -> None:
    """Dense lines within bones, and sesamoids."""
    cortex = CORTEX_PER_MM * tissue.mineral
    strength = {"shelf": (1.8, 0.75), "hook": (2.4, 0.55), "tubercle": (1.1, 0.45)}
    for name, points in hand.lines.items():
        bone_mm, half_mm = strength[name]
        amount = cortex * bone_mm * generator.uniform(0.3, 1.2)
        add_line(
            total,
            frame.pixels(points),
            name != "shelf",
            frame.spacing_mm,
            half_mm * generator.uniform(0.7, 1.2),
            amount,
        )
    spacing_mm = frame.spacing_mm
    names = [part.name for part in hand.parts]
    if generator.random() < _RING:
        # A ring of metal around a finger.
        bone = names.index(f"phalanx{generator.choice([2, 3, 4, 5], p=[0.1, 0.2, 0.6, 0.1])}.1")
        axis = hand.axes[bone]
        middle = hand.ends[bone] + 0.5 * hand.parts[bone].length_mm * axis
        across = np.array([-axis[1], axis[0]]) * generator.uniform(8, 10)
        add_line(
            total,
            frame.pixels(np.array([middle - across, middle + across])),
            False,
            spacing_mm,
            generator.uniform(0.6, 2),
            generator.uniform(2, 8),
        )
    for _ in range(int(generator.poisson(0.4 + 2.5 * hand.damage.severity))):
        # Cysts are lucent, bone islands dense.
        half = hand.halves[int(generator.integers(len(CARPUS)))].mean(axis=0)
        place = half.mean(axis=0) + generator.uniform(0.1, 0.7) * (
            half[int(generator.integers(len(half)))] - half.mean(axis=0)
        )
        place = np.array([place, place + generator.normal(0, 0.8, 2)])
        amount = (
            0.5
            * cortex
            * generator.uniform(1.0, 4.0)
            * (1 if generator.random() < 0.15 else -1)
            * tissue.spongy_share
            / 0.27
        )
        add_line(total, frame.pixels(place), False, spacing_mm, generator.uniform(0.5, 1.4), amount)
    nowhere = np.zeros(total.shape, np.uint16)
    for ring in hand.sesamoids:
        profile = (4.0, 2.2, 0.4 * tissue.cortex, cortex, cortex * tissue.spongy_share, 0.0, 2.0, 1.0, 0.3, 0.1)
        texture = _texture(np.array([0.0, 1.0]), tissue, generator.random(6))
        _add(total, nowhere, 0, frame.pixels(ring), profile, _NO_SHAFT, texture, frame)


def soft_tissue(hand: Hand, tissue: Tissue, frame: Frame, generator: np.random.Generator) -> Float32[np.ndarray, "h w"]:
    """What skin, fat and muscle add, drawn at half of the resolution: they have no sharp edges but the skin."""
    height, width = -(-frame.height_px // _HALF_SIZE), -(-frame.width_px // _HALF_SIZE)
    spacing_mm = frame.spacing_mm * _HALF_SIZE
    limb = _limb(hand, frame, (height, width), generator)
    blur_px = 2.0 / spacing_mm
    smooth = cv2.GaussianBlur(limb, (0, 0), blur_px, borderType=cv2.BORDER_REPLICATE)
    body = (smooth > _SKIN).astype(np.uint8)
    depth = cv2.blur(cv2.distanceTransform(body, cv2.DIST_L2, 5), (3, 3))
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
    knuckles = [tips[number][1] for number in (2, 3, 4, 5)]
    bases = [tips[number][0] for number in (5, 4, 3, 2)]
    put(np.array(knuckles + bases), 15.0 * plump, filled=True)
    web = generator.uniform(0.45, 0.8)
    put(
        np.array(
            [
                tips[1][0],
                tips[1][0] + web * (tips[1][1] - tips[1][0]),
                tips[2][0] + web * (tips[2][1] - tips[2][0]),
                tips[2][0],
            ]
        ),
        11.0,
        filled=True,
    )
    ulna, radius = hand.halves[names["ulna"]].mean(axis=0), hand.halves[names["radius"]].mean(axis=0)
    left, right = radius[:, 0].min(), ulna[:, 0].max()
    growth = generator.uniform(0, 10)
    forearm = np.array(
        [
            (left - growth, 150),
            (left - 0.4 * growth, 60),
            (left + 1, 26),
            (left + 1, 4),
            *tips[1][:1],
            tips[2][0],
            tips[5][0],
            (right - 3, 2),
            (right - 1, 26),
            (right + 0.4 * growth, 60),
            (right + growth, 150),
        ]
    )
    put(forearm, 13.0 * plump, filled=True)
    return limb


def _muscles(hand: Hand, generator: np.random.Generator) -> list[tuple[Contour, float, float]]:
    """Courses of muscles and folds: points, mm of muscle more, half of their breadth."""
    names = {part.name: index for index, part in enumerate(hand.parts)}
    one, two, five = (hand.ends[names[name]] for name in ("metacarpal1", "metacarpal2", "metacarpal5"))
    first, fifth = (hand.axes[names[name]] for name in ("metacarpal1", "metacarpal5"))
    found = [
        (np.array([two + (2, 4), one + 22 * first + (7, 0)]), generator.uniform(2, 8), generator.uniform(6, 10)),
        (np.array([five + (2, 2), five + 30 * fifth + (4, 0)]), generator.uniform(1, 6), generator.uniform(4, 7)),
        (np.array([(2.0, 130.0), (2.0, 40.0)]), generator.uniform(0, 6), generator.uniform(7, 12)),
    ]
    if generator.random() < 0.5:
        start, stop = generator.normal((-30, 24), 8), generator.normal((34, 20), 8)
        found.append((np.array([start, stop]), generator.uniform(-1.5, 1.5), generator.uniform(0.3, 0.8)))
    if generator.random() < 0.5:
        start = one + 25 * first
        bend = start + generator.normal((22, -8), 6)
        found.append(
            (
                np.array([start, bend, generator.normal((4, -5), 5)]),
                generator.uniform(-1.5, 2),
                generator.uniform(0.4, 1.2),
            )
        )
    return found


def smooth_field(generator: np.random.Generator, shape: tuple[int, int], knots: int) -> Float32[np.ndarray, "h w"]:
    """A field of about unit variance that changes slowly, `knots` random values across."""
    coarse = generator.standard_normal((knots + 2, knots + 2), np.float32)
    field: Float32[np.ndarray, "h w"] = cv2.resize(coarse, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)
    return field


@cache
def tiles() -> Float32[np.ndarray, "3 n n"]:
    """Tiles that repeat, the same in every process: patches, a network of trabeculae, strands along y."""
    noise = np.fft.rfft2(np.random.default_rng(20).standard_normal((_TILE, _TILE)))
    fy, fx = np.fft.fftfreq(_TILE)[:, None] * _TILE, np.fft.rfftfreq(_TILE)[None] * _TILE

    def band(low: float, high: float, stretch: float) -> np.ndarray:
        radius = np.hypot(fx, fy * stretch)
        field = np.fft.irfft2(noise * np.exp(-((radius / high) ** 2)) * (1 - np.exp(-((radius / low) ** 2))))
        return field / field.std()

    def ridges(field: np.ndarray) -> np.ndarray:
        lines = np.exp(-((field / 0.45) ** 2))
        lines = lines - lines.mean()
        return 0.7 * lines / lines.std() + 0.5 * field

    # 1024 values span some 110 mm: trabeculae about 0.7 mm apart are 150 waves a tile.
    network = ridges(band(95, 190, 1.0)) + 0.5 * band(30, 90, 1.0)
    strands = ridges(band(95, 190, 3.5)) + 0.5 * band(30, 90, 3.0)
    made = np.stack([band(4, 22, 1.0), network / network.std(), strands / strands.std()]).astype(np.float32)
    made.flags.writeable = False
    return made
