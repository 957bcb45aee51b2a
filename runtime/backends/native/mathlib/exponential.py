"""exp, exp2, expm1 and what is made of them: sigmoid, softplus, tanh, sinh, cosh.

x = k ln 2 + r with |r| <= ln(2)/2 (Cody and Waite, Software Manual for the Elementary Functions, 1980), e^r by a
minimax polynomial, and 2^k by writing exponents. k is rounded by adding 1.5 * 2^fraction, whose low bits then are k.
"""

import math
import struct

from runtime.backends.native.mathlib.coefficients import table
from runtime.backends.native.mathlib.constants import LN2, parts
from runtime.backends.native.mathlib.emitter import (
    BIAS,
    FRACTION,
    Value,
    absolute,
    at_least,
    at_most,
    copy_sign,
    fma,
    polynomial,
    scale_by_power,
    select,
)

INVERSE_LN2 = 1 / math.log(2)
# Beyond these e^x is infinite or rounds to zero.
LARGEST = {"f32": 89.0, "f64": 710.0, "wide": 89.0}
SMALLEST = {"f32": -104.0, "f64": -746.0, "wide": -104.0}


def magic(kind: str) -> float:
    """Adding this rounds to an integer and leaves that in the low bits."""
    return 1.5 * 2.0 ** FRACTION[kind]


# The bits of a single's `magic`: what `nearest`'s integer has too much.
MAGIC_BITS = struct.unpack("I", struct.pack("f", magic("f32")))[0]


def nearest(x: Value, factor: float) -> tuple[Value, Value]:
    """round(x * factor): as a float, and as an integer whose low bits are right for any x within 2^(fraction - 1)."""
    shifted = fma(x, factor, magic(x.kind))
    return shifted - magic(x.kind), shifted.bits()


def reduced(x: Value) -> tuple[Value, Value, Value]:
    """r, k as a float, k as the integer `nearest` gives, where x = k ln 2 + r."""
    k, bits = nearest(x, INVERSE_LN2)
    high, low = parts(LN2, x.kind)
    return fma(k, -low, fma(k, -high, x)), k, bits


def power_of_two(k: Value, kind: str, less: int = 0) -> Value:
    """2^(k - less) of an integer k (with `nearest`'s excess or without: it is shifted out)."""
    return ((k + (BIAS[kind] - less)) << FRACTION[kind]).as_float(kind)


def two_scales(x: Value, factor: float, bits: Value, less: int = 0) -> tuple[Value, Value]:
    """Two powers of two whose product is 2^(k - less) for k = round(x * factor): k may reach beyond one exponent's range."""
    half = fma(x, factor / 2, magic(x.kind)).bits()
    return power_of_two(half, x.kind), power_of_two(bits - half, x.kind, less)


def exp_rest(r: Value) -> Value:
    """e^r - 1 for |r| <= ln(2)/2, good enough to be added to 1."""
    return fma(r * r, polynomial(r, table("exp", r.kind)), r)


def exp_fraction(r: Value) -> Value:
    """e^r for |r| <= ln(2)/2."""
    return exp_rest(r) + 1.0


def exp_scaled(r: Value, x: Value, factor: float, bits: Value, less: int = 0) -> Value:
    """e^r 2^(k - less) for k = round(x * factor), which `bits` are."""
    if r.kind == "f32":
        return scale_by_power(exp_fraction(r), bits - (MAGIC_BITS + less))
    first, second = two_scales(x, factor, bits, less)
    return fma(exp_rest(r), first, first) * second


def expm1_fraction(r: Value) -> Value:
    """e^r - 1 for |r| <= ln(2)/2."""
    return fma(r * r, polynomial(r, table("expm1", r.kind)), r)


def exp(x: Value) -> Value:
    """e^x."""
    return _or_nothing(at_most(x, LARGEST[x.kind]))


def exp_negative(x: Value) -> Value:
    """e^x for x <= 0."""
    return _or_nothing(x)


def _or_nothing(x: Value) -> Value:
    """e^x, for which x is not too large. Where it is nothing (masked logits), it is not computed: processors take a hundred
    cycles over results that are too small for an exponent."""
    nothing = x < SMALLEST[x.kind]
    x = select(nothing, 0.0, x)
    r, _, bits = reduced(x)
    return select(nothing, 0.0, exp_scaled(r, x, INVERSE_LN2, bits))


def exp2(x: Value) -> Value:
    """2^x; whole x give exact powers."""
    bound = 1080.0 if x.kind == "f64" else 152.0
    x = at_least(at_most(x, bound), -bound)
    k, bits = nearest(x, 1.0)
    return exp_scaled((x - k) * math.log(2), x, 1.0, bits)


def expm1(x: Value) -> Value:
    """e^x - 1: 2^k (e^r - 1) + (2^k - 1), halved on the way so that the largest results do not overflow early."""
    given = x
    x = at_least(at_most(x, LARGEST[x.kind]), -40.0)
    r, _, bits = reduced(x)
    scale = power_of_two(bits, x.kind, less=1)
    result = fma(scale, expm1_fraction(r), scale - 0.5)
    # -0.0 and what is too small for the scaling are their own results.
    return select(absolute(given) < SMALL[x.kind], given, result + result)


# Below, x - x^3/6 and the like round to x.
SMALL = {"f32": 2.0**-26, "f64": 2.0**-55, "wide": 2.0**-30}


def expm1_moderate(x: Value) -> Value:
    """e^x - 1 for |x| well within the range of exponents."""
    r, _, bits = reduced(x)
    scale = power_of_two(bits, x.kind)
    return fma(scale, expm1_fraction(r), scale - 1.0)


def tanh(x: Value) -> Value:
    """(e^2|x| - 1) / (e^2|x| + 1) with the sign of x; singles as 1 - 2 / (e^2|x| + 1), small ones by a polynomial."""
    if x.kind != "f32":
        a = at_most(absolute(x), 20.0)
        t = expm1_moderate(a + a)
        return copy_sign(t / (t + 2.0), x)
    a = at_most(absolute(x), 10.0)
    # The second part of ln 2 is nothing in the result: where k is large, so is e^2|x|.
    k, bits = nearest(a, 2 * INVERSE_LN2)
    r = fma(k, -parts(LN2, x.kind)[0], a + a)
    scale = power_of_two(bits, x.kind)
    large = 1.0 - 2.0 / (fma(exp_rest(r), scale, scale) + 1.0)
    z = a * a
    small = fma(a * z, polynomial(z, table("tanh", x.kind)), a)
    return copy_sign(select(a < 0.55, small, large), x)


def sigmoid(x: Value) -> Value:
    """1 / (1 + e^-x) without overflow: e^-|x| serves both signs."""
    e = exp_negative(-absolute(x))
    numerator = select(x < 0.0, e, e.like(1.0))
    total = e + 1.0
    quotient = numerator / total
    if x.kind != "f32":
        return quotient
    # One step of Newton's takes back the roundings of the sum and of the quotient; a rough 1 / total will do.
    missing = fma(-quotient, total, numerator) - quotient * (e - (total - 1.0))
    return fma(missing, fma(total, -0.4857, 1.457), quotient)


def exp_halved(a: Value) -> Value:
    """e^a / 2 for a >= 0, infinite only where that is."""
    a = at_most(a, LARGEST[a.kind] + 1.0)
    r, _, bits = reduced(a)
    return exp_scaled(r, a, INVERSE_LN2, bits, less=1)


def cosh(x: Value) -> Value:
    """e^|x|/2 + e^-|x|/2."""
    h = exp_halved(absolute(x))
    return h + h.like(0.25) / h


def sinh(x: Value) -> Value:
    """e^|x|/2 - e^-|x|/2 with the sign of x; an odd polynomial within 1, where that would cancel."""
    a = absolute(x)
    h = exp_halved(a)
    z = a * a
    small = fma(a * z, polynomial(z, table("sinh", x.kind)), a)
    return copy_sign(select(a < 1.0, small, h - h.like(0.25) / h), x)


