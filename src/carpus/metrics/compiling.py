"""How the loops of the metrics are compiled, and the instructions on 64 bits that Numba has no functions for.

Each of these emits LLVM's instruction into compiled code: counting bits, finding the outermost, packing 64 pixels.
"""
# ruff: noqa: ARG001 - Numba takes types from arguments.

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import extending, njit, types

BITS = 64
_FALSE = ir.Constant(ir.IntType(1), 0)
_OPTIONS: dict[str, Any] = {
    "nogil": True,
    "error_model": "numpy",
    "fastmath": {"reassoc"},  # sums may be taken in another order
}


def compiled(function: Callable[..., Any]) -> Any:
    """The function compiled at its first call, kept on disk where there is a place for it."""
    try:
        return njit(cache=True, **_OPTIONS)(function)
    except RuntimeError:  # neither the package's folder nor the user's cache can be written
        return njit(**_OPTIONS)(function)


def part(function: Callable[..., Any]) -> Any:
    """The function for use in compiled ones only, which makes it faster to compile."""
    options = _OPTIONS | {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    return njit(**options)(function)


def _intrinsic(build: Callable[..., Any]) -> Any:
    return extending.intrinsic(build)


@_intrinsic
def popcount(_context: Any, word: Any) -> Any:
    """How many bits are set."""
    return types.uint64(types.uint64), lambda _, builder, __, arguments: builder.ctpop(arguments[0])


@_intrinsic
def trailing_zeros(_context: Any, word: Any) -> Any:
    """The number of the lowest bit that is set."""
    return types.int64(types.uint64), lambda _, builder, __, arguments: builder.cttz(arguments[0], _FALSE)


@_intrinsic
def leading_zeros(_context: Any, word: Any) -> Any:
    """How many bits lie above the highest one that is set."""
    return types.int64(types.uint64), lambda _, builder, __, arguments: builder.ctlz(arguments[0], _FALSE)


@_intrinsic
def pack_bytes(_context: Any, array: Any, at: Any) -> Any:
    """Which of 64 neighbouring bytes are not 0, the first one in the lowest bit."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pixels = _read(context, builder, signature.args[0], arguments, 8)
        found = builder.icmp_unsigned("!=", pixels, ir.Constant(pixels.type, None))
        return builder.bitcast(found, ir.IntType(BITS))

    return types.uint64(array, types.int64), build


@_intrinsic
def pack_pixels(_context: Any, array: Any, at: Any, wanted: Any) -> Any:
    """Which of 64 neighbouring pixels of 16 bits have all bits of `wanted`, the first one in the lowest bit."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pixels = _read(context, builder, signature.args[0], arguments, 16)
        lane = ir.IntType(32)
        one = builder.insert_element(ir.Constant(pixels.type, ir.Undefined), arguments[2], ir.Constant(lane, 0))
        every = builder.shuffle_vector(one, one, ir.Constant(ir.VectorType(lane, BITS), None))
        found = builder.icmp_unsigned("==", builder.and_(pixels, every), every)
        return builder.bitcast(found, ir.IntType(BITS))

    return types.uint64(array, types.int64, types.uint16), build


def _read(context: Any, builder: Any, array: Any, arguments: Any, bits: int) -> Any:
    """64 neighbouring pixels of `bits` each as one vector, wherever they begin."""
    data = context.make_array(array)(context, builder, arguments[0]).data
    vector = ir.VectorType(ir.IntType(bits), BITS)
    return builder.load(builder.bitcast(builder.gep(data, [arguments[1]]), vector.as_pointer()), align=1)
