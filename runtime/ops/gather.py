"""Gathering and scattering by index tensors."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from runtime.ops.index import add_rows
from runtime.ops.kinds import axis_number, normalize_axis, require_numbers
from runtime.ops.registry import Op, function
from runtime.ops.sizes import fill_sizes, shape_of_sizes, split_sizes
from runtime.typesys.dtypes import as_dtype, promote
from runtime.typesys.errors import DTypeError, InvalidArgumentError, OutOfRangeError
from runtime.typesys.shapes import Dim, broadcast_many, whole_number
from runtime.typesys.spec import TensorType


def _x(*shape: int) -> Any:
    return np.random.default_rng(sum(shape)).uniform(-2, 2, shape)


def _integers(kind: TensorType, what: str) -> None:
    if not kind.dtype.is_integer:
        raise DTypeError(f"{what} needs integer indices, not {kind.dtype}", op=what)


class GatherRows(Op):
    """`x` at integer indices along one axis."""

    name = "gather"

    def infer(self, x: TensorType, indices: TensorType, *, axis: int = 0) -> TensorType:
        _integers(indices, "gather")
        if x.shape is None or indices.shape is None:
            return TensorType(x.dtype, None)
        axis = normalize_axis(axis, len(x.shape), "gather")
        return TensorType(x.dtype, (*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :]))

    numpy = "np.take({0}, {1}, {axis})"

    def vjp(op: Any, dy: Any, y: Any, x: Any, indices: Any, *, axis: int = 0) -> Any:
        return op.gather_grad(dy, x, indices, axis=axis), None

    def samples(self) -> Iterable[Any]:
        yield (_x(4, 3), np.array([0, 2, 2])), {"axis": 0}
        yield (_x(4, 3), np.array([[0, 2], [1, -1]])), {"axis": 1}
        yield (_x(4, 3), np.int64(2)), {"axis": 0}


class GatherGrad(Op):
    """Zeros like `x` with `dy` added at indices along one axis."""

    def infer(self, dy: TensorType, x: TensorType, indices: TensorType, *, axis: int) -> TensorType:
        return TensorType(dy.dtype, x.shape)

    @staticmethod
    def kernel(dy: Any, x: Any, indices: Any, *, axis: int) -> Any:
        shape = np.shape(x)
        indices = np.asarray(indices)
        axis = axis % len(shape)
        out = np.zeros((shape[axis], *shape[:axis], *shape[axis + 1 :]), dy.dtype)
        rows = np.moveaxis(dy, range(axis, axis + indices.ndim), range(indices.ndim)) if axis else dy
        add_rows(out, indices, rows)
        return np.moveaxis(out, 0, axis) if axis else out

    def vjp(op: Any, ddx: Any, dx: Any, dy: Any, x: Any, indices: Any, *, axis: int) -> Any:
        return op.gather(ddx, indices, axis=axis), None, None

    def samples(self) -> Iterable[Any]:
        yield (_x(3, 3), _x(4, 3), np.array([0, 2, 2])), {"axis": 0}
        yield (_x(4, 2, 2), _x(4, 3), np.array([[0, 2], [1, 2]])), {"axis": 1}


@function("gather")
def gather_(
    op: Any,
    params: Any,
    indices: Any,
    validate_indices: Any = None,
    axis: Any = None,
    batch_dims: int = 0,
    name: Any = None,
) -> Any:
    """Slices of `params` at integer indices along `axis`; the first `batch_dims` axes of both are matched.

    Negative indices count from the end. The result's shape is
    params.shape[:axis] + indices.shape[batch_dims:] + params.shape[axis + 1 :].

    Raises:
      OutOfRangeError (an IndexError): an index outside the axis.

    >>> ag.gather([10, 20, 30], [2, 0]).numpy().tolist()
    [30, 10]
    """
    indices = op.convert(indices) if isinstance(indices, (list, tuple)) else indices
    _integers(op.type_of(indices), "gather")
    batch_dims = whole_number(batch_dims, "batch_dims")
    params = op.convert(params) if isinstance(params, (list, tuple)) else params
    if batch_dims < 0:
        batch_dims += op.type_of(indices).rank
    if batch_dims == 0:
        return op.gather(params, indices, axis=0 if axis is None else axis_number(axis))
    rank = op.type_of(params).rank
    at = batch_dims if axis is None else normalize_axis(axis_number(axis), rank, "gather")
    return _batched(op, params, indices, at, batch_dims)


def _batched(op: Any, params: Any, indices: Any, axis: int, batch: int) -> Any:
    """Gather with leading axes matched, by one index with ranges for those."""
    if axis < batch:
        raise InvalidArgumentError(f"gather: axis {axis} must not be among the {batch} batch axes", op="gather")
    own = op.type_of(indices).rank - batch
    middle = axis - batch
    total = batch + middle + own
    sizes = op.type_of(params).shape
    where: list[Any] = []
    for i in range(axis):
        size = sizes[i] if isinstance(sizes[i], int) else op.dim_size(params, axis=i)
        place = [1] * total
        place[i] = -1
        where.append(op.reshape(op.range(0, size, 1, dtype="int64"), shape=tuple(place)))
    if middle:
        for _ in range(middle):
            indices = op.expand_dims(indices, axis=batch)
    return op.get_item(params, (*where, indices))


@function("take_along_axis", "experimental.numpy.take_along_axis")
def take_along_axis(op: Any, arr: Any, indices: Any, axis: int = -1) -> Any:
    """Elements of `arr` at `indices` along one axis, the others matched (NumPy's `take_along_axis`).

    >>> ag.take_along_axis([[3, 1], [2, 4]], [[1], [0]], axis=1).numpy()
    array([[1],
           [2]], dtype=int32)
    """
    arr = op.strong(arr)
    sizes = op.type_of(arr).shape
    axis = normalize_axis(axis_number(axis), len(sizes), "take_along_axis")
    where: list[Any] = []
    for i, size in enumerate(sizes):
        if i == axis:
            where.append(indices)
            continue
        place = [1] * len(sizes)
        place[i] = -1
        count = size if isinstance(size, int) else op.dim_size(arr, axis=i)
        where.append(op.reshape(op.range(0, count, 1, dtype="int64"), shape=tuple(place)))
    return op.get_item(arr, tuple(where))


class GatherNd(Op):
    """`x` at index vectors: the last axis of `indices` names places in the first axes of `x`."""

    def infer(self, x: TensorType, indices: TensorType) -> TensorType:
        _integers(indices, "gather_nd")
        if x.shape is None or indices.shape is None or not isinstance(indices.shape[-1], int):
            return TensorType(x.dtype, None)
        depth = indices.shape[-1]
        if depth > len(x.shape):
            raise InvalidArgumentError(
                f"gather_nd: index vectors of length {depth} for a tensor of shape {x.shape}", op="gather_nd"
            )
        return TensorType(x.dtype, (*indices.shape[:-1], *x.shape[depth:]))

    def source(self, args: list[str], attrs: Any) -> str:
        return f"{args[0]}[tuple(np.moveaxis({args[1]}, -1, 0))]"

    @staticmethod
    def kernel(x: Any, indices: Any) -> Any:
        return x[tuple(np.moveaxis(indices, -1, 0))]

    vjp = lambda op, dy, y, x, indices: (op.gather_nd_grad(dy, x, indices), None)

    def samples(self) -> Iterable[Any]:
        yield (_x(4, 3), np.array([[0, 2], [3, 1], [0, 2]])), {}
        yield (_x(4, 3), np.array([[[0], [3]], [[1], [0]]])), {}


class GatherNdGrad(Op):
    """Zeros like `x` with `dy` added at index vectors."""

    def infer(self, dy: TensorType, x: TensorType, indices: TensorType) -> TensorType:
        return TensorType(dy.dtype, x.shape)

    @staticmethod
    def kernel(dy: Any, x: Any, indices: Any) -> Any:
        out = np.zeros(np.shape(x), dy.dtype)
        _combine(out, indices, dy, "add")
        return out

    vjp = lambda op, ddx, dx, dy, x, indices: (op.gather_nd(ddx, indices), None, None)

    def samples(self) -> Iterable[Any]:
        yield (_x(3), _x(4, 3), np.array([[0, 2], [3, 1], [0, 2]])), {}


def _combine(out: Any, indices: Any, updates: Any, how: str) -> None:
    """`out[index vectors] (how)= updates`, in place; repeated places combine one after another."""
    indices = np.asarray(indices)
    depth = indices.shape[-1]
    shape = out.shape[:depth]
    places = tuple(indices[..., k] for k in range(depth))
    if indices.size and any(
        np.minimum.reduce(at, axis=None) < 0 or np.maximum.reduce(at, axis=None) >= size
        for at, size in zip(places, shape, strict=True)
    ):
        wrong = indices[((indices < 0) | (indices >= np.array(shape))).any(axis=-1)][0].tolist()
        raise OutOfRangeError(f"scatter: the index {wrong} lies outside the shape {shape}", op="scatter_nd")
    if how == "update" and depth:
        out[places] = updates
        return
    flat = np.ravel_multi_index(places, shape) if depth else np.zeros(indices.shape[:-1], np.intp)
    rows = out.reshape(math.prod(shape), *out.shape[depth:])
    updates = np.broadcast_to(updates, (*flat.shape, *out.shape[depth:]))
    if how == "update":
        rows[flat] = updates
    elif how == "add":
        add_rows(rows, flat, updates)
    else:
        {"sub": np.subtract, "max": np.maximum, "min": np.minimum}[how].at(rows, flat, updates)


@function("gather_nd")
def gather_nd_(op: Any, params: Any, indices: Any, batch_dims: int = 0, name: Any = None) -> Any:
    """Slices of `params` at index vectors (the last axis of `indices`).

    >>> ag.gather_nd([[1, 2], [3, 4]], [[0, 1], [1, 0]]).numpy().tolist()
    [2, 3]
    """
    indices = op.convert(indices) if isinstance(indices, (list, tuple)) else indices
    if not batch_dims:
        return op.gather_nd(op.strong(params), indices)
    params = op.strong(params)
    kind = op.type_of(indices)
    sizes = op.type_of(params).shape
    columns: list[Any] = []
    for i in range(batch_dims):
        place = [1] * (len(kind.shape) - 1)
        place[i] = -1
        count = sizes[i] if isinstance(sizes[i], int) else op.dim_size(params, axis=i)
        columns.append(op.reshape(op.range(0, count, 1, dtype="int64"), shape=tuple(place)))
    columns += [op.get_item(indices, (Ellipsis, j)) for j in range(kind.shape[-1])]
    return op.get_item(params, tuple(columns))


class ScatterNd(Op):
    """Zeros of a shape with updates added at index vectors."""

    def infer(self, indices: TensorType, updates: TensorType, *sizes: TensorType, shape: Any) -> TensorType:
        _integers(indices, "scatter_nd")
        return TensorType(updates.dtype, shape_of_sizes(shape))

    @staticmethod
    def kernel(indices: Any, updates: Any, *sizes: Any, shape: Any) -> Any:
        out = np.zeros(fill_sizes(shape, sizes), updates.dtype)
        _combine(out, indices, updates, "add")
        return out

    def vjp(op: Any, dy: Any, y: Any, indices: Any, updates: Any, *sizes: Any, shape: Any) -> Any:
        return None, op.sum_to(op.gather_nd(dy, indices), updates), *[None] * len(sizes)

    def samples(self) -> Iterable[Any]:
        yield (np.array([[1], [3], [1]]), _x(3)), {"shape": (5,)}
        yield (np.array([[1], [3]]), _x(2, 3), np.int64(4)), {"shape": (None, 3)}


@function("scatter_nd")
def scatter_nd_(op: Any, indices: Any, updates: Any, shape: Any, name: Any = None) -> Any:
    """Zeros of `shape` with `updates` added at index vectors; repeated places add up.

    >>> ag.scatter_nd([[1], [3]], [5, 6], [4]).numpy().tolist()
    [0, 5, 0, 6]
    """
    entries, inputs = split_sizes(op, shape)
    return op.scatter_nd(op.convert(indices), op.convert(updates), *inputs, shape=entries)


class TensorScatter(Op):
    """`x` with updates put, added, subtracted or compared at index vectors."""

    def infer(self, x: TensorType, indices: TensorType, updates: TensorType, *, how: str) -> TensorType:
        _integers(indices, "tensor_scatter_nd")
        return TensorType(x.dtype, x.shape)

    @staticmethod
    def kernel(x: Any, indices: Any, updates: Any, *, how: str) -> Any:
        out = np.array(x, order="C")
        _combine(out, indices, updates, how)
        return out

    def vjp(op: Any, dy: Any, y: Any, x: Any, indices: Any, updates: Any, *, how: str) -> Any:
        at = op.gather_nd(dy, indices)
        if how == "add":
            return dy, None, op.sum_to(at, updates)
        if how == "sub":
            return dy, None, op.sum_to(op.neg(at), updates)
        kept: Any = op.equal(x, y)
        if how == "update":
            order = op.last_scattered(x, indices)
            zero = op.zeros_like(updates)
            return (
                op.tensor_scatter(dy, indices, zero, how="update"),
                None,
                op.sum_to(op.mul(at, op.cast(order, dtype=op.type_of(at).dtype)), updates),
            )
        mine = op.equal(updates, op.gather_nd(y, indices))
        dtype = op.type_of(dy).dtype
        kept, mine = op.cast(kept, dtype=dtype), op.cast(mine, dtype=dtype)
        ties = op.add(kept, op.gather_nd_grad(mine, x, indices))  # those that attain it share the cotangent
        shared = op.div(dy, op.maximum(ties, 1))
        return op.mul(shared, kept), None, op.sum_to(op.mul(op.gather_nd(shared, indices), mine), updates)

    def samples(self) -> Iterable[Any]:
        for how in ("update", "add", "sub", "max", "min"):
            yield (_x(5, 2), np.array([[1], [3]]), _x(2, 2) * 0.5), {"how": how}
        yield (_x(5), np.array([[1], [3], [1]]), _x(3)), {"how": "add"}
        yield (_x(5), np.array([[1], [3], [1]]), _x(3)), {"how": "update"}


class LastScattered(Op):
    """For every index vector: whether it is the last to name its place."""

    def infer(self, x: TensorType, indices: TensorType) -> TensorType:
        return TensorType("bool", GatherNd().infer(x, indices).shape)

    @staticmethod
    def kernel(x: Any, indices: Any) -> Any:
        marks = np.zeros(np.shape(x), np.intp)
        where = tuple(np.moveaxis(indices, -1, 0))
        order = np.arange(marks[where].size).reshape(marks[where].shape)
        marks[where] = order
        return marks[where] == order

    vjp = lambda op, dy, y, x, indices: (None, None)


def _scatter(how: str, name: str, words: str) -> Any:
    def scatter(op: Any, tensor: Any, indices: Any, updates: Any, name: Any = None) -> Any:
        x = op.strong(tensor)
        updates = op.convert(updates)
        if op.type_of(updates).dtype != op.type_of(x).dtype:
            updates = op.cast(updates, dtype=op.type_of(x).dtype)
        return op.tensor_scatter(x, op.convert(indices), updates, how=how)

    scatter.__name__ = name
    scatter.__doc__ = f"""A copy of `tensor` with `updates` {words} at index vectors.

    tensor: any shape. indices: integers, shape [..., K], K at most the rank. updates: shape
    indices.shape[:-1] + tensor.shape[K:], tensor's dtype.

    >>> ag.{name}([1, 9, 1], [[0], [2]], [5, 6]).shape
    TensorShape([3])

    Source of the semantics: TensorFlow's `tf.{name}`.
    """
    return function(name)(scatter)


for _how, _words in [
    ("update", "put"),
    ("add", "added"),
    ("sub", "subtracted"),
    ("max", "as lower bounds"),
    ("min", "as upper bounds"),
]:
    _scatter(_how, f"tensor_scatter_nd_{_how}", _words)


@function("boolean_mask")
def boolean_mask(op: Any, tensor: Any, mask: Any, axis: int | None = None, name: str = "boolean_mask") -> Any:
    """The elements (or rows) where the mask is true; the mask's axes start at `axis`.

    >>> ag.boolean_mask([1, 2, 3], [True, False, True]).numpy()
    array([1, 3], dtype=int32)

    Source of the semantics: TensorFlow's `tf.boolean_mask`.
    """
    mask = op.convert(mask) if isinstance(mask, (list, tuple)) else mask
    return op.get_item(op.strong(tensor), (*[slice(None)] * (0 if axis is None else axis_number(axis)), mask))


class Nonzero(Op):
    """The places where `x` is true, one row for each, in row-major order."""

    numpy = "np.argwhere({0})"

    def infer(self, x: TensorType) -> TensorType:
        return TensorType("int64", (Dim(), Dim() if x.shape is None else len(x.shape)))

    vjp = lambda op, dy, y, x: (None,)

    def samples(self) -> Iterable[Any]:
        yield (_x(3, 4) > 0,), {}


@function("where", "where_v2")
def where_(op: Any, condition: Any, x: Any = None, y: Any = None, name: Any = None) -> Any:
    """Elements of x where the condition holds, of y elsewhere; without x and y the places where it holds.

    >>> ag.where([True, False], 1, 2).numpy().tolist()
    [1, 2]
    """
    if x is None and y is None:
        return op.nonzero(op.strong(condition))
    if x is None or y is None:
        raise InvalidArgumentError("where takes the condition alone, or both x and y", op="where")
    both = [v.item() if isinstance(v, np.generic) else v for v in (x, y)]
    if all(isinstance(v, (int, float, complex)) for v in both):
        both = [op.convert(v) for v in both]
    if isinstance(condition, (list, tuple, str)):
        condition = op.convert(condition)
    require_numbers(op.type_of(condition), "where")
    if not op.type_of(condition).dtype.is_bool:
        condition = op.cast(condition, dtype=as_dtype("bool"))
    return op.where(condition, *both)


class Where(Op):
    """Elements of x where the condition holds, of y elsewhere, broadcast."""

    numpy = "np.where({0}, {1}, {2})"
    consumes = (2, 1)  # how depends on the types: `numpy_executor.selections`

    def infer(self, condition: TensorType, x: TensorType, y: TensorType) -> TensorType:
        dtype = promote((x.dtype, x.weak), (y.dtype, y.weak))[0]
        shape = broadcast_many((condition.shape, x.shape, y.shape))
        return TensorType(dtype, shape)

    def vjp(op: Any, dy: Any, y_: Any, condition: Any, x: Any, y: Any) -> Any:
        return (
            None,
            op.sum_to(op.where(condition, dy, 0), x) if op.type_of(x).dtype.is_inexact else None,
            op.sum_to(op.where(condition, 0, dy), y) if op.type_of(y).dtype.is_inexact else None,
        )

    def samples(self) -> Iterable[Any]:
        yield (_x(3, 4) > 0, _x(3, 4), _x(4)), {}
        yield (_x(3, 1) > 0, _x(4), np.float64(2.0)), {}


def _ones_at(indices: Any, size: int, dtype: Any) -> Any:
    """A row for each index with one at its place; zeros where there is none such."""
    out = np.zeros((len(indices), size), dtype)
    if out.size and indices.dtype.kind in "iu":
        first = np.arange(0, out.size, size)
        if np.minimum.reduce(indices) < 0 or np.maximum.reduce(indices) >= size:
            inside = (indices >= 0) & (indices < size)
            indices, first = indices[inside], first[inside]
        out.reshape(-1)[first + indices.astype(np.int64)] = 1
    return out


class OneHot(Op):
    """`on` where the new axis equals the index, `off` elsewhere."""

    def infer(
        self, indices: TensorType, on: TensorType, off: TensorType, *depth: TensorType, size: Any, axis: int, dtype: Any
    ) -> TensorType:
        if size is not None and size < 0:
            raise InvalidArgumentError(f"one_hot: depth must not be negative, but is {size}", op="one_hot")
        if indices.shape is None:
            return TensorType(dtype, None)
        shape = list(indices.shape)
        at = len(shape) if axis == -1 else axis
        shape.insert(at, Dim() if size is None else size)
        return TensorType(dtype, tuple(shape))

    @staticmethod
    def kernel(indices: Any, on: Any, off: Any, *depth: Any, size: Any, axis: int, dtype: Any) -> Any:
        if (depth[0] if depth else size) < 0:
            raise InvalidArgumentError(f"one_hot: depth must not be negative, but is {[*depth, size][0]}", op="one_hot")
        indices = np.asarray(indices)
        at = indices.ndim if axis == -1 else axis
        if at == indices.ndim == 1 and type(on) in (int, float) and on == 1 and off == 0:
            return _ones_at(indices, depth[0] if depth else size, dtype.dtype)
        hit = np.expand_dims(indices, at) == np.arange(depth[0] if depth else size).reshape(
            -1, *[1] * (indices.ndim - at)
        )
        if type(on) in (int, float) and on == 1 and off == 0:
            return hit.astype(dtype.dtype)
        if np.ndim(on) or np.ndim(off):
            return np.where(hit, on, off).astype(dtype.dtype, copy=False)
        out = np.full(hit.shape, off, dtype.dtype)
        np.copyto(out, on, where=hit, casting="unsafe")
        return out

    def vjp(op: Any, dy: Any, y: Any, indices: Any, on: Any, off: Any, *depth: Any, **attrs: Any) -> Any:
        hit = op.one_hot(indices, 1, 0, *depth, **{**attrs, "dtype": op.type_of(dy).dtype})
        return (
            None,
            op.sum_to(op.mul(dy, hit), on) if op.type_of(on).dtype.is_inexact else None,
            op.sum_to(op.mul(dy, op.sub(1, hit)), off) if op.type_of(off).dtype.is_inexact else None,
            *[None] * len(depth),
        )

    def samples(self) -> Iterable[Any]:
        f64 = as_dtype("float64")
        yield (np.array([0, 2, -1]), np.float64(2.0), np.float64(0.5)), {"size": 3, "axis": -1, "dtype": f64}
        yield (np.array([[0, 2], [1, 1]]), 1, 0), {"size": 3, "axis": 0, "dtype": as_dtype("float32")}


@function("one_hot")
def one_hot_(
    op: Any,
    indices: Any,
    depth: Any,
    on_value: Any = None,
    off_value: Any = None,
    axis: Any = None,
    dtype: Any = None,
    name: Any = None,
) -> Any:
    """1 (or `on_value`) at the place each index names along a new axis, 0 (or `off_value`) elsewhere.

    float32 unless `dtype` or the values say otherwise.

    >>> ag.one_hot([0, 2], 3).numpy().tolist()
    [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """
    if dtype is None:
        given = [v for v in (on_value, off_value) if v is not None]
        dtype = op.type_of(op.convert(given[0])).dtype if given else "float32"
    entries, inputs = split_sizes(op, [depth])
    indices = op.convert(indices) if isinstance(indices, (list, tuple)) else indices
    _integers(op.type_of(indices), "one_hot")
    return op.one_hot(
        indices,
        1 if on_value is None else on_value,
        0 if off_value is None else off_value,
        *inputs,
        size=None if inputs or entries is None else entries[0],
        axis=-1 if axis is None else axis_number(axis),
        dtype=as_dtype(dtype),
    )
