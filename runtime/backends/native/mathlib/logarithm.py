"""log, log2, log10, log1p and softplus.

x = 2^k (1 + f) with 1 + f between sqrt(1/2) and sqrt(2). log(1 + f) is f - f^2/2 and a minimax rest: for singles a
polynomial in f; for doubles, as s = f / (2 + f) halves the number of terms, the odd series of 2 artanh(s)
(P. T. P. Tang, Table-driven implementation of the logarithm function, 1990, describes both forms).
"""

import math
from fractions import Fraction

from runtime.backends.native.mathlib.coefficients import table
from runtime.backends.native.mathlib.constants import LN2, LN10, parts
from runtime.backends.native.mathlib.emitter import (
    BIAS,
    FRACTION,
    Value,
    absolute,
    at_least,
    fma,
    polynomial,
    select,
)
from runtime.backends.native.mathlib.exponential import SMALL, SMALLEST, exp_negative, power_of_two

# The bits of sqrt(1/2): what lies at or above it, below sqrt(2), has k = 0.
ROOT_HALF = {"f32": 0x3F3504F3, "f64": 0x3FE6A09E667F3BCD, "wide": 0x3FE6A09E667F3BCD}
TINIEST_NORMAL = {"f32": 2.0**-126, "f64": 2.0**-1022, "wide": 2.0**-1022}


def split(x: Value) -> tuple[Value, Value, Value]:
    """k's biased exponent, k as a float, and m between sqrt(1/2) and sqrt(2), where x = 2^k m for a normal x > 0.

    Of 64-bit integers only what 256-bit vectors have, too: no conversion to float, no arithmetic shift.
    """
    fraction, bias = FRACTION[x.kind], BIAS[x.kind]
    bits = x.bits() + ((bias << fraction) - ROOT_HALF[x.kind])
    exponent = bits.shifted_down(fraction)
    if x.kind == "f32":
        k = (exponent - bias).to_float(x.kind)
    else:
        # As the low digits of 2^52.
        k = (exponent | ((bias + fraction) << fraction)).as_float(x.kind) - (2.0**fraction + bias)
    m = ((bits & ((1 << fraction) - 1)) + ROOT_HALF[x.kind]).as_float(x.kind)
    return exponent, k, m


def split_any(x: Value) -> tuple[Value, Value]:
    """k as a float and m, subnormals included."""
    shift = FRACTION[x.kind] + 1
    tiny = x < TINIEST_NORMAL[x.kind]
    _, k, m = split(select(tiny, x * 2.0**shift, x))
    return k - select(tiny, x.like(shift), 0.0), m


def log1p_fraction(f: Value, more: Value | None = None) -> tuple[Value, Value]:
    """log(1 + f) + more, for 1 + f between sqrt(1/2) and sqrt(2) and a small `more`, as f + rest."""
    square = f * f
    half_square = square * 0.5
    first = -half_square if more is None else more - half_square
    if f.kind != "f64":
        return f, fma(square * f, polynomial(f, table("log", f.kind)), first)
    s = f / (f + 2.0)
    z = s * s
    return f, fma(s, fma(z, polynomial(z, table("log", f.kind)), half_square), first)


def with_edges(x: Value, result: Value) -> Value:
    """A logarithm's values at 0, infinity, NaN and below 0."""
    result = select(x < math.inf, result, x)
    result = select(x.equals(0.0), x.like(-math.inf), result)
    return select(x < 0.0, x.like(math.nan), result)


def log(x: Value) -> Value:
    """The natural logarithm."""
    k, m = split_any(x)
    return with_edges(x, joined(k, m - 1.0))


def joined(k: Value, f: Value) -> Value:
    """k ln 2 + log(1 + f)."""
    high, low = parts(LN2, k.kind)
    # What the nearest single to ln 2 lacks is nothing in the result.
    _, rest = log1p_fraction(f, None if k.kind == "f32" else k * low)
    return fma(k, high, f + rest)


def in_base(f: Value, rest: Value, inverse: Fraction) -> tuple[Value, Value]:
    """(f + rest) * inverse as a sum of two floats: the factor must not cost another rounding."""
    total = f + rest
    lost = (f - total) + rest
    high, low = parts(inverse, f.kind)
    product = total * high
    return product, fma(total, high, -product) + fma(total, low, lost * high)


def single_in_base(f: Value, inverse: Fraction, name: str) -> tuple[Value, Value]:
    """log(1 + f) * inverse of a single as a leading product and the rest: the factor is in the coefficients."""
    high, low = parts(inverse, f.kind)
    return f * high, fma(f * f, polynomial(f, table(name, f.kind)), fma(f, low, fma(f, high, -(f * high))))


def log2(x: Value) -> Value:
    """The logarithm to base 2: exact at powers of 2."""
    k, m = split_any(x)
    f = m - 1.0
    product, lost = single_in_base(f, 1 / LN2, "log2") if x.kind == "f32" else in_base(*log1p_fraction(f), 1 / LN2)
    return with_edges(x, k + (product + lost))


def log10(x: Value) -> Value:
    """The logarithm to base 10: exact at powers of 10."""
    k, m = split_any(x)
    f = m - 1.0
    product, lost = single_in_base(f, 1 / LN10, "log10") if x.kind == "f32" else in_base(*log1p_fraction(f), 1 / LN10)
    high, low = parts(LN2 / LN10, x.kind)
    return with_edges(x, fma(k, high, product + fma(k, low, lost)))


def log1p_finite(x: Value) -> Value:
    """log(1 + x) for x > -1 up to the largest float."""
    u = x + 1.0
    # What the sum lost, by the larger of its operands (Dekker, 1971).
    error = select(x < 1.0, x - (u - 1.0), (x - u) + 1.0)
    exponent, k, m = split(u)
    # Scaled as m is; beyond 2^(2 fraction) nothing of it is left.
    far = u > 2.0 ** (2 * FRACTION[x.kind])
    correction = error * power_of_two(BIAS[x.kind] - exponent, x.kind)
    return joined(k, (m - 1.0) + select(far, x.like(0.0), correction))


def log1p_unit(e: Value) -> Value:
    """log(1 + e) for 0 <= e <= 1: k is 0 or 1."""
    large = e > math.sqrt(2) - 1
    f = select(large, fma(e, 0.5, -0.5), e)
    return joined(select(large, e.like(1.0), 0.0), f)


def log1p(x: Value) -> Value:
    """log(1 + x), accurate where x is small; -0.0 and the smallest x are their own results."""
    result = select(x < math.inf, log1p_finite(x), x)
    result = select(x.equals(-1.0), x.like(-math.inf), result)
    result = select(x < -1.0, x.like(math.nan), result)
    return select(absolute(x) < SMALL[x.kind], x, result)


def softplus(x: Value) -> Value:
    """log(1 + e^x) as max(x, 0) + log(1 + e^-|x|): never overflows, exact in its tails."""
    return at_least(x, 0.0) + log1p_unit(exp_negative(-absolute(x)))


def logaddexp(x: Value, y: Value) -> Value:
    """log(e^x + e^y) = max + log(1 + e^-|x - y|); equal infinities are their own sum."""
    swap = y > x
    largest, smallest = select(swap, y, x), select(swap, x, y)
    apart = smallest - largest
    # What the difference lost (D. E. Knuth's two-sum) would weigh several units in e^(smallest - largest).
    back = apart + largest
    lost = (smallest - back) - (largest - (back - apart))
    e = exp_negative(apart)
    e = select(apart > SMALLEST[x.kind], fma(e, lost, e), e)
    unequal = largest + log1p_unit(e)
    return select(x.equals(y), x + math.log(2), unequal)
