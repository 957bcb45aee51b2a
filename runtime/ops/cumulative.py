"""Cumulative sums and products along one axis, and the linear recurrence that is the products' gradient."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from runtime.ops.kinds import conj, known_axes, normalize_axis, widened
from runtime.ops.registry import Op, function
from runtime.typesys.spec import TensorType


class _Cumulative(Op, abstract=True):
    """Along `axis`; `exclusive` leaves the element itself out, `reverse` goes from the end."""

    def infer(
        self, x: TensorType, *, axis: int, exclusive: bool = False, reverse: bool = False
    ) -> TensorType:
        if x.shape is not None:
            normalize_axis(axis, len(x.shape), self.name)
        return TensorType(widened(x.dtype), x.shape)

    def samples(self) -> Iterable[Any]:
        x = np.array([[1.0, 3.0, 0.5], [2.0, -1.0, -1.5]])
        for dtype in ("float64", "float32", "int32"):
            for axis in (0, 1, -1):
                for exclusive in (False, True):
                    for reverse in (False, True):
                        yield (x.astype(dtype),), {"axis": axis, "exclusive": exclusive, "reverse": reverse}


def _accumulate(ufunc: Any, unit: int, x: Any, axis: int, exclusive: bool, reverse: bool) -> Any:
    x = np.asarray(x)
    x = np.swapaxes(x, axis, 0)
    if reverse:
        x = x[::-1]
    out = ufunc.accumulate(x, axis=0)
    if exclusive:
        shifted = np.empty_like(out)
        shifted[:1] = unit
        shifted[1:] = out[:-1]
        out = shifted
    return np.swapaxes(out[::-1] if reverse else out, 0, axis)


class CumulativeSum(_Cumulative):
    """Running sums."""

    @staticmethod
    def kernel(x: Any, *, axis: int, exclusive: bool = False, reverse: bool = False) -> Any:
        if not (exclusive or reverse):
            return np.add.accumulate(x, axis=axis)
        return _accumulate(np.add, 0, x, axis, exclusive, reverse)

    @staticmethod
    def vjp(
        op: Any, dy: Any, y: Any, x: Any, *, axis: int, exclusive: bool = False, reverse: bool = False
    ) -> tuple[Any]:
        return (op.cumulative_sum(dy, axis=axis, exclusive=exclusive, reverse=not reverse),)


class CumulativeProd(_Cumulative):
    """Running products. The gradient is a linear recurrence, so zeros need no special care."""

    @staticmethod
    def kernel(x: Any, *, axis: int, exclusive: bool = False, reverse: bool = False) -> Any:
        if not (exclusive or reverse):
            return np.multiply.accumulate(x, axis=axis)
        return _accumulate(np.multiply, 1, x, axis, exclusive, reverse)

    @staticmethod
    def vjp(
        op: Any, dy: Any, y: Any, x: Any, *, axis: int, exclusive: bool = False, reverse: bool = False
    ) -> tuple[Any]:
        # dx[i] = (product of x before i) * (sum over j >= i of dy[j] times the product of x strictly between i and j);
        # that sum s obeys s[i] = dy[i] + x[i+1] * s[i+1].
        x_conj = conj(op, x)
        before = op.cumulative_prod(x_conj, axis=axis, exclusive=True, reverse=reverse)
        if exclusive:  # y[j] holds x up to j-1: the same with dy moved one place towards the start
            dy = op.shift(dy, axis=axis, places=1 if reverse else -1)
        after = op.shift(x_conj, axis=axis, places=1 if reverse else -1)
        return (op.mul(before, op.linear_recurrence(after, dy, axis=axis, reverse=not reverse)),)


class Shift(Op):
    """Elements moved by `places` along `axis`, zeros moving in."""

    def infer(self, x: TensorType, *, axis: int, places: int) -> TensorType:
        return x

    @staticmethod
    def kernel(x: Any, *, axis: int, places: int) -> Any:
        out = np.zeros_like(x)
        to, source = np.swapaxes(out, axis, 0), np.swapaxes(x, axis, 0)
        if places > 0:
            to[places:] = source[:-places]
        else:
            to[:places] = source[-places:]
        return out

    vjp = lambda op, dy, y, x, *, axis, places: (op.shift(dy, axis=axis, places=-places),)

    def samples(self) -> Iterable[Any]:
        for axis in (0, -1):
            for places in (1, -1):
                yield (np.arange(1.0, 7.0).reshape(2, 3),), {"axis": axis, "places": places}


class LinearRecurrence(Op):
    """s[i] = b[i] + a[i] * s[i-1] along `axis` (from the end: s[i+1] if `reverse`); a and b of one shape."""

    def infer(self, a: TensorType, b: TensorType, *, axis: int, reverse: bool) -> TensorType:
        return TensorType(np.result_type(a.dtype.dtype, b.dtype.dtype), b.shape)

    @staticmethod
    def kernel(a: Any, b: Any, *, axis: int, reverse: bool) -> Any:
        out = np.array(b, np.result_type(a, b))
        s, a = np.swapaxes(out, axis, 0), np.swapaxes(a, axis, 0)
        if reverse:
            s, a = s[::-1], a[::-1]
        for i in range(1, len(s)):
            s[i] += a[i] * s[i - 1]
        return out

    @staticmethod
    def vjp(op: Any, ds: Any, s: Any, a: Any, b: Any, *, axis: int, reverse: bool) -> tuple[Any, Any]:
        step = -1 if reverse else 1
        following = op.shift(conj(op, a), axis=axis, places=-step)
        db = op.linear_recurrence(following, ds, axis=axis, reverse=not reverse)
        return op.mul(db, conj(op, op.shift(s, axis=axis, places=step))), db

    def samples(self) -> Iterable[Any]:
        a, b = np.array([[0.5, 2.0, -1.0], [1.0, 0.0, 3.0]]), np.array([[1.0, 2.0, 3.0], [-1.0, 0.5, 1.0]])
        for axis in (0, 1, -1):
            for reverse in (False, True):
                yield (a, b), {"axis": axis, "reverse": reverse}


@function("cumsum", "math.cumsum", tensors=1)
def cumsum(
    op: Any, x: Any, axis: Any = 0, exclusive: bool = False, reverse: bool = False, name: str | None = None
) -> Any:
    """Running sums along `axis`; shape unchanged, small integers widen to int64.

    `exclusive` leaves the element itself out of its sum, `reverse` sums from the end. As TensorFlow's `cumsum`.

    >>> import autograph as ag
    >>> ag.cumsum([1.0, 2.0, 3.0], exclusive=True).numpy()
    array([0., 1., 3.], dtype=float32)
    """
    return op.cumulative_sum(x, axis=known_axes(op, axis), exclusive=bool(exclusive), reverse=bool(reverse))


@function("math.cumprod", tensors=1)
def cumprod(
    op: Any, x: Any, axis: Any = 0, exclusive: bool = False, reverse: bool = False, name: str | None = None
) -> Any:
    """Running products along `axis`; shape unchanged. Its gradient is right where elements are 0.

    `exclusive` leaves the element itself out, `reverse` goes from the end. As TensorFlow's `cumprod`.

    >>> import autograph as ag
    >>> ag.math.cumprod([1.0, 2.0, 3.0]).numpy()
    array([1., 2., 6.], dtype=float32)
    """
    return op.cumulative_prod(x, axis=known_axes(op, axis), exclusive=bool(exclusive), reverse=bool(reverse))


@function(method="cumsum", tensors=1)
def flat_cumsum(op: Any, x: Any, axis: Any = None) -> Any:
    """Running sums along `axis`, or of the flattened tensor. As NumPy's `cumsum`."""
    return op.cumsum(op.reshape(x, shape=(-1,)) if axis is None else x, 0 if axis is None else axis)


@function(method="cumprod", tensors=1)
def flat_cumprod(op: Any, x: Any, axis: Any = None) -> Any:
    """Running products along `axis`, or of the flattened tensor. As NumPy's `cumprod`."""
    return op.cumprod(op.reshape(x, shape=(-1,)) if axis is None else x, 0 if axis is None else axis)
