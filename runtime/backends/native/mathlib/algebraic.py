"""Roots: rsqrt, cbrt, hypot."""

from runtime.backends.native.mathlib.emitter import Value, square_root


def rsqrt(x: Value) -> Value:
    """1 / sqrt(x): two correctly rounded steps."""
    return 1.0 / square_root(x)
