"""The functions with more digits than the library has: double for singles, the 80-bit format or mpmath for doubles."""

import math
from collections.abc import Callable

import mpmath
import numpy as np

LONG = np.longdouble


def by_mpmath(function: Callable[[float], mpmath.mpf]) -> Callable[[np.ndarray], np.ndarray]:
    """Elements through mpmath, to 64 bits."""

    def each(x: np.ndarray) -> np.ndarray:
        out = np.empty(x.shape, LONG)
        with mpmath.workprec(120):
            for i, number in enumerate(x):
                if not math.isfinite(number):
                    out[i] = LONG(float(function(float(number))))
                    continue
                fraction, exponent = mpmath.frexp(function(float(number)))
                high = float(fraction)
                out[i] = np.ldexp(LONG(high) + LONG(float(fraction - mpmath.mpf(high))), int(exponent))
                if number == 0 and not high:
                    out[i] = number  # mpmath has one zero only
        return out

    return each


def sigmoid(x: np.ndarray) -> np.ndarray:
    e = np.exp(-np.abs(x))
    return np.where(x < 0, e, 1) / (1 + e)


def softplus(x: np.ndarray) -> np.ndarray:
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def erfc(x: float) -> mpmath.mpf:
    return mpmath.mpf(0) if x > 100 else mpmath.erfc(x)


OTHER_NAMES = {
    "asin": "arcsin", "acos": "arccos", "atan": "arctan", "atan2": "arctan2", "asinh": "arcsinh", "acosh": "arccosh",
    "atanh": "arctanh", "pow": "power",
}
COMPOSED: dict[str, Callable[..., np.ndarray]] = {
    "sigmoid": sigmoid,
    "softplus": softplus,
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "cube": lambda x: x * x * x,
    "fourth": lambda x: (x * x) ** 2,
}
BY_MPMATH = {"erf": by_mpmath(mpmath.erf), "erfc": by_mpmath(erfc)}


def numpy_name(name: str) -> str:
    """NumPy's name of a function."""
    return OTHER_NAMES.get(name, name)


def exact(name: str, *arguments: np.ndarray) -> np.ndarray:
    """The function of the arguments, in the next wider format."""
    with np.errstate(all="ignore"):
        wide = [a.astype(np.float64 if a.dtype == np.float32 else LONG) for a in arguments]
    if name in BY_MPMATH:
        return BY_MPMATH[name](*wide)
    with np.errstate(all="ignore"):
        return COMPOSED[name](*wide) if name in COMPOSED else getattr(np, numpy_name(name))(*wide)
