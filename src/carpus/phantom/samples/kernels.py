"""The loops of the training samples, compiled by Numba: bones into attenuation and masks, curves into grey values.

A bone is rendered from the distance of each pixel to its outline: exact near the outline, from OpenCV's transform
within. `fill` gives the inside and the exact part, `add_bone` what the bone adds.
"""

import math
from collections.abc import Callable
from typing import Any

from numba import njit

_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": True}

AHEAD = 1 << 20
"""Whole tiles, added so that places in them are positive."""

NEAR_PX = 2.5
"""How far from an outline distances are exact."""


def compiled(function: Callable[..., Any]) -> Any:
    """The function compiled at its first call, kept on disk where there is a place for it."""
    try:
        return njit(cache=True, **_OPTIONS)(function)
    except RuntimeError:  # neither the package's folder nor the user's cache can be written
        return njit(**_OPTIONS)(function)


@compiled
def fill(points, inside, near):  # type: ignore[no-untyped-def]
    """Fills an outline and measures distances to it up to `NEAR_PX`.

    Args:
        points: `(n, 2)` float64 in pixels of the window: x, y; the middle of a pixel is at a half.
        inside: `(h, w)` uint8, zeros; becomes 1 where a pixel's middle lies within.
        near: `(h, w)` float32; becomes the distance to the outline, or `NEAR_PX` and a bit.
    """
    height, width = inside.shape
    near[:] = NEAR_PX * NEAR_PX + 1
    count = len(points)
    for index in range(count):
        x0, y0 = points[index]
        x1, y1 = points[(index + 1) % count]
        # Each row that an edge crosses is turned over from there on.
        low, high = (y0, y1) if y0 < y1 else (y1, y0)
        if high > 0.5 and low < height - 0.5 and low < high:
            first, last = max(math.ceil(low - 0.5), 0), min(math.ceil(high - 0.5), height)
            slope = (x1 - x0) / (y1 - y0)
            for row in range(first, last):
                column = max(math.ceil(x0 + (row + 0.5 - y0) * slope - 0.5), 0)
                if column < width:
                    inside[row, column] ^= 1
        left = max(int(min(x0, x1) - NEAR_PX - 0.5), 0)
        right = min(int(max(x0, x1) + NEAR_PX + 0.5), width - 1)
        top = max(int(low - NEAR_PX - 0.5), 0)
        bottom = min(int(high + NEAR_PX + 0.5), height - 1)
        dx, dy = x1 - x0, y1 - y0
        square = dx * dx + dy * dy + 1e-12
        for row in range(top, bottom + 1):
            py = row + 0.5 - y0
            for column in range(left, right + 1):
                px = column + 0.5 - x0
                along = (px * dx + py * dy) / square
                along = min(max(along, 0.0), 1.0)
                ex, ey = px - along * dx, py - along * dy
                distance = ex * ex + ey * ey
                if distance < near[row, column]:
                    near[row, column] = distance
    for row in range(height):
        state = 0
        for column in range(width):
            state ^= inside[row, column]
            inside[row, column] = state
            near[row, column] = math.sqrt(near[row, column])


@compiled
def add_bone(total, plane, bit, corner, spacing_mm, inside, near, deep, profile, shaft, texture, wedge, fields):  # type: ignore[no-untyped-def]
    """Adds one bone, or one half of its thickness, to the attenuation and sets its bit in the plane.

    Args:
        total: `(h, w)` float32, attenuation.
        plane: `(h, w)` uint16.
        bit: Of the bone; 0 for none.
        corner: Column and row of the window.
        spacing_mm: Edge of a pixel.
        inside: Of the window, from `fill`.
        near: Of the window, from `fill`.
        deep: `(h, w)` float32, OpenCV's distance within, pixels.
        profile: Depth, rounding, shell (mm), cortex, spongy bone, marrow (attenuation a mm), shaft's rounding and wall
            (mm), strength of the rim's and of the patches' unevenness.
        shaft: x and y of the joint's end in pixels, unit vector towards the shaft, where it begins and is complete,
            where it ends and the other joint's spongy bone is complete (mm); complete at 0 for no shaft.
        texture: Grain, columns of a matrix from mm to the tiles, offset, share of strands.
        wedge: x and y of a place in pixels and of a slope a pixel: how much thicker the bone gets from there on, as a
            part of its thickness; 0.1 is left of it at least.
        fields: `(n, n, 3)` float32 tiles that repeat: network, strands, patches; n a power of two.
    """
    height, width = inside.shape
    x0, y0 = corner
    depth, rounding, shell, cortex, spongy, marrow, shaft_rounding, wall, uneven, patchy = profile
    end_x, end_y, along_x, along_y, begins, complete, ends, gone = shaft
    grain, ux, uy, vx, vy, offset_u, offset_v, strands = texture
    wedge_x, wedge_y, slope_x, slope_y = wedge
    last = fields.shape[0] - 1
    inner_rounding = max(rounding - shell, 0.3)
    inner_shaft = max(shaft_rounding - wall, 0.3)
    face = max(1 - 0.6 * shell / depth, 0.0)
    for row in range(height):
        for column in range(width):
            within = inside[row, column]
            edge = near[row, column]
            if within == 0 and edge >= 0.5:
                continue
            if within:
                cover = min(edge + 0.5, 1.0)
                far = deep[row, column] - 0.5
                distance = edge if edge < NEAR_PX else max(far, NEAR_PX)
            else:
                cover = 0.5 - edge
                distance = 0.1
            distance *= spacing_mm
            x, y = (column + x0) * spacing_mm, (row + y0) * spacing_mm
            # Patches change over millimetres: the nearest value of the tile is enough.
            pu, pv = int(x * 3.1 + offset_v) & last, int(y * 3.1 + offset_u) & last
            patch = fields[pv, pu, 2]
            u, v = ux * x + uy * y + offset_u, vx * x + vy * y + offset_v
            iu, iv = int(u + AHEAD), int(v + AHEAD)
            fu, fv = u + AHEAD - iu, v + AHEAD - iv
            a, b = iu & last, iv & last
            c, d = (a + 1) & last, (b + 1) & last
            w00, w01, w10, w11 = (1 - fu) * (1 - fv), fu * (1 - fv), (1 - fu) * fv, fu * fv
            net = w00 * fields[b, a, 0] + w01 * fields[b, c, 0] + w10 * fields[d, a, 0] + w11 * fields[d, c, 0]
            string = w00 * fields[b, a, 1] + w01 * fields[b, c, 1] + w10 * fields[d, a, 1] + w11 * fields[d, c, 1]
            rough = 1 + grain * (strands * string + (1 - strands) * net) + patchy * patch
            rough = max(rough, 0.1)

            part = min(distance / rounding, 1.0)
            outer = depth * math.sqrt(part * (2 - part))
            part = min(max(distance - shell, 0.0) / inner_rounding, 1.0)
            inner = depth * face * math.sqrt(part * (2 - part))
            rim = max(1 + uneven * fields[pu, pv, 2], 0.15)
            value = cortex * rim * max(outer - inner, 0.0) + spongy * inner * rough
            if complete > 0:
                way = ((column + x0 + 0.5 - end_x) * along_x + (row + y0 + 0.5 - end_y) * along_y) * spacing_mm
                share = min(max(min((way - begins) / (complete - begins), (gone - way) / (gone - ends)), 0.0), 1.0)
                if share > 0:
                    share = share * share * (3 - 2 * share)
                    part = min(distance / shaft_rounding, 1.0)
                    outer = 0.8 * depth * math.sqrt(part * (2 - part))
                    part = min(max(distance - wall, 0.0) / inner_shaft, 1.0)
                    inner = max(0.8 * depth - 0.7 * wall, 0.1) * math.sqrt(part * (2 - part))
                    tube = cortex * (outer - inner) * (0.85 + 0.15 * rough) + marrow * inner * rough
                    value += share * (tube - value)
            thick = 1 + slope_x * (column + x0 - wedge_x) + slope_y * (row + y0 - wedge_y)
            total[row + y0, column + x0] += cover * max(value, 0.0) * max(thick, 0.1)
            if within:
                plane[row + y0, column + x0] |= bit


@compiled
def add_line(total, points, closed, spacing_mm, half_mm, amount):  # type: ignore[no-untyped-def]
    """Adds a soft line to the attenuation, as strong at its corners as elsewhere.

    Args:
        total: `(h, w)` float32.
        points: `(n, 2)` float64, pixels.
        closed: Whether the last point is joined to the first.
        spacing_mm: Edge of a pixel.
        half_mm: Standard deviation of the line's profile.
        amount: Attenuation in its middle.
    """
    height, width = total.shape
    reach = 2.6 * half_mm / spacing_mm
    count = len(points)
    edges = count if closed else count - 1
    scale = -0.5 * (spacing_mm / half_mm) ** 2
    for index in range(edges):
        x0, y0 = points[index]
        x1, y1 = points[(index + 1) % count]
        dx, dy = x1 - x0, y1 - y0
        length = math.sqrt(dx * dx + dy * dy) + 1e-9
        # A blob that is drawn out along the edge and fades at both ends adds up with its neighbours to a line.
        left, right = max(int(min(x0, x1) - reach), 0), min(int(max(x0, x1) + reach) + 1, width - 1)
        top, bottom = max(int(min(y0, y1) - reach), 0), min(int(max(y0, y1) + reach) + 1, height - 1)
        for row in range(top, bottom + 1):
            py = row + 0.5 - y0
            for column in range(left, right + 1):
                px = column + 0.5 - x0
                along = (px * dx + py * dy) / length
                across = (px * dy - py * dx) / length
                if along < -reach or along > length + reach:
                    continue
                blend = _step(along * spacing_mm / half_mm) - _step((along - length) * spacing_mm / half_mm)
                total[row, column] += amount * blend * math.exp(scale * across * across)


@compiled
def _step(value):  # type: ignore[no-untyped-def]
    """About the normal distribution's function."""
    return 1 / (1 + math.exp(-1.702 * value))


@compiled
def to_grey(signal, curve, low, high, out):  # type: ignore[no-untyped-def]
    """Grey values of a signal by a curve.

    Args:
        signal: `(h, w)` float32.
        curve: `(n,)` float32, grey values 0 to 255.
        low: Signal at the curve's begin.
        high: Signal at its end.
        out: `(h, w)` uint8.
    """
    height, width = signal.shape
    steps = len(curve) - 1
    scale = steps / (high - low)
    for row in range(height):
        for column in range(width):
            place = (signal[row, column] - low) * scale
            place = min(max(place, 0.0), steps - 0.001)
            index = int(place)
            value = curve[index] + (place - index) * (curve[index + 1] - curve[index])
            out[row, column] = min(max(value + 0.5, 0.0), 255.0)
