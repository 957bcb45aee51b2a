"""pow with all of C's special cases.

Singles: 2^(y log2 x) in double. Doubles: log x as the sum of two doubles, good to about 2^-65, so that its product with
y keeps what e^(y log x) needs (T. J. Dekker, A floating-point technique for extending the available precision, 1971).
"""

import math
from fractions import Fraction

from runtime.backends.native.mathlib.coefficients import table
from runtime.backends.native.mathlib.constants import LN2, parts
from runtime.backends.native.mathlib.emitter import (
    Value,
    absolute,
    at_least,
    at_most,
    copy_sign,
    floor,
    fma,
    polynomial,
    select,
)
from runtime.backends.native.mathlib.exponential import (
    INVERSE_LN2,
    exp_rest,
    exp_scaled,
    nearest,
    power_of_two,
    reduced,
)
from runtime.backends.native.mathlib.logarithm import split, split_any

# ln 2 with zeros at the end, so that products with exponents are exact; and what it lacks.
LN2_SHORT = math.ldexp(math.floor(math.ldexp(float(LN2), 42)), -42)
LN2_REST = float(LN2 - Fraction(LN2_SHORT))


def power_single(a: Value, y: Value) -> Value:
    """a^y in double of widened singles, a positive and finite."""
    _, k, m = split(a)
    f = m - 1.0
    t = at_least(at_most(y * fma(f, polynomial(f, table("log2", a.kind)), k), 160.0), -160.0)
    whole, bits = nearest(t, 1.0)
    scale = power_of_two(bits, a.kind)
    return fma(exp_rest((t - whole) * math.log(2)), scale, scale)


def log_pair(a: Value) -> tuple[Value, Value]:
    """log a of a positive and finite a as the sum of two doubles."""
    k, m = split_any(a)
    f, above = m - 1.0, m + 1.0
    # s = f / (m + 1) and its rest.
    inverse = 1.0 / above
    s = f * inverse
    s_low = (fma(-s, above, f) - s * (m - (above - 1.0))) * inverse
    z = s * s
    z_low = fma(s, s, -z) + (s + s) * s_low
    cube = s * z
    cube_low = fma(s, z, -cube) + fma(s, z_low, s_low * z)
    third, third_low = parts(Fraction(2, 3), a.kind)
    tail = z * polynomial(z, table("pow_log", a.kind))
    c = tail + third
    c_low = ((third - c) + tail) + third_low
    p = cube * c
    p_low = fma(cube, c, -p) + fma(cube, c_low, cube_low * c)
    double = s + s
    total = double + p
    total_low = ((double - total) + p) + ((s_low + s_low) + p_low)
    base = k * LN2_SHORT
    high = base + total
    return high, ((base - high) + total) + fma(k, LN2_REST, total_low)


def power_double(a: Value, y: Value) -> Value:
    """a^y of doubles, a positive and finite."""
    high, low = log_pair(a)
    t = y * high
    t_low = fma(y, high, -t) + y * low
    t_low = select(absolute(t) < 800.0, t_low, 0.0)
    t = at_least(at_most(t, 720.0), -760.0)
    r, _, bits = reduced(t)
    return exp_scaled(r + t_low, t, INVERSE_LN2, bits)


def product(high: Value, low: Value, y: Value, y_low: Value | None) -> Value:
    """(high + low) * (y + y_low), rounded about once; too large becomes infinite."""
    p = high * y
    lost = fma(low, y, fma(high, y, -p))
    total = p + (lost if y_low is None else fma(high, y_low, lost))
    return select(absolute(p) < math.inf, copy_sign(total, p), p)


def cube(x: Value) -> Value:
    """x^3 as `pow` gives it, for a fifth of its cost."""
    square = x * x
    return product(square, fma(x, x, -square), x, None)


def fourth(x: Value) -> Value:
    """x^4 as `pow` gives it."""
    square = x * x
    low = fma(x, x, -square)
    return product(square, low, square, low)


def pow(x: Value, y: Value) -> Value:
    """x^y."""
    a = absolute(x)
    magnitude = power_single(a.widen(), y.widen()).narrow() if x.kind == "f32" else power_double(a, y)
    half = y * 0.5
    whole = floor(y).equals(y)
    odd = whole & floor(half).differs(half)
    # A base of 0 or infinity is one of them again; so is every base but 1 under an infinite exponent.
    rising = y > 0.0
    to_zero = a.equals(0.0) & rising | (a.equals(math.inf) & ~rising)
    edge = select(to_zero, x.like(0.0), math.inf)
    magnitude = select(a.equals(0.0) | a.equals(math.inf), edge, magnitude)
    magnitude = select(a.equals(1.0), x.like(1.0), magnitude)
    result = magnitude.flipped(x.is_negative() & odd)
    result = select((x < 0.0) & (x > -math.inf) & ~whole, x.like(math.nan), result)
    result = select(x.is_nan() | y.is_nan(), x + y, result)
    return select(y.equals(0.0) | x.equals(1.0), x.like(1.0), result)
