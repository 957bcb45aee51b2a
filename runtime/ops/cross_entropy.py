"""Cross entropies: losses of logits, each row with its gradient from one pass of exponentials."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from runtime.ops.registry import Op, function
from runtime.ops.softmax import exponentials, few_columns, require_floating
from runtime.typesys.errors import DTypeError, OutOfRangeError, ShapeError
from runtime.typesys.shapes import Shape, broadcast
from runtime.typesys.spec import TensorType


def _x(*shape: int) -> Any:
    return np.random.default_rng(sum(shape)).uniform(-2, 2, shape)


def _losses(logits: TensorType, lead: Shape) -> tuple[TensorType, TensorType]:
    require_floating(logits, "softmax cross entropy")
    return TensorType(logits.dtype, lead), TensorType(logits.dtype, logits.shape)


def _cross_entropy(logits: Any, labels: Any, axis: int) -> tuple[Any, Any]:
    shifted, powers, total = exponentials(logits, axis)
    shifted -= np.log(total)
    shifted *= labels
    powers /= total
    return np.negative(np.add.reduce(shifted, axis=axis)), powers


class SoftmaxCrossEntropy(Op):
    """-sum(labels * log_softmax(logits)) over the last axis, and softmax(logits), which the gradient needs."""

    outputs = 2
    sparse_cotangents = True

    def infer(self, logits: TensorType, labels: TensorType) -> tuple[TensorType, TensorType]:
        shape = broadcast(logits.shape, labels.shape)
        if logits.shape == ():
            raise ShapeError("softmax cross entropy needs logits with a class axis", op=self.name)
        return _losses(logits, None if shape is None else shape[:-1])

    @staticmethod
    def kernel(logits: Any, labels: Any) -> tuple[Any, Any]:
        if few_columns(logits, -1) and np.shape(labels) == logits.shape:
            loss, powers = _cross_entropy(np.ascontiguousarray(logits.T), np.asarray(labels).T, 0)
            return loss, np.ascontiguousarray(powers.T)
        return _cross_entropy(logits, labels, -1)

    def vjp(op: Any, dy: Any, y: Any, logits: Any, labels: Any) -> Any:
        dloss, dprobs = dy
        probs = y[1]
        dlogits = dlabels = None
        if dloss is not None:
            dlogits = op.softmax_cross_entropy_grad(dloss, probs, labels)
            if op.type_of(labels).dtype.is_inexact:
                dlabels = op.neg(op.mul(_column(op, dloss), op.log_softmax(logits, axis=-1)))
        if dprobs is not None:
            more = op.softmax_grad(dprobs, probs, axis=-1)
            dlogits = more if dlogits is None else op.add(dlogits, more)
        return dlogits, dlabels

    def samples(self) -> Iterable[Any]:
        yield (_x(3, 4), np.abs(_x(4, 3).T.copy())), {}
        yield (_x(3, 4), np.eye(4)[[0, 2, 1]]), {}
        yield (_x(4), np.eye(4)[2]), {}


def _column(op: Any, x: Any) -> Any:
    rank = op.type_of(x).rank
    return op.expand_dims(x, axis=-1 if rank is None else rank)


class SoftmaxCrossEntropyGrad(Op):
    """dloss * (probs * sum(labels) - labels)."""

    def infer(self, dloss: TensorType, probs: TensorType, labels: TensorType) -> TensorType:
        return TensorType(probs.dtype, probs.shape)

    @staticmethod
    def kernel(dloss: Any, probs: Any, labels: Any) -> Any:
        out = probs * np.add.reduce(labels, axis=-1, keepdims=True)
        out -= labels
        out *= np.asarray(dloss)[..., None]
        return out

    def vjp(op: Any, g: Any, dx: Any, dloss: Any, probs: Any, labels: Any) -> Any:
        total = op.reduce_sum(labels, axis=-1, keepdims=True)
        scaled = op.mul(g, _column(op, dloss))
        d_dloss = op.reduce_sum(op.mul(g, op.sub(op.mul(probs, total), labels)), axis=-1, keepdims=False)
        d_labels = op.sub(op.reduce_sum(op.mul(scaled, probs), axis=-1, keepdims=True), scaled)
        return d_dloss, op.mul(scaled, total), d_labels if op.type_of(labels).dtype.is_inexact else None

    def samples(self) -> Iterable[Any]:
        yield (_x(3), np.abs(_x(3, 4)), np.abs(_x(4, 3).T.copy())), {}


class SparseSoftmaxCrossEntropy(Op):
    """-log_softmax(logits)[label] over the last axis, and softmax(logits), which the gradient needs."""

    outputs = 2
    sparse_cotangents = True

    def infer(self, logits: TensorType, labels: TensorType) -> tuple[TensorType, TensorType]:
        if not labels.dtype.is_integer:
            raise DTypeError(f"labels must be integers, not {labels.dtype}", op=self.name)
        if logits.shape is not None and labels.shape is not None:
            rows = logits.shape[:-1]
            known = [(a, b) for a, b in zip(labels.shape, rows, strict=False) if isinstance(a, int) and isinstance(b, int)]
            if len(labels.shape) != len(rows) or any(a != b for a, b in known):
                raise _misfit(labels.shape, logits.shape)
        return _losses(logits, labels.shape)

    @staticmethod
    def kernel(logits: Any, labels: Any) -> tuple[Any, Any]:
        if _is_narrow(logits):
            return _by_columns(logits, labels)
        shifted, powers, total = exponentials(logits, -1)
        chosen = _chosen(labels, shifted)
        rows = shifted.reshape(-1, shifted.shape[-1])
        loss = np.log(total).reshape(-1)
        loss -= rows[np.arange(len(rows)), chosen]
        powers /= total
        return loss.reshape(np.shape(labels))[()], powers

    def vjp(op: Any, dy: Any, y: Any, logits: Any, labels: Any) -> Any:
        dloss, dprobs = dy
        dlogits = None if dloss is None else op.sparse_softmax_cross_entropy_grad(dloss, y[1], labels)
        if dprobs is not None:
            more = op.softmax_grad(dprobs, y[1], axis=-1)
            dlogits = more if dlogits is None else op.add(dlogits, more)
        return dlogits, None

    def samples(self) -> Iterable[Any]:
        for code in "fd":
            yield (_x(3, 4).astype(code), np.array([0, 3, 1])), {}
        yield (_x(2, 3, 4), np.array([[0, 3, 1], [2, 2, 0]], np.int32)), {}
        yield (_x(4), np.int64(2)), {}


def _sparse_probabilities(logits: Any, labels: Any) -> Any:
    """The softmax alone; labels are looked at as they are for the losses."""
    if not _is_narrow(logits):
        _, powers, total = exponentials(logits, -1)
        _chosen(labels, powers)
        powers /= total
        return powers
    _chosen(labels, logits)
    z = logits.T.copy()
    z -= np.maximum.reduce(z, 0)
    np.exp(z, z)
    z /= np.add.reduce(z, 0)
    return z.T


SparseSoftmaxCrossEntropy.kernel.alone = {1: _sparse_probabilities}  # type: ignore[attr-defined]
_NARROW = 64  # up to so many classes, NumPy reduces columns of a transposed copy faster than rows


def _is_narrow(logits: Any) -> bool:
    return logits.ndim == 2 and logits.shape[1] <= _NARROW and logits.size > 0


def _by_columns(logits: Any, labels: Any) -> tuple[Any, Any]:
    """Losses and probabilities of a matrix with few columns, worked out on its transpose."""
    chosen = _chosen(labels, logits)
    z = logits.T.copy()
    z -= np.maximum.reduce(z, 0)
    picked = z[chosen, np.arange(len(chosen))]
    np.exp(z, z)
    total = np.add.reduce(z, 0)
    loss = np.log(total)
    loss -= picked
    z /= total
    return loss, z.T


_UNSIGNED = {np.dtype(code): np.dtype(code.upper()) for code in "bhilq"}


def _misfit(labels: Any, logits: Any) -> ShapeError:
    """There is no label for each row of the logits, or more than one."""
    need = f"one class for each row, a tensor of shape {tuple(logits[:-1])}"
    return ShapeError(f"labels of shape {labels} do not fit logits of shape {logits}: expected {need}")


def _chosen(labels: Any, logits: Any) -> Any:
    """The labels as a vector, when they have been checked."""
    chosen = labels if type(labels) is np.ndarray and labels.ndim == 1 else np.asarray(labels).reshape(-1)
    classes = logits.shape[-1]
    if len(chosen) * classes != logits.size:
        raise _misfit(np.shape(labels), logits.shape)
    if chosen.dtype.kind == "i" and chosen.dtype not in _UNSIGNED:  # the other order of bytes
        chosen = chosen.astype(np.int64)
    unsigned = _UNSIGNED.get(chosen.dtype)  # in which negative numbers are the largest
    if len(chosen) and np.maximum.reduce(chosen if unsigned is None else chosen.view(unsigned)) >= classes:
        wrong = chosen[(chosen < 0) | (chosen >= classes)][0]
        message = f"label {wrong} is outside the {classes} classes, which are 0 to {classes - 1}"
        raise OutOfRangeError(message, op="sparse_softmax_cross_entropy")
    return chosen


_FEW = 500  # rows up to which `subtract.at` takes less time than reading and writing


def _as_rows(out: Any, labels: Any, dloss: Any) -> tuple[Any, Any, Any]:
    return out.reshape(-1, out.shape[-1]), np.asarray(labels).reshape(-1), dloss.reshape(-1)


class SparseSoftmaxCrossEntropyGrad(Op):
    """dloss * (probs - one_hot(labels))."""

    def infer(self, dloss: TensorType, probs: TensorType, labels: TensorType) -> TensorType:
        return TensorType(probs.dtype, probs.shape)

    @staticmethod
    def kernel(dloss: Any, probs: Any, labels: Any) -> Any:
        dloss = np.asarray(dloss)
        out = probs * dloss[..., None]
        rows, labels, dloss = (out, labels, dloss) if out.ndim == 2 else _as_rows(out, labels, dloss)
        if len(rows) < _FEW:
            np.subtract.at(rows, (np.arange(len(rows)), labels), dloss)
        else:
            rows[np.arange(len(rows)), labels] -= dloss
        return out

    def vjp(op: Any, g: Any, dx: Any, dloss: Any, probs: Any, labels: Any) -> Any:
        at = op.squeeze_last(op.take_along_axis(g, _column(op, labels), -1))
        d_dloss = op.sub(op.reduce_sum(op.mul(g, probs), axis=-1, keepdims=False), at)
        return d_dloss, op.mul(g, _column(op, dloss)), None

    def samples(self) -> Iterable[Any]:
        yield (_x(3), np.abs(_x(3, 4)), np.array([0, 3, 1])), {}


@function()
def squeeze_last(op: Any, x: Any) -> Any:
    """Without the last axis, of size 1."""
    rank = op.type_of(x).rank
    return op.squeeze(x, axis=(-1 if rank is None else rank - 1,))


@function("nn.softmax_cross_entropy_with_logits")
def softmax_cross_entropy_with_logits(op: Any, labels: Any, logits: Any, axis: int = -1, name: Any = None) -> Any:
    """Cross entropy between probabilities and logits, one loss for each row; differentiable in both.

    Args:
      labels: probabilities, shape [..., classes].
      logits: unnormalised log probabilities, shape [..., classes], floating.

    >>> ag.nn.softmax_cross_entropy_with_logits(labels=[[1.0, 0.0]], logits=[[0.0, 0.0]]).numpy().round(3)
    array([0.693], dtype=float32)

    Source of the semantics: TensorFlow's `tf.nn.softmax_cross_entropy_with_logits`.
    """
    labels, logits = op.convert(labels), op.convert(logits)
    rank = op.type_of(logits).rank
    if axis not in (-1, None) and rank is not None and axis % rank != rank - 1:
        labels, logits = op.moveaxis(labels, axis, -1), op.moveaxis(logits, axis, -1)
    if op.type_of(labels).dtype != op.type_of(logits).dtype:
        labels = op.cast(labels, dtype=op.type_of(logits).dtype)
    return op.softmax_cross_entropy(logits, labels)[0]


@function("nn.sparse_softmax_cross_entropy_with_logits")
def sparse_softmax_cross_entropy_with_logits(op: Any, labels: Any, logits: Any, name: Any = None) -> Any:
    """Cross entropy between integer labels and logits, one loss for each row.

    Args:
      labels: integers in [0, classes), shape [...].
      logits: unnormalised log probabilities, shape [..., classes], floating.

    Raises:
      OutOfRangeError: a label outside the classes.

    >>> ag.nn.sparse_softmax_cross_entropy_with_logits(labels=[0], logits=[[0.0, 0.0]]).numpy().round(3)
    array([0.693], dtype=float32)

    Source of the semantics: TensorFlow's `tf.nn.sparse_softmax_cross_entropy_with_logits`.
    """
    return op.sparse_softmax_cross_entropy(op.convert(logits), op.strong(labels))[0]


@function("nn.sigmoid_cross_entropy_with_logits")
def sigmoid_cross_entropy_with_logits(op: Any, labels: Any = None, logits: Any = None, name: Any = None) -> Any:
    """-labels * log(sigmoid(x)) - (1 - labels) * log(1 - sigmoid(x)), elementwise, without overflow.

    >>> ag.nn.sigmoid_cross_entropy_with_logits(labels=[1.0], logits=[0.0]).numpy().round(3)
    array([0.693], dtype=float32)

    Source of the semantics: TensorFlow's `tf.nn.sigmoid_cross_entropy_with_logits`.
    """
    return op.weighted_cross_entropy_with_logits(labels, logits, None)


@function("nn.weighted_cross_entropy_with_logits")
def weighted_cross_entropy_with_logits(op: Any, labels: Any, logits: Any, pos_weight: Any, name: Any = None) -> Any:
    """As `sigmoid_cross_entropy_with_logits`, the first term times `pos_weight`.

    >>> ag.nn.weighted_cross_entropy_with_logits(labels=[1.0], logits=[0.0], pos_weight=2.0).numpy().round(3)
    array([1.386], dtype=float32)

    Source of the semantics: TensorFlow's `tf.nn.weighted_cross_entropy_with_logits`.
    """
    labels, logits = op.convert(labels), op.convert(logits)
    positive = op.mul(labels, op.softplus(op.neg(logits)))
    if pos_weight is not None:
        positive = op.mul(positive, pos_weight)
    return op.add(positive, op.mul(op.sub(1, labels), op.softplus(logits)))
