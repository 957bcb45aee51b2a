"""Sorting and searching: sort, argsort, top_k, searchsorted, unique."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from runtime.ops.kinds import axis_number, normalize_axis
from runtime.ops.registry import Op, function
from runtime.typesys.dtypes import as_dtype
from runtime.typesys.errors import InvalidArgumentError
from runtime.typesys.shapes import Dim
from runtime.typesys.spec import TensorType


def _x(*shape: int) -> Any:
    return np.random.default_rng(sum(shape)).permutation(int(np.prod(shape))).reshape(shape) * 0.25


class SortAlong(Op):
    """The elements in ascending order along an axis."""

    numpy = "np.sort({0}, axis={axis})"

    def infer(self, x: TensorType, *, axis: int) -> TensorType:
        return TensorType(x.dtype, x.shape)

    def vjp(op: Any, dy: Any, y: Any, x: Any, *, axis: int) -> Any:
        back = op.sort_order(op.sort_order(x, axis=axis, descending=False), axis=axis, descending=False)
        return (op.take_along_axis(dy, back, axis),)

    def samples(self) -> Iterable[Any]:
        yield (_x(3, 4),), {"axis": -1}
        yield (_x(3, 4),), {"axis": 0}


class SortOrder(Op):
    """The indices that sort along an axis, equal elements in the order they stand."""

    def infer(self, x: TensorType, *, axis: int, descending: bool) -> TensorType:
        return TensorType("int64", x.shape)

    @staticmethod
    def kernel(x: Any, *, axis: int, descending: bool) -> Any:
        if not descending:
            return np.argsort(x, axis=axis, kind="stable")
        last = np.shape(x)[axis] - 1
        return np.flip(last - np.argsort(np.flip(x, axis), axis=axis, kind="stable"), axis)

    vjp = lambda op, dy, y, x, *, axis, descending: (None,)

    def samples(self) -> Iterable[Any]:
        yield (np.array([[1, 0, 1], [2, 2, 0]]),), {"axis": -1, "descending": False}
        yield (np.array([[1, 0, 1], [2, 2, 0]]),), {"axis": -1, "descending": True}


_TOO_FEW_AT_RUN = "top_k: there are ", (0, ""), " elements along the last axis, of which k=", (1, ""), " cannot be taken"
_TOO_FEW = "top_k: there are {} elements along the last axis, which is less than k={}"


class TopOrder(Op):
    """The indices of the k largest along the last axis in descending order, equal elements in the order they stand."""

    def infer(self, x: TensorType, *, k: int) -> TensorType:
        if x.shape is None:
            return TensorType("int64", None)
        last = x.shape[-1]
        return TensorType("int64", (*x.shape[:-1], len(range(last)[:k]) if isinstance(last, int) else Dim()))

    @staticmethod
    def kernel(x: Any, *, k: int) -> Any:
        n = x.shape[-1]
        if k > n:
            raise InvalidArgumentError(_TOO_FEW.format(n, k), op="top_k")
        if n < 256 or not 0 < k * 8 < n:
            return SortOrder.kernel(x, axis=-1, descending=True)[..., :k]
        rows = x.reshape(-1, n)
        size = min(256, n // (k * 8)) & ~15
        if size:
            # At least k elements are as large as the k-th largest maximum of parts; partitioning guesses at every element.
            parts = n // size
            most = np.maximum.reduce(rows[:, : parts * size].reshape(-1, parts, size), axis=-1)
            least = np.partition(most, parts - k, axis=-1)[:, parts - k]
        else:
            least = np.partition(rows, n - k, axis=-1)[:, n - k]
        out = np.empty((len(rows), k), np.int64)
        for found, row, edge in zip(out, rows, least, strict=True):
            few = np.flatnonzero(~(row < edge))  # with all that equal the last one, and NaN, which counts as largest
            few = few[::-1]
            found[:] = few[np.argsort(row[few], kind="stable")[: -k - 1 : -1]]
        return out.reshape(*x.shape[:-1], k)

    vjp = lambda op, dy, y, x, *, k: (None,)

    def samples(self) -> Iterable[Any]:
        yield (_x(3, 4),), {"k": 2}
        yield (_x(2, 300) // 4,), {"k": 5}
        yield (np.where(_x(300) > 70, np.nan, _x(300)),), {"k": 9}


def _descends(direction: str) -> bool:
    if direction not in ("ASCENDING", "DESCENDING"):
        raise InvalidArgumentError(f"direction must be ASCENDING or DESCENDING, not {direction!r}", op="sort")
    return direction == "DESCENDING"


@function("sort")
def sort(op: Any, values: Any, axis: int = -1, direction: str = "ASCENDING", name: Any = None) -> Any:
    """The elements in order along an axis.

    >>> ag.sort([3, 1, 2], direction="DESCENDING").numpy().tolist()
    [3, 2, 1]
    """
    x = op.strong(values)
    axis = normalize_axis(axis_number(axis), op.type_of(x).rank, "sort")
    out = op.sort_along(x, axis=axis)
    return op.reverse(out, axis=(axis,)) if _descends(direction) else out


@function("argsort")
def argsort(
    op: Any, values: Any, axis: int = -1, direction: str = "ASCENDING", stable: bool = False, name: Any = None
) -> Any:
    """The indices that sort along an axis, int32; equal elements stay in order.

    >>> ag.argsort([3, 1, 2]).numpy().tolist()
    [1, 2, 0]
    """
    x = op.strong(values)
    axis = normalize_axis(axis_number(axis), op.type_of(x).rank, "argsort")
    return op.cast(op.sort_order(x, axis=axis, descending=_descends(direction)), dtype=as_dtype("int32"))


@function("math.top_k", "nn.top_k")
def top_k(
    op: Any, input: Any, k: Any = 1, sorted: bool = True, index_type: Any = "int32", name: Any = None
) -> tuple[Any, Any]:
    """The k largest along the last axis, in descending order, and their indices (the lower first among equals).

    >>> values, indices = ag.math.top_k([1, 3, 2], 2)
    >>> values.numpy().tolist(), indices.numpy().tolist()
    ([3, 2], [1, 2])
    """
    x = op.strong(input)
    count = op.static_value(k)
    last = (op.type_of(x).shape or (None,))[-1]
    if count is not None and isinstance(last, int) and int(count) > last:
        raise InvalidArgumentError(_TOO_FEW.format(last, int(count)), op="top_k")
    if count is not None:
        if int(count) < 0:
            raise InvalidArgumentError(f"top_k: k must not be negative, not {int(count)}", op="top_k")
        order = op.top_order(x, k=int(count))
    else:
        size = op.dim_size(x, axis=op.type_of(x).rank - 1)
        k = op.cast(k, dtype=as_dtype("int64"))
        inside = op.logical_and(op.greater_equal(k, 0), op.less_equal(k, size))
        op.assert_(inside, size, k, template=_TOO_FEW_AT_RUN, exception=InvalidArgumentError)
        order = op.get_item(op.sort_order(x, axis=-1, descending=True), (Ellipsis, slice(None, k)))
    return op.take_along_axis(x, order, -1), op.cast(order, dtype=as_dtype(index_type))


class SearchSorted(Op):
    """Where each value would be put in to keep a sequence sorted; rows of leading axes are matched."""

    def infer(self, sequence: TensorType, values: TensorType, *, side: str) -> TensorType:
        return TensorType("int64", values.shape)

    @staticmethod
    def kernel(sequence: Any, values: Any, *, side: Any) -> Any:
        if np.ndim(sequence) == 1:
            return np.searchsorted(sequence, values, side)
        rows = sequence.reshape(-1, sequence.shape[-1])
        wanted = values.reshape(len(rows), -1)
        found = [np.searchsorted(r, v, side) for r, v in zip(rows, wanted, strict=True)]
        return np.array(found, np.int64).reshape(values.shape)

    vjp = lambda op, dy, y, sequence, values, *, side: (None, None)

    def samples(self) -> Iterable[Any]:
        yield (np.array([1.0, 3.0, 5.0]), np.array([0.0, 3.0, 6.0])), {"side": "left"}
        yield (np.array([[1, 3, 5], [0, 0, 1]]), np.array([[3, 4], [0, 5]])), {"side": "right"}


@function("searchsorted")
def searchsorted(
    op: Any, sorted_sequence: Any, values: Any, side: str = "left", out_type: Any = "int32", name: Any = None
) -> Any:
    """Where each value would be put in to keep `sorted_sequence` sorted.

    >>> ag.searchsorted([1, 3, 5], [2, 5]).numpy()
    array([1, 2], dtype=int32)

    Source of the semantics: TensorFlow's `tf.searchsorted`.
    """
    if side not in ("left", "right"):
        raise InvalidArgumentError(f"side must be 'left' or 'right', not {side!r}", op="searchsorted")
    return op.cast(op.search_sorted(op.strong(sorted_sequence), op.strong(values), side=side), dtype=as_dtype(out_type))


class UniqueFirst(Op):
    """The distinct elements of a vector in order of appearance, where each element is among them, and how often."""

    outputs = 3

    def infer(self, x: TensorType) -> tuple[TensorType, TensorType, TensorType]:
        count = Dim()
        return TensorType(x.dtype, (count,)), TensorType("int64", x.shape), TensorType("int64", (count,))

    @staticmethod
    def kernel(x: Any) -> tuple[Any, Any, Any]:
        _, first, inverse, counts = np.unique(x, return_index=True, return_inverse=True, return_counts=True)
        order = np.argsort(first)
        rank = np.empty_like(order)
        rank[order] = np.arange(len(order))
        return x[first[order]], rank[inverse], counts[order]

    vjp = lambda op, dy, y, x: (
        None if dy[0] is None else op.gather_nd_grad(dy[0], x, op.expand_dims(op.first_places(y[1], y[2]), axis=1)),
    )

    def samples(self) -> Iterable[Any]:
        yield (np.array([3.0, 1.0, 4.0, 2.0]),), {}
        yield (np.array([3, 1, 3, 2]),), {}


class FirstPlaces(Op):
    """For every number below the length of `counts`: where it first appears in `inverse`."""

    def infer(self, inverse: TensorType, counts: TensorType) -> TensorType:
        return TensorType("int64", counts.shape)

    @staticmethod
    def kernel(inverse: Any, counts: Any) -> Any:
        return np.unique(inverse, return_index=True)[1].astype(np.int64, copy=False)

    vjp = lambda op, dy, y, inverse, counts: (None, None)

    def samples(self) -> Iterable[Any]:
        yield (np.array([0, 1, 0, 2]), np.array([2, 1, 1])), {}


class UniqueRows(Op):
    """Of the distinct slices along the first axis, in order: where each first is, where each slice is among them, counts."""

    outputs = 3

    def infer(self, x: TensorType) -> tuple[TensorType, TensorType, TensorType]:
        count = Dim()
        places = TensorType("int64", (count,))
        return places, TensorType("int64", None if x.shape is None else x.shape[:1]), places

    @staticmethod
    def kernel(x: Any) -> tuple[Any, Any, Any]:
        _, first, inverse, counts = np.unique(x, return_index=True, return_inverse=True, return_counts=True, axis=0)
        return first, inverse.reshape(-1), counts

    vjp = lambda op, dy, y, x: (None,)

    def samples(self) -> Iterable[Any]:
        yield (np.array([[3, 1], [0, 2], [3, 1]]),), {}


@function("unique")
def unique(op: Any, x: Any, out_idx: Any = "int32", name: Any = None) -> tuple[Any, Any]:
    """The distinct elements of a vector in the order they first appear, and where each element is among them.

    >>> y, idx = ag.unique([3, 1, 3])
    >>> y.numpy().tolist(), idx.numpy().tolist()
    ([3, 1], [0, 1, 0])
    """
    y, where, _ = op.unique_first(op.strong(x))
    return y, op.cast(where, dtype=as_dtype(out_idx))


@function("unique_with_counts")
def unique_with_counts(op: Any, x: Any, out_idx: Any = "int32", name: Any = None) -> tuple[Any, Any, Any]:
    """As `unique`, and how often each appears.

    >>> [t.numpy().tolist() for t in ag.unique_with_counts([3, 1, 3])]
    [[3, 1], [0, 1, 0], [2, 1]]

    Source of the semantics: TensorFlow's `tf.unique_with_counts`.
    """
    y, where, counts = op.unique_first(op.strong(x))
    dtype = as_dtype(out_idx)
    return y, op.cast(where, dtype=dtype), op.cast(counts, dtype=dtype)


@function("math.invert_permutation")
def invert_permutation(op: Any, x: Any, name: Any = None) -> Any:
    """The inverse of a permutation of range(n).

    >>> ag.math.invert_permutation([2, 0, 1]).numpy()
    array([1, 2, 0], dtype=int32)

    Source of the semantics: TensorFlow's `tf.math.invert_permutation`.
    """
    x = op.strong(x)
    return op.cast(op.sort_order(x, axis=0, descending=False), dtype=op.type_of(x).dtype)
