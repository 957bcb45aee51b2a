"""Counting and order: bincount, histograms, confusion matrices, monotony. Written in terms of other operations."""

from __future__ import annotations

from typing import Any

import numpy as np

from runtime.ops.registry import function, get
from runtime.typesys.dtypes import as_dtype
from runtime.typesys.errors import InvalidArgumentError


def _above(op: Any, values: Any) -> Any:
    """One more than the largest value, 0 of none: int64."""
    zero = np.zeros(1, "int64")
    return op.add(
        op.max(op.concat([op.cast(op.reshape(values, shape=(-1,)), dtype=as_dtype("int64")), zero - 1], 0)), 1
    )


@function("math.bincount")
def bincount(
    op: Any,
    arr: Any,
    weights: Any = None,
    minlength: Any = None,
    maxlength: Any = None,
    dtype: Any = "int32",
    name: Any = None,
) -> Any:
    """How often each value from 0 on occurs (or the sum of its weights).

    Args:
      arr: non-negative integers, any shape.
      weights: numbers of the same shape; the result has their dtype.
      minlength: the least length of the result.
      maxlength: its largest: values from there on are left out.
      dtype: of the result without weights.

    Returns:
      A vector of length max(arr) + 1, within the bounds.

    >>> ag.math.bincount([1, 1, 3]).numpy()
    array([0, 2, 0, 1], dtype=int32)
    >>> ag.math.bincount([1, 1, 3], weights=[0.5, 0.5, 2.0], maxlength=2).numpy()
    array([0., 1.], dtype=float32)

    Source of the semantics: TensorFlow's `tf.math.bincount`.
    """
    values = op.reshape(op.strong(arr), shape=(-1,))
    ones = (
        op.ones_like(values, as_dtype(dtype))
        if weights is None
        else op.reshape(op.strong(weights), shape=(-1,))
    )
    count = _above(op, values)
    if minlength is not None:
        count = op.maximum(count, minlength)
    if maxlength is not None:
        count = op.minimum(count, maxlength)
        kept = op.less(values, maxlength)
        values = op.where(kept, values, op.sub(op.zeros_like(values), 1))  # negative segments are left out
    return op.unsorted_segment_sum(ones, values, count)


@function("math.confusion_matrix")
def confusion_matrix(
    op: Any,
    labels: Any,
    predictions: Any,
    num_classes: Any = None,
    weights: Any = None,
    dtype: Any = "int32",
    name: Any = None,
) -> Any:
    """How often each class (row) was predicted as each class (column).

    Args:
      labels: integers, shape [N].
      predictions: integers, shape [N].
      num_classes: number of rows and columns; one more than the largest class by default.
      weights: numbers, shape [N], counted instead of ones.
      dtype: of the result.

    >>> ag.math.confusion_matrix([0, 1, 1], [0, 1, 0]).numpy()
    array([[1, 0],
           [1, 1]], dtype=int32)

    Source of the semantics: TensorFlow's `tf.math.confusion_matrix`.
    """
    rows = op.cast(op.strong(labels), dtype=as_dtype("int64"))
    columns = op.cast(op.strong(predictions), dtype=as_dtype("int64"))
    if num_classes is None:
        count = op.maximum(_above(op, rows), _above(op, columns))
    else:
        count = op.cast(op.convert(num_classes), dtype=as_dtype("int64"))
    wanted = as_dtype(dtype)
    entries = op.ones_like(rows, wanted) if weights is None else op.cast(op.strong(weights), dtype=wanted)
    flat = op.unsorted_segment_sum(entries, op.add(op.mul(rows, count), columns), op.mul(count, count))
    known = op.static_value(count)
    return get("reshape").rules.call(op, flat, (-1, count if known is None else int(known)))


@function("histogram_fixed_width")
def histogram_fixed_width(
    op: Any, values: Any, value_range: Any, nbins: int = 100, dtype: Any = "int32", name: Any = None
) -> Any:
    """How many values are in each of `nbins` equal parts of a range; those outside count in the first or last part.

    Args:
      values: numbers, any shape.
      value_range: [low, high].

    Raises:
      InvalidArgumentError: `nbins` is not positive.

    >>> ag.histogram_fixed_width([0.0, 1.0, 4.9, 9.0], [0.0, 5.0], nbins=5).numpy()
    array([1, 1, 0, 0, 2], dtype=int32)

    Source of the semantics: TensorFlow's `tf.histogram_fixed_width`.
    """
    if nbins <= 0:
        raise InvalidArgumentError(f"nbins must be positive, got {nbins}")
    x = op.reshape(op.strong(values), shape=(-1,))
    bounds = op.cast(op.strong(value_range), dtype=op.type_of(x).dtype)
    low, high = op.get_item(bounds, 0), op.get_item(bounds, 1)
    part = op.floor(op.div(op.mul(op.sub(x, low), nbins), op.sub(high, low)))
    bins = op.cast(op.clip_by_value(part, 0, nbins - 1), dtype=as_dtype("int32"))
    return op.unsorted_segment_sum(op.ones_like(bins, as_dtype(dtype)), bins, nbins)


def _steps(op: Any, x: Any) -> tuple[Any, Any]:
    flat = op.reshape(op.strong(x), shape=(-1,))
    return op.get_item(flat, slice(None, -1)), op.get_item(flat, slice(1, None))


@function("math.is_non_decreasing")
def is_non_decreasing(op: Any, x: Any, name: Any = None) -> Any:
    """Whether each element, in row-major order, is at least the one before: a bool scalar.

    >>> ag.math.is_non_decreasing([1, 1, 2]).numpy()
    np.True_

    Source of the semantics: TensorFlow's `tf.math.is_non_decreasing`.
    """
    before, after = _steps(op, x)
    return op.all(op.less_equal(before, after))


@function("math.is_strictly_increasing")
def is_strictly_increasing(op: Any, x: Any, name: Any = None) -> Any:
    """Whether each element, in row-major order, is greater than the one before: a bool scalar.

    >>> ag.math.is_strictly_increasing([1, 1, 2]).numpy()
    np.False_

    Source of the semantics: TensorFlow's `tf.math.is_strictly_increasing`.
    """
    before, after = _steps(op, x)
    return op.all(op.less(before, after))
