"""erf and erfc.

Small |x|: x + x P(x^2). Doubles beyond: erfc(a) e^(a^2) (a + K) is smooth in t = (a - K) / (a + K), which maps all of
a >= 0 to a bounded interval (M. M. Shepherd and J. G. Laframboise, Chebyshev approximation of (1 + 2x) exp(x^2) erfc x,
1981, use such a map). Singles of erf: 1 - Q(a)^4, where Q(a) is close to the fourth root of erfc a.
"""

from runtime.backends.native.mathlib.coefficients import table
from runtime.backends.native.mathlib.emitter import (
    Value,
    absolute,
    at_most,
    copy_sign,
    fma,
    polynomial,
    select,
)
from runtime.backends.native.mathlib.exponential import INVERSE_LN2, exp_fraction, reduced, two_scales

CENTRE = {"f64": 4.0, "wide": 3.0}
# Beyond these erfc rounds to zero, and beyond the second row erf to 1.
VANISHES = {"f64": 27.3, "wide": 10.1}
# Singles: erf is 1 from the first on; the argument of the fourth root's polynomial is counted from the second.
ONE_FROM, ROOT_CENTRE = 3.95, 1.5
SMALL_BOUND = {"f32": 0.9, "f64": 0.65, "wide": 0.47}


def small(x: Value) -> Value:
    """erf x for |x| up to SMALL_BOUND."""
    return fma(x, polynomial(x * x, table("erf_small", x.kind)), x)


def tail(a: Value) -> Value:
    """erfc a for a from SMALL_BOUND on."""
    a = at_most(a, VANISHES[a.kind])
    centre = CENTRE[a.kind]
    total = a + centre
    inverse = 1.0 / total
    t = fma(inverse, -2.0 * centre, 1.0)
    if a.kind == "f64":
        # What the sum and the quotient lost would weigh several units in the result.
        missing = fma(-inverse, total, 1.0) - inverse * (a - (total - centre))
        correction = inverse * missing
        inverse = inverse + correction
        t = fma(correction, -2.0 * centre, t)
    square = a * a
    # e^-(a^2) with the square's rounding error put back.
    error = fma(a, a, -square)
    r, _, bits = reduced(-square)
    factor = polynomial(t, table("erfc_tail", a.kind), in_turn=2) * inverse
    first, second = two_scales(-square, INVERSE_LN2, bits)
    return exp_fraction(r - error) * factor * first * second


def erf(x: Value) -> Value:
    """The error function, odd."""
    a = absolute(x)
    if x.kind == "f32":
        root = polynomial(at_most(a, ONE_FROM) - ROOT_CENTRE, table("erf_root", x.kind), in_turn=2)
        square = root * root
        large = fma(-square, square, 1.0)
    else:
        large = 1.0 - tail(a)
    return select(a < SMALL_BOUND[x.kind], small(x), copy_sign(large, x))


def erfc(x: Value) -> Value:
    """1 - erf x, accurate where that is small; singles are computed in double."""
    if x.kind == "f32":
        return erfc(x.widen()).narrow()
    a = absolute(x)
    far = tail(a)
    return select(a < SMALL_BOUND[x.kind], 1.0 - small(x), select(x < 0.0, 2.0 - far, far))
