"""Elementwise mathematics: exponentials, logarithms, trigonometry, and functions of two numbers made of them.

Integers become floats as NumPy's ufuncs make them (int32 gives float64). Gradients are those of analytic functions:
cotangents of complex tensors are multiplied by the conjugate derivative.
"""

from __future__ import annotations

import math
from typing import Any

from runtime.ops.kinds import Binary, Unary, conj
from runtime.ops.registry import function
from runtime.typesys.dtypes import resolve_ufunc
from runtime.typesys.spec import TensorType

_LN2 = math.log(2.0)
_LN10 = math.log(10.0)
_DEGREE = math.pi / 180


class _Floating(Unary, abstract=True):
    """For templates and kernels: dtypes as NumPy's `exp` has them (floats stay, integers become floats)."""

    def result_dtype(self, *types: TensorType, **attrs: Any) -> Any:
        return resolve_ufunc("exp", ((types[0].dtype, types[0].weak),))[0]


class Exp(Unary):
    """e**x, elementwise. As TensorFlow's `exp` and NumPy's.

    >>> import autograph as ag
    >>> ag.exp([0.0, 1.0]).numpy().round(3)
    array([1.   , 2.718], dtype=float32)
    """

    public = "exp", "math.exp"
    numpy = "exp"
    vjp = lambda op, dy, y, x: (op.mul(dy, conj(op, y)),)


class Expm1(Unary):
    """e**x - 1, accurate near 0, elementwise. As TensorFlow's `expm1` and NumPy's.

    >>> import autograph as ag
    >>> ag.math.expm1([0.0, 1.0]).numpy().round(3)
    array([0.   , 1.718], dtype=float32)
    """

    public = "math.expm1"
    numpy = "expm1"
    vjp = lambda op, dy, y, x: (op.mul(dy, conj(op, op.add(y, 1))),)


class Exp2(Unary):
    """2**x, elementwise. As NumPy's `exp2`."""

    numpy = "exp2"
    vjp = lambda op, dy, y, x: (op.mul(dy, op.mul(y, _LN2)),)


class Log(Unary):
    """The natural logarithm; -inf at 0, nan below, elementwise. As TensorFlow's `log` and NumPy's.

    >>> import autograph as ag
    >>> ag.math.log([1.0, 2.0]).numpy().round(3)
    array([0.   , 0.693], dtype=float32)
    """

    public = "math.log"
    numpy = "log"
    domain = (0.1, 3.0)
    vjp = lambda op, dy, y, x: (op.div(dy, conj(op, x)),)


class Log1p(Unary):
    """log(1 + x), accurate near 0, elementwise. As TensorFlow's `log1p` and NumPy's.

    >>> import autograph as ag
    >>> ag.math.log1p([0.0, 1.0]).numpy().round(3)
    array([0.   , 0.693], dtype=float32)
    """

    public = "math.log1p"
    numpy = "log1p"
    domain = (-0.8, 3.0)
    vjp = lambda op, dy, y, x: (op.div(dy, conj(op, op.add(x, 1))),)


class Log2(Unary):
    """The logarithm to base 2, elementwise. As NumPy's `log2`."""

    numpy = "log2"
    domain = (0.1, 3.0)
    vjp = lambda op, dy, y, x: (op.div(dy, conj(op, op.mul(x, _LN2))),)


class Log10(Unary):
    """The logarithm to base 10, elementwise. As NumPy's `log10`."""

    numpy = "log10"
    domain = (0.1, 3.0)
    vjp = lambda op, dy, y, x: (op.div(dy, conj(op, op.mul(x, _LN10))),)


class Sqrt(Unary):
    """The square root; nan below 0, elementwise. As TensorFlow's `sqrt` and NumPy's.

    >>> import autograph as ag
    >>> ag.sqrt([4.0, 9.0]).numpy()
    array([2., 3.], dtype=float32)
    """

    public = "sqrt", "math.sqrt"
    numpy = "sqrt"
    domain = (0.1, 3.0)
    vjp = lambda op, dy, y, x: (op.div(op.mul(dy, 0.5), conj(op, y)),)


class Cbrt(Unary):
    """The cube root, elementwise. As NumPy's `cbrt`."""

    numpy = "cbrt"
    domain = (0.1, 3.0)
    vjp = lambda op, dy, y, x: (op.div(dy, op.mul(op.square(y), 3)),)


class Sin(Unary):
    """The sine (radians), elementwise. As TensorFlow's `sin` and NumPy's.

    >>> import autograph as ag
    >>> ag.sin([0.0, 1.0]).numpy().round(3)
    array([0.   , 0.841], dtype=float32)
    """

    public = "sin", "math.sin"
    numpy = "sin"
    vjp = lambda op, dy, y, x: (op.mul(dy, conj(op, op.cos(x))),)


class Cos(Unary):
    """The cosine (radians), elementwise. As TensorFlow's `cos` and NumPy's.

    >>> import autograph as ag
    >>> ag.cos([0.0, 1.0]).numpy().round(3)
    array([1.  , 0.54], dtype=float32)
    """

    public = "cos", "math.cos"
    numpy = "cos"
    vjp = lambda op, dy, y, x: (op.neg(op.mul(dy, conj(op, op.sin(x)))),)


class Tan(Unary):
    """The tangent (radians), elementwise. As TensorFlow's `tan` and NumPy's.

    >>> import autograph as ag
    >>> ag.tan([0.0, 1.0]).numpy().round(3)
    array([0.   , 1.557], dtype=float32)
    """

    public = "tan", "math.tan"
    numpy = "tan"
    domain = (-1.2, 1.2)
    vjp = lambda op, dy, y, x: (op.mul(dy, conj(op, op.add(op.square(y), 1))),)


class Asin(Unary):
    """The inverse sine, from -pi/2 to pi/2, elementwise. As TensorFlow's `asin` and NumPy's `arcsin`.

    >>> import autograph as ag
    >>> ag.asin([0.0, 1.0]).numpy().round(3)
    array([0.   , 1.571], dtype=float32)
    """

    public = "asin", "math.asin"
    numpy = "arcsin"
    domain = (-0.9, 0.9)
    vjp = lambda op, dy, y, x: (op.div(dy, conj(op, op.sqrt(op.sub(1, op.square(x))))),)


class Acos(Unary):
    """The inverse cosine, from 0 to pi, elementwise. As TensorFlow's `acos` and NumPy's `arccos`.

    >>> import autograph as ag
    >>> ag.acos([0.0, 1.0]).numpy().round(3)
    array([1.571, 0.   ], dtype=float32)
    """

    public = "acos", "math.acos"
    numpy = "arccos"
    domain = (-0.9, 0.9)
    vjp = lambda op, dy, y, x: (op.neg(op.div(dy, conj(op, op.sqrt(op.sub(1, op.square(x)))))),)


class Atan(Unary):
    """The inverse tangent, from -pi/2 to pi/2, elementwise. As TensorFlow's `atan` and NumPy's `arctan`.

    >>> import autograph as ag
    >>> ag.atan([0.0, 1.0]).numpy().round(3)
    array([0.   , 0.785], dtype=float32)
    """

    public = "atan", "math.atan"
    numpy = "arctan"
    vjp = lambda op, dy, y, x: (op.div(dy, conj(op, op.add(op.square(x), 1))),)


class Sinh(Unary):
    """The hyperbolic sine, elementwise. As TensorFlow's `sinh` and NumPy's.

    >>> import autograph as ag
    >>> ag.sinh([0.0, 1.0]).numpy().round(3)
    array([0.   , 1.175], dtype=float32)
    """

    public = "sinh", "math.sinh"
    numpy = "sinh"
    vjp = lambda op, dy, y, x: (op.mul(dy, conj(op, op.cosh(x))),)


class Cosh(Unary):
    """The hyperbolic cosine, elementwise. As TensorFlow's `cosh` and NumPy's.

    >>> import autograph as ag
    >>> ag.cosh([0.0, 1.0]).numpy().round(3)
    array([1.   , 1.543], dtype=float32)
    """

    public = "cosh", "math.cosh"
    numpy = "cosh"
    vjp = lambda op, dy, y, x: (op.mul(dy, conj(op, op.sinh(x))),)


class Tanh(Unary):
    """The hyperbolic tangent, elementwise. As TensorFlow's `tanh` and NumPy's.

    >>> import autograph as ag
    >>> ag.tanh([0.0, 1.0]).numpy().round(3)
    array([0.   , 0.762], dtype=float32)
    """

    public = "tanh", "math.tanh", "nn.tanh"
    numpy = "tanh"
    vjp = lambda op, dy, y, x: (op.mul(dy, conj(op, op.sub(1, op.square(y)))),)


class Asinh(Unary):
    """The inverse hyperbolic sine, elementwise. As TensorFlow's `asinh` and NumPy's `arcsinh`.

    >>> import autograph as ag
    >>> ag.asinh([0.0, 1.0]).numpy().round(3)
    array([0.   , 0.881], dtype=float32)
    """

    public = "asinh", "math.asinh"
    numpy = "arcsinh"
    vjp = lambda op, dy, y, x: (op.div(dy, conj(op, op.cosh(y))),)


class Acosh(Unary):
    """The inverse hyperbolic cosine; nan below 1, elementwise. As TensorFlow's `acosh` and NumPy's `arccosh`.

    >>> import autograph as ag
    >>> ag.acosh([1.0, 2.0]).numpy().round(3)
    array([0.   , 1.317], dtype=float32)
    """

    public = "acosh", "math.acosh"
    numpy = "arccosh"
    domain = (1.2, 3.0)
    vjp = lambda op, dy, y, x: (op.div(dy, conj(op, op.sinh(y))),)


class Atanh(Unary):
    """The inverse hyperbolic tangent, elementwise. As TensorFlow's `atanh` and NumPy's `arctanh`.

    >>> import autograph as ag
    >>> ag.atanh([0.0, 0.5]).numpy().round(3)
    array([0.   , 0.549], dtype=float32)
    """

    public = "atanh", "math.atanh"
    numpy = "arctanh"
    domain = (-0.9, 0.9)
    vjp = lambda op, dy, y, x: (op.div(dy, conj(op, op.sub(1, op.square(x)))),)


class Conj(Unary):
    """The complex conjugate; real numbers unchanged, elementwise. As TensorFlow's `conj` and NumPy's `conjugate`.

    >>> import autograph as ag
    >>> ag.math.conj([1.0, 2.0]).numpy()
    array([1., 2.], dtype=float32)
    """

    public = "math.conj"
    method = "conj", "conjugate"
    numpy = "conjugate"
    vjp = lambda op, dy, y, x: (conj(op, dy),)


class Deg2rad(Unary):
    """Degrees as radians, elementwise. As NumPy's `deg2rad`."""

    numpy = "deg2rad"
    vjp = lambda op, dy, y, x: (op.mul(dy, _DEGREE),)


class Radians(Unary):
    """Degrees as radians, elementwise. As NumPy's `radians`."""

    numpy = "radians"
    vjp = lambda op, dy, y, x: (op.mul(dy, _DEGREE),)


class Rad2deg(Unary):
    """Radians as degrees, elementwise. As NumPy's `rad2deg`."""

    numpy = "rad2deg"
    vjp = lambda op, dy, y, x: (op.div(dy, _DEGREE),)


class Degrees(Unary):
    """Radians as degrees, elementwise. As NumPy's `degrees`."""

    numpy = "degrees"
    vjp = lambda op, dy, y, x: (op.div(dy, _DEGREE),)


class Rsqrt(_Floating):
    """1 / sqrt(x), elementwise. As TensorFlow's `rsqrt`.

    >>> import autograph as ag
    >>> ag.math.rsqrt([4.0, 16.0]).numpy()
    array([0.5 , 0.25], dtype=float32)
    """

    public = "math.rsqrt"
    numpy = "(1 / np.sqrt({0}))"
    scalar = lambda b, x: b.divide(b.const(1, x), b.sqrt(x))
    domain = (0.1, 3.0)
    vjp = lambda op, dy, y, x: (op.mul(op.mul(dy, -0.5), conj(op, op.div(y, x))),)


class Atan2(Binary):
    """The angle of the point (x, y), from -pi to pi, elementwise. As TensorFlow's `atan2` and NumPy's `arctan2`.

    >>> import autograph as ag
    >>> ag.atan2([1.0, 0.0], [0.0, -1.0]).numpy().round(3)
    array([1.571, 3.142], dtype=float32)
    """

    public = "atan2", "math.atan2"
    parameters = ("y", "x")
    numpy = "arctan2"
    domain = (0.2, 2.0)

    @staticmethod
    def vjp(op: Any, dy: Any, z: Any, y: Any, x: Any) -> tuple[Any, Any]:
        share = op.div(dy, op.add(op.square(x), op.square(y)))
        return op.sum_to(op.mul(share, x), y), op.sum_to(op.neg(op.mul(share, y)), x)


class Hypot(Binary):
    """sqrt(x**2 + y**2) without overflow, elementwise; its gradient at (0, 0) is 0. As NumPy's `hypot`."""

    numpy = "hypot"

    @staticmethod
    def vjp(op: Any, dy: Any, z: Any, x: Any, y: Any) -> tuple[Any, Any]:
        share = op.divide_no_nan(dy, z)
        return op.sum_to(op.mul(share, x), x), op.sum_to(op.mul(share, y), y)


class Logaddexp(Binary):
    """log(e**x + e**y) without overflow, elementwise. As NumPy's `logaddexp`."""

    numpy = "logaddexp"
    vjp = lambda op, dy, z, x, y: (
        op.sum_to(op.mul(dy, op.exp(op.sub(x, z))), x),
        op.sum_to(op.mul(dy, op.exp(op.sub(y, z))), y),
    )


class Logaddexp2(Binary):
    """log2(2**x + 2**y) without overflow, elementwise. As NumPy's `logaddexp2`."""

    numpy = "logaddexp2"
    vjp = lambda op, dy, z, x, y: (
        op.sum_to(op.mul(dy, op.exp2(op.sub(x, z))), x),
        op.sum_to(op.mul(dy, op.exp2(op.sub(y, z))), y),
    )


@function("math.xlogy", tensors=2)
def xlogy(op: Any, x: Any, y: Any, name: str | None = None) -> Any:
    """x * log(y), and 0 where x is 0, elementwise. As TensorFlow's `xlogy`.

    >>> import autograph as ag
    >>> ag.math.xlogy([0.0, 2.0], [0.0, 1.0]).numpy()
    array([0., 0.], dtype=float32)
    """
    zero = op.equal(x, 0)
    return op.where(zero, 0, op.mul(x, op.log(op.where(zero, 1, y))))


@function("math.xlog1py", tensors=2)
def xlog1py(op: Any, x: Any, y: Any, name: str | None = None) -> Any:
    """x * log(1 + y), and 0 where x is 0, elementwise. As TensorFlow's `xlog1py`.

    >>> import autograph as ag
    >>> ag.math.xlog1py([0.0, 2.0], [-1.0, 0.0]).numpy()
    array([0., 0.], dtype=float32)
    """
    zero = op.equal(x, 0)
    return op.where(zero, 0, op.mul(x, op.log1p(op.where(zero, 0, y))))


@function("math.xdivy", tensors=2)
def xdivy(op: Any, x: Any, y: Any, name: str | None = None) -> Any:
    """x / y, and 0 where x is 0, elementwise. As TensorFlow's `xdivy`.

    >>> import autograph as ag
    >>> ag.math.xdivy([0.0, 2.0], [0.0, 4.0]).numpy()
    array([0. , 0.5], dtype=float32)
    """
    zero = op.equal(x, 0)
    return op.where(zero, 0, op.div(x, op.where(zero, 1, y)))


@function("math.polyval")
def polyval(op: Any, coeffs: Any, x: Any, name: str | None = None) -> Any:
    """The polynomial with `coeffs` (a list, highest power first) at x, elementwise. As TensorFlow's `polyval`.

    >>> import autograph as ag
    >>> ag.math.polyval([1.0, 0.0, -2.0], ag.constant([1.0, 3.0])).numpy()
    array([-1.,  7.], dtype=float32)
    """
    if not coeffs:
        return op.mul(x, 0)
    total = op.add(op.mul(x, 0), coeffs[0])
    for c in coeffs[1:]:
        total = op.add(op.mul(total, x), c)
    return total
