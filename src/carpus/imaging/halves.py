"""A film of both hands side by side, cut in two."""

from dataclasses import replace
from enum import Enum

import cv2
import numpy as np

from carpus.errors import InputError
from carpus.imaging.geometry import Box
from carpus.imaging.radiograph import Part, Radiograph

_BETWEEN = (0.35, 0.65)
_LEAST_PX = 64
_ROWS = 256


class Half(Enum):
    """A half of a film as one looks at it, whichever hand that shows."""

    LEFT = "left"
    RIGHT = "right"


def half_of(film: Radiograph, half: Half) -> Radiograph:
    """One half of a film that shows both hands side by side, fingers up; which hand it is, the picture tells.

    The cut lies near the middle, where a column of the film varies least, as between two hands.

    Args:
        film: Whole, as it is stored.
        half: Which.

    Raises:
        InputError: A film too narrow for two hands.
    """
    width = film.shape[1]
    if width < _LEAST_PX:
        raise InputError(f"{film.source or 'the film'} is {width} px wide, too narrow for two hands; read it whole")
    cut = _between(film)
    left, right = (0, cut) if half is Half.LEFT else (cut, width)
    part = film.cropped(Box(left, 0, right - left, film.shape[0]))
    return replace(part, side=None, part=Part(half.value, left, width))


def _between(film: Radiograph) -> int:
    width = film.shape[1]
    small = cv2.resize(film.pixels.astype(np.float32), (width, _ROWS), interpolation=cv2.INTER_AREA)
    varies = cv2.GaussianBlur(small.std(axis=0)[None], (0, 0), max(width / 100, 1))[0]
    first, last = (round(share * width) for share in _BETWEEN)
    return first + int(varies[first:last].argmin())
