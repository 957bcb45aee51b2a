"""Slices given by vectors, and shapes computed from shapes."""

from __future__ import annotations

from typing import Any

import numpy as np

from runtime.ops.registry import function
from runtime.ops.sizes import split_sizes
from runtime.typesys.errors import InvalidArgumentError
from runtime.typesys.shapes import is_static


def _numbers(op: Any, values: Any, rank: int) -> list[Any]:
    """The entries of a vector: ints where they are known, else scalars."""
    entries, inputs = split_sizes(op, values)
    if entries is None:
        return [op.get_item(values, i) for i in range(rank)]
    rest = iter(inputs)
    return [e if type(e) is int else next(rest) for e in entries]


@function("slice")
def slice_(op: Any, input_: Any, begin: Any, size: Any, name: Any = None) -> Any:
    """The part of `input_` that starts at `begin` and has shape `size` (-1: all that is left).

    Raises:
      InvalidArgumentError: with known sizes, a part that does not lie within the tensor.

    >>> ag.slice([1, 2, 3, 4], [1], [2]).numpy().tolist()
    [2, 3]
    """
    x = op.strong(input_)
    shape = op.type_of(x).shape
    starts, lengths = _numbers(op, begin, len(shape)), _numbers(op, size, len(shape))
    if not len(starts) == len(lengths) == len(shape):
        raise InvalidArgumentError(f"slice: begin and size need {len(shape)} numbers each", op="slice")
    where = []
    for i, (start, length, whole) in enumerate(zip(starts, lengths, shape, strict=True)):
        if isinstance(start, int) and isinstance(length, int):
            if isinstance(whole, int) and not 0 <= start <= start + max(length, 0) <= whole:
                raise InvalidArgumentError(
                    f"slice: {length} from {start} on leaves an axis of size {whole}", op="slice"
                )
            where.append(slice(start, None if length == -1 else start + length))
        elif isinstance(length, int) and length == -1:
            where.append(slice(start, None))
        else:
            stop = op.add(start, length)
            if not isinstance(whole, int):
                whole = op.dim_size(x, axis=i)
            inside = op.logical_and(op.greater_equal(start, 0), op.less_equal(stop, whole))
            text = "slice: ", (0, ""), " from ", (1, ""), " on leaves an axis of size ", (2, "")
            fits = op.logical_and(op.greater_equal(length, 0), inside)
            op.assert_(fits, length, start, whole, template=text, exception=InvalidArgumentError)
            where.append(slice(start, stop))
    return op.get_item(x, tuple(where))


@function("broadcast_static_shape")
def broadcast_static_shape(op: Any, shape_x: Any, shape_y: Any) -> Any:
    """The shape of two known shapes broadcast together, as a tuple.

    >>> ag.broadcast_static_shape(ag.TensorShape([2, 1]), ag.TensorShape([3]))
    (2, 3)

    Source of the semantics: TensorFlow's `tf.broadcast_static_shape`.
    """
    del op
    try:
        return np.broadcast_shapes(tuple(shape_x), tuple(shape_y))
    except ValueError as error:
        raise InvalidArgumentError(str(error), op="broadcast_static_shape") from None


@function("broadcast_dynamic_shape")
def broadcast_dynamic_shape(op: Any, shape_x: Any, shape_y: Any) -> Any:
    """The shape of two shapes (vectors of integers) broadcast together, as a vector.

    >>> ag.broadcast_dynamic_shape([2, 1], [3]).numpy()
    array([2, 3], dtype=int32)

    Source of the semantics: TensorFlow's `tf.broadcast_dynamic_shape`.
    """
    x, y = op.convert(shape_x), op.convert(shape_y)
    size_x, size_y = op.type_of(x).shape, op.type_of(y).shape
    if not (is_static(size_x) and is_static(size_y)):
        raise InvalidArgumentError("broadcast_dynamic_shape needs shapes of known rank", op="broadcast_dynamic_shape")
    rank = max(size_x[0], size_y[0])
    x, y = (op.pad_with(v, [[rank - n[0], 0]], constant_values=1) for v, n in ((x, size_x), (y, size_y)))
    return op.where(op.equal(x, 1), y, x)


@function("unravel_index")
def unravel_index(op: Any, indices: Any, dims: Any, name: Any = None) -> Any:
    """Index vectors, as columns, of flat indices into a tensor of shape `dims`.

    >>> ag.unravel_index([5], (2, 3)).numpy()
    array([[1],
           [2]], dtype=int32)

    Source of the semantics: TensorFlow's `tf.unravel_index`.
    """
    indices = op.convert(indices)
    rows: list[Any] = []
    for size in reversed(_numbers(op, dims, 0)):
        rows.insert(0, op.mod(indices, size))
        indices = op.floordiv(indices, size)
    return op.stack(rows, axis=0)
