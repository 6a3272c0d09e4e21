"""Attenuation to grey values by a chain of acquisition that is never the same twice.

Beam, scatter, detector, noise, the manufacturer's processing, grey curve and window are all drawn anew for each sample,
more widely than real devices differ, so that a network cannot learn one of them (domain randomisation).

References:
    Billot B et al. SynthSeg: segmentation of brain MRI scans of any contrast and resolution without retraining. Med
        Image Anal 2023;86:102789. https://doi.org/10.1016/j.media.2023.102789
"""

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from carpus.phantom.samples.flesh import smooth_field
from carpus.phantom.samples.kernels import to_grey

_CURVE_STEPS = 512
_INVERTED = 0.08
_JPEG = 0.35
_COARSER = 0.2


def detect(
    attenuation: Float32[np.ndarray, "h w"], generator: np.random.Generator, *, spacing_mm: float
) -> Float32[np.ndarray, "h w"]:
    """The logarithmic signal of a random device, about 0 in air; more is denser."""
    shape = attenuation.shape
    exponent = attenuation * np.float32(-np.exp(generator.normal(0, 0.2)))
    if generator.random() < 0.6:
        # Heel effect, and plates that are not equally sensitive all over.
        exponent += np.float32(generator.uniform(0.02, 0.12)) * smooth_field(generator, (shape[0], shape[1]), 1)
    beam = cv2.exp(exponent)
    scatter = np.float32(generator.beta(1.2, 4))
    small = cv2.resize(beam, (shape[1] // 8, shape[0] // 8), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), generator.uniform(5, 20) / (8 * spacing_mm))
    wide = cv2.resize(small, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR)
    beam = cv2.addWeighted(beam, float(1 - scatter), wide, float(scatter), 0)
    blur_px = np.exp(generator.uniform(np.log(0.04), np.log(0.32))) / spacing_mm
    if blur_px > 0.25:
        beam = cv2.GaussianBlur(beam, (0, 0), blur_px)
    fewest = 800 if generator.random() < 0.15 else 3000
    quanta = np.exp(generator.uniform(np.log(fewest), np.log(60000))) * (spacing_mm / 0.15) ** 2
    noise = generator.standard_normal(shape, np.float32)
    if generator.random() < 0.5:
        correlated = generator.uniform(0.4, 1.3)
        # What the blur takes from the noise's variance is given back.
        noise = cv2.GaussianBlur(noise, (0, 0), correlated) * np.float32(np.sqrt(1 + 4 * np.pi * correlated**2) ** 0.9)
    noise *= np.float32(1 / np.sqrt(quanta))
    beam = cv2.add(beam, cv2.multiply(cv2.sqrt(beam), noise))
    signal: Float32[np.ndarray, "h w"] = -cv2.log(np.maximum(beam, np.float32(1e-4)))
    return signal


def process(
    signal: Float32[np.ndarray, "h w"], generator: np.random.Generator, *, spacing_mm: float
) -> Float32[np.ndarray, "h w"]:
    """The signal after a manufacturer's edge enhancement and equalisation of large structures, or neither."""
    if generator.random() < 0.55:
        radius_px = np.exp(generator.uniform(np.log(0.2), np.log(1.6))) / spacing_mm
        gain = generator.uniform(0.1, 1.2)
        signal = cv2.addWeighted(signal, 1 + gain, cv2.GaussianBlur(signal, (0, 0), max(radius_px, 0.6)), -gain, 0)
    if generator.random() < 0.4:
        share = generator.uniform(0.1, 0.75)
        height, width = signal.shape
        small = cv2.resize(signal, (width // 8, height // 8), interpolation=cv2.INTER_AREA)
        small = cv2.GaussianBlur(small, (0, 0), generator.uniform(3, 15) / (8 * spacing_mm))
        wide = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
        signal = cv2.addWeighted(signal, 1.0, wide, -share, 0)
    return signal


def deliver(signal: Float32[np.ndarray, "h w"], generator: np.random.Generator) -> UInt8[np.ndarray, "h w"]:
    """Grey values through a random window and curve: from faint to strong contrast, the toe dark or grey."""
    sparse = np.sort(signal[::5, ::5], axis=None)
    # The window opens between air and flesh and closes near the densest bone.
    low = float(sparse[int(generator.uniform(0.0, 0.12) * (len(sparse) - 1))])
    high = float(sparse[int(generator.uniform(0.975, 0.9995) * (len(sparse) - 1))])
    span = max(high - low, 0.05)
    low -= generator.uniform(-0.05, 0.25) * span
    high += generator.uniform(-0.05, 0.35) * span
    out = np.empty(signal.shape, np.uint8)
    to_grey(signal, grey_curve(generator), low, max(high, low + 0.05), out)
    return out


def grey_curve(generator: np.random.Generator) -> Float32[np.ndarray, " n"]:
    """A rising curve of grey values over 0 to 1: a power, a film's toe and shoulder, and random waves."""
    x = np.linspace(0, 1, _CURVE_STEPS)
    gamma = np.exp(generator.normal(0.1, 0.4))
    curve = x**gamma
    if generator.random() < 0.5:
        middle, steep = generator.uniform(0.25, 0.75), generator.uniform(2, 9)
        sigmoid = 1 / (1 + np.exp(-steep * (x - middle)))
        sigmoid = (sigmoid - sigmoid[0]) / (sigmoid[-1] - sigmoid[0])
        share = generator.uniform(0.2, 1)
        curve = (1 - share) * curve + share * sigmoid
    slope = np.diff(curve, prepend=0)
    slope *= np.exp(generator.normal(0, 0.25) * np.sin(generator.uniform(2, 9) * x + generator.uniform(0, 6)))
    curve = np.cumsum(slope)
    curve /= curve[-1]
    black = generator.uniform(0, 45) if generator.random() < 0.5 else 0.0
    white = 255.0 if generator.random() < 0.5 else generator.uniform(150, 255)
    grey: Float32[np.ndarray, " n"] = (black + (white - black) * curve).astype(np.float32)
    return grey


def stored(pixels: UInt8[np.ndarray, "h w"], generator: np.random.Generator) -> UInt8[np.ndarray, "h w"]:
    """As files bring it: at times from a coarser image, inverted, or out of a JPEG file."""
    height, width = pixels.shape
    if generator.random() < _COARSER:
        share = generator.uniform(0.4, 0.9)
        small = cv2.resize(pixels, (int(width * share), int(height * share)), interpolation=cv2.INTER_AREA)
        pixels = cv2.resize(
            small, (width, height), interpolation=cv2.INTER_LINEAR if generator.random() < 0.5 else cv2.INTER_CUBIC
        )
    if generator.random() < _INVERTED:
        pixels = cv2.bitwise_not(pixels)
    if generator.random() < _JPEG:
        quality = int(generator.integers(25, 96))
        _, encoded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
        pixels = np.asarray(cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE), np.uint8)
    return pixels
