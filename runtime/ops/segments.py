"""Segments, masks of lengths, and dynamic partitions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from runtime.ops.index import add_rows
from runtime.ops.registry import Op, function
from runtime.ops.sizes import fill_sizes, shape_of_sizes, split_sizes
from runtime.typesys.dtypes import as_dtype
from runtime.typesys.errors import InvalidArgumentError
from runtime.typesys.shapes import Dim
from runtime.typesys.spec import TensorType


def _x(*shape: int) -> Any:
    return np.random.default_rng(sum(shape)).permutation(int(np.prod(shape))).reshape(shape) * 0.25 - 1


_START = {"sum": 0, "prod": 1}


class SegmentReduce(Op):
    """Rows of `x` with equal ids reduced together, for ids below `count` (negative ids are left out)."""

    def infer(self, x: TensorType, ids: TensorType, *count: TensorType, shape: Any, how: str) -> TensorType:
        lead = (shape_of_sizes(shape) or (Dim(),))[0]
        if x.shape is None or ids.shape is None:
            return TensorType(x.dtype, None)
        return TensorType(x.dtype, (lead, *x.shape[len(ids.shape) :]))

    @staticmethod
    def kernel(x: Any, ids: Any, *count: Any, shape: Any, how: str) -> Any:
        size = int(fill_sizes(shape, count)[0])
        rows = np.reshape(x, (np.size(ids), *np.shape(x)[np.ndim(ids) :]))
        ids = np.ravel(ids)
        if ids.size and np.minimum.reduce(ids) < 0:
            rows, ids = rows[ids >= 0], ids[ids >= 0]
        if ids.size and np.maximum.reduce(ids) >= size:
            raise InvalidArgumentError(
                f"segment id {ids.max()} is not below the number of segments, {size}", op="segment"
            )
        lowest = _least(x.dtype) if how == "max" else _most(x.dtype) if how == "min" else _START[how]
        out = np.full((size, *rows.shape[1:]), lowest, x.dtype)
        if how == "sum":
            if out.ndim > 1 and out.size:
                add_rows(out, ids, rows, known=True)
            else:
                np.add.at(out, ids, rows)
        else:
            {"prod": np.multiply, "max": np.maximum, "min": np.minimum}[how].at(out, ids, rows)
        return out

    def vjp(op: Any, dy: Any, y: Any, x: Any, ids: Any, *count: Any, shape: Any, how: str) -> Any:
        inside = op.greater_equal(ids, 0)
        place = op.maximum(ids, 0)
        at = op.gather(dy, place, axis=0)
        missing = op.type_of(x).rank - op.type_of(ids).rank
        for _ in range(missing):
            inside = op.expand_dims(inside, axis=op.type_of(inside).rank)
        if how == "prod":
            at = op.div(op.mul(at, op.gather(y, place, axis=0)), x)
        elif how != "sum":
            mine = op.cast(op.equal(x, op.gather(y, place, axis=0)), dtype=op.type_of(dy).dtype)
            ties = op.segment_reduce(mine, ids, *count, shape=shape, how="sum")
            at = op.div(op.mul(at, mine), op.maximum(op.gather(ties, place, axis=0), 1))
        return op.where(inside, at, 0), None, *[None] * len(count)

    def samples(self) -> Iterable[Any]:
        for how in ("sum", "max", "min"):
            yield (_x(5), np.array([0, 1, 1, -1, 0])), {"shape": (2,), "how": how}
            yield (_x(4, 2), np.array([0, 1, 1, 0])), {"shape": (2,), "how": how}
        yield (_x(4, 2) + 9, np.array([0, 1, 1, 0]), 2), {"shape": (None,), "how": "prod"}


def _least(dtype: Any) -> Any:
    return np.finfo(dtype).min if dtype.kind == "f" else np.iinfo(dtype).min


def _most(dtype: Any) -> Any:
    return np.finfo(dtype).max if dtype.kind == "f" else np.iinfo(dtype).max


def _reduced(op: Any, data: Any, ids: Any, num: Any, how: str) -> Any:
    data, ids = op.strong(data), op.strong(ids)
    if num is None:
        last = op.get_item(ids, -1)
        num = op.add(last, 1)
    entries, inputs = split_sizes(op, [num])
    return op.segment_reduce(data, ids, *inputs, shape=entries, how=how)


def _means(op: Any, data: Any, ids: Any, num: Any, root: bool) -> Any:
    data = op.strong(data)
    ids = op.strong(ids)
    total = _reduced(op, data, ids, num, "sum")
    dtype = op.type_of(total).dtype
    counts = op.maximum(_reduced(op, op.ones_like(ids, dtype=dtype), ids, num, "sum"), 1)
    if root:
        counts = op.sqrt(counts)
    for _ in range(op.type_of(total).rank - 1):
        counts = op.expand_dims(counts, axis=op.type_of(counts).rank)
    return op.cast(op.div(total, counts), dtype=dtype)


def _segment(how: str) -> None:
    def sorted_segments(op: Any, data: Any, segment_ids: Any, name: Any = None) -> Any:
        return (
            _means(op, data, segment_ids, None, False) if how == "mean" else _empty_as_zero(op, data, segment_ids, how)
        )

    def unsorted_segments(op: Any, data: Any, segment_ids: Any, num_segments: Any, name: Any = None) -> Any:
        if how in ("mean", "sqrt_n"):
            return _means(op, data, segment_ids, num_segments, how == "sqrt_n")
        return _reduced(op, data, segment_ids, num_segments, how)

    if how != "sqrt_n":
        sorted_segments.__name__ = f"segment_{how}"
        sorted_segments.__doc__ = f"""The {how} of the rows of each segment; `segment_ids` is sorted and names them from 0.

    data: any shape [N, ...]. segment_ids: integers, shape [N].

    >>> ag.math.segment_{how}([1.0, 2.0, 3.0], [0, 0, 1]).shape
    TensorShape([2])

    Source of the semantics: TensorFlow's `tf.math.segment_{how}`.
    """
        function(f"math.segment_{how}")(sorted_segments)
    unsorted_segments.__name__ = f"unsorted_segment_{how}"
    unsorted_segments.__doc__ = f"""The {how} of the rows of each of `num_segments` segments, in any order.

    data: any shape [N, ...]. segment_ids: integers, shape [N]; rows with negative ones are left out.

    >>> ag.math.unsorted_segment_{how}([1.0, 2.0, 3.0], [1, 0, 1], 2).shape
    TensorShape([2])

    Source of the semantics: TensorFlow's `tf.math.unsorted_segment_{how}`.
    """
    function(f"math.unsorted_segment_{how}")(unsorted_segments)


def _empty_as_zero(op: Any, data: Any, ids: Any, how: str) -> Any:
    """A reduction of sorted segments; TensorFlow gives 0 (1 for prod) where a segment is empty."""
    out = _reduced(op, data, ids, None, how)
    if how in ("sum", "prod"):
        return out
    counts = _reduced(op, op.ones_like(op.strong(ids)), ids, None, "sum")
    for _ in range(op.type_of(out).rank - 1):
        counts = op.expand_dims(counts, axis=op.type_of(counts).rank)
    return op.where(op.greater(counts, 0), out, 0)


for _how in ("sum", "mean", "max", "min", "prod", "sqrt_n"):
    _segment(_how)


@function("sequence_mask")
def sequence_mask(op: Any, lengths: Any, maxlen: Any = None, dtype: Any = "bool", name: Any = None) -> Any:
    """True (1 in `dtype`) at the first `lengths[i]` places of a new last axis of size `maxlen`, by default the longest.

    >>> ag.sequence_mask([1, 3], 3).numpy().tolist()
    [[True, False, False], [True, True, True]]
    """
    lengths = op.strong(lengths)
    if maxlen is None:
        maxlen = op.reduce_max(lengths, axis=None, keepdims=False)
    places = op.range(0, maxlen, 1, dtype=op.type_of(lengths).dtype)
    mask = op.less(places, op.expand_dims(lengths, axis=op.type_of(lengths).rank))
    return mask if as_dtype(dtype).is_bool else op.cast(mask, dtype=as_dtype(dtype))


@function("dynamic_partition")
def dynamic_partition(op: Any, data: Any, partitions: Any, num_partitions: int, name: Any = None) -> list[Any]:
    """The rows of `data` sorted out into lists by their number in `partitions`.

    >>> [t.numpy().tolist() for t in ag.dynamic_partition([10, 20, 30], [0, 1, 0], 2)]
    [[10, 30], [20]]

    Source of the semantics: TensorFlow's `tf.dynamic_partition`.
    """
    data, partitions = op.strong(data), op.strong(partitions)
    return [op.get_item(data, op.equal(partitions, i)) for i in range(int(num_partitions))]


@function("dynamic_stitch")
def dynamic_stitch(op: Any, indices: Any, data: Any, name: Any = None) -> Any:
    """Rows put at the places that `indices` names, later lists over earlier ones.

    >>> ag.dynamic_stitch([[0, 2], [1]], [[10, 30], [20]]).numpy()
    array([10, 20, 30], dtype=int32)

    Source of the semantics: TensorFlow's `tf.dynamic_stitch`.
    """
    indices = [op.strong(i) for i in indices]
    data = [op.strong(d) for d in data]
    flat = [op.flatten(i) for i in indices]
    tail = op.type_of(data[0]).shape[op.type_of(indices[0]).rank :]
    rows = [op.reshape(d, shape=(-1, *tail)) for d in data]
    places = op.concat(flat, 0)
    size = op.add(op.reduce_max(places, axis=None, keepdims=False), 1)
    entries, inputs = split_sizes(op, [size, *tail])
    out = op.zeros(*inputs, shape=entries, dtype=op.type_of(rows[0]).dtype)
    return op.index_update(out, op.concat(rows, 0), places, spec=("?",))
