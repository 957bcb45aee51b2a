"""Neural network operations: softmax, cross entropies, normalisation."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from runtime.ops.kinds import normalize_axes
from runtime.ops.registry import Op, function
from runtime.typesys.dtypes import promote
from runtime.typesys.errors import DTypeError, InvalidArgumentError, OutOfRangeError, ShapeError
from runtime.typesys.shapes import Shape, broadcast
from runtime.typesys.spec import TensorType


def _x(*shape: int) -> Any:
    return np.random.default_rng(sum(shape)).uniform(-2, 2, shape)


def _floating(kind: TensorType, what: str) -> None:
    if not kind.dtype.is_floating:
        raise DTypeError(f"{what} needs floating-point logits, not {kind.dtype}; cast them", op=what)


def _exponentials(x: Any, axis: int) -> tuple[Any, Any, Any]:
    """x - max, its exp, and the sums of that: what every softmax needs."""
    shifted = x - np.maximum.reduce(x, axis=axis, keepdims=True)
    powers = np.exp(shifted)
    return shifted, powers, np.add.reduce(powers, axis=axis, keepdims=True)


_FEW = 32  # up to so many columns, NumPy reduces rows of a transposed copy in a fraction of the time


def _few_columns(x: Any, axis: int) -> bool:
    return np.ndim(x) == 2 and axis in (-1, 1) and 1 < x.shape[1] <= _FEW <= x.shape[0]


class Softmax(Op):
    """exp(x) / sum(exp(x)) along an axis.

    >>> ag.nn.softmax([0.0, 0.0]).numpy().tolist()
    [0.5, 0.5]
    """

    public = "nn.softmax", "math.softmax"

    def call(op: Any, logits: Any, axis: Any = -1, name: Any = None) -> Any:
        return op.softmax(op.convert(logits), axis=-1 if axis is None else int(axis))

    def infer(self, x: TensorType, *, axis: int) -> TensorType:
        _floating(x, self.name)
        if x.shape is not None:
            normalize_axes(axis, len(x.shape), self.name)
        return TensorType(x.dtype, x.shape)

    @staticmethod
    def kernel(x: Any, *, axis: int) -> Any:
        if _few_columns(x, axis):
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
        if _few_columns(out, axis):
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
        return op.log_softmax(op.convert(logits), axis=-1 if axis is None else int(axis))

    infer = Softmax.infer

    @staticmethod
    def kernel(x: Any, *, axis: int) -> Any:
        if _few_columns(x, axis):
            return np.ascontiguousarray(LogSoftmax.kernel(np.ascontiguousarray(x.T), axis=0).T)
        shifted, _, total = _exponentials(x, axis)
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
        if _few_columns(dy, axis):
            out *= np.add.reduce(np.ascontiguousarray(dy.T), axis=0)[:, None]
        else:
            out *= np.add.reduce(dy, axis=axis, keepdims=True)
        return np.subtract(dy, out, out=out)

    def vjp(op: Any, g: Any, dx: Any, dy: Any, y: Any, *, axis: int) -> Any:
        weighted = op.mul(g, op.exp(y))
        total = op.reduce_sum(dy, axis=axis, keepdims=True)
        return op.sub(g, op.reduce_sum(weighted, axis=axis, keepdims=True)), op.neg(op.mul(weighted, total))

    samples = SoftmaxGrad.samples


def _losses(logits: TensorType, lead: Shape) -> tuple[TensorType, TensorType]:
    _floating(logits, "softmax cross entropy")
    return TensorType(logits.dtype, lead), TensorType(logits.dtype, logits.shape)


def _cross_entropy(logits: Any, labels: Any, axis: int) -> tuple[Any, Any]:
    shifted, powers, total = _exponentials(logits, axis)
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
        if _few_columns(logits, -1) and np.shape(labels) == logits.shape:
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
        if logits.shape is not None and labels.shape is not None and len(labels.shape) != len(logits.shape) - 1:
            raise ShapeError(f"labels of shape {labels.shape} do not fit logits of shape {logits.shape}", op=self.name)
        return _losses(logits, labels.shape)

    @staticmethod
    def kernel(logits: Any, labels: Any) -> tuple[Any, Any]:
        if _is_narrow(logits):
            return _by_columns(logits, labels)
        shifted, powers, total = _exponentials(logits, -1)
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
        _, powers, total = _exponentials(logits, -1)
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


def _chosen(labels: Any, logits: Any) -> Any:
    """The labels as a vector, when they have been checked."""
    chosen = labels if type(labels) is np.ndarray and labels.ndim == 1 else np.asarray(labels).reshape(-1)
    classes = logits.shape[-1]
    if len(chosen) * classes != logits.size:
        raise ShapeError(f"labels of shape {np.shape(labels)} do not fit logits of shape {logits.shape}")
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


@function("nn.l2_loss")
def l2_loss(op: Any, t: Any, name: Any = None) -> Any:
    """sum(t ** 2) / 2.

    >>> ag.nn.l2_loss([3.0, 4.0]).numpy()
    np.float32(12.5)

    Source of the semantics: TensorFlow's `tf.nn.l2_loss`.
    """
    t = op.convert(t)
    return op.mul(op.sum_all(op.mul(t, t)), 0.5)


@function("nn.bias_add")
def bias_add(op: Any, value: Any, bias: Any, data_format: str | None = None, name: Any = None) -> Any:
    """`value` plus a vector along its last axis (the second for data_format "NC...").

    >>> ag.nn.bias_add([[1.0, 2.0]], [10.0, 20.0]).numpy()
    array([[11., 22.]], dtype=float32)

    Source of the semantics: TensorFlow's `tf.nn.bias_add`.
    """
    bias = op.strong(bias)
    if data_format is not None and data_format.startswith("NC"):
        size = op.type_of(bias).shape[0]
        ones = (1,) * (op.type_of(value).rank - 2)
        if isinstance(size, int):
            bias = op.reshape(bias, shape=(size, *ones))
        else:
            bias = op.reshape(bias, shape=(-1, *ones))
    return op.add(value, bias)


@function("nn.moments")
def moments(op: Any, x: Any, axes: Any, shift: Any = None, keepdims: bool = False, name: Any = None) -> tuple[Any, Any]:
    """Mean and variance over axes.

    >>> [t.numpy() for t in ag.nn.moments([1.0, 3.0], axes=[0])]
    [array(2., dtype=float32), array(1., dtype=float32)]

    Source of the semantics: TensorFlow's `tf.nn.moments`.
    """
    x = op.convert(x)
    axes = normalize_axes(axes, op.type_of(x).rank, "moments")
    mean = op.reduce_mean(x, axis=axes, keepdims=True)
    centred = op.sub(x, op.stop_gradient(mean))
    variance = op.reduce_mean(op.mul(centred, centred), axis=axes, keepdims=True)
    if keepdims:
        return mean, variance
    return op.squeeze(mean, axis=axes), op.squeeze(variance, axis=axes)


@function("nn.batch_normalization")
def batch_normalization(
    op: Any, x: Any, mean: Any, variance: Any, offset: Any, scale: Any, variance_epsilon: float, name: Any = None
) -> Any:
    """(x - mean) * scale / sqrt(variance + epsilon) + offset; offset and scale may be None.

    >>> ag.nn.batch_normalization([1.0, 3.0], 2.0, 1.0, 0.0, 1.0, 1e-9).numpy()
    array([-1.,  1.], dtype=float32)

    Source of the semantics: TensorFlow's `tf.nn.batch_normalization`.
    """
    factor = op.rsqrt(op.add(variance, variance_epsilon))
    if scale is not None:
        factor = op.mul(factor, scale)
    out = op.mul(op.sub(x, mean), factor)
    return out if offset is None else op.add(out, offset)


@function("nn.l2_normalize", "math.l2_normalize", "linalg.l2_normalize")
def l2_normalize(op: Any, x: Any, axis: Any = None, epsilon: float = 1e-12, name: Any = None) -> Any:
    """x / sqrt(max(sum(x ** 2), epsilon)) over axes.

    >>> ag.nn.l2_normalize([3.0, 4.0]).numpy()
    array([0.6, 0.8], dtype=float32)

    Source of the semantics: TensorFlow's `tf.linalg.l2_normalize`.
    """
    x = op.convert(x)
    axes = normalize_axes(axis, op.type_of(x).rank, "l2_normalize")
    total = op.reduce_sum(op.mul(x, x), axis=axes, keepdims=True)
    return op.mul(x, op.rsqrt(op.maximum(total, epsilon)))


@function("nn.embedding_lookup")
def embedding_lookup(op: Any, params: Any, ids: Any, max_norm: float | None = None, name: Any = None) -> Any:
    """Rows of `params` at `ids`, scaled down to a norm of at most `max_norm`.

    >>> ag.nn.embedding_lookup(ag.constant([[1.0, 2.0], [3.0, 4.0]]), [1]).numpy()
    array([[3., 4.]], dtype=float32)

    Source of the semantics: TensorFlow's `tf.nn.embedding_lookup`.
    """
    if isinstance(params, (list, tuple)):
        if len(params) != 1:
            raise InvalidArgumentError("embedding_lookup takes one table; partitioned ones are not supported")
        params = params[0]
    out = op.gather(params, op.convert(ids) if isinstance(ids, (list, tuple)) else ids, axis=0)
    if max_norm is None:
        return out
    norm = op.sqrt(op.reduce_sum(op.mul(out, out), axis=-1, keepdims=True))
    return op.mul(out, op.div(max_norm, op.maximum(norm, max_norm)))


class InTopK(Op):
    """Whether the prediction for the target class is among the k largest of its row (ties count as in).

    >>> ag.nn.in_top_k([1, 0], [[0.1, 0.9], [0.1, 0.9]], k=1).numpy()
    array([ True, False])

    Source of the semantics: TensorFlow's `tf.math.in_top_k`.
    """

    public = "nn.in_top_k", "math.in_top_k"

    def call(op: Any, targets: Any, predictions: Any, k: int, name: Any = None) -> Any:
        return op.in_top_k(op.convert(targets), op.convert(predictions), k=int(k))

    def infer(self, targets: TensorType, predictions: TensorType, *, k: int) -> TensorType:
        return TensorType("bool", targets.shape)

    @staticmethod
    def kernel(targets: Any, predictions: Any, *, k: int) -> Any:
        own = predictions[np.arange(len(targets)), targets]
        return (np.sum(predictions > own[:, None], axis=1) < k) & np.isfinite(own)

    vjp = lambda op, dy, y, targets, predictions, *, k: (None, None)

    def samples(self) -> Iterable[Any]:
        yield (np.array([0, 3, 1]), _x(3, 4)), {"k": 2}
