"""Norms of vectors and matrices, and tensors scaled to them."""

from __future__ import annotations

from typing import Any

import numpy as np

from runtime.ops.kinds import normalize_axes
from runtime.ops.registry import function
from runtime.typesys.dtypes import as_dtype
from runtime.typesys.errors import InvalidArgumentError


@function("norm", "linalg.norm")
def norm(
    op: Any, tensor: Any, ord: Any = "euclidean", axis: Any = None, keepdims: bool = False, name: Any = None
) -> Any:
    """Norms of vectors (or, for two axes, of matrices): "euclidean" ("fro"), 1, 2, any positive number or np.inf.

    >>> ag.norm([3.0, 4.0]).numpy()
    np.float32(5.0)

    Source of the semantics: TensorFlow's `tf.linalg.norm`.
    """
    x = op.convert(tensor)
    if not op.type_of(x).dtype.is_inexact:
        x = op.cast(x, dtype=as_dtype("float64"))
    axes = normalize_axes(axis, op.type_of(x).rank, "norm")
    matrix = isinstance(axis, (tuple, list)) and len(axes) == 2
    size = op.abs(x)
    if ord in ("euclidean", "fro") or (ord == 2 and not matrix):
        return op.reduce_euclidean_norm(x, axis=axes, keepdims=keepdims)
    if matrix and ord in (1, np.inf):
        first, second = (axes[0], axes[1]) if ord == 1 else (axes[1], axes[0])
        out = op.reduce_max(op.reduce_sum(size, axis=first, keepdims=True), axis=second, keepdims=True)
        return out if keepdims else op.squeeze(out, axis=axes)
    if matrix:
        raise InvalidArgumentError(f"norm: no matrix norm {ord!r}; expected euclidean, fro, 1 or inf", op="norm")
    if ord == np.inf:
        return op.reduce_max(size, axis=axes, keepdims=keepdims)
    if ord == 1:
        return op.reduce_sum(size, axis=axes, keepdims=keepdims)
    if not isinstance(ord, (int, float)) or ord <= 0:
        raise InvalidArgumentError(f"norm: no vector norm {ord!r}", op="norm")
    return op.pow(op.reduce_sum(op.pow(size, ord), axis=axes, keepdims=keepdims), 1 / ord)


@function("linalg.normalize")
def normalize(op: Any, tensor: Any, ord: Any = "euclidean", axis: Any = None, name: Any = None) -> tuple[Any, Any]:
    """`tensor` divided by its norm, and the norm.

    >>> unit, length = ag.linalg.normalize([3.0, 4.0])
    >>> unit.numpy(), length.numpy()
    (array([0.6, 0.8], dtype=float32), array([5.], dtype=float32))

    Source of the semantics: TensorFlow's `tf.linalg.normalize`.
    """
    size = op.norm(tensor, ord, axis, keepdims=True)
    return op.div(tensor, size), size


@function("linalg.global_norm")
def global_norm(op: Any, t_list: Any, name: Any = None) -> Any:
    """The norm of all elements of all tensors together.

    >>> ag.linalg.global_norm([ag.constant([3.0]), ag.constant([4.0])]).numpy()
    np.float32(5.0)

    Source of the semantics: TensorFlow's `tf.linalg.global_norm`.
    """
    squares = [op.sum_all(op.mul(t, t)) for t in (op.convert(t) for t in t_list if t is not None)]
    return op.sqrt(op.add_n(squares))


@function("clip_by_global_norm")
def clip_by_global_norm(
    op: Any, t_list: Any, clip_norm: Any, use_norm: Any = None, name: Any = None
) -> tuple[list[Any], Any]:
    """Tensors scaled down together so that their norm is at most `clip_norm`, and the norm they had.

    >>> clipped, norm = ag.clip_by_global_norm([ag.constant([3.0]), ag.constant([4.0])], 1.0)
    >>> norm.numpy(), [t.numpy().round(3).tolist() for t in clipped]
    (np.float32(5.0), [[0.6000000238418579], [0.800000011920929]])

    Source of the semantics: TensorFlow's `tf.clip_by_global_norm`.
    """
    size = op.global_norm(t_list) if use_norm is None else use_norm
    factor = op.div(clip_norm, op.maximum(size, clip_norm))
    return [None if t is None else op.mul(t, factor) for t in t_list], size


@function("clip_by_norm")
def clip_by_norm(op: Any, t: Any, clip_norm: Any, axes: Any = None, name: Any = None) -> Any:
    """`t` scaled down so that its norm over `axes` is at most `clip_norm`.

    >>> ag.clip_by_norm([3.0, 4.0], 1.0).numpy().round(3)
    array([0.6, 0.8], dtype=float32)

    Source of the semantics: TensorFlow's `tf.clip_by_norm`.
    """
    t = op.convert(t)
    size = op.norm(t, axis=axes, keepdims=True)
    return op.mul(t, op.div(clip_norm, op.maximum(size, clip_norm)))
