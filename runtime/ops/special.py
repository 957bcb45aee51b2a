"""Special functions, elementwise: the error function and its inverse, gamma's logarithm and derivatives, Bessel's.

SciPy computes them where it is installed. The error functions need nothing: without SciPy they come from series that
are as exact.
"""

from __future__ import annotations

import functools
import importlib
import math
from typing import Any

import numpy as np

from runtime.ops.kinds import Binary, Elementwise, Unary
from runtime.ops.registry import function
from runtime.typesys.dtypes import promote, resolve_ufunc
from runtime.typesys.errors import UnimplementedError
from runtime.typesys.spec import TensorType

_TWO_BY_SQRT_PI = 2 / math.sqrt(math.pi)


@functools.cache
def _scipy() -> Any:
    """scipy.special, or None where SciPy is not installed."""
    try:
        return importlib.import_module("scipy.special")
    except ImportError:
        return None


def _special(name: str, *args: Any) -> Any:
    """SciPy's function of that name, in the operands' own float dtype.

    Raises:
      UnimplementedError: SciPy is not installed.
    """
    module = _scipy()
    if module is None:
        text = f"{name} needs SciPy: pip install 'autograph[native]'"
        raise UnimplementedError(text, op=name, id="needs-scipy", name=name)
    out = getattr(module, name)(*args)
    half = any(getattr(a, "dtype", None) == np.float16 for a in args)
    return out.astype(np.float16) if half else out


class _Special(Elementwise, abstract=True):
    """Floats stay; integers count as float64, as SciPy takes them."""

    def result_dtype(self, *types: TensorType, **attrs: Any) -> Any:
        dtype = promote(*((t.dtype, t.weak) for t in types))[0]
        return dtype if dtype.is_inexact else resolve_ufunc("divide", ((dtype, False), (dtype, False)))[0]


# erf(x) = x * polynomial in x**2 (its Taylor series) for |x| < 1.
_ERF_SERIES = [_TWO_BY_SQRT_PI * (-1) ** n / (math.factorial(n) * (2 * n + 1)) for n in range(20)]

# (1 + 2x) e**(x**2) erfc(x) for x >= 1, as a Chebyshev series in (x - 2) / (x + 2).
_ERFC_SERIES = [
    1.1760066555883002,
    0.02577967387004822,
    -0.10659315067778506,
    0.038808879574483854,
    -0.005414899930893739,
    -0.00040815257282373946,
    0.00019843768248551985,
    9.842532776041647e-06,
    -7.76326556105708e-06,
    -7.174001457436065e-07,
    3.1406949557111485e-07,
    6.188423671121174e-08,
    -9.890619896513899e-09,
    -4.595399642328126e-09,
    -7.180583359967004e-11,
    2.6296181825223786e-10,
    4.8677379525948096e-11,
    -8.02683195228665e-12,
    -4.7791103723258225e-12,
    -4.3471194551366194e-13,
    2.4125895042606796e-13,
    8.607651770722194e-14,
    2.633680120662265e-15,
    -5.868658714189651e-15,
    -1.6721714926870719e-15,
]


def _erfc_tail(x: Any) -> Any:
    """erfc of an array of float64 numbers of at least 1."""
    u = (x - 2) / (x + 2)
    b1 = b2 = np.zeros_like(x)
    for c in reversed(_ERFC_SERIES[1:]):
        b1, b2 = c + 2 * u * b1 - b2, b1
    ratio = (_ERFC_SERIES[0] + u * b1 - b2) / (1 + 2 * x)
    # e**-x**2 through a short x: squaring it is exact, so that no digits are lost where x**2 is large.
    short = x.astype(np.float32).astype(np.float64)
    return np.exp(-short * short) * np.exp((short - x) * (short + x)) * ratio


def _erf_head(x: Any) -> Any:
    """erf of an array of float64 numbers between -1 and 1."""
    square = x * x
    total = np.full_like(x, _ERF_SERIES[-1])
    for c in reversed(_ERF_SERIES[:-1]):
        total *= square
        total += c
    return x * total


def erf_without_scipy(x: Any, complement: bool = False) -> Any:
    """erf(x), or erfc(x) if `complement`, to the last digits of float64."""
    given = np.asarray(x)
    x = given.astype(np.float64).ravel()
    size = np.abs(x)
    tail = size >= 1  # nan is not: it goes through the series and stays nan
    out = np.empty_like(x)
    head = ~tail
    out[head] = 1 - _erf_head(x[head]) if complement else _erf_head(x[head])
    far = np.minimum(size[tail], 30.0)  # beyond, e**-x**2 is 0
    value = _erfc_tail(far)
    negative = x[tail] < 0
    out[tail] = (
        np.where(negative, 2 - value, value) if complement else np.where(negative, value - 1, 1 - value)
    )
    dtype = given.dtype if given.dtype.kind == "f" else np.float64
    return out.reshape(given.shape).astype(dtype)[()]


class Erf(_Special, Unary):
    """The error function, elementwise. As TensorFlow's and SciPy's `erf`.

    >>> import autograph as ag
    >>> ag.math.erf([0.0, 1.0]).numpy().round(3)
    array([0.   , 0.843], dtype=float32)
    """

    public = "math.erf"
    scalar = lambda b, x: b.erf(x)

    @staticmethod
    def kernel(x: Any) -> Any:
        return erf_without_scipy(x) if _scipy() is None else _special("erf", x)

    vjp = lambda op, dy, y, x: (op.mul(dy, op.mul(op.exp(op.neg(op.square(x))), _TWO_BY_SQRT_PI)),)


class Erfc(_Special, Unary):
    """1 - erf(x) without cancellation, elementwise. As TensorFlow's and SciPy's `erfc`.

    >>> import autograph as ag
    >>> ag.math.erfc([0.0, 1.0]).numpy().round(3)
    array([1.   , 0.157], dtype=float32)
    """

    public = "math.erfc"
    scalar = lambda b, x: b.erfc(x)

    @staticmethod
    def kernel(x: Any) -> Any:
        return erf_without_scipy(x, complement=True) if _scipy() is None else _special("erfc", x)

    vjp = lambda op, dy, y, x: (op.mul(dy, op.mul(op.exp(op.neg(op.square(x))), -_TWO_BY_SQRT_PI)),)


class Erfinv(_Special, Unary):
    """The inverse of erf, for x in (-1, 1), elementwise. As TensorFlow's and SciPy's `erfinv`.

    >>> import autograph as ag
    >>> ag.math.erfinv([0.0, 0.5]).numpy().round(3)
    array([0.   , 0.477], dtype=float32)
    """

    public = "math.erfinv"
    domain = (-0.9, 0.9)

    @staticmethod
    def kernel(x: Any) -> Any:
        return _special("erfinv", x)

    vjp = lambda op, dy, y, x: (op.mul(dy, op.div(op.exp(op.square(y)), _TWO_BY_SQRT_PI)),)


class Ndtri(_Special, Unary):
    """The quantile function of the normal distribution, for x in (0, 1), elementwise. As TensorFlow's `ndtri`.

    >>> import autograph as ag
    >>> ag.math.ndtri([0.5, 0.975]).numpy().round(3)
    array([0.  , 1.96], dtype=float32)
    """

    public = "math.ndtri"
    domain = (0.1, 0.9)

    @staticmethod
    def kernel(x: Any) -> Any:
        return _special("ndtri", x)

    vjp = lambda op, dy, y, x: (
        op.mul(dy, op.mul(op.exp(op.mul(op.square(y), 0.5)), math.sqrt(2 * math.pi))),
    )


@function("math.erfcinv", tensors=1)
def erfcinv(op: Any, x: Any, name: str | None = None) -> Any:
    """The inverse of erfc, for x in (0, 2), elementwise. As TensorFlow's `erfcinv`.

    >>> import autograph as ag
    >>> ag.math.erfcinv([1.0, 0.5]).numpy().round(3)
    array([-0.   ,  0.477], dtype=float32)
    """
    return op.mul(op.ndtri(op.mul(x, 0.5)), -math.sqrt(0.5))


class Lgamma(_Special, Unary):
    """log |gamma(x)|, elementwise. As TensorFlow's `lgamma` and SciPy's `gammaln`.

    >>> import autograph as ag
    >>> ag.math.lgamma([1.0, 4.0]).numpy().round(3)
    array([0.   , 1.792], dtype=float32)
    """

    public = "math.lgamma"
    domain = (0.3, 4.0)

    @staticmethod
    def kernel(x: Any) -> Any:
        return _special("gammaln", x)

    vjp = lambda op, dy, y, x: (op.mul(dy, op.digamma(x)),)


class Digamma(_Special, Unary):
    """The derivative of `lgamma`, elementwise. As TensorFlow's `digamma` and SciPy's `psi`.

    >>> import autograph as ag
    >>> ag.math.digamma([1.0, 4.0]).numpy().round(3)
    array([-0.577,  1.256], dtype=float32)
    """

    public = "math.digamma"
    domain = (0.3, 4.0)

    @staticmethod
    def kernel(x: Any) -> Any:
        return _special("psi", x)

    vjp = lambda op, dy, y, x: (op.mul(dy, op.polygamma(1, x)),)


class Polygamma(_Special, Binary):
    """The a-th derivative of `digamma` at x, elementwise, for whole a. As TensorFlow's and SciPy's `polygamma`.

    >>> import autograph as ag
    >>> ag.math.polygamma(1.0, [1.0, 4.0]).numpy().round(3)
    array([1.645, 0.284], dtype=float32)
    """

    public = "math.polygamma"
    parameters = ("a", "x")

    @staticmethod
    def kernel(a: Any, x: Any) -> Any:
        return np.asarray(_special("polygamma", a, x)).astype(np.result_type(a, x, 0.0))[()]

    vjp = lambda op, dy, y, a, x: (None, op.sum_to(op.mul(dy, op.polygamma(op.add(a, 1), x)), x))

    def samples(self) -> Any:
        for dtype in ("float32", "float64"):
            yield (1, np.linspace(0.5, 2.5, 6).reshape(2, 3).astype(dtype)), {}


class BesselI0(_Special, Unary):
    """The modified Bessel function of order 0, elementwise. As TensorFlow's `bessel_i0` and SciPy's `i0`.

    >>> import autograph as ag
    >>> ag.math.bessel_i0([0.0, 1.0]).numpy().round(3)
    array([1.   , 1.266], dtype=float32)
    """

    public = "math.bessel_i0"

    @staticmethod
    def kernel(x: Any) -> Any:
        return _special("i0", x)

    vjp = lambda op, dy, y, x: (op.mul(dy, op.bessel_i1(x)),)


class BesselI1(_Special, Unary):
    """The modified Bessel function of order 1, elementwise. As TensorFlow's `bessel_i1` and SciPy's `i1`.

    >>> import autograph as ag
    >>> ag.math.bessel_i1([0.0, 1.0]).numpy().round(3)
    array([0.   , 0.565], dtype=float32)
    """

    public = "math.bessel_i1"

    @staticmethod
    def kernel(x: Any) -> Any:
        return _special("i1", x)

    @staticmethod
    def vjp(op: Any, dy: Any, y: Any, x: Any) -> tuple[Any]:
        zero = op.equal(x, 0)
        slope = op.where(zero, 0.5, op.sub(op.bessel_i0(x), op.div(y, op.where(zero, 1, x))))
        return (op.mul(dy, slope),)


class BesselI0e(_Special, Unary):
    """bessel_i0(x) * e**-|x| without overflow, elementwise. As TensorFlow's `bessel_i0e` and SciPy's `i0e`.

    >>> import autograph as ag
    >>> ag.math.bessel_i0e([0.0, 1.0]).numpy().round(3)
    array([1.   , 0.466], dtype=float32)
    """

    public = "math.bessel_i0e"

    @staticmethod
    def kernel(x: Any) -> Any:
        return _special("i0e", x)

    vjp = lambda op, dy, y, x: (op.mul(dy, op.sub(op.bessel_i1e(x), op.mul(op.sign(x), y))),)


class BesselI1e(_Special, Unary):
    """bessel_i1(x) * e**-|x| without overflow, elementwise. As TensorFlow's `bessel_i1e` and SciPy's `i1e`.

    >>> import autograph as ag
    >>> ag.math.bessel_i1e([0.0, 1.0]).numpy().round(3)
    array([0.   , 0.208], dtype=float32)
    """

    public = "math.bessel_i1e"

    @staticmethod
    def kernel(x: Any) -> Any:
        return _special("i1e", x)

    @staticmethod
    def vjp(op: Any, dy: Any, y: Any, x: Any) -> tuple[Any]:
        zero = op.equal(x, 0)
        fall = op.mul(y, op.add(op.sign(x), op.reciprocal(op.where(zero, 1, x))))
        return (op.mul(dy, op.where(zero, 0.5, op.sub(op.bessel_i0e(x), fall))),)


@function("math.lbeta", tensors=1)
def lbeta(op: Any, x: Any, name: str | None = None) -> Any:
    """log |beta(x)| over the last axis: sum of lgamma minus lgamma of the sum. As TensorFlow's `lbeta`.

    >>> import autograph as ag
    >>> ag.math.lbeta([1.0, 2.0]).numpy().round(3)
    np.float32(-0.693)
    """
    return op.sub(op.sum(op.lgamma(x), axis=-1), op.lgamma(op.sum(x, axis=-1)))
