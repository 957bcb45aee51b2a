"""fmod, and Python's remainder and floor_divide as NumPy computes them; exact while the quotient is below 2^53.

The quotient rounded to a whole number is right or one too large: x - q y is then exact, and at most one y too small.
"""

from collections.abc import Callable

from runtime.backends.native.mathlib.emitter import (
    Value,
    absolute,
    copy_sign,
    floor,
    fma,
    library_call,
    select,
    truncate,
)

LIMIT = 2.0**53


def fmod(x: Value, y: Value) -> Value:
    """x - trunc(x / y) y, exactly, with the sign of x."""
    if x.kind == "f32":
        return fmod(x.widen(), y.widen()).narrow()
    rest = fma(-truncate(x / y), y, x)
    overshot = (rest * copy_sign(rest.like(1.0), x)) < 0.0
    rest = copy_sign(select(overshot, rest + copy_sign(y, x), rest), x)
    # x is its own rest by anything larger, infinity included; not so NaN.
    return select(absolute(x) < absolute(y), x, rest)


def divmod_with(rest: Value, x: Value, y: Value) -> tuple[Value, Value]:
    """Python's quotient and remainder, of C's remainder: NumPy's steps, roundings included."""
    quotient = (x - rest) / y
    nonzero = rest.differs(0.0)
    across = nonzero & ((y < 0.0) ^ (rest < 0.0))
    modulus = select(across, rest + y, rest)
    modulus = select(nonzero, modulus, copy_sign(modulus, y))
    quotient = select(across, quotient - 1.0, quotient)
    below = floor(quotient)
    snapped = select((quotient - below) > 0.5, below + 1.0, below)
    return select(quotient.differs(0.0), snapped, copy_sign(quotient, x / y)), modulus


def remainder_with(rest_of: Callable[[Value, Value], Value], x: Value, y: Value) -> Value:
    """Python's x % y; NaN for y = 0."""
    rest = rest_of(x, y)
    return select(y.equals(0.0), rest, divmod_with(rest, x, y)[1])


def floor_divide_with(rest_of: Callable[[Value, Value], Value], x: Value, y: Value) -> Value:
    """Python's x // y; x / y for y = 0."""
    return select(y.equals(0.0), x / y, divmod_with(rest_of(x, y), x, y)[0])


def exact_fmod(x: Value, y: Value) -> Value:
    """libm's."""
    return library_call("fmod", x, y)


def remainder(x: Value, y: Value) -> Value:
    """Python's x % y."""
    return remainder_with(fmod, x, y)


def exact_remainder(x: Value, y: Value) -> Value:
    """Python's x % y of libm's fmod."""
    return remainder_with(exact_fmod, x, y)


def floor_divide(x: Value, y: Value) -> Value:
    """Python's x // y."""
    return floor_divide_with(fmod, x, y)


def exact_floor_divide(x: Value, y: Value) -> Value:
    """Python's x // y of libm's fmod."""
    return floor_divide_with(exact_fmod, x, y)


def beyond(x: Value, y: Value) -> Value:
    """Whether the quotient has more digits than the fraction of a double."""
    if x.kind == "f32":
        x, y = x.widen(), y.widen()
    return absolute(x / y) >= LIMIT
