"""Arithmetic, elementwise: add, subtract, multiply, divide, power, remainders, signs, maximum and minimum.

Operands broadcast; dtypes mix as NumPy's (`int32 / int32` is float64). Where all operands are bare Python numbers
the meaning is Python's own: true division by zero raises, `True + True` is 2.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from runtime.ops.kinds import Binary, Elementwise, Unary, conj, no_gradient
from runtime.ops.registry import function
from runtime.typesys.errors import InvalidArgumentError
from runtime.typesys.spec import TensorType


def _one_of(chosen: str) -> str:
    """The template for one of two bare numbers, as a number of the type that both have in common."""
    return f"({chosen} if type({{0}}) is type({{1}}) else type({{0}} + {{1}})({chosen}))"


class _Arithmetic(Elementwise, abstract=True):
    """NumPy's dtypes, except that bare Python bools count as Python's do: 0 and 1."""

    dtypes = "fdi"

    def result_dtype(self, *types: TensorType, **attrs: Any) -> Any:
        if self.python is not None and all(t.weak and t.dtype.is_bool for t in types):
            types = tuple(TensorType("int64", (), weak=True) for _ in types)
        return super().result_dtype(*types, **attrs)


class Add(_Arithmetic, Binary):
    """x + y, elementwise; shapes broadcast, dtypes mix as NumPy's. As TensorFlow's and NumPy's `add`.

    >>> import autograph as ag
    >>> ag.add([1.0, 2.0], 10.0).numpy()
    array([11., 12.], dtype=float32)
    """

    public = "add", "math.add"
    method = "__add__", "__radd__"
    numpy = "add"
    python = "{0} + {1}"
    vjp = lambda op, dy, z, x, y: (op.sum_to(dy, x), op.sum_to(dy, y))


class Sub(_Arithmetic, Binary):
    """x - y, elementwise; shapes broadcast, dtypes mix as NumPy's. As TensorFlow's and NumPy's `subtract`.

    >>> import autograph as ag
    >>> ag.subtract([1.0, 2.0], 10.0).numpy()
    array([-9., -8.], dtype=float32)
    """

    public = "subtract", "math.subtract"
    method = "__sub__", "__rsub__"
    numpy = "subtract"
    python = "{0} - {1}"
    vjp = lambda op, dy, z, x, y: (op.sum_to(dy, x), op.sum_to(op.neg(dy), y))


class Mul(_Arithmetic, Binary):
    """x * y, elementwise; shapes broadcast, dtypes mix as NumPy's. As TensorFlow's and NumPy's `multiply`.

    >>> import autograph as ag
    >>> ag.multiply([1.0, 2.0], [[3.0], [4.0]]).numpy()
    array([[3., 6.],
           [4., 8.]], dtype=float32)
    """

    public = "multiply", "math.multiply"
    method = "__mul__", "__rmul__"
    numpy = "multiply"
    python = "{0} * {1}"
    vjp = lambda op, dy, z, x, y: (
        op.sum_to(op.mul(dy, conj(op, y)), x),
        op.sum_to(op.mul(dy, conj(op, x)), y),
    )


class Div(_Arithmetic, Binary):
    """x / y, true division: integers give float64. As TensorFlow's `divide`, `truediv` and NumPy's `divide`.

    >>> import autograph as ag
    >>> ag.divide([1, 2], 2).numpy()
    array([0.5, 1. ])
    """

    public = "divide", "math.divide", "truediv", "math.truediv", "realdiv"
    method = "__truediv__", "__rtruediv__"
    numpy = "divide"
    python = "{0} / {1}"
    domain = (0.5, 3.0)

    @staticmethod
    def vjp(op: Any, dy: Any, z: Any, x: Any, y: Any) -> tuple[Any, Any]:
        dx = op.div(dy, conj(op, y))
        return op.sum_to(dx, x), op.sum_to(op.neg(op.mul(dx, conj(op, z))), y)


class Floordiv(_Arithmetic, Binary):
    """The largest integers not above x / y, in the operands' dtype.

    As TensorFlow's `floordiv` and NumPy's `floor_divide`.

    Python's semantics for bare Python numbers; integer division by zero is NumPy's: 0 and a warning. No gradient.

    >>> import autograph as ag
    >>> ag.math.floordiv([7, -7], 2).numpy()
    array([ 3, -4], dtype=int32)
    """

    public = "floordiv", "math.floordiv", "floor_div"
    method = "__floordiv__", "__rfloordiv__"
    numpy = "floor_divide"
    python = "{0} // {1}"
    domain = (1.0, 4.0)
    vjp = no_gradient


class Mod(_Arithmetic, Binary):
    """The remainder of `floordiv`, with the sign of y. As TensorFlow's `floormod` and NumPy's `mod`.

    >>> import autograph as ag
    >>> ag.math.mod([7, -7], 4).numpy()
    array([3, 1], dtype=int32)
    """

    public = "mod", "math.mod", "floormod", "math.floormod"
    method = "__mod__", "__rmod__"
    numpy = "remainder"
    python = "{0} % {1}"
    domain = (1.0, 4.0)
    vjp = lambda op, dy, z, x, y: (
        op.sum_to(dy, x),
        op.sum_to(op.neg(op.mul(dy, op.floor(op.div(x, y)))), y),
    )


class Fmod(_Arithmetic, Binary):
    """The remainder of the division rounded towards zero, with the sign of x.

    As TensorFlow's `truncatemod` and NumPy's `fmod`.

    >>> import autograph as ag
    >>> ag.truncatemod([7, -7], 4).numpy()
    array([ 3, -3], dtype=int32)
    """

    public = "truncatemod"
    numpy = "fmod"
    domain = (1.0, 4.0)
    vjp = lambda op, dy, z, x, y: (
        op.sum_to(dy, x),
        op.sum_to(op.neg(op.mul(dy, op.trunc(op.div(x, y)))), y),
    )


def _pow_vjp(op: Any, dy: Any, z: Any, x: Any, y: Any) -> tuple[Any, Any]:
    """Of x**y; no NaN where x is 0 or negative and the derivative is finite."""
    kind = op.type_of(y)
    base = op.cast(x, dtype=op.type_of(z).dtype) if not op.type_of(z).weak else x
    exponent = op.static_value(y) if kind.weak else None
    if exponent is not None:
        if exponent == 1:
            return op.sum_to(dy, x), None
        if exponent == 0:
            return op.sum_to(op.mul(dy, 0), x), None
        slope = op.mul(op.power(base, exponent - 1), exponent)
        return op.sum_to(op.mul(dy, conj(op, slope)), x), None
    dx = du = None
    if op.type_of(x).dtype.is_inexact:
        flat = op.equal(y, 0)
        slope = op.mul(y, op.pow(base, op.where(flat, 1, op.sub(y, 1))))
        dx = op.sum_to(op.mul(dy, conj(op, op.where(flat, 0, slope))), x)
    if kind.dtype.is_inexact:
        regular = op.not_equal(base, 0) if op.type_of(base).dtype.is_complex else op.greater(base, 0)
        log = op.where(regular, op.log(op.where(regular, base, 1)), 0)
        du = op.sum_to(op.mul(dy, conj(op, op.mul(z, log))), y)
    return dx, du


class Pow(_Arithmetic, Binary):
    """x**y, elementwise; integers to integers stay integers, and a negative integer exponent of integers is an error.

    As NumPy's `power`. The gradient is finite wherever the derivative is, at zero and negative x too.
    """

    method = "__rpow__"
    numpy = "power"
    python = "({0}) ** {1}"
    domain = (0.5, 3.0)
    vjp = _pow_vjp


@function("pow", "math.pow", method="__pow__", tensors=2)
def power(op: Any, x: Any, y: Any, name: str | None = None) -> Any:
    """x**y, elementwise; shapes broadcast. Integers stay integers. As TensorFlow's `pow` and NumPy's `power`.

    Its gradient is finite wherever the derivative is, at zero and negative x too.

    Raises:
      InvalidArgumentError: integers to a negative integer power (their dtype can't hold the result).

    >>> import autograph as ag
    >>> ag.pow([2.0, 3.0], [3.0, 2.0]).numpy()
    array([8., 9.], dtype=float32)
    """
    if type(y) in (int, float) and y in (2, 0.5):
        kind = op.type_of(x)
        if not kind.weak and (kind.dtype.is_inexact or (kind.dtype.is_integer and type(y) is int)):
            return op.square(x) if y == 2 else op.sqrt(x)
    return op.pow(x, y)


class FloatPower(Binary):
    """x**y in float64 (or complex128), so that integers may have negative exponents. As NumPy's `float_power`."""

    numpy = "float_power"
    domain = (0.5, 3.0)
    vjp = _pow_vjp


class Divmod(Binary):
    """(x // y, x % y), elementwise. As NumPy's `divmod`."""

    outputs = 2
    numpy = "divmod"
    domain = (1.0, 4.0)

    def infer(self, *types: TensorType, **attrs: Any) -> Any:
        t = super().infer(*types).strong()
        return t, t

    vjp = lambda op, dys, zs, x, y: (
        None if dys[1] is None else op.sum_to(dys[1], x),
        None if dys[1] is None else op.sum_to(op.neg(op.mul(dys[1], zs[0])), y),
    )


@function(method=("__divmod__", "__rdivmod__"), tensors=2)
def quotient_and_remainder(op: Any, x: Any, y: Any) -> Any:
    """(x // y, x % y)."""
    return op.floordiv(x, y), op.mod(x, y)


class Neg(_Arithmetic, Unary):
    """-x, elementwise. As TensorFlow's and NumPy's `negative`.

    >>> import autograph as ag
    >>> ag.negative([1.0, -2.0]).numpy()
    array([-1.,  2.], dtype=float32)
    """

    public = "negative", "math.negative"
    method = "__neg__"
    numpy = "negative"
    python = "-{0}"
    vjp = lambda op, dy, y, x: (op.neg(dy),)


class Positive(_Arithmetic, Unary):
    """+x: a copy. As NumPy's `positive`."""

    method = "__pos__"
    numpy = "positive"
    python = "+{0}"
    vjp = lambda op, dy, y, x: (dy,)


class Abs(_Arithmetic, Unary):
    """Absolute values; of complex numbers, the modulus (real). The gradient at 0 is 0. As TensorFlow's `abs`.

    >>> import autograph as ag
    >>> ag.abs([-1.5, 2.0]).numpy()
    array([1.5, 2. ], dtype=float32)
    """

    public = "abs", "math.abs"
    method = "__abs__"
    numpy = "absolute"
    python = "abs({0})"
    vjp = lambda op, dy, y, x: (op.mul(dy, op.sign(x)),)


class Fabs(Unary):
    """Absolute values as floats. As NumPy's `fabs`."""

    numpy = "fabs"
    vjp = lambda op, dy, y, x: (op.mul(dy, op.sign(x)),)


class Sign(Unary):
    """-1, 0 or 1; x / |x| for complex numbers; nan for nan. No gradient. As TensorFlow's and NumPy's `sign`.

    >>> import autograph as ag
    >>> ag.sign([-1.5, 0.0, 2.0]).numpy()
    array([-1.,  0.,  1.], dtype=float32)
    """

    public = "sign", "math.sign"
    numpy = "sign"
    dtypes = "fdi"
    vjp = no_gradient


class Reciprocal(Unary):
    """1 / x, in x's dtype. As TensorFlow's and NumPy's `reciprocal`.

    >>> import autograph as ag
    >>> ag.math.reciprocal([2.0, 4.0]).numpy()
    array([0.5 , 0.25], dtype=float32)
    """

    public = "math.reciprocal"
    numpy = "reciprocal"
    domain = (0.5, 3.0)
    vjp = lambda op, dy, y, x: (op.neg(op.mul(dy, conj(op, op.square(y)))),)


class Square(_Arithmetic, Unary):
    """x * x, elementwise. As TensorFlow's and NumPy's `square`.

    >>> import autograph as ag
    >>> ag.square([2.0, -3.0]).numpy()
    array([4., 9.], dtype=float32)
    """

    public = "square", "math.square"
    numpy = "square"
    python = "{0} * {0}"
    vjp = lambda op, dy, y, x: (op.mul(dy, conj(op, op.mul(x, 2))),)


class Maximum(Binary):
    """The larger of x and y, elementwise; nan if either is. Where they tie, x gets the gradient. As TensorFlow's.

    >>> import autograph as ag
    >>> ag.maximum([1.0, 5.0], 3.0).numpy()
    array([3., 5.], dtype=float32)
    """

    public = "maximum", "math.maximum"
    numpy = "maximum"
    python = _one_of("({0} if {0} >= {1} or {0} != {0} else {1})")
    dtypes = "fdi"

    @staticmethod
    def vjp(op: Any, dy: Any, z: Any, x: Any, y: Any) -> tuple[Any, Any]:
        return _chosen(op, dy, op.greater_equal(x, y), x, y)


class Minimum(Binary):
    """The smaller of x and y, elementwise; nan if either is. Where they tie, x gets the gradient. As TensorFlow's.

    >>> import autograph as ag
    >>> ag.minimum([1.0, 5.0], 3.0).numpy()
    array([1., 3.], dtype=float32)
    """

    public = "minimum", "math.minimum"
    numpy = "minimum"
    python = _one_of("({0} if {0} <= {1} or {0} != {0} else {1})")
    dtypes = "fdi"

    @staticmethod
    def vjp(op: Any, dy: Any, z: Any, x: Any, y: Any) -> tuple[Any, Any]:
        return _chosen(op, dy, op.less_equal(x, y), x, y)


def _chosen(op: Any, dy: Any, first: Any, x: Any, y: Any) -> tuple[Any, Any]:
    """`dy` to x where `first`, else to y."""
    return op.sum_to(op.mul(dy, first), x), op.sum_to(op.mul(dy, op.logical_not(first)), y)


class Fmax(Binary):
    """The larger of x and y, elementwise, ignoring nan. As NumPy's `fmax`."""

    numpy = "fmax"
    dtypes = "fdi"

    @staticmethod
    def vjp(op: Any, dy: Any, z: Any, x: Any, y: Any) -> tuple[Any, Any]:
        return _chosen(op, dy, op.logical_or(op.greater_equal(x, y), op.is_nan(y)), x, y)


class Fmin(Binary):
    """The smaller of x and y, elementwise, ignoring nan. As NumPy's `fmin`."""

    numpy = "fmin"
    dtypes = "fdi"

    @staticmethod
    def vjp(op: Any, dy: Any, z: Any, x: Any, y: Any) -> tuple[Any, Any]:
        return _chosen(op, dy, op.logical_or(op.less_equal(x, y), op.is_nan(y)), x, y)


@function("math.squared_difference", tensors=2)
def squared_difference(op: Any, x: Any, y: Any, name: str | None = None) -> Any:
    """(x - y)**2, elementwise; shapes broadcast. As TensorFlow's `squared_difference`.

    >>> import autograph as ag
    >>> ag.math.squared_difference([1.0, 5.0], 3.0).numpy()
    array([4., 4.], dtype=float32)
    """
    return op.square(op.sub(x, y))


@function("math.divide_no_nan", tensors=2)
def divide_no_nan(op: Any, x: Any, y: Any, name: str | None = None) -> Any:
    """x / y, and 0 where y is 0, for values and gradients alike. As TensorFlow's `divide_no_nan`.

    >>> import autograph as ag
    >>> ag.math.divide_no_nan([1.0, 5.0], [2.0, 0.0]).numpy()
    array([0.5, 0. ], dtype=float32)
    """
    zero = op.equal(y, 0)
    return op.where(zero, 0, op.div(x, op.where(zero, 1, y)))


@function("math.reciprocal_no_nan", tensors=1)
def reciprocal_no_nan(op: Any, x: Any, name: str | None = None) -> Any:
    """1 / x, and 0 where x is 0, for values and gradients alike. As TensorFlow's `reciprocal_no_nan`.

    >>> import autograph as ag
    >>> ag.math.reciprocal_no_nan([2.0, 0.0]).numpy()
    array([0.5, 0. ], dtype=float32)
    """
    zero = op.equal(x, 0)
    return op.where(zero, 0, op.reciprocal(op.where(zero, 1, x)))


class MultiplyNoNan(Binary):
    """x * y, and 0 where y is 0, even if x is infinite or nan. As TensorFlow's `multiply_no_nan`.

    >>> import autograph as ag
    >>> ag.math.multiply_no_nan([2.0, float("nan")], [3.0, 0.0]).numpy()
    array([6., 0.], dtype=float32)
    """

    public = "math.multiply_no_nan"
    scalar = lambda b, x, y: b.select(b.equal(y, b.const(0, y)), b.const(0, x), b.multiply(x, y))

    @staticmethod
    def kernel(x: Any, y: Any) -> Any:
        with np.errstate(invalid="ignore"):
            product = np.multiply(x, y)
        return np.where(np.equal(y, 0), product.dtype.type(0), product)[()]

    vjp = lambda op, dy, z, x, y: (
        op.sum_to(op.multiply_no_nan(dy, y), x),
        op.sum_to(op.multiply_no_nan(x, dy), y),
    )


@function("truncatediv", tensors=2)
def truncatediv(op: Any, x: Any, y: Any, name: str | None = None) -> Any:
    """x / y rounded towards zero, in the operands' dtype. No gradient. As TensorFlow's `truncatediv`.

    >>> import autograph as ag
    >>> ag.truncatediv([7, -7], 4).numpy()
    array([ 1, -1], dtype=int32)
    """
    return op.floordiv(op.sub(x, op.fmod(x, y)), y)


@function("math.scalar_mul", "scalar_mul", tensors=2)
def scalar_mul(op: Any, scalar: Any, x: Any, name: str | None = None) -> Any:
    """A scalar times a tensor. As TensorFlow's `scalar_mul`.

    >>> import autograph as ag
    >>> ag.scalar_mul(2.0, [1.0, 2.0]).numpy()
    array([2., 4.], dtype=float32)
    """
    return op.mul(scalar, x)


@function("math.add_n", "add_n")
def add_n(op: Any, inputs: Any, name: str | None = None) -> Any:
    """The sum of a list of tensors of one shape. As TensorFlow's `add_n`.

    Raises:
      InvalidArgumentError: the list is empty.

    >>> import autograph as ag
    >>> ag.add_n([ag.constant([1.0, 2.0]), ag.constant([3.0, 4.0])]).numpy()
    array([4., 6.], dtype=float32)
    """
    if not isinstance(inputs, (list, tuple)):
        return op.identity(inputs)
    if not inputs:
        raise InvalidArgumentError("add_n needs at least one tensor", op="add_n")
    total = op.identity(inputs[0])
    for x in inputs[1:]:
        total = op.add(total, x)
    return total
