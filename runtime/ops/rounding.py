"""Rounding, clipping, and taking floats apart (sign, mantissa, exponent, neighbours), elementwise."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from typing import Any

import numpy as np

from runtime.ops.kinds import Binary, Elementwise, Unary, no_gradient
from runtime.ops.registry import Op, function
from runtime.typesys.dtypes import resolve_ufunc
from runtime.typesys.shapes import broadcast_many
from runtime.typesys.spec import TensorType


class Floor(Unary):
    """The largest integer not above x, in x's dtype, elementwise. As TensorFlow's `floor` and NumPy's.

    >>> import autograph as ag
    >>> ag.floor([1.5, -1.5]).numpy()
    array([ 1., -2.], dtype=float32)
    """

    public = "floor", "math.floor"
    numpy = "floor"
    vjp = no_gradient


class Ceil(Unary):
    """The smallest integer not below x, in x's dtype, elementwise. As TensorFlow's `ceil` and NumPy's.

    >>> import autograph as ag
    >>> ag.math.ceil([1.5, -1.5]).numpy()
    array([ 2., -1.], dtype=float32)
    """

    public = "math.ceil"
    numpy = "ceil"
    vjp = no_gradient


class Rint(Unary):
    """The nearest integer, halves to even, in x's dtype, elementwise. As TensorFlow's `rint` and NumPy's.

    >>> import autograph as ag
    >>> ag.math.rint([0.5, 1.5, -1.2]).numpy()
    array([ 0.,  2., -1.], dtype=float32)
    """

    public = "math.rint"
    numpy = "rint"
    vjp = no_gradient


class Trunc(Unary):
    """x without its fraction, elementwise. As NumPy's `trunc`."""

    numpy = "trunc"
    vjp = no_gradient


class Round(Unary):
    """To `decimals` places, halves to even."""

    numpy = "np.round({0}, {decimals})"
    python = "round({0}, {decimals})"
    vjp = no_gradient

    def infer(self, *types: TensorType, **attrs: Any) -> TensorType:
        return types[0]

    def samples(self) -> Iterable[Any]:
        for inputs, _ in super().samples():
            for decimals in (0, 1):
                yield inputs, {"decimals": decimals}


@function(method="__round__", tensors=1)
def round_number(op: Any, x: Any, ndigits: int | None = None) -> Any:
    """Python's `round(x)`: an integer where x is a number and `ndigits` is not said."""
    kind = op.type_of(x)
    rounded = op.rounded(x, None if ndigits is None else operator.index(ndigits))
    return op.to_python(rounded, kind="int") if ndigits is None and kind.shape == () and kind.dtype.is_floating else rounded


@function(method="is_integer", tensors=1)
def is_integer(op: Any, x: Any) -> Any:
    """Whether x has no fraction, elementwise; as Python's `float.is_integer`."""
    kind = op.type_of(x)
    if kind.dtype.is_floating:
        return op.logical_and(op.is_finite(x), op.equal(op.floor(x), x))
    return op.equal(x, x)


@function("round", "math.round", method="round", tensors=1)
def rounded(op: Any, x: Any, decimals: int | None = None, name: str | None = None) -> Any:
    """x to the nearest integer (or to `decimals` places), halves to even; shape and dtype unchanged. No gradient.

    As TensorFlow's `round`, and NumPy's with its `decimals`.

    >>> import autograph as ag
    >>> ag.round([0.5, 1.5, -1.2]).numpy()
    array([ 0.,  2., -1.], dtype=float32)
    """
    if op.type_of(x).dtype.is_floating and not decimals:
        return op.rint(x)
    return op.round(x, decimals=int(decimals or 0))


class Spacing(Unary):
    """The distance to the next float away from zero, elementwise. As NumPy's `spacing`."""

    numpy = "spacing"
    vjp = no_gradient


class Copysign(Binary):
    """|x| with the sign of y, elementwise. As NumPy's `copysign`."""

    numpy = "copysign"
    vjp = lambda op, dy, z, x, y: (op.sum_to(op.mul(dy, op.mul(op.sign(x), op.sign(z))), x), None)


class Nextafter(Binary):
    """The next float after x towards y, elementwise. As TensorFlow's and NumPy's `nextafter`.

    >>> import autograph as ag
    >>> ag.math.nextafter([1.0], 2.0).numpy().round(3)
    array([1.], dtype=float32)
    """

    public = "math.nextafter"
    parameters = ("x1", "x2")
    numpy = "nextafter"
    vjp = no_gradient


class Heaviside(Binary):
    """0 where x < 0, 1 where x > 0, y where x is 0, elementwise. As NumPy's `heaviside`."""

    numpy = "heaviside"
    vjp = no_gradient


class Ldexp(Elementwise):
    """x * 2**i for integers i, elementwise. As NumPy's `ldexp`."""

    arity = 2
    numpy = "ldexp"
    vjp = lambda op, dy, z, x, i: (op.sum_to(op.ldexp(dy, i), x), None)

    def samples(self) -> Iterable[Any]:
        for dtype in ("float32", "float64"):
            yield (np.linspace(-1.5, 1.5, 6).reshape(2, 3).astype(dtype), 3), {}


class _Pair(Op, abstract=True):
    """A ufunc with two results."""

    outputs = 2

    def infer(self, *types: TensorType) -> tuple[TensorType, ...]:
        shape = broadcast_many(t.shape for t in types)
        dtypes = resolve_ufunc(self.numpy or "", tuple((t.dtype, t.weak) for t in types))
        return tuple(TensorType(d, shape) for d in dtypes)


class Modf(_Pair):
    """(fraction, integer part) of x, both with its sign. As NumPy's `modf`."""

    numpy = "modf"
    vjp = lambda op, dys, ys, x: (dys[0],)


class Frexp(_Pair):
    """(mantissa, exponent): x = mantissa * 2**exponent. As NumPy's `frexp`."""

    numpy = "frexp"
    vjp = lambda op, dys, ys, x: (None if dys[0] is None else op.ldexp(dys[0], op.neg(ys[1])),)


@function("clip_by_value", tensors=3)
def clip_by_value(op: Any, t: Any, clip_value_min: Any, clip_value_max: Any, name: str | None = None) -> Any:
    """`t` with what is outside [clip_value_min, clip_value_max] moved to the nearest end; the bounds broadcast.

    The gradient is 0 where `t` is outside. As TensorFlow's `clip_by_value` and NumPy's `clip`.

    >>> import autograph as ag
    >>> ag.clip_by_value([-2.0, 0.5, 2.0], -1.0, 1.0).numpy()
    array([-1. ,  0.5,  1. ], dtype=float32)
    """
    if clip_value_min is not None:
        t = op.maximum(t, clip_value_min)
    return t if clip_value_max is None else op.minimum(t, clip_value_max)


@function(method="clip", tensors=3)
def clip(op: Any, x: Any, min: Any = None, max: Any = None) -> Any:
    """x kept between `min` and `max`, either of which may be None. As NumPy's `clip`."""
    return op.clip_by_value(x, min, max)
