"""The kernels of `scan_triton`.

A tile is an array `(states, channels, positions)`. Within it the recurrence is solved by an associative scan over
pairs (decay, state): one pair after another is (decay 1 x decay 2, decay 2 x state 1 + state 2). Nothing is divided.
Rates of decay are multiplied by log2(e) once, for 2^z is cheaper than e^z.
"""

import triton  # type: ignore[import-untyped, import-not-found, unused-ignore]
import triton.language as tl  # type: ignore[import-untyped, import-not-found, unused-ignore]

LOG2_E: tl.constexpr = tl.constexpr(1.4426950408889634)
LN_2: tl.constexpr = tl.constexpr(0.6931471805599453)


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def forward(  # type: ignore[no-untyped-def]
    x,
    delta,
    a,
    b,
    c,
    d,
    bias,
    y,
    before,
    groups,
    width,
    states,
    length,
    KEEP: tl.constexpr,  # noqa: N803
    WIDTH: tl.constexpr,  # noqa: N803
    TILE: tl.constexpr,  # noqa: N803
    PADDED: tl.constexpr,  # noqa: N803
):
    """Writes y `(batch, channels, length)` and, if wanted, `before`, the states before each tile.

    `before` is `(batch, channels, tiles, states)`; `width` is the number of channels in a group, `PADDED` that of
    states rounded up to a power of 2.
    """
    row = tl.program_id(1).to(tl.int64)
    lane = tl.program_id(0) * WIDTH + tl.arange(0, WIDTH)
    n = tl.arange(0, PADDED)
    time = tl.arange(0, TILE)
    has_lane, has_state = lane < width, n < states
    channel = row % groups * width + lane
    line = row * width + lane
    rates = _rates(a, channel, n, has_lane, has_state, states)
    skip = tl.load(d + channel, has_lane, 0.0)[:, None]
    shift = tl.load(bias + channel, has_lane, 0.0)[:, None]
    state = tl.zeros((PADDED, WIDTH), rates.dtype)
    for start in range(0, length, TILE):
        t = start + time
        on_line = has_lane[:, None] & (t < length)[None, :]
        on_state = has_state[:, None] & (t < length)[None, :]
        place = line[:, None] * length + t[None, :]
        place_n = (row * states + n)[:, None] * length + t[None, :]
        if KEEP:
            tiles = tl.cdiv(length, TILE)
            where = (line[None, :] * tiles + start // TILE) * states + n[:, None]
            tl.store(before + where, state, has_state[:, None] & has_lane[None, :])
        value = tl.load(x + place, on_line, 0.0)
        step = _step(tl.load(delta + place, on_line, 0.0) + shift, on_line)
        enter = tl.load(b + place_n, on_state, 0.0)
        leave = tl.load(c + place_n, on_state, 0.0)
        decay = tl.exp2(rates[:, :, None] * step[None, :, :])
        reach, added = tl.associative_scan((decay, enter[:, None, :] * (step * value)[None, :, :]), 2, _after)
        states_here = reach * state[:, :, None] + added
        out = tl.sum(leave[:, None, :] * states_here, axis=0) + skip * value
        tl.store(y + place, out, on_line)
        state = tl.sum(tl.where(time[None, None, :] == TILE - 1, states_here, 0.0), axis=2)


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def backward(  # type: ignore[no-untyped-def]
    x,
    delta,
    a,
    b,
    c,
    d,
    bias,
    before,
    grad,
    grad_x,
    grad_delta,
    grad_a,
    grad_b,
    grad_c,
    grad_d,
    grad_bias,
    groups,
    width,
    states,
    length,
    WIDTH: tl.constexpr,  # noqa: N803
    TILE: tl.constexpr,  # noqa: N803
    PADDED: tl.constexpr,  # noqa: N803
):
    """Writes the gradients: those of a, d and bias for each image, those of b and c for each block of channels."""
    row = tl.program_id(1).to(tl.int64)
    lane = tl.program_id(0) * WIDTH + tl.arange(0, WIDTH)
    n = tl.arange(0, PADDED)
    time = tl.arange(0, TILE)
    has_lane, has_state = lane < width, n < states
    channel = row % groups * width + lane
    line = row * width + lane
    part = tl.program_id(0) * tl.num_programs(1) + row
    rates = _rates(a, channel, n, has_lane, has_state, states)
    skip = tl.load(d + channel, has_lane, 0.0)[:, None]
    shift = tl.load(bias + channel, has_lane, 0.0)[:, None]
    to_state = tl.zeros((PADDED, WIDTH), rates.dtype)
    to_rates = tl.zeros((PADDED, WIDTH), rates.dtype)
    to_skip = tl.zeros((WIDTH,), rates.dtype)
    to_shift = tl.zeros((WIDTH,), rates.dtype)
    tiles = tl.cdiv(length, TILE)
    for back in range(tiles):
        start = (tiles - 1 - back) * TILE
        t = start + time
        on_line = has_lane[:, None] & (t < length)[None, :]
        on_state = has_state[:, None] & (t < length)[None, :]
        place = line[:, None] * length + t[None, :]
        place_n = (row * states + n)[:, None] * length + t[None, :]
        value = tl.load(x + place, on_line, 0.0)
        raw = tl.load(delta + place, on_line, 0.0) + shift
        step = _step(raw, on_line)
        enter = tl.load(b + place_n, on_state, 0.0)[:, None, :]
        leave = tl.load(c + place_n, on_state, 0.0)[:, None, :]
        to_y = tl.load(grad + place, on_line, 0.0)
        decay = tl.exp2(rates[:, :, None] * step[None, :, :])

        # The state before each position: the same scan over what came one position earlier, if in this tile.
        earlier = has_lane[:, None] & ((time > 0) & (t <= length))[None, :]
        earlier_n = has_state[:, None] & ((time > 0) & (t <= length))[None, :]
        last_step = _step(tl.load(delta + place - 1, earlier, 0.0) + shift, earlier)
        last_push = last_step * tl.load(x + place - 1, earlier, 0.0)
        last_enter = tl.load(b + place_n - 1, earlier_n, 0.0)[:, None, :]
        last_decay = tl.exp2(rates[:, :, None] * last_step[None, :, :])
        reach, added = tl.associative_scan((last_decay, last_enter * last_push[None, :, :]), 2, _after)
        where = (line[None, :] * tiles + start // TILE) * states + n[:, None]
        state = tl.load(before + where, has_state[:, None] & has_lane[None, :], 0.0)
        kept = decay * (reach * state[:, :, None] + added)

        # What the states owe to later positions: a scan backward over the decays one position later.
        later = has_lane[:, None] & ((time < TILE - 1) & (t + 1 < length))[None, :]
        next_step = _step(tl.load(delta + place + 1, later, 0.0) + shift, later)
        next_decay = tl.exp2(rates[:, :, None] * next_step[None, :, :])
        reach, added = tl.associative_scan((next_decay, leave * to_y[None, :, :]), 2, _after, reverse=True)
        to_value = reach * to_state[:, :, None] + added
        to_state = tl.sum(tl.where(time[None, None, :] == 0, decay * to_value, 0.0), axis=2)

        push = (step * value)[None, :, :]
        through_decay = to_value * kept
        to_push = tl.sum(to_value * enter, axis=0)
        to_step = tl.sum(through_decay * rates[:, :, None], axis=0) * LN_2 + to_push * value
        to_delta = tl.where(on_line, to_step * _slope(raw), 0.0)
        tl.store(grad_x + place, to_push * step + skip * to_y, on_line)
        tl.store(grad_delta + place, to_delta, on_line)
        place_part = (part * states + n)[:, None] * length + t[None, :]
        tl.store(grad_b + place_part, tl.sum(to_value * push, axis=1), on_state)
        tl.store(grad_c + place_part, tl.sum(to_y[None, :, :] * (kept + enter * push), axis=1), on_state)
        to_rates += tl.sum(through_decay * step[None, :, :], axis=2)
        to_skip += tl.sum(to_y * value, axis=1)
        to_shift += tl.sum(to_delta, axis=1)
    tl.store(grad_a + line[None, :] * states + n[:, None], to_rates, has_state[:, None] & has_lane[None, :])
    tl.store(grad_d + line, to_skip, has_lane)
    tl.store(grad_bias + line, to_shift, has_lane)


@triton.jit
def _after(decay_1, state_1, decay_2, state_2):  # type: ignore[no-untyped-def]
    return decay_1 * decay_2, decay_2 * state_1 + state_2


@triton.jit
def _rates(a, channel, n, has_lane, has_state, states):  # type: ignore[no-untyped-def]
    """Rates of decay to base 2, `(states, channels)`."""
    found = tl.load(a + channel[None, :] * states + n[:, None], has_state[:, None] & has_lane[None, :], 0.0)
    return found * LOG2_E


@triton.jit
def _step(raw, inside):  # type: ignore[no-untyped-def]
    """Softplus, 0 outside, where states stay as they are."""
    w = tl.exp(-tl.abs(raw))
    sum_1 = 1.0 + w
    # Exact also where w is lost in the sum; see Goldberg, https://doi.org/10.1145/103162.103163, theorem 4.
    log = tl.where(sum_1 == 1.0, w, tl.log(sum_1) * (w / tl.where(sum_1 == 1.0, 1.0, sum_1 - 1.0)))
    return tl.where(inside, tl.maximum(raw, 0.0) + log, 0.0)


@triton.jit
def _slope(raw):  # type: ignore[no-untyped-def]
    """The slope of softplus."""
    w = tl.exp(-tl.abs(raw))
    return tl.where(raw >= 0, 1.0, w) / (1.0 + w)
