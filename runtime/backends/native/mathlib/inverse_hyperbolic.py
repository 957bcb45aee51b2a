"""asinh, acosh, atanh, through log(1 + u) with u arranged so that nothing cancels; singles in double."""

import math

from runtime.backends.native.mathlib.emitter import Value, absolute, copy_sign, select, square_root
from runtime.backends.native.mathlib.logarithm import log1p_finite

# Beyond, 1 vanishes beside the square, which is soon to overflow.
LARGE = 2.0**500


def asinh(x: Value) -> Value:
    """log(x + sqrt(x^2 + 1)), odd."""
    if x.kind == "f32":
        return asinh(x.widen()).narrow()
    a = absolute(x)
    square = a * a
    u = a + square / (square_root(square + 1.0) + 1.0)
    large = a > LARGE
    value = log1p_finite(select(large, a, u)) + select(large, x.like(math.log(2)), 0.0)
    # u would round the smallest a away, and infinity is its own result.
    value = select(a < 1e-150, a, select(a < math.inf, value, a))
    return copy_sign(value, x)


def acosh(x: Value) -> Value:
    """log(x + sqrt(x^2 - 1)) for x >= 1."""
    if x.kind == "f32":
        return acosh(x.widen()).narrow()
    t = x - 1.0
    u = t + square_root(t * (t + 2.0))
    large = x > LARGE
    value = log1p_finite(select(large, x, u)) + select(large, x.like(math.log(2)), 0.0)
    value = select(x < math.inf, value, x)
    return select(x < 1.0, x.like(math.nan), value)


def atanh(x: Value) -> Value:
    """log((1 + x) / (1 - x)) / 2, odd."""
    if x.kind == "f32":
        return atanh(x.widen()).narrow()
    a = absolute(x)
    value = log1p_finite((a + a) / (1.0 - a)) * 0.5
    value = select(a < 1e-150, a, select(a < 1.0, value, a.like(math.nan)))
    return copy_sign(select(a.equals(1.0), a.like(math.inf), value), x)
