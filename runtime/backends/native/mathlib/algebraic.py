"""Roots: rsqrt, cbrt, hypot."""

import math

from runtime.backends.native.mathlib.coefficients import table
from runtime.backends.native.mathlib.emitter import (
    Value,
    absolute,
    copy_sign,
    floor,
    fma,
    polynomial,
    select,
    square_root,
)
from runtime.backends.native.mathlib.exponential import magic, power_of_two
from runtime.backends.native.mathlib.logarithm import split_any


def rsqrt(x: Value) -> Value:
    """1 / sqrt(x): two correctly rounded steps."""
    return 1.0 / square_root(x)


def cbrt(x: Value) -> Value:
    """The cube root: of m 2^(3 q), by Halley's iteration for m^(-1/3) and a last step of Newton's for the root."""
    a = absolute(x)
    k, m = split_any(a)
    q = floor(fma(k, 1 / 3, 1 / 6))
    rest = fma(q, -3.0, k)
    one, two = rest.equals(1.0), rest.equals(2.0)
    r = polynomial(m, table("rcbrt", x.kind)) * select(two, x.like(4 ** (-1 / 3)), select(one, x.like(2 ** (-1 / 3)), 1.0))
    m = m * select(two, x.like(4.0), select(one, x.like(2.0), 1.0))
    h = fma(-(m * r), r * r, 1.0)
    r = fma(r * h, fma(h, 2 / 9, 1 / 3), r)
    inverse_square = r * r
    root = m * inverse_square
    root = fma(fma(-(root * root), root, m), inverse_square * (1 / 3), root)
    root = root * power_of_two((q + magic(q.kind)).bits(), x.kind)
    # Zeros, infinities and NaN are their own roots.
    return select(a.equals(0.0), x, select(a < math.inf, copy_sign(root, x), x))


def hypot(x: Value, y: Value) -> Value:
    """sqrt(x^2 + y^2), scaled by powers of two so that squares neither overflow nor vanish; singles in double."""
    if x.kind == "f32":
        wide = hypot_scaled(absolute(x.widen()), absolute(y.widen())).narrow()
        return with_infinity(wide, absolute(x), absolute(y))
    a, b = absolute(x), absolute(y)
    swap = b > a
    high, low = select(swap, b, a), select(swap, a, b)
    huge, tiny = high > 2.0**500, high < 2.0**-450
    scale = select(huge, x.like(2.0**-600), select(tiny, x.like(2.0**600), 1.0))
    back = select(huge, x.like(2.0**600), select(tiny, x.like(2.0**-600), 1.0))
    return with_infinity(hypot_scaled(high * scale, low * scale) * back, a, b)


def hypot_scaled(a: Value, b: Value) -> Value:
    """The root of the sum of squares, where those are in range."""
    return square_root(fma(a, a, b * b))


def with_infinity(result: Value, a: Value, b: Value) -> Value:
    """An infinite side makes the result infinite, whatever the other is."""
    infinite = a.equals(math.inf) | b.equals(math.inf)
    return select(infinite, result.like(math.inf), result)
