"""Neural network functions that are put together from others: losses, normalisation, embeddings."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from runtime.ops.kinds import normalize_axes
from runtime.ops.registry import Op, function
from runtime.typesys.errors import InvalidArgumentError
from runtime.typesys.spec import TensorType


def _x(*shape: int) -> Any:
    return np.random.default_rng(sum(shape)).uniform(-2, 2, shape)


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
