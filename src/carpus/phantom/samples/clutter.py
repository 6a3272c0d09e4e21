"""What is on a radiograph beside the hand: lead letters, rings, wires, casts, borders, printed text."""

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8

from carpus.anatomy import Side
from carpus.phantom.samples.kernels import add_line

_FONTS = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_TRIPLEX, cv2.FONT_HERSHEY_PLAIN)
_WORDS = ("PA", "DX", "SIN", "ERECT", "HAND", "WRIST", "AP", "12:04", "kV 50", "mAs 2", "1/1", "STD", "M", "F")


def put_metal(
    attenuation: Float32[np.ndarray, "h w"], generator: np.random.Generator, *, spacing_mm: float, side: Side
) -> None:
    """Adds lead letters, wires, pins and clips to the attenuation, each seldom."""
    height, width = attenuation.shape
    if generator.random() < 0.15:
        letter = "R" if (side is Side.RIGHT) != (generator.random() < 0.1) else "L"
        size_mm = generator.uniform(6, 16)
        stamp = _letter(letter, generator, max(int(size_mm / spacing_mm), 12))
        x, y = _near_border(generator, width, height, stamp.shape[0])
        _paste(attenuation, stamp * np.float32(generator.uniform(1.5, 6)), x, y)
    if generator.random() < 0.05:
        start, stop = generator.uniform(0, 1, (2, 2)) * [width, height]
        bend = (start + stop) / 2 + generator.normal(0, 40, 2)
        half_mm, amount = generator.uniform(0.3, 1.2), generator.uniform(0.3, 4)
        add_line(attenuation, np.stack([start, bend, stop]), False, spacing_mm, half_mm, amount)
    if generator.random() < 0.03:
        # A watch's or bracelet's band across the forearm.
        y = height * generator.uniform(0.8, 1.0)
        points = np.array([(0.1 * width, y), (0.5 * width, y + generator.normal(0, 15)), (0.9 * width, y)])
        add_line(attenuation, points, False, spacing_mm, generator.uniform(1, 3), generator.uniform(1, 4))


def put_cast(attenuation: Float32[np.ndarray, "h w"], generator: np.random.Generator) -> None:
    """Adds, seldom, a cast or a sleeve: a layer with an edge and a weave."""
    if generator.random() > 0.06:
        return
    height, width = attenuation.shape
    small = (height // 2, width // 2)
    grain = generator.standard_normal(small, np.float32)
    weave = cv2.GaussianBlur(grain, (0, 0), generator.uniform(0.6, 2.0))
    layer = np.zeros(small, np.uint8)
    top = small[0] * generator.uniform(-0.2, 0.8)
    corners = [(0, top), (small[1], top + generator.normal(0, 25)), (small[1], small[0]), (0, small[0])]
    cv2.fillPoly(layer, [np.array(corners, np.int32)], 255)
    thick = cv2.GaussianBlur(layer, (0, 0), 2.0).astype(np.float32) / 255
    amount = generator.uniform(0.1, 0.9)
    thick *= amount * (1 + generator.uniform(0.02, 0.15) * weave / max(float(weave.std()), 1e-3))
    attenuation += cv2.resize(thick, (width, height), interpolation=cv2.INTER_LINEAR)


def draw_field(shape: tuple[int, int], generator: np.random.Generator) -> Bool[np.ndarray, "h w"] | None:
    """What the collimator leaves, a turned quadrangle that may cut off a border; None for everything."""
    if generator.random() > 0.25:
        return None
    height, width = shape
    field = np.zeros(shape, np.uint8)
    cut = np.where(generator.random(4) < 0.45, generator.uniform(0.0, 0.17, 4), -0.2)
    left, top, right, bottom = cut * [width, height, width, height]
    corners = np.array([(left, top), (width - right, top), (width - right, height - bottom), (left, height - bottom)])
    angle = np.deg2rad(generator.normal(0, 4))
    middle = np.array([width / 2, height / 2])
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    cv2.fillPoly(field, [np.rint((corners - middle) @ turn.T + middle).astype(np.int32)], 1)
    return field.view(bool)


def print_on(pixels: UInt8[np.ndarray, "h w"], generator: np.random.Generator) -> None:
    """Burns text, arrows or a ruler into the image, seldom."""
    height, width = pixels.shape
    grey = int(generator.choice([0, 255, int(generator.integers(120, 256))]))
    if generator.random() < 0.08:
        for _ in range(generator.integers(1, 4)):
            word = str(generator.choice(_WORDS))
            scale = generator.uniform(0.4, 1.6)
            x, y = _near_border(generator, width, height, int(25 * scale))
            font = _FONTS[int(generator.integers(len(_FONTS)))]
            cv2.putText(pixels, word, (x, y + 12), font, scale, grey, int(generator.integers(1, 3)), cv2.LINE_AA)
    if generator.random() < 0.04:
        tip = (generator.uniform(0.2, 0.8, 2) * [width, height]).astype(int)
        tail = (tip + generator.normal(0, 40, 2)).astype(int)
        cv2.arrowedLine(
            pixels, tuple(map(int, tail)), tuple(map(int, tip)), grey, int(generator.integers(1, 4)), cv2.LINE_AA
        )
    if generator.random() < 0.03:
        x = int(generator.choice([4, width - 12]))
        step = int(generator.integers(10, 40))
        for y in range(0, height, step):
            cv2.line(pixels, (x, y), (x + 8, y), grey, 1)


def _letter(letter: str, generator: np.random.Generator, size: int) -> Float32[np.ndarray, "n n"]:
    """A letter of lead, alone, in a ring or cut out of a plate, turned."""
    stamp = np.zeros((size, size), np.uint8)
    style = generator.integers(3)
    scale = size / 40
    ink = 255
    if style == 2:
        stamp[:] = 255
        ink = 0
    font = _FONTS[int(generator.integers(3))]
    thick = max(int(size / 14), 1)
    (wide, high), _ = cv2.getTextSize(letter, font, scale, thick)
    cv2.putText(stamp, letter, ((size - wide) // 2, (size + high) // 2), font, scale, ink, thick, cv2.LINE_AA)
    if style == 1:
        cv2.circle(stamp, (size // 2, size // 2), size // 2 - thick, 255, thick, cv2.LINE_AA)
    turn = cv2.getRotationMatrix2D((size / 2, size / 2), generator.normal(0, 20), 0.95)
    turned: np.ndarray = cv2.warpAffine(stamp, turn, (size, size))
    return turned.astype(np.float32) / 255


def _near_border(generator: np.random.Generator, width: int, height: int, size: int) -> tuple[int, int]:
    """The upper left corner for something of a size, in the outer quarter of the image."""
    x, y = generator.uniform(0, 1, 2) * [width - size, height - size]
    if generator.random() < 0.5:
        x = (
            generator.uniform(0, 0.18) * width
            if generator.random() < 0.5
            else width - size - generator.uniform(0, 0.15) * width
        )
    else:
        y = (
            generator.uniform(0, 0.12) * height
            if generator.random() < 0.5
            else height - size - generator.uniform(0, 0.12) * height
        )
    return int(np.clip(x, 0, max(width - size, 0))), int(np.clip(y, 0, max(height - size, 0)))


def _paste(total: np.ndarray, stamp: np.ndarray, x: int, y: int) -> None:
    part = total[y : y + stamp.shape[0], x : x + stamp.shape[1]]
    part += stamp[: part.shape[0], : part.shape[1]]
