"""Reductions over axes.

The operations (`reduce_sum`, ...) take canonical attributes; the functions (`sum`, ...) are what users and rules call.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from runtime.ops.kinds import (
    Reduction,
    conj,
    known_axes,
    no_gradient,
    normalize_axes,
    normalize_axis,
    widened,
)
from runtime.ops.registry import Op, function
from runtime.typesys.dtypes import as_dtype
from runtime.typesys.spec import TensorType

_add: Any = np.add.reduce


def _expand(op: Any, y: Any, axis: Any, keepdims: bool) -> Any:
    """A reduced tensor with the axes it lost put back as size 1 (not needed where all were lost: it broadcasts)."""
    if keepdims or axis is None:
        return y
    axes = (axis,) if isinstance(axis, int) else axis
    for a in [*sorted(a for a in axes if a >= 0), *sorted((a for a in axes if a < 0), reverse=True)]:
        y = op.expand_dims(y, axis=a)
    return y


class _Widening(Reduction, abstract=True):
    """Sums and products of small integers and bools are 64 bits wide, as NumPy's."""

    dtypes = "fdi?"

    def result_dtype(self, x: TensorType) -> Any:
        return widened(x.dtype)


class ReduceSum(_Widening):
    """The sum over `axis`."""

    numpy = "np.add.reduce({0}, axis={axis}, keepdims={keepdims})"
    vjp = lambda op, dy, y, x, *, axis, keepdims: (op.broadcast_like(_expand(op, dy, axis, keepdims), x),)


class ReduceMean(Reduction):
    """The mean over `axis`."""

    dtypes = "fdi?"

    def result_dtype(self, x: TensorType) -> Any:
        return x.dtype if x.dtype.is_inexact else as_dtype("float64")

    @staticmethod
    def kernel(x: Any, *, axis: Any, keepdims: bool) -> Any:
        if isinstance(x, np.ndarray) and x.dtype.char in "fd" and x.size:
            total = _add(x, axis=axis, keepdims=keepdims)
            return total / (x.size // total.size)
        return np.mean(x, axis=axis, keepdims=keepdims)  # type: ignore[call-overload]

    @staticmethod
    def vjp(op: Any, dy: Any, y: Any, x: Any, *, axis: Any, keepdims: bool) -> tuple[Any]:
        share = op.div(_expand(op, dy, axis, keepdims), op.reduced_count(x, axis))
        return (op.broadcast_like(share, x),)


class CountAlong(Op):
    """How many elements a reduction over `axis` folds into one, as a bare int."""

    def infer(self, x: TensorType, *, axis: Any) -> TensorType:
        return TensorType("int64", (), weak=True)

    @staticmethod
    def kernel(x: Any, *, axis: Any) -> int:
        shape = np.shape(x)
        total = 1
        for a in normalize_axes(axis, len(shape)):
            total *= shape[a]
        return total

    vjp = no_gradient


@function()
def reduced_count(op: Any, x: Any, axis: Any) -> Any:
    """How many elements a reduction over `axis` folds into one: a number where the sizes are known."""
    shape = op.type_of(x).shape
    if shape is not None:
        sizes = [shape[a] for a in normalize_axes(axis, len(shape))]
        if all(isinstance(s, int) for s in sizes):
            return int(np.prod(sizes, dtype=np.int64))
    return op.count_along(x, axis=axis)


def _extremum_vjp(op: Any, dy: Any, y: Any, x: Any, *, axis: Any, keepdims: bool) -> tuple[Any]:
    """Elements that tie for the extremum share the cotangent equally."""
    best = op.cast(op.equal(x, _expand(op, y, axis, keepdims)), dtype=op.type_of(x).dtype)
    ties = op.sum(best, axis=axis, keepdims=keepdims)
    return (op.mul(best, _expand(op, op.div(dy, ties), axis, keepdims)),)


class ReduceMax(Reduction):
    """The maximum over `axis`; nan if there is one."""

    dtypes = "fdi"
    numpy = "np.maximum.reduce({0}, axis={axis}, keepdims={keepdims})"
    vjp = _extremum_vjp


class ReduceMin(Reduction):
    """The minimum over `axis`; nan if there is one."""

    dtypes = "fdi"
    numpy = "np.minimum.reduce({0}, axis={axis}, keepdims={keepdims})"
    vjp = _extremum_vjp


def _others(op: Any, x: Any, axis: int) -> Any:
    """For each element the product of the others along `axis`; right with zeros too."""
    before = op.cumprod(x, axis=axis, exclusive=True)
    return op.mul(before, op.cumprod(x, axis=axis, exclusive=True, reverse=True))


class ReduceProd(_Widening):
    """The product over `axis`. Its gradient needs no division: it is right where elements are 0."""

    numpy = "np.multiply.reduce({0}, axis={axis}, keepdims={keepdims})"

    @staticmethod
    def vjp(op: Any, dy: Any, y: Any, x: Any, *, axis: Any, keepdims: bool) -> tuple[Any]:
        shape = op.type_of(x).shape
        if shape is None and axis is None:
            flat = op.reshape(x, shape=(-1,))
            slope = op.like_shape(_others(op, flat, 0), x)
            return (op.mul(dy, conj(op, slope)),)
        axes = range(len(shape)) if axis is None else (axis,) if isinstance(axis, int) else axis
        cotangent, part = _expand(op, dy, axis, keepdims), x
        slope = None
        for a in axes:
            here = _others(op, part, a)
            slope = here if slope is None else op.mul(slope, here)
            part = op.prod(part, axis=a, keepdims=True)
        return (op.mul(cotangent, conj(op, slope)) if slope is not None else cotangent,)


class ReduceAll(Reduction):
    """Whether all elements along `axis` are true."""

    dtypes = "?d"
    numpy = "np.logical_and.reduce({0}, axis={axis}, keepdims={keepdims})"
    vjp = no_gradient

    def result_dtype(self, x: TensorType) -> Any:
        return "bool"


class ReduceAny(Reduction):
    """Whether any element along `axis` is true."""

    dtypes = "?d"
    numpy = "np.logical_or.reduce({0}, axis={axis}, keepdims={keepdims})"
    vjp = no_gradient

    def result_dtype(self, x: TensorType) -> Any:
        return "bool"


class ReduceLogsumexp(Reduction):
    """log(sum(exp(x))) over `axis`, without overflow."""

    def result_dtype(self, x: TensorType) -> Any:
        return x.dtype if x.dtype.is_inexact else as_dtype("float64")

    @staticmethod
    def kernel(x: Any, *, axis: Any, keepdims: bool) -> Any:
        top = np.maximum.reduce(x, axis=axis, keepdims=True, initial=-np.inf)
        top = np.where(np.isfinite(top), top, top.dtype.type(0))
        shifted = np.subtract(x, top)
        with np.errstate(divide="ignore"):
            out = np.log(_add(np.exp(shifted), axis=axis, keepdims=True))
        out = out + top
        if keepdims:
            return out
        return np.squeeze(out, axis=None if axis is None else axis)[()]

    @staticmethod
    def vjp(op: Any, dy: Any, y: Any, x: Any, *, axis: Any, keepdims: bool) -> tuple[Any]:
        y = op.where(op.is_finite(y), y, 0)
        weight = op.exp(op.sub(x, _expand(op, y, axis, keepdims)))
        return (op.mul(_expand(op, dy, axis, keepdims), weight),)


class ReduceEuclideanNorm(Reduction):
    """The square root of the sum of squared magnitudes over `axis`; its gradient at 0 is 0."""

    dtypes = "fd"

    @staticmethod
    def kernel(x: Any, *, axis: Any, keepdims: bool) -> Any:
        x = np.asarray(x)
        root = np.sqrt(_add((x * x.conj()).real, axis=axis, keepdims=keepdims))
        return root.astype(x.dtype)

    @staticmethod
    def vjp(op: Any, dy: Any, y: Any, x: Any, *, axis: Any, keepdims: bool) -> tuple[Any]:
        return (op.mul(x, _expand(op, op.divide_no_nan(dy, y), axis, keepdims)),)


class _Arg(Op, abstract=True):
    """Index (int64) of the extremum along `axis`; of the flattened tensor if axis is None. The first one on ties."""

    vjp = no_gradient

    def infer(self, x: TensorType, *, axis: int | None) -> TensorType:
        shape: Any = ()
        if axis is not None and x.shape is None:
            shape = None
        elif axis is not None:
            gone = normalize_axis(axis, len(x.shape or ()), self.name)
            shape = tuple(d for i, d in enumerate(x.shape or ()) if i != gone)
        return TensorType("int64", shape, x.weak)

    def samples(self) -> Iterable[Any]:
        x = np.array([[1.0, 3.0, 3.0], [0.0, -1.0, -1.0]])
        for dtype in ("float64", "float32", "int32"):
            for axis in (None, 0, 1, -1):
                yield (x.astype(dtype),), {"axis": axis}


class ArgMax(_Arg):
    """Where the maximum is."""

    numpy = "np.argmax({0}, axis={axis})"


class ArgMin(_Arg):
    """Where the minimum is."""

    numpy = "np.argmin({0}, axis={axis})"


@function("reduce_sum", "math.reduce_sum", method="sum", tensors=1)
def sum_(
    op: Any,
    input_tensor: Any,
    axis: Any = None,
    keepdims: bool = False,
    name: str | None = None,
    dtype: Any = None,
) -> Any:
    """The sum over `axis` (all, one or several); small integers and bools add up as int64.

    Shape: without the reduced axes, or with size 1 in their place (`keepdims`). As TensorFlow's `reduce_sum`.

    >>> import autograph as ag
    >>> ag.reduce_sum([[1.0, 2.0], [3.0, 4.0]], axis=0).numpy()
    array([4., 6.], dtype=float32)
    """
    if dtype is not None:
        input_tensor = op.cast(input_tensor, dtype=as_dtype(dtype))
    return op.reduce_sum(input_tensor, axis=known_axes(op, axis), keepdims=bool(keepdims))


@function("reduce_mean", "math.reduce_mean", method="mean", tensors=1)
def mean(
    op: Any, input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None
) -> Any:
    """The mean over `axis` (all, one or several); of integers, as float64.

    As TensorFlow's `reduce_mean` (which stays with integers there) and NumPy's `mean`.

    >>> import autograph as ag
    >>> ag.reduce_mean([[1.0, 2.0], [3.0, 4.0]], axis=1).numpy()
    array([1.5, 3.5], dtype=float32)
    """
    return op.reduce_mean(input_tensor, axis=known_axes(op, axis), keepdims=bool(keepdims))


@function("reduce_prod", "math.reduce_prod", method="prod", tensors=1)
def prod(
    op: Any, input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None
) -> Any:
    """The product over `axis` (all, one or several); small integers and bools multiply as int64.

    As TensorFlow's `reduce_prod` and NumPy's `prod`. Its gradient is right where elements are 0.

    >>> import autograph as ag
    >>> ag.reduce_prod([[1.0, 2.0], [3.0, 4.0]], axis=0).numpy()
    array([3., 8.], dtype=float32)
    """
    return op.reduce_prod(input_tensor, axis=known_axes(op, axis), keepdims=bool(keepdims))


@function("reduce_max", "math.reduce_max", method="max", tensors=1)
def max_(
    op: Any, input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None
) -> Any:
    """The maximum over `axis` (all, one or several); elements that tie share the gradient equally.

    As TensorFlow's `reduce_max` and NumPy's `max`.

    Raises:
      ValueError: there are no elements.

    >>> import autograph as ag
    >>> ag.reduce_max([[1.0, 2.0], [3.0, 4.0]], axis=0).numpy()
    array([3., 4.], dtype=float32)
    """
    return op.reduce_max(input_tensor, axis=known_axes(op, axis), keepdims=bool(keepdims))


@function("reduce_min", "math.reduce_min", method="min", tensors=1)
def min_(
    op: Any, input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None
) -> Any:
    """The minimum over `axis` (all, one or several); elements that tie share the gradient equally.

    As TensorFlow's `reduce_min` and NumPy's `min`.

    >>> import autograph as ag
    >>> ag.reduce_min([[1.0, 2.0], [3.0, 4.0]], axis=0).numpy()
    array([1., 2.], dtype=float32)
    """
    return op.reduce_min(input_tensor, axis=known_axes(op, axis), keepdims=bool(keepdims))


@function("reduce_all", "math.reduce_all", method="all", tensors=1)
def all_(
    op: Any, input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None
) -> Any:
    """Whether all elements over `axis` are true (not zero), as bool. As TensorFlow's `reduce_all` and NumPy's `all`.

    >>> import autograph as ag
    >>> ag.reduce_all([[True, False], [True, True]], axis=0).numpy()
    array([ True, False])
    """
    return op.reduce_all(input_tensor, axis=known_axes(op, axis), keepdims=bool(keepdims))


@function("reduce_any", "math.reduce_any", method="any", tensors=1)
def any_(
    op: Any, input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None
) -> Any:
    """Whether any element over `axis` is true (not zero), as bool. As TensorFlow's `reduce_any` and NumPy's `any`.

    >>> import autograph as ag
    >>> ag.reduce_any([[True, False], [False, False]], axis=1).numpy()
    array([ True, False])
    """
    return op.reduce_any(input_tensor, axis=known_axes(op, axis), keepdims=bool(keepdims))


@function("reduce_logsumexp", "math.reduce_logsumexp", tensors=1)
def logsumexp(
    op: Any, input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None
) -> Any:
    """log(sum(exp(x))) over `axis`, without overflow or underflow. As TensorFlow's `reduce_logsumexp`.

    >>> import autograph as ag
    >>> ag.reduce_logsumexp([1000.0, 1000.0]).numpy().round(3)
    np.float32(1000.693)
    """
    return op.reduce_logsumexp(input_tensor, axis=known_axes(op, axis), keepdims=bool(keepdims))


@function("math.reduce_euclidean_norm", tensors=1)
def euclidean_norm(
    op: Any, input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None
) -> Any:
    """sqrt(sum(x**2)) over `axis`; its gradient at 0 is 0. As TensorFlow's `reduce_euclidean_norm`.

    >>> import autograph as ag
    >>> ag.math.reduce_euclidean_norm([3.0, 4.0]).numpy()
    np.float32(5.0)
    """
    return op.reduce_euclidean_norm(input_tensor, axis=known_axes(op, axis), keepdims=bool(keepdims))


@function("math.reduce_variance", method="var", tensors=1)
def variance(
    op: Any,
    input_tensor: Any,
    axis: Any = None,
    keepdims: bool = False,
    name: str | None = None,
    ddof: int = 0,
) -> Any:
    """The mean squared distance from the mean over `axis`; divided by n - ddof. Real for complex tensors.

    As TensorFlow's `reduce_variance` and NumPy's `var`.

    >>> import autograph as ag
    >>> ag.math.reduce_variance([1.0, 3.0]).numpy()
    np.float32(1.0)
    """
    axis = known_axes(op, axis)
    away = op.sub(input_tensor, op.mean(input_tensor, axis=axis, keepdims=True))
    if op.type_of(away).dtype.is_complex:
        away = op.abs(away)
    squares = op.square(away)
    if not ddof:
        return op.mean(squares, axis=axis, keepdims=keepdims)
    total = op.sum(squares, axis=axis, keepdims=keepdims)
    return op.div(total, op.sub(op.reduced_count(input_tensor, axis), ddof))


@function("math.reduce_std", method="std", tensors=1)
def standard_deviation(
    op: Any,
    input_tensor: Any,
    axis: Any = None,
    keepdims: bool = False,
    name: str | None = None,
    ddof: int = 0,
) -> Any:
    """The square root of the variance over `axis`. As TensorFlow's `reduce_std` and NumPy's `std`.

    >>> import autograph as ag
    >>> ag.math.reduce_std([1.0, 3.0]).numpy()
    np.float32(1.0)
    """
    return op.sqrt(op.variance(input_tensor, axis, keepdims, ddof=ddof))


@function("math.count_nonzero", tensors=1)
def count_nonzero(
    op: Any,
    input: Any,
    axis: Any = None,
    keepdims: bool = False,
    dtype: Any = "int64",
    name: str | None = None,
) -> Any:
    """How many elements over `axis` are not zero. As TensorFlow's and NumPy's `count_nonzero`.

    >>> import autograph as ag
    >>> ag.math.count_nonzero([[1, 0], [2, 3]], axis=0).numpy()
    array([2, 1])
    """
    count = op.reduce_sum(op.not_equal(input, 0), axis=known_axes(op, axis), keepdims=bool(keepdims))
    return op.cast_to(count, dtype)


@function("math.zero_fraction", "nn.zero_fraction", tensors=1)
def zero_fraction(op: Any, value: Any, name: str | None = None) -> Any:
    """The share of elements that are zero, as float32. As TensorFlow's `zero_fraction`.

    >>> import autograph as ag
    >>> ag.math.zero_fraction([0.0, 1.0]).numpy()
    np.float32(0.5)
    """
    return op.cast_to(op.mean(op.equal(value, 0)), "float32")


@function("argmax", "math.argmax", tensors=1)
def index_of_max(
    op: Any, input: Any, axis: Any = None, output_type: Any = "int64", name: str | None = None
) -> Any:
    """The index of the maximum along `axis` (the first axis if it is None, as in TensorFlow); the first one on ties.

    Shape: the input's without `axis`. As TensorFlow's `argmax`; the method `x.argmax()` is NumPy's.

    >>> import autograph as ag
    >>> ag.argmax([[1.0, 9.0], [3.0, 4.0]], axis=1).numpy()
    array([1, 1])
    """
    return op.cast_to(op.arg_max(input, axis=known_axes(op, 0 if axis is None else axis)), output_type)


@function("argmin", "math.argmin", tensors=1)
def index_of_min(
    op: Any, input: Any, axis: Any = None, output_type: Any = "int64", name: str | None = None
) -> Any:
    """The index of the minimum along `axis` (the first axis if it is None, as in TensorFlow); the first one on ties.

    Shape: the input's without `axis`. As TensorFlow's `argmin`; the method `x.argmin()` is NumPy's.

    >>> import autograph as ag
    >>> ag.argmin([[1.0, 9.0], [3.0, 4.0]], axis=1).numpy()
    array([0, 0])
    """
    return op.cast_to(op.arg_min(input, axis=known_axes(op, 0 if axis is None else axis)), output_type)


@function(method="argmax", tensors=1)
def argmax(op: Any, input: Any, axis: Any = None) -> Any:
    """The index (int64) of the maximum along `axis`, or of the flattened tensor. As NumPy's `argmax`."""
    return op.arg_max(input, axis=known_axes(op, axis))


@function(method="argmin", tensors=1)
def argmin(op: Any, input: Any, axis: Any = None) -> Any:
    """The index (int64) of the minimum along `axis`, or of the flattened tensor. As NumPy's `argmin`."""
    return op.arg_min(input, axis=known_axes(op, axis))
