"""Softmax and its logarithm, along one axis."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from runtime.ops.kinds import axis_number, normalize_axes
from runtime.ops.registry import Op
from runtime.typesys.dtypes import promote
from runtime.typesys.errors import DTypeError
from runtime.typesys.spec import TensorType


def _x(*shape: int) -> Any:
    return np.random.default_rng(sum(shape)).uniform(-2, 2, shape)


def require_floating(kind: TensorType, what: str) -> None:
    """Raise a DTypeError for logits that are not floating point."""
    if not kind.dtype.is_floating:
        raise DTypeError(f"{what} needs floating-point logits, not {kind.dtype}; cast them", op=what)


def exponentials(x: Any, axis: int) -> tuple[Any, Any, Any]:
    """x - max, its exp, and the sums of that: what every softmax needs."""
    shifted = x - np.maximum.reduce(x, axis=axis, keepdims=True)
    powers = np.exp(shifted)
    return shifted, powers, np.add.reduce(powers, axis=axis, keepdims=True)


_FEW = 32  # up to so many columns, NumPy reduces rows of a transposed copy in a fraction of the time


def few_columns(x: Any, axis: int) -> bool:
    """Whether rows of a matrix are best reduced on a transposed copy."""
    return np.ndim(x) == 2 and axis in (-1, 1) and 1 < x.shape[1] <= _FEW <= x.shape[0]


class Softmax(Op):
    """exp(x) / sum(exp(x)) along an axis.

    >>> ag.nn.softmax([0.0, 0.0]).numpy().tolist()
    [0.5, 0.5]
    """

    public = "nn.softmax", "math.softmax"

    def call(op: Any, logits: Any, axis: Any = -1, name: Any = None) -> Any:
        return op.softmax(op.convert(logits), axis=-1 if axis is None else axis_number(axis))

    def infer(self, x: TensorType, *, axis: int) -> TensorType:
        require_floating(x, self.name)
        if x.shape is not None:
            normalize_axes(axis, len(x.shape), self.name)
        return TensorType(x.dtype, x.shape)

    @staticmethod
    def kernel(x: Any, *, axis: int) -> Any:
        if few_columns(x, axis):
            return np.ascontiguousarray(Softmax.kernel(np.ascontiguousarray(x.T), axis=0).T)
        out = x - np.maximum.reduce(x, axis=axis, keepdims=True)
        np.exp(out, out=out)
        out /= np.add.reduce(out, axis=axis, keepdims=True)
        return out

    vjp = lambda op, dy, y, x, *, axis: (op.softmax_grad(dy, y, axis=axis),)

    def samples(self) -> Iterable[Any]:
        for code in "fd":
            yield (_x(3, 4).astype(code),), {"axis": -1}
            yield (_x(3, 4).astype(code),), {"axis": 0}
        yield (_x(4) * 500,), {"axis": 0}


class SoftmaxGrad(Op):
    """y * (dy - sum(dy * y)): the cotangent of softmax's operand, linear and symmetric in dy."""

    def infer(self, dy: TensorType, y: TensorType, *, axis: int) -> TensorType:
        return TensorType(promote((dy.dtype, False), (y.dtype, False))[0], y.shape)

    @staticmethod
    def kernel(dy: Any, y: Any, *, axis: int) -> Any:
        out = dy * y
        if few_columns(out, axis):
            total = np.add.reduce(np.ascontiguousarray(out.T), axis=0)[:, None]
        else:
            total = np.add.reduce(out, axis=axis, keepdims=True)
        out -= y * total
        return out

    def vjp(op: Any, g: Any, dx: Any, dy: Any, y: Any, *, axis: int) -> Any:
        inner = op.reduce_sum(op.mul(dy, y), axis=axis, keepdims=True)
        outer = op.reduce_sum(op.mul(g, y), axis=axis, keepdims=True)
        return op.softmax_grad(g, y, axis=axis), op.sub(op.mul(g, op.sub(dy, inner)), op.mul(dy, outer))

    def samples(self) -> Iterable[Any]:
        yield (_x(3, 4), _x(4, 3).T.copy()), {"axis": -1}


class LogSoftmax(Op):
    """x - log(sum(exp(x))) along an axis, without overflow.

    >>> ag.nn.log_softmax([0.0, 0.0]).numpy().round(3)
    array([-0.693, -0.693], dtype=float32)

    Source of the semantics: TensorFlow's `tf.math.log_softmax`.
    """

    public = "nn.log_softmax", "math.log_softmax"

    def call(op: Any, logits: Any, axis: Any = -1, name: Any = None) -> Any:
        return op.log_softmax(op.convert(logits), axis=-1 if axis is None else axis_number(axis))

    infer = Softmax.infer

    @staticmethod
    def kernel(x: Any, *, axis: int) -> Any:
        if few_columns(x, axis):
            return np.ascontiguousarray(LogSoftmax.kernel(np.ascontiguousarray(x.T), axis=0).T)
        shifted, _, total = exponentials(x, axis)
        shifted -= np.log(total)
        return shifted

    vjp = lambda op, dy, y, x, *, axis: (op.log_softmax_grad(dy, y, axis=axis),)
    samples = Softmax.samples


class LogSoftmaxGrad(Op):
    """dy - exp(y) * sum(dy): the cotangent of log_softmax's operand."""

    infer = SoftmaxGrad.infer

    @staticmethod
    def kernel(dy: Any, y: Any, *, axis: int) -> Any:
        out = np.exp(y)
        if few_columns(dy, axis):
            out *= np.add.reduce(np.ascontiguousarray(dy.T), axis=0)[:, None]
        else:
            out *= np.add.reduce(dy, axis=axis, keepdims=True)
        return np.subtract(dy, out, out=out)

    def vjp(op: Any, g: Any, dx: Any, dy: Any, y: Any, *, axis: int) -> Any:
        weighted = op.mul(g, op.exp(y))
        total = op.reduce_sum(dy, axis=axis, keepdims=True)
        return op.sub(g, op.reduce_sum(weighted, axis=axis, keepdims=True)), op.neg(op.mul(weighted, total))

    samples = SoftmaxGrad.samples
