"""erf and erfc.

Small |x|: x + x P(x^2). erfc beyond: erfc(a) e^(a^2) (a + K) is smooth in t = (a - K) / (a + K), which maps all of
a >= 0 to a bounded interval (M. M. Shepherd and J. G. Laframboise, Chebyshev approximation of (1 + 2x) exp(x^2) erfc x,
1981, use such a map). erf beyond: 1 - Q(a)^4, where Q(a) is close to the fourth root of erfc a.
"""

from runtime.backends.native.mathlib.coefficients import table
from runtime.backends.native.mathlib.constants import LN2, parts
from runtime.backends.native.mathlib.emitter import (
    Value,
    absolute,
    at_most,
    copy_sign,
    fma,
    polynomial,
    scale_by_power,
    select,
)
from runtime.backends.native.mathlib.exponential import (
    INVERSE_LN2,
    MAGIC_BITS,
    exp_fraction,
    nearest,
    reduced,
    two_scales,
)

CENTRE = {"f32": 3.0, "f64": 4.0}
# Of singles P's argument is 1 / (a + K), counted from the first; P'/P is near the second: what the quotient lacks is a
# factor of the result.
INVERSE_CENTRE, SLOPE = 0.171875, 5.4
# Beyond these erfc rounds to zero.
VANISHES = {"f32": 10.1, "f64": 27.3}
# erf is 1 from the first on; the argument of the fourth root's polynomial is counted from the second.
ONE_FROM, ROOT_CENTRE = {"f32": 3.95, "f64": 5.95}, 1.5
# Up to where erf's polynomial of small arguments reaches, and erfc is 1 less that.
SMALL_BOUND = {"f32": 0.9, "f64": 0.65}
NEAR_ONE = {"f32": 0.8, "f64": 0.65}


def small(x: Value) -> Value:
    """erf x for |x| up to SMALL_BOUND."""
    return fma(x, polynomial(x * x, table("erf_small", x.kind)), x)


def tail(a: Value) -> Value:
    """erfc a for a from NEAR_ONE on."""
    a = at_most(a, VANISHES[a.kind])
    centre = CENTRE[a.kind]
    total = a + centre
    inverse = 1.0 / total
    # What the sum and the quotient lost would weigh several units in the result.
    missing = fma(-inverse, total, 1.0) - inverse * (a - (total - centre))
    square = a * a
    # e^-(a^2) with the square's rounding error put back.
    error = fma(a, a, -square)
    if a.kind == "f32":
        return _single_tail(inverse, square, fma(missing, fma(inverse, SLOPE, 1.0), -error))
    t = fma(inverse, -2.0 * centre, 1.0)
    correction = inverse * missing
    t = fma(correction, -2.0 * centre, t)
    r, _, bits = reduced(-square)
    factor = polynomial(t, table("erfc_tail", a.kind), in_turn=2) * (inverse + correction)
    first, second = two_scales(-square, INVERSE_LN2, bits)
    return exp_fraction(r - error) * factor * first * second


def _single_tail(inverse: Value, square: Value, more: Value) -> Value:
    """P(inverse) inverse e^(more - square) of singles: what the products lose is added again, as that is cheaper than
    doubles."""
    k, bits = nearest(square, -INVERSE_LN2)
    high, low = parts(LN2, inverse.kind)
    t = inverse - INVERSE_CENTRE  # loses nothing
    r = fma(k, -high, -square) + fma(k, -low, more)
    constant, *others = table("erfc_tail", inverse.kind)
    inner = polynomial(t, others, in_turn=1)
    factor = fma(t, inner, constant)
    product = factor * inverse
    lost = fma(factor, inverse, -product) + fma(t, inner, constant - factor) * inverse
    curved = r * r * polynomial(r, table("expm1", r.kind))  # e^r - 1 - r
    return scale_by_power(product + fma(product, r, fma(product, curved, lost)), bits - MAGIC_BITS)


def erf(x: Value) -> Value:
    """The error function, odd."""
    a = absolute(x)
    root = polynomial(at_most(a, ONE_FROM[x.kind]) - ROOT_CENTRE, table("erf_root", x.kind), in_turn=2)
    square = root * root
    large = fma(-square, square, 1.0)
    return select(a < SMALL_BOUND[x.kind], small(x), copy_sign(large, x))


def erfc(x: Value) -> Value:
    """1 - erf x, accurate where that is small."""
    a = absolute(x)
    far = tail(a)
    return select(a < NEAR_ONE[x.kind], 1.0 - small(x), select(x < 0.0, 2.0 - far, far))
