"""sin, cos and tan.

x = k pi/2 + r with |r| <= pi/4 by subtracting k times pi/2 in parts (Cody and Waite, 1980): with fused
multiplications each part is a whole float and the subtractions lose nothing until k outgrows the parts. Beyond
`LIMITS` the reduction ends and libm's function must be called.
"""

from runtime.backends.native.mathlib.coefficients import table
from runtime.backends.native.mathlib.constants import PI, parts
from runtime.backends.native.mathlib.emitter import Value, absolute, fma, polynomial, select
from runtime.backends.native.mathlib.exponential import nearest

# |x| up to which the reduction holds: in singles k must keep digits behind the point while it is rounded.
LIMITS = {"f32": 2.0**20, "f64": 2.0**36, "wide": 2.0**36}


def quadrant(x: Value) -> tuple[Value, Value]:
    """r, and an integer whose two low bits are k modulo 4."""
    k, bits = nearest(x, float(2 / PI))
    r = x
    for part in parts(PI / 2, x.kind, 2 if x.kind == "wide" else 3):
        r = fma(k, -part, r)
    return r, bits


def sine(r: Value) -> Value:
    """sin r for |r| <= pi/4."""
    z = r * r
    return fma(r * z, polynomial(z, table("sin", r.kind)), r)


def cosine(r: Value) -> Value:
    """cos r for |r| <= pi/4, never above 1."""
    z = r * r
    half = z * 0.5
    w = 1.0 - half
    # What 1 - half lost goes in with the smallest terms.
    return w + fma(z * z, polynomial(z, table("cos", r.kind)), (1.0 - w) - half)


def circular(r: Value, quarter: Value) -> Value:
    """sin(quarter * pi/2 + r), by the integer's two low bits."""
    value = select((quarter & 1).equals(0), sine(r), cosine(r))
    sign = (quarter & 2) << (62 if value.integer == "i64" else 30)
    return (value.bits() ^ sign).as_float(value.kind)


def sin(x: Value) -> Value:
    """sin x; -0.0 is its own sine."""
    return select(absolute(x) < 1e-8, x, circular(*quadrant(x)))


def cos(x: Value) -> Value:
    """cos x."""
    r, quarter = quadrant(x)
    return circular(r, quarter + 1)


def tan(x: Value) -> Value:
    """tan x: sine over cosine, or minus their inverse in odd quadrants; singles in double throughout."""
    r, quarter = quadrant(x.widen() if x.kind == "f32" else x)
    s, c = sine(r), cosine(r)
    even = (quarter & 1).equals(0)
    result = select(even, s, -c) / select(even, c, s)
    if x.kind == "f32":
        result = result.narrow()
    return select(absolute(x) < 1e-8, x, result)


def beyond(x: Value) -> Value:
    """Whether the reduction does not hold for x."""
    return absolute(x) > LIMITS[x.kind]
