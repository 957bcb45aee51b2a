"""asin, acos, atan, atan2.

asin x = x + x^3 P(x^2) within 1/2, and pi/2 - 2 asin(sqrt((1 - |x|) / 2)) beyond; atan within 1, and pi/2 - atan(1/x)
beyond: the reductions of Cody and Waite (1980).
"""

from runtime.backends.native.mathlib.coefficients import table
from runtime.backends.native.mathlib.constants import PI, parts
from runtime.backends.native.mathlib.emitter import (
    Value,
    absolute,
    copy_sign,
    fma,
    polynomial,
    select,
    square_root,
)


def arcsine_parts(a: Value) -> tuple[Value, Value, Value]:
    """Whether a > 1/2; s, the arc's chord; and what asin s is more than s."""
    large = a > 0.5
    z = select(large, fma(a, -0.5, 0.5), a * a)
    s = select(large, square_root(z), a)
    return large, s, s * z * polynomial(z, table("asin", a.kind))


def asin(x: Value) -> Value:
    """The angle from -pi/2 to pi/2 whose sine is x."""
    a = absolute(x)
    large, s, more = arcsine_parts(a)
    high, low = parts(PI / 2, x.kind)
    # pi/2 - 2 (s + more), the largest terms first and what their sum loses last.
    first = fma(s, -2.0, high)
    beyond = first + (fma(more, -2.0, low) + fma(s, -2.0, high - first))
    return copy_sign(select(large, beyond, s + more), x)


def acos(x: Value) -> Value:
    """The angle from 0 to pi whose cosine is x."""
    large, s, more = arcsine_parts(absolute(x))
    negative = x < 0.0
    high, low = parts(PI, x.kind)
    half_high, half_low = parts(PI / 2, x.kind)
    # pi/2 - asin x; 2 asin s; or pi - 2 asin s.
    factor = select(large, select(negative, x.like(-2.0), 2.0), select(negative, x.like(1.0), -1.0))
    base_high = select(large, select(negative, x.like(high), 0.0), half_high)
    base_low = select(large, select(negative, x.like(low), 0.0), half_low)
    return fma(s, factor, base_high) + fma(more, factor, base_low)


def arctangent(t: Value) -> Value:
    """What atan t is more than t, for |t| <= 1."""
    z = t * t
    return t * z * polynomial(z, table("atan", t.kind))


def atan(x: Value) -> Value:
    """The angle from -pi/2 to pi/2 whose tangent is x."""
    a = absolute(x)
    steep = a > 1.0
    t = select(steep, a.like(-1.0), a) / select(steep, a, 1.0)
    high, low = parts(PI / 2, x.kind)
    more = arctangent(t) + select(steep, x.like(low), 0.0)
    return copy_sign((select(steep, x.like(high), 0.0) + t) + more, x)


def atan2(y: Value, x: Value) -> Value:
    """The angle of the point (x, y), from -pi to pi; zeros and infinities as in C."""
    ay, ax = absolute(y), absolute(x)
    steep = ay > ax
    left = x.is_negative()
    below, above = select(steep, ax, ay), select(steep, ay, ax)
    # Two zeros, and two infinities, make a quotient of their own.
    t = select(below.equals(above), select(above.equals(0.0), x.like(0.0), 1.0), below / above)
    t = t.flipped(steep ^ left)
    high, low = parts(PI, x.kind)
    half_high, half_low = parts(PI / 2, x.kind)
    base_high = select(steep, x.like(half_high), select(left, x.like(high), 0.0))
    base_low = select(steep, x.like(half_low), select(left, x.like(low), 0.0))
    # NaN in `below` or `above` went into t unless they are one and the same.
    return copy_sign((base_high + t) + (arctangent(t) + base_low), y)


