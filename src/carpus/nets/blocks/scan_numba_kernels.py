"""The loops of `scan_numba`: plain functions over arrays, compiled at their first call.

`LANES` neighbouring channels of a group go through the sequence together, innermost in every array here, so that each
instruction works on a vector of channels. The sequence is read and written in tiles of `TILE` positions.

Rates of decay are multiplied by log2(e) once, for 2^z is cheaper than e^z. In single precision exponential and
softplus are polynomials, which compile to vector instructions; in double precision they are the library's.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit, types  # type: ignore[import-not-found, unused-ignore]
from numba.extending import overload  # type: ignore[import-not-found, unused-ignore]

LANES = 32
TILE = 64
LOG2_E = math.log2(math.e)
LN_2 = math.log(2)
# Products and sums may be fused; NaN and infinity keep their meaning.
MATH = {"contract", "nsz"}
# Where sums run over channels, they may also be taken in another order.
SUMS = {*MATH, "reassoc"}
SINGLE_LOG2_E, SINGLE_LN_2 = np.float32(LOG2_E), np.float32(LN_2)
# ln 2 in two parts, the first of few digits, so that its multiples are exact.
LN_2_HIGH, LN_2_LOW = np.float32(0.693359375), np.float32(LN_2 - 0.693359375)
ONE, TWO = np.float32(1), np.float32(2)
# Where 2^z neither underflows nor overflows.
LOWEST, HIGHEST = np.float32(-126), np.float32(126)
# Added, it leaves of a number the nearest integer, in the lowest bits; 2^23 x 1.5.
ROUNDER = np.float32(12582912)
# (2^r - 1) / r for r in -1/2 to 1/2, from the constant up: least largest error (2e-9) found by Lawson's iteration.
E1, E2, E3 = np.float32(6.931472029e-1), np.float32(2.402264791e-1), np.float32(5.550332471e-2)
E4, E5, E6 = np.float32(9.618437358e-3), np.float32(1.339887445e-3), np.float32(1.535336182e-4)
# log(1 + w) = 2 artanh(s), s = w / (2 + w) in 0 to 1/3.
L3, L5, L7 = np.float32(1 / 3), np.float32(1 / 5), np.float32(1 / 7)
L9, L11, L13 = np.float32(1 / 9), np.float32(1 / 11), np.float32(1 / 13)


def _compiled(function: Callable[..., Any]) -> Any:
    """The function compiled at its first call, kept on disk where there is a place for it."""
    options: dict[str, Any] = {"nogil": True, "fastmath": MATH, "error_model": "numpy"}
    try:
        return njit(cache=True, **options)(function)
    except RuntimeError:  # neither the package's folder nor the user's cache can be written
        return njit(**options)(function)


def _part(function: Callable[..., Any], math: set[str] = MATH) -> Any:
    """The function for use in compiled ones only, which makes it faster to compile."""
    options: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    return njit(fastmath=math, error_model="numpy", **options)(function)


def _sums(function: Callable[..., Any]) -> Any:
    """The same, with sums in any order."""
    return _part(function, SUMS)


def _exp2(z: Any) -> Any:
    """2^z."""
    raise NotImplementedError


def _exp(z: Any) -> Any:
    """e^z for z up to 0, to the last digit where `_exp2` loses some to the change of base."""
    raise NotImplementedError


def _softplus(z: Any) -> Any:
    """log(1 + e^z)."""
    raise NotImplementedError


def _sigmoid(z: Any) -> Any:
    """The slope of softplus."""
    raise NotImplementedError


@_part
def _power(shifted, r):  # type: ignore[no-untyped-def]
    """2^(whole + r) in single precision, for whole + `ROUNDER`, and r in -1/2 to 1/2."""
    power = np.int32((np.float32(shifted).view(np.int32) + 127) << 23).view(np.float32)
    return power + power * (r * (E1 + r * (E2 + r * (E3 + r * (E4 + r * (E5 + r * E6))))))


@overload(_exp2, jit_options={"fastmath": MATH})
def _(z: Any) -> Callable[[Any], Any]:
    def single(z: Any) -> Any:
        z = min(max(z, LOWEST), HIGHEST)
        shifted = np.float32(z + ROUNDER)
        return _power(shifted, z - (shifted - ROUNDER))

    def double(z: Any) -> Any:
        return math.exp(z * LN_2)

    return single if z == types.float32 else double


@overload(_exp, jit_options={"fastmath": MATH})
def _(z: Any) -> Callable[[Any], Any]:
    def single(z: Any) -> Any:
        z = max(z, LOWEST * SINGLE_LN_2)
        shifted = np.float32(z * SINGLE_LOG2_E + ROUNDER)
        whole = shifted - ROUNDER
        return _power(shifted, ((z - whole * LN_2_HIGH) - whole * LN_2_LOW) * SINGLE_LOG2_E)

    def double(z: Any) -> Any:
        return math.exp(z)

    return single if z == types.float32 else double


@overload(_softplus, jit_options={"fastmath": MATH})
def _(z: Any) -> Callable[[Any], Any]:
    def single(z: Any) -> Any:
        w = _exp(-abs(z))
        s = w / (TWO + w)
        q = s * s
        series = ONE + q * (L3 + q * (L5 + q * (L7 + q * (L9 + q * (L11 + q * L13)))))
        return max(z, np.float32(0)) + TWO * s * series

    def double(z: Any) -> Any:
        return max(z, 0.0) + math.log1p(math.exp(-abs(z)))

    return single if z == types.float32 else double


@overload(_sigmoid, jit_options={"fastmath": MATH})
def _(z: Any) -> Callable[[Any], Any]:
    def single(z: Any) -> Any:
        w = _exp(-abs(z))
        return (ONE if z >= 0 else w) / (ONE + w)

    def double(z: Any) -> Any:
        w = math.exp(-abs(z))
        return (1.0 if z >= 0 else w) / (1.0 + w)

    return single if z == types.float32 else double


@_compiled
def forward(x, delta, a, b, c, d, bias, y, start, stop):  # type: ignore[no-untyped-def]
    """Fills y for blocks of channels `start` to `stop`.

    A row is a group of one image. x, delta, y: `(rows, channels, length)`; a: `(groups, channels, states)`; b, c:
    `(rows, length, states)`; d, bias: `(groups, channels)`.
    """
    length = x.shape[2]
    groups, channels, states = a.shape
    for block in range(start, stop):
        row, first, width = _place(block, channels)
        group = row % groups
        rates = _rates(a[group], first, width)
        dt, push, out = _tile(x.dtype), _tile(x.dtype), _tile(x.dtype)
        state = np.zeros((states, LANES), x.dtype)
        for at in range(0, length, TILE):
            size = min(TILE, length - at)
            _read(x[row], first, width, at, size, push)
            for t in range(size):
                for lane in range(width):
                    out[t, lane] = d[group, first + lane] * push[t, lane]
            _read_steps(delta[row], bias[group], first, width, at, size, dt)
            _multiply(push, dt, size)
            _run(dt, push, rates, b[row, at:], c[row, at:], size, state, out)
            _write(out, first, width, at, size, y[row])


@_compiled
def backward(  # type: ignore[no-untyped-def]
    x, delta, a, b, c, d, bias, grad, grad_x, grad_delta, grad_a, grad_d, grad_bias, grad_b, grad_c, row_0, start, stop
):
    """Fills the gradients for blocks of channels `start` to `stop`; adds to those of b and c.

    Shapes as in `forward`; grad_a, grad_d and grad_bias are given for each row, grad_b and grad_c from row `row_0` on.
    """
    length = x.shape[2]
    groups, channels, states = a.shape
    tiles = (length + TILE - 1) // TILE
    before = np.zeros((tiles, states, LANES), x.dtype)
    decays, olds = np.zeros((TILE, states, LANES), x.dtype), np.zeros((TILE, states, LANES), x.dtype)
    for block in range(start, stop):
        row, first, width = _place(block, channels)
        group = row % groups
        rates = _rates(a[group], first, width)
        values, dt, push = _tile(x.dtype), _tile(x.dtype), _tile(x.dtype)
        grads, to_dt, to_push = _tile(x.dtype), _tile(x.dtype), _tile(x.dtype)
        state = np.zeros((states, LANES), x.dtype)
        for tile in range(tiles):
            at = tile * TILE
            size = min(TILE, length - at)
            before[tile] = state
            _read(x[row], first, width, at, size, push)
            _read_steps(delta[row], bias[group], first, width, at, size, dt)
            _multiply(push, dt, size)
            _advance(dt, push, rates, b[row, at:], size, state)

        to_state, to_rates = np.zeros((states, LANES), x.dtype), np.zeros((states, LANES), x.dtype)
        sum_a, sum_d, sum_bias = np.zeros((states, LANES)), np.zeros(LANES), np.zeros(LANES)
        for tile in range(tiles - 1, -1, -1):
            at = tile * TILE
            size = min(TILE, length - at)
            _read(grad[row], first, width, at, size, grads)
            _read(x[row], first, width, at, size, values)
            _read_steps(delta[row], bias[group], first, width, at, size, dt)
            push[:] = values
            _multiply(push, dt, size)
            _remember(dt, push, rates, b[row, at:], size, before[tile], decays, olds)
            _run_back(
                dt, push, rates, b[row, at:], c[row, at:], size, decays, olds, grads,
                to_state, to_rates, to_dt, to_push, grad_b[row - row_0, at:], grad_c[row - row_0, at:],
            )  # fmt: skip
            sum_a += to_rates
            for t in range(size):
                for lane in range(width):
                    channel = first + lane
                    slope = _sigmoid(delta[row, channel, at + t] + bias[group, channel])
                    to_delta = (to_dt[t, lane] + to_push[t, lane] * values[t, lane]) * slope
                    sum_bias[lane] += to_delta
                    sum_d[lane] += grads[t, lane] * values[t, lane]
                    to_dt[t, lane] = to_delta
                    to_push[t, lane] = to_push[t, lane] * dt[t, lane] + d[group, channel] * grads[t, lane]
            _write(to_dt, first, width, at, size, grad_delta[row])
            _write(to_push, first, width, at, size, grad_x[row])
        for lane in range(width):
            grad_d[row, first + lane] = sum_d[lane]
            grad_bias[row, first + lane] = sum_bias[lane]
            for n in range(states):
                grad_a[row, first + lane, n] = sum_a[n, lane]


@_part
def _run(dt, push, rates, b, c, size, state, out):  # type: ignore[no-untyped-def]
    """Advances the states through a tile and adds what leaves them."""
    for t in range(size):
        for n in range(state.shape[0]):
            enter, leave = b[t, n], c[t, n]
            for lane in range(LANES):
                value = _exp2(dt[t, lane] * rates[n, lane]) * state[n, lane] + enter * push[t, lane]
                state[n, lane] = value
                out[t, lane] += leave * value


@_part
def _advance(dt, push, rates, b, size, state):  # type: ignore[no-untyped-def]
    """Advances the states through a tile."""
    for t in range(size):
        for n in range(state.shape[0]):
            enter = b[t, n]
            for lane in range(LANES):
                decay = _exp2(dt[t, lane] * rates[n, lane])
                state[n, lane] = decay * state[n, lane] + enter * push[t, lane]


@_part
def _remember(dt, push, rates, b, size, state, decays, olds):  # type: ignore[no-untyped-def]
    """Advances the states through a tile and keeps every decay and the state before it."""
    for t in range(size):
        for n in range(state.shape[0]):
            enter = b[t, n]
            for lane in range(LANES):
                decay = _exp2(dt[t, lane] * rates[n, lane])
                old = state[n, lane]
                decays[t, n, lane] = decay
                olds[t, n, lane] = old
                state[n, lane] = decay * old + enter * push[t, lane]


@_sums
def _run_back(  # type: ignore[no-untyped-def]
    dt, push, rates, b, c, size, decays, olds, grads, to_state, to_rates, to_dt, to_push, grad_b, grad_c
):
    """Goes back through a tile; `to_state` is the gradient that comes from the positions after it."""
    to_dt[:] = 0
    to_push[:] = 0
    to_rates[:] = 0
    for t in range(size - 1, -1, -1):
        for n in range(to_state.shape[0]):
            enter, leave = b[t, n], c[t, n]
            sum_b, sum_c = b.dtype.type(0), b.dtype.type(0)
            for lane in range(LANES):
                kept = decays[t, n, lane] * olds[t, n, lane]
                to_value = to_state[n, lane] + leave * grads[t, lane]
                through_decay = to_value * kept
                to_state[n, lane] = to_value * decays[t, n, lane]
                to_rates[n, lane] += through_decay * dt[t, lane]
                to_dt[t, lane] += through_decay * rates[n, lane]
                to_push[t, lane] += to_value * enter
                sum_b += to_value * push[t, lane]
                sum_c += grads[t, lane] * (kept + enter * push[t, lane])
            grad_b[t, n] += sum_b
            grad_c[t, n] += sum_c
        for lane in range(LANES):
            to_dt[t, lane] *= LN_2


@_part
def _place(block, channels):  # type: ignore[no-untyped-def]
    """Row, first channel and number of channels of a block."""
    per_row = (channels + LANES - 1) // LANES
    first = block % per_row * LANES
    return block // per_row, first, min(LANES, channels - first)


@_part
def _tile(kind):  # type: ignore[no-untyped-def]
    return np.zeros((TILE, LANES), kind)


@_part
def _rates(a, first, width):  # type: ignore[no-untyped-def]
    """Rates of decay of a block's channels to base 2, `(states, LANES)`; 0 in lanes without a channel."""
    rates = np.zeros((a.shape[1], LANES), a.dtype)
    for lane in range(width):
        for n in range(a.shape[1]):
            rates[n, lane] = a[first + lane, n] * LOG2_E
    return rates


@_part
def _read(source, first, width, at, size, tile):  # type: ignore[no-untyped-def]
    for lane in range(width):
        for t in range(size):
            tile[t, lane] = source[first + lane, at + t]


@_part
def _read_steps(delta, bias, first, width, at, size, dt):  # type: ignore[no-untyped-def]
    for lane in range(width):
        for t in range(size):
            dt[t, lane] = delta[first + lane, at + t] + bias[first + lane]
    for t in range(size):
        for lane in range(LANES):
            dt[t, lane] = _softplus(dt[t, lane])


@_part
def _multiply(push, dt, size):  # type: ignore[no-untyped-def]
    for t in range(size):
        for lane in range(LANES):
            push[t, lane] *= dt[t, lane]


@_part
def _write(tile, first, width, at, size, target):  # type: ignore[no-untyped-def]
    for lane in range(width):
        for t in range(size):
            target[first + lane, at + t] = tile[t, lane]
